//! What a program beside the hub says of accounts: each of its words is kept where it was read.

use shared_kernel::domain::{AccountId, Money, Timestamp, Violation};

/// Where a word was read. The newest record time wins, then the partition, then the offset: the
/// words carry no version of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordPlace {
    /// Time of the record, its sender's.
    pub recorded_at: Timestamp,
    /// Partition of its topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

/// An account has this much, a program beside the hub says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalBalance {
    /// Which account.
    pub account_id: AccountId,
    /// What it has.
    balance: Money,
    /// Where that was read.
    pub place: RecordPlace,
}

impl ExternalBalance {
    /// A word as it was read.
    ///
    /// # Errors
    /// `funds_negative` for a balance below zero.
    pub fn new(
        account_id: AccountId,
        balance: Money,
        place: RecordPlace,
    ) -> Result<Self, Violation> {
        if balance.is_negative() {
            let message = "the balance of an account is not below zero";
            return Err(Violation::invalid("funds_negative", "balance", message));
        }
        Ok(Self { account_id, balance, place })
    }

    /// What the account has.
    pub const fn balance(&self) -> Money {
        self.balance
    }
}

/// A program beside the hub has opened an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalAccount {
    /// Which.
    pub account_id: AccountId,
    /// Since the earliest time that was said.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::account;

    fn place(micros: i64, partition: i32, offset: i64) -> RecordPlace {
        RecordPlace { recorded_at: Timestamp::from_micros(micros).unwrap(), partition, offset }
    }

    #[test]
    fn a_later_time_wins_then_a_higher_partition_then_a_higher_offset() {
        let mut places = [place(2, 0, 0), place(1, 1, 0), place(1, 0, 9), place(1, 0, 10)];
        places.sort();
        assert_eq!(places, [place(1, 0, 9), place(1, 0, 10), place(1, 1, 0), place(2, 0, 0)]);
    }

    #[test]
    fn a_balance_below_zero_is_refused() {
        let said = |centavos| {
            ExternalBalance::new(account(1), Money::from_centavos(centavos), place(1, 0, 0))
        };
        assert_eq!(said(-1).unwrap_err().code(), "funds_negative");
        assert_eq!(said(0).unwrap().balance(), Money::ZERO);
    }
}
