//! Why a key is removed.

use std::fmt::{self, Display, Formatter};

use shared_kernel::domain::Violation;

/// Reason of a removal (DICT API 2.12, `deleteEntry`), written as the central bank writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemovalReason {
    /// The owner asked for it.
    UserRequested,
    /// The account was closed.
    AccountClosure,
    /// Bank and directory did not agree.
    Reconciliation,
    /// The key served a fraud.
    Fraud,
}

impl RemovalReason {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::UserRequested, Self::AccountClosure, Self::Reconciliation, Self::Fraud];

    /// Reads the text of the central bank, e.g. `USER_REQUESTED`.
    ///
    /// # Errors
    /// `removal_reason_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let found = Self::ALL.iter().copied().find(|reason| reason.as_str() == text);
        found.ok_or_else(Self::unknown)
    }

    /// The refusal of anything else.
    pub fn unknown() -> Violation {
        let message = "the reason of a removal must be USER_REQUESTED, ACCOUNT_CLOSURE, \
                       RECONCILIATION or FRAUD";
        Violation::invalid("removal_reason_unknown", "reason", message)
    }

    /// The text of the central bank.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserRequested => "USER_REQUESTED",
            Self::AccountClosure => "ACCOUNT_CLOSURE",
            Self::Reconciliation => "RECONCILIATION",
            Self::Fraud => "FRAUD",
        }
    }
}

impl Display for RemovalReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

shared_kernel::text_value!(
    RemovalReason,
    text = as_str,
    parse = parse,
    schema = {
        "type": "string",
        "enum": ["USER_REQUESTED", "ACCOUNT_CLOSURE", "RECONCILIATION", "FRAUD"],
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_and_no_other_text_does() {
        for reason in RemovalReason::ALL {
            assert_eq!(reason.to_string().parse::<RemovalReason>().unwrap(), *reason);
        }
        for wrong in ["", "user_requested", "OTHER"] {
            let broken = RemovalReason::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("removal_reason_unknown", "reason"));
        }
    }
}
