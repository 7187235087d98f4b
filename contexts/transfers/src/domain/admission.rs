//! Whether the hub takes an order on: the checks that need no bank's answer.

use shared_kernel::domain::{Money, ReasonCode};

use super::{CreditTiming, Order, Participant, Position};

/// What becomes of a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The payee's bank is asked.
    Pending {
        /// Whether the amount is held against the payer's position limit until then.
        reserves: bool,
    },
    /// The hub refuses it.
    Rejected(ReasonCode),
}

/// Checks an order of the participant `payer` to `payee`, `None` when there is no such bank.
/// `position` is the payer's; it matters only under a limit.
///
/// - `DS27`: a bank is unknown (the payee's) or not active (either).
/// - `DS0G`: the payer's bank credits and debits on delivery: it may not order in this protocol.
/// - `AG12`: both accounts are at the same bank, which books such transfers itself.
/// - `AG03`: the payee's bank credits on delivery, which the hub does not carry.
/// - `AM04`: the payer's bank would owe more than its limit.
pub fn admit(
    order: &Order,
    payer: &Participant,
    payee: Option<&Participant>,
    position: &Position,
) -> Admission {
    let Some(payee) = payee.filter(|bank| bank.is_active() && payer.is_active()) else {
        return Admission::Rejected(ReasonCode::Ds27);
    };
    if payer.credit_timing() == CreditTiming::OnDelivery {
        return Admission::Rejected(ReasonCode::Ds0g);
    }
    if payer.ispb == payee.ispb {
        return Admission::Rejected(ReasonCode::Ag12);
    }
    if payee.credit_timing() == CreditTiming::OnDelivery {
        return Admission::Rejected(ReasonCode::Ag03);
    }
    let fits = |limit: Money| position.has_room_for(order.amount, limit);
    match payer.position_limit {
        None => Admission::Pending { reserves: false },
        Some(limit) if fits(limit) => Admission::Pending { reserves: true },
        Some(_) => Admission::Rejected(ReasonCode::Am04),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PAYEE_BANK, PAYER_BANK, ispb, native, order};
    use super::super::{ParticipantStatus, Protocol};
    use super::*;

    fn admitted(payer: &Participant, payee: Option<&Participant>) -> Admission {
        admit(&order(1), payer, payee, &Position::opening(payer.ispb))
    }

    #[test]
    fn an_order_between_two_native_banks_is_taken_on() {
        let (payer, payee) = (native(PAYER_BANK), native(PAYEE_BANK));
        assert_eq!(admitted(&payer, Some(&payee)), Admission::Pending { reserves: false });
    }

    #[test]
    fn each_rule_has_its_reason() {
        let (payer, payee) = (native(PAYER_BANK), native(PAYEE_BANK));
        let suspended = |bank: &Participant| Participant {
            status: ParticipantStatus::Suspended,
            ..bank.clone()
        };
        let classic =
            |bank: &Participant| Participant { protocol: Protocol::Classic, ..bank.clone() };
        let cases = [
            (admitted(&payer, None), ReasonCode::Ds27),
            (admitted(&payer, Some(&suspended(&payee))), ReasonCode::Ds27),
            (admitted(&suspended(&payer), Some(&payee)), ReasonCode::Ds27),
            (admitted(&payer, Some(&payer)), ReasonCode::Ag12),
            (admitted(&payer, Some(&classic(&payee))), ReasonCode::Ag03),
            (admitted(&classic(&payer), Some(&payee)), ReasonCode::Ds0g),
            (admitted(&classic(&payer), Some(&classic(&payer))), ReasonCode::Ds0g),
        ];
        for (admission, reason) in cases {
            assert_eq!(admission, Admission::Rejected(reason));
        }
    }

    #[test]
    fn a_limit_reserves_or_refuses() {
        let order = order(1);
        let limited = |centavos| Participant {
            position_limit: Some(Money::from_centavos(centavos)),
            ..native(PAYER_BANK)
        };
        let payee = native(PAYEE_BANK);
        let position = Position::opening(ispb(PAYER_BANK));
        let enough = limited(order.amount.centavos());
        let short = limited(order.amount.centavos() - 1);
        assert_eq!(
            admit(&order, &enough, Some(&payee), &position),
            Admission::Pending { reserves: true }
        );
        assert_eq!(
            admit(&order, &short, Some(&payee), &position),
            Admission::Rejected(ReasonCode::Am04)
        );
    }
}
