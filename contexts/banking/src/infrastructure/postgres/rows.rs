//! Rows to domain. What is stored was valid when it was written: a row that is not is refused.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use shared_kernel::application::{StoreError, TraceParent};
use shared_kernel::domain::{
    AccountId, Amount, Day, EndToEndId, Ispb, Money, ReasonCode, TaxId, Violation,
};
use shared_kernel::infrastructure::postgres::timestamp;
use uuid::Uuid;

use crate::application::ports::Traced;
use crate::domain::{
    Account, AccountNumber, AccountState, AccountStatus, BookTransfer, Branch, Funds,
    IncomingState, IncomingStatus, IncomingTransfer, Limits, OutgoingState, OutgoingStatus,
    OutgoingTransfer, OwnerName, Party, Payment, Spent,
};

/// A stored value that cannot be read.
pub(super) fn unreadable(what: &str) -> StoreError {
    StoreError::Rejected(format!("a stored {what} is unreadable"))
}

/// For `map_err` of a value's parser.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
pub(super) fn unreadable_value(broken: Violation) -> StoreError {
    StoreError::Rejected(format!("a stored value is unreadable: {broken}"))
}

pub(super) fn status_word(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Blocked => "blocked",
        AccountStatus::Closed => "closed",
    }
}

fn status(word: &str) -> Result<AccountStatus, StoreError> {
    [AccountStatus::Active, AccountStatus::Blocked, AccountStatus::Closed]
        .into_iter()
        .find(|status| status_word(*status) == word)
        .ok_or_else(|| unreadable("account status"))
}

fn reason(code: Option<String>) -> Result<Option<ReasonCode>, StoreError> {
    code.map(|code| ReasonCode::parse(&code)).transpose().map_err(unreadable_value)
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn trace(text: &str) -> Result<TraceParent, StoreError> {
    TraceParent::parse(text).ok_or_else(|| unreadable("trace"))
}

/// An account with its owner.
#[derive(QueryableByName)]
pub(super) struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Text)]
    branch: String,
    #[diesel(sql_type = Text)]
    number: String,
    #[diesel(sql_type = Text)]
    owner_name: String,
    #[diesel(sql_type = Text)]
    owner_tax_id: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    balance: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    limit_per_transfer: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    limit_per_day: Option<i64>,
    #[diesel(sql_type = Integer)]
    spent_day: i32,
    #[diesel(sql_type = BigInt)]
    spent: i64,
    #[diesel(sql_type = Timestamptz)]
    opened_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    changed_at: PgTimestamp,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

impl AccountRow {
    pub(super) fn into_domain(self) -> Result<Account, StoreError> {
        let bad = unreadable_value;
        let money = Money::from_centavos;
        Ok(Account::restore(AccountState {
            id: AccountId::from_uuid(self.id),
            ispb: Ispb::parse(&self.ispb).map_err(bad)?,
            branch: Branch::parse(&self.branch).map_err(bad)?,
            number: AccountNumber::parse(&self.number).map_err(bad)?,
            owner_name: OwnerName::parse(&self.owner_name).map_err(bad)?,
            owner_tax_id: TaxId::parse(&self.owner_tax_id).map_err(bad)?,
            status: status(&self.status)?,
            funds: Funds { balance: money(self.balance), held: money(self.held) },
            limits: Limits {
                per_transfer: self.limit_per_transfer.map(money),
                per_day: self.limit_per_day.map(money),
            },
            spent: Spent {
                day: Day::from_days(self.spent_day).map_err(bad)?,
                amount: money(self.spent),
            },
            opened_at: timestamp(self.opened_at),
            changed_at: timestamp(self.changed_at),
            version: self.version,
        }))
    }
}

/// What all transfers have in common.
#[derive(QueryableByName)]
struct PaymentRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Text)]
    payer_ispb: String,
    #[diesel(sql_type = SqlUuid)]
    payer_account_id: Uuid,
    #[diesel(sql_type = Text)]
    payer_name: String,
    #[diesel(sql_type = Text)]
    payer_tax_id: String,
    #[diesel(sql_type = Text)]
    payee_ispb: String,
    #[diesel(sql_type = SqlUuid)]
    payee_account_id: Uuid,
    #[diesel(sql_type = Text)]
    payee_name: String,
    #[diesel(sql_type = Text)]
    payee_tax_id: String,
    #[diesel(sql_type = Text)]
    payee_key: String,
    #[diesel(sql_type = Nullable<Text>)]
    payee_key_registered_as: Option<String>,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Timestamptz)]
    ordered_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    deadline: PgTimestamp,
}

pub(super) fn party(
    ispb: &str,
    account_id: Uuid,
    owner_name: String,
    owner_tax_id: &str,
) -> Result<Party, StoreError> {
    Ok(Party {
        ispb: Ispb::parse(ispb).map_err(unreadable_value)?,
        account_id: AccountId::from_uuid(account_id),
        owner_name,
        owner_tax_id: TaxId::parse(owner_tax_id).map_err(unreadable_value)?,
    })
}

impl PaymentRow {
    fn into_domain(self) -> Result<Payment, StoreError> {
        let (from, to) = (self.payer_account_id, self.payee_account_id);
        Ok(Payment {
            end_to_end_id: EndToEndId::parse(&self.end_to_end_id).map_err(unreadable_value)?,
            payer: party(&self.payer_ispb, from, self.payer_name, &self.payer_tax_id)?,
            payee: party(&self.payee_ispb, to, self.payee_name, &self.payee_tax_id)?,
            payee_key: self.payee_key,
            payee_key_registered_as: self.payee_key_registered_as,
            amount: Amount::from_centavos(self.amount).map_err(unreadable_value)?,
            description: self.description,
            ordered_at: timestamp(self.ordered_at),
            deadline: timestamp(self.deadline),
        })
    }
}

/// How a side between banks stands.
#[derive(QueryableByName)]
pub(super) struct SideRow {
    #[diesel(embed)]
    payment: PaymentRow,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason_code: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    answered_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<PgTimestamp>,
    #[diesel(sql_type = Timestamptz)]
    resend_at: PgTimestamp,
    #[diesel(sql_type = Integer)]
    resends: i32,
    #[diesel(sql_type = Text)]
    trace: String,
}

impl SideRow {
    pub(super) fn into_book(self) -> Result<BookTransfer, StoreError> {
        let booked_at = timestamp(self.payment.ordered_at);
        Ok(BookTransfer { payment: self.payment.into_domain()?, booked_at })
    }

    pub(super) fn into_outgoing(self) -> Result<Traced<OutgoingTransfer>, StoreError> {
        let status = OutgoingStatus::parse(&self.state);
        let state = OutgoingState {
            payment: self.payment.into_domain()?,
            status: status.ok_or_else(|| unreadable("transfer state"))?,
            reason: reason(self.reason_code)?,
            finished_at: self.finished_at.map(timestamp),
            resend_at: timestamp(self.resend_at),
            resends: count(self.resends),
        };
        Ok(Traced { value: OutgoingTransfer::restore(state), trace: trace(&self.trace)? })
    }

    pub(super) fn into_incoming(self) -> Result<Traced<IncomingTransfer>, StoreError> {
        let status = IncomingStatus::parse(&self.state);
        let state = IncomingState {
            payment: self.payment.into_domain()?,
            status: status.ok_or_else(|| unreadable("transfer state"))?,
            reason: reason(self.reason_code)?,
            answered_at: self.answered_at.map(timestamp),
            finished_at: self.finished_at.map(timestamp),
            resend_at: timestamp(self.resend_at),
            resends: count(self.resends),
        };
        Ok(Traced { value: IncomingTransfer::restore(state), trace: trace(&self.trace)? })
    }
}
