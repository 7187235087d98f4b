//! A transfer as one account sees it at its bank. The transfer itself is the hub's.

use async_graphql::{Enum, ID, SimpleObject};
use shared_kernel::domain::{AccountId, ReasonCode};
use shared_kernel::infrastructure::graphql::{DateTime, EndToEndId, Money};

use super::account::Account;
use super::bank::Bank;
use crate::application::views::{Direction, ShownState, TransferView};

#[derive(SimpleObject)]
#[graphql(unresolvable = "id")]
pub(super) struct Transfer {
    id: ID,
}

impl From<shared_kernel::domain::EndToEndId> for Transfer {
    fn from(id: shared_kernel::domain::EndToEndId) -> Self {
        Self { id: id.as_str().into() }
    }
}

/// Which way the money goes, seen from the bank.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Direction")]
pub(super) enum AccountTransferDirection {
    /// To another bank.
    Outgoing,
    /// From another bank.
    Incoming,
    /// Within the bank: no hub was asked.
    Book,
}

/// What the account's customer sees of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ShownState")]
pub(super) enum AccountTransferState {
    /// The amount is held, or expected.
    Requested,
    /// The money has moved.
    Settled,
    /// It did not happen, for the reason shown.
    Rejected,
    /// It did not happen in time.
    Expired,
}

/// Why a transfer did not happen.
#[derive(SimpleObject)]
pub(super) struct AccountTransferReason {
    /// The code of ISO 20022 as the instant-payment system uses it, such as `AC06`.
    code: String,
    /// The same in words.
    sentence: String,
}

impl From<ReasonCode> for AccountTransferReason {
    fn from(reason: ReasonCode) -> Self {
        Self { code: reason.code().to_owned(), sentence: reason.sentence_en().to_owned() }
    }
}

/// A transfer as the account's customer sees it at the bank.
#[derive(SimpleObject)]
pub(super) struct AccountTransfer {
    /// Its id, the same at both banks and at the hub.
    end_to_end_id: EndToEndId,
    /// The transfer at the hub; null when it stayed inside the bank.
    transfer: Option<Transfer>,
    /// Which way the money goes.
    direction: AccountTransferDirection,
    /// Where it stands.
    state: AccountTransferState,
    /// The account that sees it so.
    account: Account,
    /// How much.
    amount: Money,
    /// The key that was paid to.
    payee_key: String,
    /// The bank of the other side.
    counterparty_bank: Option<Bank>,
    /// The account of the other side; null at another bank, which does not tell.
    counterparty_account: Option<Account>,
    /// The owner of the other side's account.
    counterparty_name: String,
    /// What the payer wrote.
    description: String,
    /// Why it did not happen.
    reason: Option<AccountTransferReason>,
    /// When it was ordered.
    requested_at: DateTime,
    /// When it ended.
    finished_at: Option<DateTime>,
}

impl AccountTransfer {
    /// A transfer as `account_id` sees it.
    pub(super) fn seen_by(account_id: AccountId, view: TransferView) -> Self {
        let at_hub = view.direction != Direction::Book;
        let sides = [Some(view.account_id), view.counterparty_account_id];
        let other = sides.into_iter().flatten().find(|side| *side != account_id);
        Self {
            end_to_end_id: view.end_to_end_id.into(),
            transfer: at_hub.then(|| view.end_to_end_id.into()),
            direction: view.direction.into(),
            state: view.state.into(),
            account: Account::named(account_id),
            amount: view.amount.into(),
            payee_key: view.payee_key,
            counterparty_bank: Some(view.counterparty_ispb.into()),
            counterparty_account: other.map(Account::named),
            counterparty_name: view.counterparty_name,
            description: view.description,
            reason: view.reason.map(AccountTransferReason::from),
            requested_at: view.requested_at.into(),
            finished_at: view.finished_at.map(DateTime::from),
        }
    }
}
