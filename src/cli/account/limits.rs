//! Limits of an account: what is not named stays as it is.

use shared_kernel::domain::{Amount, Violation};

use crate::client::banking::{Account, SetAccountLimitsRequest};

/// A new limit, or its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitChange {
    /// At most this.
    To(Amount),
    /// No limit.
    Remove,
}

impl LimitChange {
    /// Reads an amount or `none`.
    ///
    /// # Errors
    /// As [`Amount::parse`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        if text == "none" { Ok(Self::Remove) } else { Amount::parse(text).map(Self::To) }
    }

    /// The limit after the change.
    fn applied(change: Option<Self>, present: Option<i64>) -> Option<i64> {
        match change {
            None => present,
            Some(Self::Remove) => None,
            Some(Self::To(amount)) => Some(amount.centavos()),
        }
    }
}

/// The request that changes what is named; the hub sets both limits at once.
pub(super) fn changed(
    account: &Account,
    per_transfer: Option<LimitChange>,
    per_day: Option<LimitChange>,
) -> SetAccountLimitsRequest {
    SetAccountLimitsRequest {
        account_id: account.account_id.clone(),
        limit_per_transfer_centavos: LimitChange::applied(
            per_transfer,
            account.limit_per_transfer_centavos,
        ),
        limit_per_day_centavos: LimitChange::applied(per_day, account.limit_per_day_centavos),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_not_named_stays() {
        let account = Account {
            limit_per_transfer_centavos: Some(100),
            limit_per_day_centavos: Some(200),
            ..Account::default()
        };
        let request = changed(&account, None, Some(LimitChange::Remove));
        assert_eq!(request.limit_per_transfer_centavos, Some(100));
        assert_eq!(request.limit_per_day_centavos, None);
        let request = changed(&account, LimitChange::parse("5").ok(), None);
        assert_eq!(request.limit_per_transfer_centavos, Some(500));
        assert_eq!(request.limit_per_day_centavos, Some(200));
    }

    #[test]
    fn a_limit_is_an_amount_or_none() {
        assert_eq!(LimitChange::parse("none"), Ok(LimitChange::Remove));
        assert_eq!(LimitChange::parse("nil").unwrap_err().code(), "money_shape");
    }
}
