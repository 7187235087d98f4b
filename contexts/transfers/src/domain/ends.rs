//! How the banks at the ends of one transfer take part in it, fixed when the hub took the order.

use shared_kernel::domain::{EndToEndId, Violation};
use uuid::Uuid;

use super::{CreditTiming, Side};

shared_kernel::uuid_id! {
    /// The id of an order outside of the hub: chosen by the payer's bank, or made by the hub for a
    /// payee's bank that knows no other.
    pub struct OrderId("order_id");
}

impl OrderId {
    /// Where the ids that the hub makes come from (a random UUID, fixed for ever).
    const NAMESPACE: Uuid = Uuid::from_u128(0x5a6f_0c1e_93d4_4b7c_8f21_6d0e_4a7b_92c5);

    /// The id of an order whose payer's bank chose none: always the same for one transfer.
    pub fn of(end_to_end_id: &EndToEndId) -> Self {
        Self::from_uuid(Uuid::new_v5(&Self::NAMESPACE, end_to_end_id.as_str().as_bytes()))
    }
}

/// The ends of a transfer. A bank may change its ways later; what was begun goes on as it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Payers' banks that credit on delivery also debit before they order.
    pub payer: CreditTiming,
    /// When the payee's bank credits.
    pub payee: CreditTiming,
    /// Under which id banks that credit on delivery know it; none when both credit on confirmation.
    pub order_id: Option<OrderId>,
}

impl Ends {
    /// Two banks that credit on confirmation.
    pub const CONFIRMING: Self = Self {
        payer: CreditTiming::OnConfirmation,
        payee: CreditTiming::OnConfirmation,
        order_id: None,
    };

    /// When the bank at one end credits.
    pub const fn timing(&self, side: Side) -> CreditTiming {
        match side {
            Side::Payer => self.payer,
            Side::Payee => self.payee,
        }
    }
}

/// What an operator says of an overdue transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The payee's bank has credited.
    Credited,
    /// The payee's bank has not credited and will not.
    Refused,
}

impl Resolution {
    /// Its text in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::Refused => "refused",
        }
    }

    /// From [`Self::as_str`].
    ///
    /// # Errors
    /// `resolution_unknown`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let found = [Self::Credited, Self::Refused].into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| {
            let message = "a resolution is credited or refused";
            Violation::invalid("resolution_unknown", "resolution", message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::order;
    use super::*;

    #[test]
    fn an_order_without_an_id_of_its_own_always_gets_the_same() {
        let of = |number| OrderId::of(&order(number).end_to_end_id);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_eq!(of(1).uuid().get_version_num(), 5);
    }
}
