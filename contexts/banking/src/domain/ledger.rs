//! The double-entry ledger of each bank.
//!
//! Amounts are signed from the customer's point of view: a credit raises what the bank owes the
//! customer. A posting moves one amount from one account to another, so its entries sum to zero by
//! construction, and with them each bank and the whole. A hold is no posting.

use shared_kernel::domain::{AccountId, Amount, Ispb, Money, Timestamp};
use uuid::Uuid;

use super::{AccountEvent, AccountFact};

shared_kernel::uuid_id! {
    /// An entry of the ledger.
    pub struct EntryId("entry_id");
}

/// Why a posting was made. With its reference it names the posting: none is made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// The payer's bank: customer to settlement.
    Payer,
    /// The payee's bank: settlement to customer, or to unapplied credits.
    Payee,
    /// Both accounts at one bank: customer to customer.
    Book,
    /// Cash to customer.
    Deposit,
    /// Customer to cash.
    Withdrawal,
}

impl Leg {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Payer, Self::Payee, Self::Book, Self::Deposit, Self::Withdrawal];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payer => "payer",
            Self::Payee => "payee",
            Self::Book => "book",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
        }
    }

    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|leg| leg.as_str() == text)
    }

    /// What a customer reads in a statement, for an entry of this amount.
    pub const fn entry_kind(self, amount: Money) -> EntryKind {
        match self {
            Self::Payer => EntryKind::TransferDebit,
            Self::Payee => EntryKind::TransferCredit,
            Self::Book if amount.is_negative() => EntryKind::BookDebit,
            Self::Book => EntryKind::BookCredit,
            Self::Deposit => EntryKind::Deposit,
            Self::Withdrawal => EntryKind::Withdrawal,
        }
    }
}

/// Why a customer's account has an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
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

impl EntryKind {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::TransferDebit => "transfer_debit",
            Self::TransferCredit => "transfer_credit",
            Self::BookDebit => "book_debit",
            Self::BookCredit => "book_credit",
        }
    }
}

/// An account of the bank itself; it may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InternalAccount {
    /// Money over the counter.
    Cash,
    /// What is settled through the hub.
    Settlement,
    /// Settled money whose account cannot take it; a person must look.
    UnappliedCredits,
}

impl InternalAccount {
    /// All of them: every bank has one of each.
    pub const ALL: [Self; 3] = [Self::Cash, Self::Settlement, Self::UnappliedCredits];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Settlement => "settlement",
            Self::UnappliedCredits => "unapplied-credits",
        }
    }

    /// Its id at a bank, the same wherever it is computed.
    pub fn id(self, ispb: Ispb) -> AccountId {
        let name = format!("codepix.banking/{ispb}/{}", self.as_str());
        AccountId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
    }
}

/// Whose entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryAccount {
    /// A customer's account, with its state after the entry.
    Customer {
        /// The account.
        id: AccountId,
        /// Its balance after the entry.
        balance_after: Money,
        /// Its version after the entry: the order of a statement.
        version: i64,
    },
    /// An account of the bank.
    Internal(InternalAccount),
}

/// One side of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Whose it is.
    pub account: EntryAccount,
    /// Credit positive, debit negative.
    pub amount: Money,
}

/// What all entries of a posting share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostingHead {
    /// `EndToEndId` of the transfer, or the id of a deposit or withdrawal.
    pub reference: String,
    /// Why.
    pub leg: Leg,
    /// Whose books.
    pub ispb: Ispb,
    /// When.
    pub posted_at: Timestamp,
}

/// An amount that moved from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    head: PostingHead,
    entries: [Entry; 2],
}

impl Posting {
    /// Moves `amount` from the first account to the second.
    pub fn new(
        head: PostingHead,
        amount: Amount,
        from: (EntryId, EntryAccount),
        to: (EntryId, EntryAccount),
    ) -> Self {
        let credit = amount.money();
        // An amount has at most twelve digits: its negation exists.
        let debit = Money::ZERO.checked_sub(credit).unwrap_or(Money::ZERO);
        let entry = |(id, account), amount| Entry { id, account, amount };
        Self { head, entries: [entry(from, debit), entry(to, credit)] }
    }

    /// What its entries share.
    pub const fn head(&self) -> &PostingHead {
        &self.head
    }

    /// The debit, then the credit.
    pub const fn entries(&self) -> &[Entry; 2] {
        &self.entries
    }
}

impl EntryAccount {
    /// The customer's side of what happened to an account.
    pub fn customer(event: &AccountEvent) -> Self {
        Self::Customer {
            id: event.account_id,
            balance_after: event.funds.balance,
            version: event.version,
        }
    }

    /// Its id in the books of a bank.
    pub fn id(&self, ispb: Ispb) -> AccountId {
        match self {
            Self::Customer { id, .. } => *id,
            Self::Internal(internal) => internal.id(ispb),
        }
    }
}

impl AccountFact {
    /// The entry that the fact made, if it moved money.
    pub const fn entry_id(&self) -> Option<EntryId> {
        match self {
            Self::Deposited { entry_id, .. } | Self::Withdrawn { entry_id, .. } => Some(*entry_id),
            Self::Booked(booked) => Some(booked.entry_id),
            Self::Debited(moved) | Self::Credited(moved) => Some(moved.entry_id),
            Self::Opened { .. }
            | Self::Blocked
            | Self::Unblocked
            | Self::Closed
            | Self::LimitsChanged(_)
            | Self::Held(_)
            | Self::Released { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> PostingHead {
        PostingHead {
            reference: "r".into(),
            leg: Leg::Deposit,
            ispb: Ispb::parse("00000001").unwrap(),
            posted_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn the_entries_of_a_posting_sum_to_zero() {
        let entry = |number| EntryId::from_uuid(Uuid::from_u128(number));
        let internal = EntryAccount::Internal;
        for amount in [Amount::MIN, Amount::MAX] {
            let posting = Posting::new(
                head(),
                amount,
                (entry(1), internal(InternalAccount::Cash)),
                (entry(2), internal(InternalAccount::Settlement)),
            );
            let [debit, credit] = posting.entries();
            assert!(debit.amount.is_negative());
            assert_eq!(debit.amount.checked_add(credit.amount).unwrap(), Money::ZERO);
            assert_eq!(credit.amount, amount.money());
        }
    }

    #[test]
    fn every_bank_has_internal_accounts_of_its_own() {
        let bank = |ispb: &str| Ispb::parse(ispb).unwrap();
        let ids: std::collections::BTreeSet<_> = InternalAccount::ALL
            .into_iter()
            .flat_map(|account| [account.id(bank("00000001")), account.id(bank("00000002"))])
            .collect();
        assert_eq!(ids.len(), 6);
        let cash = InternalAccount::Cash.id(bank("00000001"));
        assert_eq!(cash, InternalAccount::Cash.id(bank("00000001")));
    }

    #[test]
    fn every_leg_is_read_as_it_was_written() {
        assert!(Leg::ALL.into_iter().all(|leg| Leg::parse(leg.as_str()) == Some(leg)));
        assert_eq!(Leg::parse("other"), None);
    }
}
