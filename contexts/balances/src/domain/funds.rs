//! The money of an account.

use shared_kernel::domain::{Money, Violation};

/// What an account has: available and held, neither below zero, and their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funds {
    available: Money,
    held: Money,
    total: Money,
}

impl Funds {
    /// The money of an account.
    ///
    /// # Errors
    /// `funds_negative` names the one below zero; `money_overflow` when the sum is too large.
    pub fn new(available: Money, held: Money) -> Result<Self, Violation> {
        for (field, money) in [("available", available), ("held", held)] {
            if money.is_negative() {
                let message =
                    format!("an account cannot have {money} {field}: it must be 0 or more");
                return Err(Violation::invalid("funds_negative", field, message));
            }
        }
        let total = available.checked_add(held).map_err(|broken| broken.on("held"))?;
        Ok(Self { available, held, total })
    }

    /// Money of which nothing is held.
    pub const fn unheld(available: Money) -> Self {
        Self { available, held: Money::ZERO, total: available }
    }

    /// What the owner may spend.
    pub const fn available(&self) -> Money {
        self.available
    }

    /// What transfers under way have set aside.
    pub const fn held(&self) -> Money {
        self.held
    }

    /// Available and held.
    pub const fn total(&self) -> Money {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn funds(available: i64, held: i64) -> Result<Funds, Violation> {
        Funds::new(Money::from_centavos(available), Money::from_centavos(held))
    }

    #[test]
    fn the_total_is_available_and_held() {
        let funds = funds(1_050, 250).unwrap();
        let parts = [funds.available(), funds.held(), funds.total()].map(Money::centavos);
        assert_eq!(parts, [1_050, 250, 1_300]);
    }

    #[test]
    fn what_no_account_can_have_is_refused() {
        let refusal = |available, held| {
            let broken = funds(available, held).unwrap_err();
            (broken.code(), broken.field())
        };
        assert_eq!(refusal(-1, 0), ("funds_negative", "available"));
        assert_eq!(refusal(0, -1), ("funds_negative", "held"));
        assert_eq!(refusal(i64::MAX, 1), ("money_overflow", "held"));
    }
}
