//! Whose transfers somebody asks for, and whether they may.

use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, Ispb, Violation};

use crate::domain::{Order, Side};

/// Whose transfers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransfersOf {
    /// Everyone's.
    All,
    /// Those with this bank as payer or payee.
    Bank {
        /// The bank.
        ispb: Ispb,
        /// Only where the bank is at this end.
        side: Option<Side>,
    },
    /// Those with this account as payer or payee.
    Account {
        /// The account.
        account_id: AccountId,
        /// Only where the account is at this bank.
        at: Option<Ispb>,
        /// Only where the account is at this end.
        side: Option<Side>,
    },
}

impl TransfersOf {
    /// Those of a bank, at whatever end.
    pub const fn bank(ispb: Ispb) -> Self {
        Self::Bank { ispb, side: None }
    }

    /// Those of an account, at whatever end.
    pub const fn account(account_id: AccountId) -> Self {
        Self::Account { account_id, at: None, side: None }
    }

    /// What of it a caller is shown. The hub knows no accounts, only parties of transfers: a bank
    /// is shown those where the account is its own, and so nothing of an account of another.
    ///
    /// # Errors
    /// `operator_only` for everyone's; `caller_may_not_act_for_bank`.
    pub fn shown_to(self, caller: Caller) -> Result<Self, Violation> {
        match (self, caller) {
            (Self::All, _) => caller.must_be_operator()?,
            (Self::Bank { ispb, .. } | Self::Account { at: Some(ispb), .. }, _) => {
                caller.may_act_for(&ispb)?;
            }
            (Self::Account { .. }, Caller::Operator) => {}
            (Self::Account { account_id, side, .. }, Caller::Bank(own)) => {
                return Ok(Self::Account { account_id, at: Some(own), side });
            }
        }
        Ok(self)
    }

    /// Whether the transfer of an order is among them.
    pub fn holds(&self, order: &Order) -> bool {
        let mut ends = [Side::Payer, Side::Payee].into_iter();
        match *self {
            Self::All => true,
            Self::Bank { ispb, side } => {
                ends.any(|end| order.party(end).ispb == ispb && side.is_none_or(|side| side == end))
            }
            Self::Account { account_id, at, side } => ends.any(|end| {
                let party = order.party(end);
                party.account_id == account_id
                    && at.is_none_or(|bank| bank == party.ispb)
                    && side.is_none_or(|side| side == end)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, ispb, order};

    #[test]
    fn a_bank_is_shown_its_own_alone() {
        let (payer, payee) = (ispb(PAYER_BANK), ispb(PAYEE_BANK));
        let (own, account_id) = (Caller::Bank(payer), order(1).payee.account_id);
        let of_account = TransfersOf::account(account_id);
        let at = |bank| TransfersOf::Account { account_id, at: Some(bank), side: None };
        let code = |of: TransfersOf| of.shown_to(own).map_err(|broken| broken.code());
        assert_eq!(code(TransfersOf::All), Err("operator_only"));
        assert_eq!(code(TransfersOf::bank(payer)), Ok(TransfersOf::bank(payer)));
        assert_eq!(code(TransfersOf::bank(payee)), Err("caller_may_not_act_for_bank"));
        assert_eq!(code(of_account), Ok(at(payer)));
        assert_eq!(code(at(payer)), Ok(at(payer)));
        assert_eq!(code(at(payee)), Err("caller_may_not_act_for_bank"));
        for of in [TransfersOf::All, TransfersOf::bank(payee), of_account, at(payee)] {
            assert_eq!(of.shown_to(Caller::Operator), Ok(of));
        }
    }

    #[test]
    fn a_transfer_is_of_both_its_ends() {
        let order = order(1);
        let account_id = order.payee.account_id;
        let of =
            |at: Option<&str>, side| TransfersOf::Account { account_id, at: at.map(ispb), side };
        let held = [
            TransfersOf::All,
            TransfersOf::bank(ispb(PAYER_BANK)),
            TransfersOf::bank(ispb(PAYEE_BANK)),
            TransfersOf::Bank { ispb: ispb(PAYEE_BANK), side: Some(Side::Payee) },
            of(None, None),
            of(Some(PAYEE_BANK), Some(Side::Payee)),
        ];
        assert!(held.iter().all(|of| of.holds(&order)));
        let not_held = [
            TransfersOf::bank(ispb("00000009")),
            of(Some(PAYER_BANK), None),
            of(None, Some(Side::Payer)),
            TransfersOf::account(AccountId::from_uuid(uuid::Uuid::nil())),
        ];
        assert!(!not_held.iter().any(|of| of.holds(&order)));
    }
}
