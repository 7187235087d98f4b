//! What each bank owes the others (negative) or is owed (positive). All positions together are
//! nothing, always: what one loses another gains in the same step.

use shared_kernel::domain::{Amount, Ispb, Money, Violation};

/// Where one participant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Whose.
    pub ispb: Ispb,
    /// Negative: it owes; positive: it is owed.
    pub amount: Money,
    /// Part of its limit that pending transfers hold.
    pub reserved: Money,
}

impl Position {
    /// The position of a bank that has not settled anything.
    pub const fn opening(ispb: Ispb) -> Self {
        Self { ispb, amount: Money::ZERO, reserved: Money::ZERO }
    }

    /// Whether `amount` more fits under `limit`, the most that the bank may owe.
    pub fn has_room_for(&self, amount: Amount, limit: Money) -> bool {
        // Wide enough for any four amounts.
        let wide = |money: Money| i128::from(money.centavos());
        let room =
            wide(limit).saturating_add(wide(self.amount)).saturating_sub(wide(self.reserved));
        room >= wide(amount.money())
    }

    /// Takes over a move of this bank.
    ///
    /// # Errors
    /// `money_overflow`.
    pub fn shift(&mut self, by: &PositionMove) -> Result<(), Violation> {
        let amount = self.amount.checked_add(by.amount)?;
        self.reserved = self.reserved.checked_add(by.reserved)?;
        self.amount = amount;
        Ok(())
    }
}

/// How a position changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionMove {
    /// Whose.
    pub ispb: Ispb,
    /// Added to what it is owed.
    pub amount: Money,
    /// Added to what pending transfers hold.
    pub reserved: Money,
}

impl PositionMove {
    /// No change.
    pub const fn none(ispb: Ispb) -> Self {
        Self { ispb, amount: Money::ZERO, reserved: Money::ZERO }
    }

    /// Whether it changes nothing.
    pub const fn is_none(&self) -> bool {
        self.amount.is_zero() && self.reserved.is_zero()
    }

    /// Both moves in one.
    ///
    /// # Errors
    /// `money_overflow`.
    pub fn join(&mut self, other: &Self) -> Result<(), Violation> {
        let amount = self.amount.checked_add(other.amount)?;
        self.reserved = self.reserved.checked_add(other.reserved)?;
        self.amount = amount;
        Ok(())
    }
}

/// The money of an amount with its sign turned.
pub(super) const fn minus(amount: Amount) -> Money {
    // At most 999,999,999,999 centavos, so that no sign is too small to turn.
    Money::from_centavos(amount.centavos().saturating_neg())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{PAYER_BANK, ispb};
    use super::*;

    fn position(amount: i64, reserved: i64) -> Position {
        Position {
            ispb: ispb(PAYER_BANK),
            amount: Money::from_centavos(amount),
            reserved: Money::from_centavos(reserved),
        }
    }

    fn fits(position: Position, amount: i64, limit: i64) -> bool {
        position.has_room_for(Amount::from_centavos(amount).unwrap(), Money::from_centavos(limit))
    }

    #[test]
    fn a_limit_counts_what_is_owed_and_what_is_reserved() {
        assert!(fits(position(0, 0), 100, 100));
        assert!(!fits(position(0, 0), 101, 100));
        assert!(!fits(position(-50, 0), 51, 100));
        assert!(!fits(position(-50, 25), 26, 100));
        assert!(fits(position(-50, 25), 25, 100));
        assert!(fits(position(30, 0), 130, 100));
        assert!(!fits(position(0, 0), 1, 0));
    }

    #[test]
    fn a_sum_that_no_account_can_hold_is_refused_whole() {
        let mut full = position(i64::MAX, 0);
        let one = PositionMove { amount: Money::from_centavos(1), ..PositionMove::none(full.ispb) };
        assert_eq!(full.shift(&one).unwrap_err().code(), "money_overflow");
        assert_eq!(full, position(i64::MAX, 0));
        assert!(!fits(position(i64::MIN, i64::MAX), 1, i64::MAX));
        assert!(fits(position(i64::MAX, 0), 1, i64::MAX));
    }

    proptest! {
        #[test]
        fn joined_moves_shift_as_far_as_one_after_the_other(
            steps in proptest::collection::vec((-1_000_i64..1_000, -1_000_i64..1_000), 0..20)
        ) {
            let mut one_by_one = position(0, 0);
            let mut joined = PositionMove::none(one_by_one.ispb);
            for (amount, reserved) in steps {
                let step = PositionMove {
                    ispb: one_by_one.ispb,
                    amount: Money::from_centavos(amount),
                    reserved: Money::from_centavos(reserved),
                };
                one_by_one.shift(&step).unwrap();
                joined.join(&step).unwrap();
            }
            let mut at_once = position(0, 0);
            at_once.shift(&joined).unwrap();
            prop_assert_eq!(one_by_one, at_once);
        }
    }
}
