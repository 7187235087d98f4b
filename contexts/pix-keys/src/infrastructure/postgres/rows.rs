//! Rows and what they mean. A row that means nothing is the store's fault, never a refusal.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, BankCode, Ispb, TaxId, Violation};
use shared_kernel::infrastructure::postgres::timestamp;
use uuid::Uuid;

use crate::application::ports::ListedAccount;
use crate::application::{AccountView, EntryView};
use crate::domain::{
    Account, AccountDetails, AccountFields, AccountStatus, Entry, EntryId, EntryState, Holding,
    Participant, PixKey, RemovalReason, Spelling,
};

/// A stored value that the domain refuses.
#[expect(clippy::needless_pass_by_value, reason = "the form of `map_err`")]
fn unreadable(broken: Violation) -> StoreError {
    StoreError::Rejected(format!("a stored row of pix_keys is unreadable: {}", broken.code()))
}

fn incomplete() -> StoreError {
    StoreError::Rejected("a stored row of pix_keys is incomplete".into())
}

/// A row of `participant`.
#[derive(QueryableByName)]
pub(super) struct ParticipantRow {
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl TryFrom<ParticipantRow> for Participant {
    type Error = StoreError;

    fn try_from(row: ParticipantRow) -> Result<Self, StoreError> {
        Ok(Self {
            ispb: Ispb::parse(&row.ispb).map_err(unreadable)?,
            code: BankCode::parse(&row.code).map_err(unreadable)?,
            name: row.name,
            version: row.version,
        })
    }
}

/// A row of `account`, with its row of `participant` if there is one.
#[derive(QueryableByName)]
pub(super) struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Nullable<Text>)]
    branch: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    owner_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    owner_tax_id: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    account_version: i64,
    #[diesel(sql_type = Nullable<Text>)]
    bank_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    bank_name: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    participant_version: Option<i64>,
}

impl AccountRow {
    fn details(&self) -> Result<Option<AccountDetails>, StoreError> {
        let (Some(branch), Some(number), Some(owner_name), Some(owner_tax_id)) =
            (&self.branch, &self.number, &self.owner_name, &self.owner_tax_id)
        else {
            return Ok(None);
        };
        let fields = AccountFields { branch, number, owner_name, owner_tax_id };
        AccountDetails::parse(fields).map(Some).map_err(unreadable)
    }

    fn participant(&self, ispb: Ispb) -> Result<Option<Participant>, StoreError> {
        let (Some(code), Some(name), Some(version)) =
            (&self.bank_code, &self.bank_name, self.participant_version)
        else {
            return Ok(None);
        };
        let code = BankCode::parse(code).map_err(unreadable)?;
        Ok(Some(Participant { ispb, code, name: name.clone(), version }))
    }
}

impl TryFrom<AccountRow> for ListedAccount {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let id = AccountId::from_uuid(row.account_id);
        let ispb = Ispb::parse(&row.ispb).map_err(unreadable)?;
        let status = AccountStatus::parse(&row.status).map_err(unreadable)?;
        Ok(Self {
            account: Account::stored((id, ispb), row.details()?, status, row.account_version),
            participant: row.participant(ispb)?,
        })
    }
}

impl TryFrom<AccountRow> for AccountView {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        Self::of(&ListedAccount::try_from(row)?).ok_or_else(incomplete)
    }
}

/// A row of `entry`.
#[derive(QueryableByName)]
pub(super) struct EntryRow {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = SqlUuid)]
    entry_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    owner_tax_id: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    owned_since: PgTimestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    removed_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Text>)]
    removal_reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Nullable<Text>)]
    registered_as: Option<String>,
}

fn spelling(registered_as: Option<&str>) -> Result<Option<Spelling>, StoreError> {
    registered_as.map(Spelling::parse).transpose().map_err(unreadable)
}

impl TryFrom<EntryRow> for Entry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let held = Holding {
            entry_id: EntryId::from_uuid(row.entry_id),
            account_id: AccountId::from_uuid(row.account_id),
            ispb: Ispb::parse(&row.ispb).map_err(unreadable)?,
            owner_tax_id: TaxId::parse(&row.owner_tax_id).map_err(unreadable)?,
            created_at: timestamp(row.created_at),
            owned_since: timestamp(row.owned_since),
        };
        let state = match (row.removed_at, row.removal_reason) {
            (None, None) => EntryState::Active(held),
            (Some(removed_at), Some(reason)) => EntryState::Removed {
                last: held,
                reason: RemovalReason::parse(&reason).map_err(unreadable)?,
                removed_at: timestamp(removed_at),
            },
            (None, Some(_)) | (Some(_), None) => return Err(incomplete()),
        };
        let key = PixKey::infer(&row.key).map_err(unreadable)?;
        Ok(Self::stored(key, row.version, state).spelled(spelling(row.registered_as.as_deref())?))
    }
}

/// An active entry with its account.
#[derive(QueryableByName)]
pub(super) struct EntryViewRow {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = SqlUuid)]
    entry_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    created_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    owned_since: PgTimestamp,
    #[diesel(sql_type = Nullable<Text>)]
    registered_as: Option<String>,
    #[diesel(embed)]
    account: AccountRow,
}

impl TryFrom<EntryViewRow> for EntryView {
    type Error = StoreError;

    fn try_from(row: EntryViewRow) -> Result<Self, StoreError> {
        Ok(Self {
            entry_id: EntryId::from_uuid(row.entry_id),
            key: PixKey::infer(&row.key).map_err(unreadable)?,
            account: AccountView::try_from(row.account)?,
            created_at: timestamp(row.created_at),
            owned_since: timestamp(row.owned_since),
            spelling: spelling(row.registered_as.as_deref())?,
        })
    }
}
