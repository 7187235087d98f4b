//! Transfers.

use async_graphql::{Enum, ID, SimpleObject};
use shared_kernel::domain::{ReasonCode, Timestamp};
use shared_kernel::infrastructure::graphql::{DateTime, EndToEndId, Money, TaxId};

use super::account::Account;
use super::bank::Bank;
use crate::application::TransferView;
use crate::domain::{self, Party, PayeeKey};

/// Where a transfer stands: `PENDING`, `CONFIRMED`, `COMPLETED`, or `PENDING` and then `REJECTED`
/// or `EXPIRED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::TransferState")]
pub(super) enum TransferState {
    /// Stored; the payee's bank is asked.
    Pending,
    /// Settled and final; the banks post it.
    Confirmed,
    /// Both banks have posted it.
    Completed,
    /// Refused by the hub or the payee's bank; the reason says why.
    Rejected,
    /// Not accepted within its deadline.
    Expired,
}

/// At which end of a transfer an account or a bank is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(super) enum TransferDirection {
    /// It pays.
    Sent,
    /// It is paid.
    Received,
}

impl From<TransferDirection> for domain::Side {
    fn from(direction: TransferDirection) -> Self {
        match direction {
            TransferDirection::Sent => Self::Payer,
            TransferDirection::Received => Self::Payee,
        }
    }
}

/// Why a transfer did not happen.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct TransferReason {
    /// The ISO 20022 code, as the instant-payment system uses it: `AC06`.
    code: String,
    /// What it means, in one sentence.
    sentence: String,
}

impl From<ReasonCode> for TransferReason {
    fn from(code: ReasonCode) -> Self {
        Self { code: code.to_string(), sentence: code.sentence_en().to_owned() }
    }
}

/// One end of a transfer.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct TransferParty {
    /// The account at this end; null where no bank of ours answers for it.
    account: Option<Account>,
    /// The bank that keeps it.
    bank: Bank,
    /// Name of its owner.
    owner_name: String,
    /// CPF or CNPJ of its owner.
    owner_tax_id: TaxId,
}

impl From<&Party> for TransferParty {
    fn from(party: &Party) -> Self {
        Self {
            account: Some(Account::new(party.account_id)),
            bank: Bank::new(party.ispb),
            owner_name: party.owner_name.as_str().to_owned(),
            owner_tax_id: party.owner_tax_id.into(),
        }
    }
}

// The directory's.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(unresolvable = "id")]
pub(super) struct PixKey {
    id: ID,
}

impl From<&PayeeKey> for PixKey {
    fn from(key: &PayeeKey) -> Self {
        Self { id: ID(key.as_str().to_owned()) }
    }
}

/// A transfer of money between two banks, as the hub that settles it sees it.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(super) struct Transfer {
    /// Its `EndToEndId`.
    id: ID,
    /// The id that it carries from end to end.
    pub(super) end_to_end_id: EndToEndId,
    /// Where it stands.
    state: TransferState,
    /// How much is paid.
    amount: Money,
    /// Who pays.
    payer: TransferParty,
    /// Who is paid; null where the hub does not know it.
    payee: Option<TransferParty>,
    /// The Pix key that was paid to; null where the order had none.
    payee_key: Option<PixKey>,
    /// What the payer wrote; may be empty.
    description: String,
    /// Why it was rejected or has expired; null in any other state.
    reason: Option<TransferReason>,
    /// When the hub took the order.
    registered_at: DateTime,
    /// Until when the payee's bank may accept it.
    deadline: DateTime,
    /// When it was settled; null before, and when it never was.
    confirmed_at: Option<DateTime>,
    /// When it was completed or rejected or has expired; null before.
    finished_at: Option<DateTime>,
    /// Since when it is pending past its deadline, because the payee's bank may have credited
    /// already; null in any other case.
    overdue_at: Option<DateTime>,
    /// The id under which existing bank programs know it; null where none takes part.
    order_id: Option<ID>,
    /// Counts the states that it has entered.
    version: i64,
    /// Of its decision.
    #[graphql(skip)]
    pub(super) contradicted_at: Option<Timestamp>,
}

impl From<TransferView> for Transfer {
    fn from(transfer: TransferView) -> Self {
        let order = &transfer.order;
        Self {
            id: order.end_to_end_id.into(),
            end_to_end_id: order.end_to_end_id.into(),
            state: transfer.state.into(),
            amount: order.amount.into(),
            payer: (&order.payer).into(),
            payee: Some((&order.payee).into()),
            payee_key: Some((&order.payee_key).into()),
            description: order.description.as_str().to_owned(),
            reason: transfer.reason.map(TransferReason::from),
            registered_at: transfer.terms.registered_at.into(),
            deadline: transfer.terms.deadline.into(),
            confirmed_at: transfer.confirmed_at.map(DateTime::from),
            finished_at: transfer.finished_at.map(DateTime::from),
            overdue_at: transfer.overdue_at.map(DateTime::from),
            order_id: transfer.order_id.map(|id| ID(id.to_string())),
            version: transfer.version,
            contradicted_at: transfer.contradicted_at,
        }
    }
}

impl From<&domain::Transfer> for Transfer {
    fn from(transfer: &domain::Transfer) -> Self {
        TransferView::from(transfer).into()
    }
}
