//! What an account may send: per transfer and per day in Brasília.

use serde::{Deserialize, Serialize};
use shared_kernel::domain::{Amount, Day, Money, Violation};

/// Optional limits of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most that one transfer may move.
    pub per_transfer: Option<Money>,
    /// Most that all transfers of one day in Brasília (UTC-3) may move.
    pub per_day: Option<Money>,
}

/// What was sent on one day: holds and book transfers, less the holds of that day released since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The day in Brasília.
    pub day: Day,
    /// How much.
    pub amount: Money,
}

impl Limits {
    /// Limits that are not negative.
    ///
    /// # Errors
    /// `limit_negative` names the limit.
    pub fn new(per_transfer: Option<Money>, per_day: Option<Money>) -> Result<Self, Violation> {
        let check = |limit: Option<Money>, field| match limit {
            Some(limit) if limit.is_negative() => {
                let message = "a limit must be zero or more; leave it out for none";
                Err(Violation::invalid("limit_negative", field, message))
            }
            limit => Ok(limit),
        };
        Ok(Self {
            per_transfer: check(per_transfer, "limit_per_transfer_centavos")?,
            per_day: check(per_day, "limit_per_day_centavos")?,
        })
    }

    /// What will have been spent on `day` once `amount` is sent.
    ///
    /// # Errors
    /// `limit_per_transfer_exceeded` or `limit_per_day_exceeded`.
    pub fn spend(&self, spent: Spent, amount: Amount, day: Day) -> Result<Spent, Violation> {
        let exceeded = |code, limit: Money| {
            let message = format!("the amount is above the account's limit of {limit}");
            Violation::failed_precondition(code, "amount_centavos", message)
        };
        if let Some(limit) = self.per_transfer.filter(|limit| amount.money() > *limit) {
            return Err(exceeded("limit_per_transfer_exceeded", limit));
        }
        let total = spent.on(day).checked_add(amount.money())?;
        if let Some(limit) = self.per_day.filter(|limit| total > *limit) {
            return Err(exceeded("limit_per_day_exceeded", limit));
        }
        Ok(Spent { day, amount: total })
    }
}

impl Spent {
    /// Nothing spent on `day`.
    pub fn nothing(day: Day) -> Self {
        Self { day, amount: Money::ZERO }
    }

    /// What was spent on `day`.
    pub fn on(self, day: Day) -> Money {
        if self.day == day { self.amount } else { Money::ZERO }
    }

    /// What stays spent once the hold of `amount`, taken on `day`, is released.
    #[must_use]
    pub fn give_back(self, amount: Amount, day: Day) -> Self {
        let less = self.amount.checked_sub(amount.money()).unwrap_or(Money::ZERO);
        if self.day == day { Self { day, amount: less.max(Money::ZERO) } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(centavos: i64) -> Money {
        Money::from_centavos(centavos)
    }

    fn amount(centavos: i64) -> Amount {
        Amount::from_centavos(centavos).unwrap()
    }

    fn day(number: i32) -> Day {
        Day::from_days(number).unwrap()
    }

    #[test]
    fn limits_count_by_transfer_and_by_day() {
        let limits = Limits::new(Some(money(500)), Some(money(800))).unwrap();
        let spent = limits.spend(Spent::nothing(day(1)), amount(500), day(1)).unwrap();
        let over = |spent, centavos, on| limits.spend(spent, amount(centavos), day(on));
        assert_eq!(over(spent, 501, 1).unwrap_err().code(), "limit_per_transfer_exceeded");
        assert_eq!(over(spent, 301, 1).unwrap_err().code(), "limit_per_day_exceeded");
        assert_eq!(over(spent, 300, 1).unwrap().amount, money(800));
        assert_eq!(over(spent, 500, 2).unwrap(), Spent { day: day(2), amount: money(500) });
    }

    #[test]
    fn without_limits_everything_is_counted_and_nothing_refused() {
        let spent = Limits::default().spend(Spent::nothing(day(1)), Amount::MAX, day(1)).unwrap();
        assert_eq!(spent.amount, Amount::MAX.money());
    }

    #[test]
    fn a_released_hold_gives_back_its_own_day_alone() {
        let spent = Spent { day: day(2), amount: money(700) };
        assert_eq!(spent.give_back(amount(500), day(2)).amount, money(200));
        assert_eq!(spent.give_back(amount(500), day(1)), spent);
        assert_eq!(spent.give_back(amount(900), day(2)).amount, Money::ZERO);
    }

    #[test]
    fn a_negative_limit_is_refused() {
        let refused = Limits::new(None, Some(money(-1))).unwrap_err();
        assert_eq!((refused.code(), refused.field()), ("limit_negative", "limit_per_day_centavos"));
    }
}
