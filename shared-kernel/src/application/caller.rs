//! Who asks. Every use case takes a [`Caller`] and decides what it may do.

use crate::domain::{Ispb, Violation};

/// The authenticated author of a command or query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// An operator of the hub: may act for every bank.
    Operator,
    /// A participant: acts for its own ISPB only.
    Bank(Ispb),
}

impl Caller {
    /// Refuses a caller that may not act for the bank `ispb`.
    ///
    /// # Errors
    /// `caller_may_not_act_for_bank` (permission denied) for another bank's token.
    pub fn may_act_for(&self, ispb: &Ispb) -> Result<(), Violation> {
        match self {
            Self::Operator => Ok(()),
            Self::Bank(own) if own == ispb => Ok(()),
            Self::Bank(own) => Err(Violation::permission_denied(
                "caller_may_not_act_for_bank",
                "ispb",
                format!("a token of bank {own} may not act for bank {ispb}"),
            )),
        }
    }

    /// Refuses everyone but an operator.
    ///
    /// # Errors
    /// `operator_only` (permission denied) for a bank's token.
    pub fn must_be_operator(&self) -> Result<(), Violation> {
        match self {
            Self::Operator => Ok(()),
            Self::Bank(own) => Err(Violation::permission_denied(
                "operator_only",
                "caller",
                format!("only an operator may do this, and the token is bank {own}'s"),
            )),
        }
    }
}
