//! Whether an account takes part.

use std::fmt::{self, Display, Formatter};

use shared_kernel::domain::Violation;

/// State of an account as its bank last told it: `active <-> blocked -> closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountStatus {
    /// It may get keys and be paid.
    Active,
    /// It keeps its keys and gets no new ones.
    Blocked,
    /// It has no keys and never again will.
    Closed,
}

impl AccountStatus {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Active, Self::Blocked, Self::Closed];

    /// Reads the lower-case text.
    ///
    /// # Errors
    /// `account_status_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        Self::ALL.iter().copied().find(|status| status.as_str() == text).ok_or_else(|| {
            let message = "the status of an account must be active, blocked or closed";
            Violation::invalid("account_status_unknown", "account_status", message)
        })
    }

    /// The lower-case text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Closed => "closed",
        }
    }
}

impl Display for AccountStatus {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

shared_kernel::text_value!(
    AccountStatus,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "enum": ["active", "blocked", "closed"] },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_and_no_other_text_does() {
        for status in AccountStatus::ALL {
            assert_eq!(status.to_string().parse::<AccountStatus>().unwrap(), *status);
        }
        for wrong in ["", "Active", "open"] {
            let broken = AccountStatus::parse(wrong).unwrap_err();
            assert_eq!(broken.code(), "account_status_unknown");
        }
    }
}
