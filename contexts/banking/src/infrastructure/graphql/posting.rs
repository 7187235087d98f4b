//! The ledger's entries of an account.

use async_graphql::{Enum, ID, SimpleObject};
use shared_kernel::infrastructure::graphql::{DateTime, Money};

use super::transfer::Transfer;
use crate::application::page;
use crate::application::views::StatementLine;
use crate::domain::EntryKind;

/// Why a posting was made.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "EntryKind")]
pub(super) enum PostingKind {
    /// Cash came.
    Deposit,
    /// Cash went.
    Withdrawal,
    /// Sent to another bank.
    TransferDebit,
    /// Came from another bank.
    TransferCredit,
    /// Sent within the bank.
    BookDebit,
    /// Came from within the bank.
    BookCredit,
}

/// Whether money came or went.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "page::PostingDirection")]
pub(super) enum PostingDirection {
    /// It came.
    Credit,
    /// It went.
    Debit,
}

/// Money that came to an account or left it, as the ledger holds it.
#[derive(SimpleObject)]
pub(super) struct Posting {
    /// Its UUID.
    id: ID,
    /// Why it was made.
    kind: PostingKind,
    /// How much: positive for a credit, negative for a debit.
    amount: Money,
    /// The account's total after it.
    balance_after: Money,
    /// The transfer at the hub that it belongs to; null when it stayed inside the bank.
    transfer: Option<Transfer>,
    /// The owner of the other side's account; empty for cash.
    counterparty_name: String,
    /// What the payer wrote.
    description: String,
    /// When it was posted.
    posted_at: DateTime,
}

impl From<StatementLine> for Posting {
    fn from(line: StatementLine) -> Self {
        let kind = line.leg.entry_kind(line.amount);
        let at_hub = matches!(kind, EntryKind::TransferDebit | EntryKind::TransferCredit);
        Self {
            id: line.entry_id.to_string().into(),
            kind: kind.into(),
            amount: line.amount.into(),
            balance_after: line.balance_after.into(),
            transfer: line.end_to_end_id.filter(|_| at_hub).map(Transfer::from),
            counterparty_name: line.counterparty_name,
            description: line.description,
            posted_at: line.posted_at.into(),
        }
    }
}
