//! What happened, in the context's own words; the public words are in `published.rs`.

use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, ReasonCode, TaxId, Timestamp};

use super::{AccountNumber, Branch, EntryId, Funds, Limits, OwnerName, Payment, Spent};

/// Something that happened to an account, with the account's money after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEvent {
    /// Which account.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// The account's version after it: each event is one step.
    pub version: i64,
    /// Balance and held after it.
    pub funds: Funds,
    /// What the account has sent on its last day of sending, after it.
    pub spent: Spent,
    /// When.
    pub occurred_at: Timestamp,
    /// What.
    pub fact: AccountFact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountFact {
    /// The account exists.
    Opened {
        /// Its branch.
        branch: Branch,
        /// Its number.
        number: AccountNumber,
        /// Its owner.
        owner_name: OwnerName,
        /// Its owner's tax id.
        owner_tax_id: TaxId,
        /// Its limits.
        limits: Limits,
    },
    /// No new debits, no new acceptances.
    Blocked,
    /// Active again.
    Unblocked,
    /// For good.
    Closed,
    /// Other limits.
    LimitsChanged(Limits),
    /// Cash came in.
    Deposited {
        /// The ledger entry.
        entry_id: EntryId,
        /// How much.
        amount: Amount,
    },
    /// Cash went out.
    Withdrawn {
        /// The ledger entry.
        entry_id: EntryId,
        /// How much.
        amount: Amount,
    },
    /// An ordered transfer holds its amount.
    Held(Held),
    /// The transfer did not happen: its hold is gone.
    Released {
        /// Which transfer.
        end_to_end_id: EndToEndId,
        /// How much.
        amount: Amount,
        /// Why.
        reason: ReasonCode,
    },
    /// A hold became a debit.
    Debited(Moved),
    /// A settled transfer was credited.
    Credited(Moved),
    /// One side of a transfer within the bank.
    Booked(Booked),
}

/// An amount that waits for the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// How much.
    pub amount: Amount,
    /// The key that is paid to.
    pub payee_key: String,
    /// The payee.
    pub counterparty_name: String,
    /// The payee's bank.
    pub counterparty_ispb: Ispb,
    /// What the payer wrote.
    pub description: String,
}

/// Money that moved between two banks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// The ledger entry.
    pub entry_id: EntryId,
    /// How much.
    pub amount: Amount,
    /// The other bank.
    pub counterparty_ispb: Ispb,
    /// The other side.
    pub counterparty_name: String,
    /// What the payer wrote.
    pub description: String,
}

/// Money that moved within a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Which side.
    pub side: BookSide,
    /// Which transfer.
    pub end_to_end_id: EndToEndId,
    /// The ledger entry.
    pub entry_id: EntryId,
    /// How much.
    pub amount: Amount,
    /// The other account.
    pub counterparty_account_id: AccountId,
    /// Its owner.
    pub counterparty_name: String,
    /// What the payer wrote.
    pub description: String,
}

/// A side of a book transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookSide {
    /// The payer's.
    Debit,
    /// The payee's.
    Credit,
}

/// What a bank tells the hub of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubMessage {
    /// The payer's bank orders it; told again it is the same.
    Requested(Box<Payment>),
    /// The payee's bank will credit it.
    Accepted {
        /// Which transfer.
        end_to_end_id: EndToEndId,
        /// The payee's bank.
        ispb: Ispb,
        /// The account that will be credited.
        account_id: AccountId,
        /// When it was accepted.
        accepted_at: Timestamp,
    },
    /// The payee's bank will not.
    Refused {
        /// Which transfer.
        end_to_end_id: EndToEndId,
        /// The payee's bank.
        ispb: Ispb,
        /// Why not.
        reason: ReasonCode,
        /// When it was refused.
        refused_at: Timestamp,
    },
    /// The payee's bank has posted it.
    SettledByPayee {
        /// Which transfer.
        end_to_end_id: EndToEndId,
        /// The payee's bank.
        ispb: Ispb,
        /// The payee's account.
        account_id: AccountId,
        /// True when it went to unapplied credits instead.
        unapplied: bool,
        /// When it was posted.
        settled_at: Timestamp,
    },
    /// The payer's bank has posted it.
    SettledByPayer {
        /// Which transfer.
        end_to_end_id: EndToEndId,
        /// The payer's bank.
        ispb: Ispb,
        /// The payer's account.
        account_id: AccountId,
        /// When it was posted.
        settled_at: Timestamp,
    },
}

impl HubMessage {
    /// The transfer that it is about.
    pub fn end_to_end_id(&self) -> EndToEndId {
        match self {
            Self::Requested(payment) => payment.end_to_end_id,
            Self::Accepted { end_to_end_id, .. }
            | Self::Refused { end_to_end_id, .. }
            | Self::SettledByPayee { end_to_end_id, .. }
            | Self::SettledByPayer { end_to_end_id, .. } => *end_to_end_id,
        }
    }
}
