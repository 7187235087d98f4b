//! Rows of `balances.account_history` and `balances.transfer` and what they stand for.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Violation};

use super::rows::state;
use crate::application::ports::StatementLine;
use crate::domain::{AccountState, Counterparty, Movement, MovementKind, Party, TransferParties};

/// A row that this context did not write.
fn unreadable(broken: &Violation) -> StoreError {
    let (field, message) = (broken.field(), broken.message());
    StoreError::Rejected(format!("the history is unreadable at {field}: {message}"))
}

/// One entry of a history.
#[derive(QueryableByName)]
pub(crate) struct EntryRow {
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: PgTimestamp,
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = Nullable<Text>)]
    movement: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    amount: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    end_to_end_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    counterparty_ispb: Option<String>,
    #[diesel(sql_type = Nullable<Uuid>)]
    counterparty_account_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    counterparty_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
}

impl EntryRow {
    /// What the account was, and what moved.
    pub(crate) fn into_entry(self) -> Result<(AccountState, Option<Movement>), StoreError> {
        let state = self.state().map_err(|broken| unreadable(&broken))?;
        let movement = self.movement().map_err(|broken| unreadable(&broken))?;
        Ok((state, movement))
    }

    /// The version that it belongs to.
    pub(crate) const fn version(&self) -> i64 {
        self.version
    }

    fn state(&self) -> Result<AccountState, Violation> {
        state(self.version, (self.available, self.held), self.occurred_at)
    }

    fn movement(self) -> Result<Option<Movement>, Violation> {
        let (Some(kind), Some(amount)) = (self.movement, self.amount) else { return Ok(None) };
        let ispb = self.counterparty_ispb.as_deref().map(Ispb::parse).transpose()?;
        Ok(Some(Movement {
            kind: MovementKind::parse(&kind)?,
            amount: Amount::from_centavos(amount)?,
            end_to_end_id: self.end_to_end_id.as_deref().map(EndToEndId::parse).transpose()?,
            counterparty: Counterparty {
                ispb,
                account_id: self.counterparty_account_id.map(AccountId::from_uuid),
                name: self.counterparty_name,
            },
            description: self.description.unwrap_or_default(),
        }))
    }
}

/// The sides of a transfer; all null where the hub has said nothing of it.
#[derive(QueryableByName)]
pub(super) struct SidesRow {
    #[diesel(sql_type = Nullable<Text>)]
    payer_ispb: Option<String>,
    #[diesel(sql_type = Nullable<Uuid>)]
    payer_account_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payee_ispb: Option<String>,
    #[diesel(sql_type = Nullable<Uuid>)]
    payee_account_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    payee_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payee_key: Option<String>,
}

/// The columns of one side.
type Side = (Option<String>, Option<uuid::Uuid>, Option<String>);

fn party((ispb, account, name): Side) -> Result<Option<Party>, Violation> {
    let (Some(ispb), Some(account), Some(owner_name)) = (ispb, account, name) else {
        return Ok(None);
    };
    let (ispb, account_id) = (Ispb::parse(&ispb)?, AccountId::from_uuid(account));
    Ok(Some(Party { ispb, account_id, owner_name }))
}

impl SidesRow {
    fn into_parties(
        self,
        end_to_end_id: Option<EndToEndId>,
    ) -> Result<Option<TransferParties>, StoreError> {
        let broken = |broken: Violation| unreadable(&broken);
        let payer = (self.payer_ispb, self.payer_account_id, self.payer_name);
        let payee = (self.payee_ispb, self.payee_account_id, self.payee_name);
        let sides = (party(payer).map_err(broken)?, party(payee).map_err(broken)?);
        let (Some(end_to_end_id), (Some(payer), Some(payee)), Some(payee_key)) =
            (end_to_end_id, sides, self.payee_key)
        else {
            return Ok(None);
        };
        Ok(Some(TransferParties { end_to_end_id, payer, payee, payee_key }))
    }
}

/// A transfer.
#[derive(QueryableByName)]
pub(crate) struct TransferRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(embed)]
    sides: SidesRow,
}

impl TransferRow {
    /// Its parties.
    pub(crate) fn into_parties(self) -> Result<TransferParties, StoreError> {
        let id = EndToEndId::parse(&self.end_to_end_id).map_err(|broken| unreadable(&broken))?;
        let missing = || StoreError::Rejected(format!("transfer {id} lacks a side"));
        self.sides.into_parties(Some(id))?.ok_or_else(missing)
    }
}

/// A line of a statement, with its place in the question.
#[derive(QueryableByName)]
pub(super) struct LineRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(embed)]
    entry: EntryRow,
    #[diesel(embed)]
    sides: SidesRow,
}

impl LineRow {
    /// The line.
    pub(super) fn into_line(self) -> Result<(i64, StatementLine), StoreError> {
        let (state, movement) = self.entry.into_entry()?;
        let movement = movement
            .ok_or_else(|| StoreError::Rejected("a line of a statement moves nothing".into()))?;
        let transfer = self.sides.into_parties(movement.end_to_end_id)?;
        let movement = movement.completed_by(transfer.as_ref());
        let payee_key = transfer.map(|transfer| transfer.payee_key);
        Ok((self.place, StatementLine { state, movement, payee_key }))
    }
}

/// An entry of a history with its account.
#[derive(QueryableByName)]
pub(crate) struct HistoryRow {
    #[diesel(sql_type = Uuid)]
    pub(crate) account_id: uuid::Uuid,
    /// Since when it is in force.
    #[diesel(sql_type = Timestamptz)]
    pub(crate) effective_at: PgTimestamp,
    #[diesel(embed)]
    pub(crate) entry: EntryRow,
}
