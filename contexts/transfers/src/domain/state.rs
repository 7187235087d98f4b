//! The states of a transfer.

use std::fmt::{self, Display, Formatter};

use shared_kernel::domain::Violation;

/// Where a transfer stands. It moves along these arrows and never back:
/// `pending -> confirmed -> completed`, `pending -> rejected`, `pending -> expired`; an order that
/// the hub refuses is `rejected` from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferState {
    /// Stored; the payee's bank is asked.
    Pending,
    /// Settled and final: the banks post it.
    Confirmed,
    /// Both banks have posted it.
    Completed,
    /// Refused by the hub or the payee's bank.
    Rejected,
    /// Not accepted within its deadline.
    Expired,
}

impl TransferState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Confirmed, Self::Completed, Self::Rejected, Self::Expired];

    /// Its text in rows and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// Reads the text.
    ///
    /// # Errors
    /// `transfer_state_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            let message = "the state must be pending, confirmed, completed, rejected or expired";
            Violation::invalid("transfer_state_unknown", "state", message)
        })
    }

    /// Nothing follows it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Completed | Self::Rejected | Self::Expired => true,
            Self::Pending | Self::Confirmed => false,
        }
    }
}

impl Display for TransferState {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

shared_kernel::text_value!(
    TransferState,
    text = as_str,
    parse = parse,
    schema = {
        "type": "string",
        "enum": ["pending", "confirmed", "completed", "rejected", "expired"]
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back() {
        for state in TransferState::ALL {
            assert_eq!(TransferState::parse(state.as_str()).unwrap(), state);
        }
        assert_eq!(TransferState::parse("error").unwrap_err().code(), "transfer_state_unknown");
    }

    #[test]
    fn three_states_are_final() {
        let finals: Vec<&str> = TransferState::ALL
            .into_iter()
            .filter(|state| state.is_final())
            .map(TransferState::as_str)
            .collect();
        assert_eq!(finals, ["completed", "rejected", "expired"]);
    }
}
