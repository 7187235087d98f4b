//! Whether the hub takes an order on: the checks that need no bank's answer.

use shared_kernel::domain::{Money, ReasonCode, Timestamp};

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
/// - `FF08`: the minute in its `EndToEndId` is more than 12 hours from `now` (SPI): an order that
///   waited so long is not paid any more.
/// - `DS27`: a bank is unknown (the payee's) or not active (either).
/// - `AG12`: both accounts are at the same bank, which books such transfers itself; one that
///   credits on delivery is carried all the same: it owes nobody anything by it.
/// - `AM04`: the payer's bank would owe more than its limit.
pub fn admit(
    order: &Order,
    payer: &Participant,
    payee: Option<&Participant>,
    position: &Position,
    now: Timestamp,
) -> Admission {
    if !order.end_to_end_id.is_timely(now) {
        return Admission::Rejected(ReasonCode::Ff08);
    }
    let Some(payee) = payee.filter(|bank| bank.is_active() && payer.is_active()) else {
        return Admission::Rejected(ReasonCode::Ds27);
    };
    if payer.ispb == payee.ispb {
        return match payer.credit_timing() {
            CreditTiming::OnConfirmation => Admission::Rejected(ReasonCode::Ag12),
            CreditTiming::OnDelivery => Admission::Pending { reserves: false },
        };
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
    use shared_kernel::domain::EndToEndId;

    use super::super::testing::{PAYEE_BANK, PAYER_BANK, at, ispb, native, order};
    use super::super::{ParticipantStatus, Protocol};
    use super::*;

    fn admitted(payer: &Participant, payee: Option<&Participant>) -> Admission {
        admit(&order(1), payer, payee, &Position::opening(payer.ispb), at(0))
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
        let cases = [
            (admitted(&payer, None), ReasonCode::Ds27),
            (admitted(&payer, Some(&suspended(&payee))), ReasonCode::Ds27),
            (admitted(&suspended(&payer), Some(&payee)), ReasonCode::Ds27),
            (admitted(&payer, Some(&payer)), ReasonCode::Ag12),
        ];
        for (admission, reason) in cases {
            assert_eq!(admission, Admission::Rejected(reason));
        }
    }

    #[test]
    fn banks_that_credit_on_delivery_pay_are_paid_and_pay_themselves() {
        let (payer, payee) = (native(PAYER_BANK), native(PAYEE_BANK));
        let classic =
            |bank: &Participant| Participant { protocol: Protocol::Classic, ..bank.clone() };
        let taken_on = Admission::Pending { reserves: false };
        assert_eq!(admitted(&payer, Some(&classic(&payee))), taken_on);
        assert_eq!(admitted(&classic(&payer), Some(&payee)), taken_on);
        assert_eq!(admitted(&classic(&payer), Some(&classic(&payee))), taken_on);
        let position_limit = Some(Money::ZERO);
        let limited = Participant { position_limit, ..classic(&payer) };
        assert_eq!(admitted(&limited, Some(&limited)), taken_on, "it owes nobody anything");
    }

    #[test]
    fn an_order_is_of_the_present_day() {
        let (payer, payee) = (native(PAYER_BANK), native(PAYEE_BANK));
        let position = Position::opening(payer.ispb);
        let admitted = |now| admit(&order(1), &payer, Some(&payee), &position, now);
        let tolerance = EndToEndId::TOLERANCE;
        let ends = [at(0).checked_sub(tolerance), at(0).checked_add(tolerance)].map(Result::unwrap);
        for end in ends {
            assert_eq!(admitted(end), Admission::Pending { reserves: false });
        }
        let second = std::time::Duration::from_secs(1);
        let beyond = [ends[0].checked_sub(second), ends[1].checked_add(second)].map(Result::unwrap);
        for now in beyond {
            assert_eq!(admitted(now), Admission::Rejected(ReasonCode::Ff08), "{now}");
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
            admit(&order, &enough, Some(&payee), &position, at(0)),
            Admission::Pending { reserves: true }
        );
        assert_eq!(
            admit(&order, &short, Some(&payee), &position, at(0)),
            Admission::Rejected(ReasonCode::Am04)
        );
    }
}
