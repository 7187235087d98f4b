//! What callers are shown. Answers of commands are remembered in this form, so it only grows.

use serde::{Deserialize, Serialize};
use shared_kernel::domain::{
    AccountId, Amount, BankCode, EndToEndId, Ispb, Money, ReasonCode, TaxId, Timestamp,
};

use super::ordering::BookedSides;
use crate::domain::{
    Account, AccountStatus, BookTransfer, Client, ClientId, EntryId, IncomingStatus,
    IncomingTransfer, Leg, Limits, OutgoingStatus, OutgoingTransfer, Payment,
};

/// A bank that is hosted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankView {
    /// Its ISPB.
    pub ispb: Ispb,
    /// Its short code.
    pub code: BankCode,
    /// Its name.
    pub name: String,
    /// `#rrggbb`.
    pub primary_color: String,
    /// `#rrggbb`.
    pub secondary_color: String,
}

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its branch.
    pub branch: String,
    /// Its number.
    pub number: String,
    /// Its owner.
    pub owner_name: String,
    /// Its owner's tax id.
    pub owner_tax_id: TaxId,
    /// What may happen on it.
    pub status: AccountStatus,
    /// Sum of its entries.
    pub balance: Money,
    /// Sum of its open holds.
    pub held: Money,
    /// Balance less held.
    pub available: Money,
    /// What it may send.
    pub limits: Limits,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Number of its events.
    pub version: i64,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        let state = account.state();
        Self {
            id: state.id,
            ispb: state.ispb,
            branch: state.branch.to_string(),
            number: state.number.to_string(),
            owner_name: state.owner_name.as_str().to_owned(),
            owner_tax_id: state.owner_tax_id,
            status: state.status,
            balance: state.funds.balance,
            held: state.funds.held,
            available: state.funds.available(),
            limits: state.limits,
            opened_at: state.opened_at,
            version: state.version,
        }
    }
}

/// A client of a bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// Its id.
    pub id: ClientId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its name.
    pub name: String,
    /// Its e-mail.
    pub email: String,
    /// What stands for its tax id.
    pub tax_id: TaxId,
    /// Since when.
    pub registered_at: Timestamp,
}

impl From<&Client> for ClientView {
    fn from(client: &Client) -> Self {
        let Client { id, ispb, name, email, tax_id, registered_at } = client;
        let (name, email) = (name.as_str().to_owned(), email.as_str().to_owned());
        Self { id: *id, ispb: *ispb, name, email, tax_id: *tax_id, registered_at: *registered_at }
    }
}

/// A transfer within a bank that was booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedView {
    /// Its debit's entry in the ledger.
    pub id: EntryId,
    /// Its id among transfers.
    pub end_to_end_id: EndToEndId,
    /// Who paid.
    pub payer_account_id: AccountId,
    /// Who was paid.
    pub payee_account_id: AccountId,
    /// How much.
    pub amount: Amount,
    /// When.
    pub booked_at: Timestamp,
    /// Version of the payer's account after it. Answers that were remembered before this was said
    /// have none.
    #[serde(default)]
    pub payer_version: Option<i64>,
    /// Version of the payee's account after it.
    #[serde(default)]
    pub payee_version: Option<i64>,
}

impl BookedView {
    /// Of a transfer, by what it has left on its accounts.
    pub(crate) fn of(transfer: &BookTransfer, sides: BookedSides) -> Self {
        let Payment { end_to_end_id, payer, payee, amount, .. } = &transfer.payment;
        Self {
            id: sides.entry_id,
            end_to_end_id: *end_to_end_id,
            payer_account_id: payer.account_id,
            payee_account_id: payee.account_id,
            amount: *amount,
            booked_at: transfer.booked_at,
            payer_version: Some(sides.payer_version),
            payee_version: Some(sides.payee_version),
        }
    }
}

/// Which way the money goes, seen from the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To another bank.
    Outgoing,
    /// From another bank.
    Incoming,
    /// Within the bank.
    Book,
}

/// What the customer sees of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownState {
    /// Held, or expected.
    Requested,
    /// The money has moved.
    Settled,
    /// It did not happen, for the reason shown.
    Rejected,
    /// It did not happen in time.
    Expired,
}

impl ShownState {
    /// Whether nothing follows any more.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Requested => false,
            Self::Settled | Self::Rejected | Self::Expired => true,
        }
    }
}

/// A transfer as one of its accounts sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferView {
    /// Its id.
    pub end_to_end_id: EndToEndId,
    /// Which way.
    pub direction: Direction,
    /// Where it stands.
    pub state: ShownState,
    /// The payer's account when it goes out or stays, the payee's when it comes in.
    pub account_id: AccountId,
    /// How much.
    pub amount: Amount,
    /// The key that was paid to.
    pub payee_key: String,
    /// The other bank.
    pub counterparty_ispb: Ispb,
    /// The other side.
    pub counterparty_name: String,
    /// The payee's account, if it is at the same bank.
    pub counterparty_account_id: Option<AccountId>,
    /// What the payer wrote.
    pub description: String,
    /// Why it did not happen.
    pub reason: Option<ReasonCode>,
    /// When it was ordered.
    pub requested_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When an open one is over by the bank's own clock.
    pub deadline: Timestamp,
}

impl TransferView {
    /// The side of the account `seen_by`.
    fn of(payment: &Payment, direction: Direction, seen_by_payee: bool) -> Self {
        let Payment { payer, payee, .. } = payment;
        let counterparty = if seen_by_payee { payer } else { payee };
        let own = if direction == Direction::Incoming { payee } else { payer };
        Self {
            end_to_end_id: payment.end_to_end_id,
            direction,
            state: ShownState::Settled,
            account_id: own.account_id,
            amount: payment.amount,
            payee_key: payment.payee_key.clone(),
            counterparty_ispb: counterparty.ispb,
            counterparty_name: counterparty.owner_name.clone(),
            counterparty_account_id: (direction == Direction::Book).then_some(payee.account_id),
            description: payment.description.clone(),
            reason: None,
            requested_at: payment.ordered_at,
            finished_at: None,
            deadline: payment.deadline,
        }
    }

    /// A transfer within the bank, seen by one of its accounts.
    pub fn book(transfer: &BookTransfer, seen_by: AccountId) -> Self {
        let by_payee = transfer.payment.payee.account_id == seen_by;
        let seen = Self::of(&transfer.payment, Direction::Book, by_payee);
        Self { finished_at: Some(transfer.booked_at), deadline: transfer.booked_at, ..seen }
    }
}

impl From<&OutgoingTransfer> for TransferView {
    fn from(transfer: &OutgoingTransfer) -> Self {
        let state = transfer.state();
        Self {
            state: match state.status {
                OutgoingStatus::Requested => ShownState::Requested,
                OutgoingStatus::Settled => ShownState::Settled,
                OutgoingStatus::Rejected => ShownState::Rejected,
                OutgoingStatus::Expired => ShownState::Expired,
            },
            reason: state.reason,
            finished_at: state.finished_at,
            ..Self::of(&state.payment, Direction::Outgoing, false)
        }
    }
}

impl From<&IncomingTransfer> for TransferView {
    fn from(transfer: &IncomingTransfer) -> Self {
        let state = transfer.state();
        Self {
            state: match state.status {
                IncomingStatus::Expected => ShownState::Requested,
                IncomingStatus::Credited => ShownState::Settled,
                IncomingStatus::Cancelled if state.reason == Some(ReasonCode::Ab03) => {
                    ShownState::Expired
                }
                // Unapplied money did not reach this account, whatever became of it.
                IncomingStatus::Cancelled | IncomingStatus::Refused | IncomingStatus::Unapplied => {
                    ShownState::Rejected
                }
            },
            reason: state.reason,
            finished_at: state.finished_at,
            ..Self::of(&state.payment, Direction::Incoming, true)
        }
    }
}

/// An amount that waits for the hub's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldView {
    /// The transfer that it is held for.
    pub end_to_end_id: EndToEndId,
    /// How much.
    pub amount: Amount,
    /// When it was held.
    pub since: Timestamp,
    /// Until when the hub should have spoken, by the bank's own clock.
    pub deadline: Timestamp,
}

impl From<&Payment> for HoldView {
    fn from(payment: &Payment) -> Self {
        Self {
            end_to_end_id: payment.end_to_end_id,
            amount: payment.amount,
            since: payment.ordered_at,
            deadline: payment.deadline,
        }
    }
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// The entry.
    pub entry_id: EntryId,
    /// Why it was made.
    pub leg: Leg,
    /// Credit positive, debit negative.
    pub amount: Money,
    /// Balance after it.
    pub balance_after: Money,
    /// Version of the account after it.
    pub version: i64,
    /// Its transfer, if it is of one.
    pub end_to_end_id: Option<EndToEndId>,
    /// The other side of the transfer.
    pub counterparty_name: String,
    /// What the payer wrote.
    pub description: String,
    /// When it was posted.
    pub posted_at: Timestamp,
}
