//! Rows of what other programs say, and accounts as they are known from either side.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb, Money, Violation};
use shared_kernel::infrastructure::postgres::timestamp;

use super::rows::{BalanceColumns, state};
use crate::application::ports::PastState;
use crate::domain::{
    BankState, ExternalAccount, ExternalBalance, ExternalState, KnownBalance, MovementKind,
    RecordPlace, Standing,
};

/// A row that this context did not write.
fn unreadable(broken: &Violation) -> StoreError {
    let (field, message) = (broken.field(), broken.message());
    StoreError::Rejected(format!("an account is unreadable at {field}: {message}"))
}

fn kind(word: Option<&str>) -> Result<Option<MovementKind>, Violation> {
    word.map(MovementKind::parse).transpose()
}

/// The newest word of another program; all null where there is none.
#[derive(QueryableByName)]
pub(super) struct SaidColumns {
    #[diesel(sql_type = Nullable<BigInt>)]
    said_balance: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    said_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Integer>)]
    said_partition: Option<i32>,
    #[diesel(sql_type = Nullable<BigInt>)]
    said_offset: Option<i64>,
    /// When the account was opened there.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    opened_since: Option<PgTimestamp>,
}

impl SaidColumns {
    fn state(&self) -> Option<ExternalState> {
        let said = self.said_balance.zip(self.said_at).map(|(balance, at)| ExternalState {
            balance: Money::from_centavos(balance),
            said_at: timestamp(at),
            // A fixture has no record.
            place: self.said_partition.zip(self.said_offset).filter(|(at, _)| *at >= 0),
        });
        said.or_else(|| {
            self.opened_since.map(|since| ExternalState {
                balance: Money::ZERO,
                said_at: timestamp(since),
                place: None,
            })
        })
    }
}

/// An account as it is known from either side.
#[derive(QueryableByName)]
pub(super) struct KnownRow {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(embed)]
    bank: BalanceColumns,
    /// Movement of the bank's newest event, where that is the second.
    #[diesel(sql_type = Nullable<Text>)]
    movement: Option<String>,
    #[diesel(embed)]
    said: SaidColumns,
}

impl KnownRow {
    /// The account.
    pub(super) fn into_known(self) -> Result<KnownBalance, StoreError> {
        let account_id = AccountId::from_uuid(self.account_id);
        let movement = kind(self.movement.as_deref()).map_err(|broken| unreadable(&broken))?;
        let bank = self.bank.into_balance(account_id)?.map(|balance| (balance, movement));
        let nothing = || StoreError::Rejected(format!("nobody has said anything of {account_id}"));
        KnownBalance::of(account_id, bank, self.said.state()).ok_or_else(nothing)
    }
}

/// The same with the place of its list in the question.
#[derive(QueryableByName)]
pub(super) struct ListedRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(embed)]
    known: KnownRow,
}

impl ListedRow {
    /// The account.
    pub(super) fn into_known(self) -> Result<(i64, KnownBalance), StoreError> {
        Ok((self.place, self.known.into_known()?))
    }
}

/// An account at a past instant, with its place in the question.
#[derive(QueryableByName)]
pub(super) struct PastRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    ispb: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    version: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    effective_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<BigInt>)]
    available: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    held: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    movement: Option<String>,
    #[diesel(embed)]
    said: SaidColumns,
}

impl PastRow {
    /// What the account was.
    pub(super) fn into_past(self) -> Result<(i64, PastState), StoreError> {
        let read = || -> Result<PastState, Violation> {
            let entry = self.version.zip(self.available).zip(self.held).zip(self.effective_at);
            let bank = entry.map(|(((version, available), held), at)| {
                let movement = kind(self.movement.as_deref())?;
                Ok(BankState { state: state(version, (available, held), at)?, movement })
            });
            // Of an account that a bank knows now, also before it knew it.
            let said = self.said.state();
            let said = said.filter(|it| self.ispb.is_none() || it.counts_beside_a_bank());
            Ok(PastState {
                account_id: AccountId::from_uuid(self.account_id),
                ispb: self.ispb.as_deref().map(Ispb::parse).transpose()?,
                standing: Standing::of(bank.transpose()?, said),
            })
        };
        read().map(|past| (self.place, past)).map_err(|broken| unreadable(&broken))
    }
}

/// A word of another program.
#[derive(QueryableByName)]
pub(crate) struct ExternalBalanceRow {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(sql_type = Timestamptz)]
    recorded_at: PgTimestamp,
    #[diesel(sql_type = Integer)]
    partition: i32,
    #[diesel(sql_type = BigInt)]
    record_offset: i64,
    #[diesel(sql_type = BigInt)]
    balance: i64,
}

impl ExternalBalanceRow {
    /// The word.
    pub(crate) fn into_balance(self) -> Result<ExternalBalance, StoreError> {
        let place = RecordPlace {
            recorded_at: timestamp(self.recorded_at),
            partition: self.partition,
            offset: self.record_offset,
        };
        let (account, balance) =
            (AccountId::from_uuid(self.account_id), Money::from_centavos(self.balance));
        ExternalBalance::new(account, balance, place).map_err(|broken| unreadable(&broken))
    }
}

/// An account that another program has opened.
#[derive(QueryableByName)]
pub(crate) struct ExternalAccountRow {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(sql_type = Timestamptz)]
    since: PgTimestamp,
}

impl ExternalAccountRow {
    /// The account.
    pub(crate) fn into_account(self) -> ExternalAccount {
        let account_id = AccountId::from_uuid(self.account_id);
        ExternalAccount { account_id, since: timestamp(self.since) }
    }
}
