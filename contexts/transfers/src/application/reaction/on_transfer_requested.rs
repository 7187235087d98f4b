//! The payer's bank orders a transfer (or orders it again).

use shared_kernel::domain::{Ispb, ReasonCode, Violation};

use crate::application::desk::{Desk, NewOrder};
use crate::application::message::{Heard, TransferRequested};
use crate::domain::{Admission, admit};

/// Reaction to `TransferRequested`.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferRequested;

impl OnTransferRequested {
    /// Stores a new order as pending or rejected; answers one that is known. One that its bank
    /// wrote before it changed its protocol is rejected (`ED05`), and told where it was written
    /// from: the hold that was made for it ends.
    ///
    /// # Errors
    /// `sender_is_not_payer`, `end_to_end_id_of_another_bank`, `payer_bank_unknown`,
    /// `order_content_differs`.
    pub fn react(
        message: TransferRequested,
        heard: &Heard,
        desk: &mut Desk,
    ) -> Result<(), Violation> {
        let TransferRequested { sender, order, registered_as, reference } = message;
        order.check_sender(sender)?;
        let digest = order.digest();
        let id = order.end_to_end_id;
        if let Some(known) = desk.transfer(&id) {
            known.repeat(&digest)?;
            desk.answer_order(&id, &heard.trace);
            return Ok(());
        }
        let payer = desk.participant(sender).ok_or_else(|| unknown(sender))?;
        let payee = desk.participant(order.payee.ispb);
        let admission = if payer.protocol == heard.voice {
            admit(&order, payer, payee, &desk.position(sender), desk.now())
        } else {
            Admission::Rejected(ReasonCode::Ed05)
        };
        desk.register(NewOrder { order, digest, registered_as, reference }, admission, heard)
    }
}

/// Nobody could be told of a rejection.
fn unknown(bank: Ispb) -> Violation {
    let message = format!("bank {bank} orders a transfer and is not enrolled");
    Violation::not_found("payer_bank_unknown", "ispb", message)
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::{EndToEndId, Money};

    use super::*;
    use crate::application::message::BankMessage;
    use crate::application::ports::Word;
    use crate::application::testing::{Bench, accepted, ordered, refused, requested};
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, classic, ispb, native, order};
    use crate::domain::{Description, Order, Participant, Side, TransferState};

    fn sent_by(bank: &str, order: Order) -> BankMessage {
        BankMessage::Requested(Box::new(TransferRequested {
            sender: ispb(bank),
            order,
            registered_as: None,
            reference: None,
        }))
    }

    #[tokio::test]
    async fn a_new_order_is_pending_and_the_payees_bank_is_asked() {
        let bench = Bench::new();
        assert!(bench.hear(0, vec![requested(order(1))]).await.is_empty());
        assert_eq!(bench.told(), [(TransferState::Pending, vec!["hub", "payee"])]);
        let stored = bench.store.stored(&order(1).end_to_end_id).unwrap();
        assert_eq!((stored.terms().registered_at, stored.terms().deadline), (at(0), at(40)));
        assert_eq!(bench.positions(), (0, 0, 0));
    }

    #[tokio::test]
    async fn the_same_order_again_is_answered_to_the_sender_alone() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1))]).await;
        bench.told();
        let before = bench.store.stored(&order(1).end_to_end_id);
        assert!(bench.hear(1, vec![requested(order(1)); 2]).await.is_empty());
        let answer = (TransferState::Pending, vec!["payer", "payee"]);
        assert_eq!(bench.told(), [answer.clone(), answer]);
        assert_eq!(bench.store.stored(&order(1).end_to_end_id), before);

        bench.hear(2, vec![accepted(1)]).await;
        bench.told();
        bench.hear(3, vec![requested(order(1))]).await;
        assert_eq!(bench.told(), [(TransferState::Confirmed, vec!["payer"])]);
    }

    #[tokio::test]
    async fn a_repeat_in_the_same_batch_is_answered_in_order() {
        let bench = Bench::new();
        let said = vec![requested(order(1)), requested(order(1)), accepted(1), requested(order(1))];
        assert!(bench.hear(0, said).await.is_empty());
        let expected = [
            (TransferState::Pending, vec!["hub", "payee"]),
            (TransferState::Pending, vec!["payer", "payee"]),
            (TransferState::Confirmed, vec!["hub", "payer", "payee"]),
            (TransferState::Confirmed, vec!["payer"]),
        ];
        assert_eq!(bench.told(), expected);
    }

    #[tokio::test]
    async fn other_content_under_a_known_id_is_set_aside_without_a_word() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1))]).await;
        bench.told();
        let description = Description::parse("other").unwrap();
        let other = requested(Order { description, ..order(1) });
        assert_eq!(bench.hear(1, vec![other]).await, ["order_content_differs"]);
        assert_eq!(bench.told(), []);
        assert_eq!(bench.state(1), TransferState::Pending);
    }

    #[tokio::test]
    async fn only_an_enrolled_payers_bank_orders_under_its_own_id() {
        let bench = Bench::new();
        let foreign_id =
            Order { end_to_end_id: EndToEndId::new(ispb("00000009"), at(0), 1), ..order(1) };
        let mut stranger = order(1);
        stranger.payer.ispb = ispb("00000009");
        stranger.end_to_end_id = foreign_id.end_to_end_id;
        let said = vec![
            sent_by(PAYEE_BANK, order(1)),
            sent_by(PAYER_BANK, foreign_id),
            sent_by("00000009", stranger),
        ];
        let expected =
            ["sender_is_not_payer", "end_to_end_id_of_another_bank", "payer_bank_unknown"];
        assert_eq!(bench.hear(0, said).await, expected);
        assert_eq!(bench.told(), []);
        assert!(bench.store.tables().transfers.is_empty());
    }

    #[tokio::test]
    async fn an_order_that_the_hub_refuses_is_stored_and_told_to_the_payers_bank() {
        let bench = Bench::new();
        let mut unknown = order(1);
        unknown.payee.ispb = ispb("00000009");
        let mut within = order(2);
        within.payee.ispb = ispb(PAYER_BANK);
        assert!(bench.hear(0, vec![requested(unknown), requested(within)]).await.is_empty());
        let rejected = (TransferState::Rejected, vec!["hub", "payer"]);
        assert_eq!(bench.told(), [rejected.clone(), rejected]);
        let reason =
            |number| bench.store.stored(&order(number).end_to_end_id).unwrap().standing().reason;
        assert_eq!([reason(1), reason(2)], [Some(ReasonCode::Ds27), Some(ReasonCode::Ag12)]);
    }

    #[tokio::test]
    async fn an_order_that_waited_for_half_a_day_is_rejected_and_its_payers_bank_is_told() {
        let bench = Bench::new();
        bench.clock.advance(EndToEndId::TOLERANCE);
        // Heard in time, by the log; what counts is when the hub would pay it.
        assert!(bench.hear(0, vec![requested(order(1))]).await.is_empty());
        assert_eq!(bench.state(1), TransferState::Pending);
        bench.told();
        bench.clock.advance(std::time::Duration::from_secs(1));
        assert!(bench.hear(0, vec![requested(order(2)), requested(order(1))]).await.is_empty());
        let rejected = (TransferState::Rejected, vec!["hub", "payer"]);
        let again = (TransferState::Pending, vec!["payer", "payee"]);
        assert_eq!(bench.told(), [again, rejected], "what is known is not judged anew");
        let stored = bench.store.stored(&order(2).end_to_end_id).unwrap();
        assert_eq!(stored.standing().reason, Some(ReasonCode::Ff08));
    }

    #[tokio::test]
    async fn a_refused_order_again_is_answered_and_never_judged_anew() {
        let bench = Bench::with([native(PAYER_BANK)]);
        bench.hear(0, vec![requested(order(1))]).await;
        bench.told();
        let payee = native(PAYEE_BANK);
        bench.store.tables().participants.insert(payee.ispb, payee);
        bench.hear(1, vec![requested(order(1))]).await;
        assert_eq!(bench.told(), [(TransferState::Rejected, vec!["payer"])]);
        assert_eq!(bench.state(1), TransferState::Rejected);
    }

    #[tokio::test]
    async fn an_order_of_a_bank_that_is_classic_by_now_is_rejected_and_told_where_it_came_from() {
        let bench = Bench::with([classic(PAYER_BANK), native(PAYEE_BANK)]);
        assert!(bench.hear(0, vec![requested(order(1)); 2]).await.is_empty());
        let told = [
            (TransferState::Rejected, vec!["hub", "payer"]),
            (TransferState::Rejected, vec!["payer"]),
        ];
        assert_eq!((bench.told(), bench.letters()), (told.to_vec(), vec![]));
        let stored = bench.store.stored(&order(1).end_to_end_id).unwrap();
        assert_eq!(stored.standing().reason, Some(ReasonCode::Ed05));
        assert_eq!(bench.positions(), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_bank_that_changed_its_protocol_is_answered_as_when_the_transfer_began() {
        let become_of = |bench: &Bench, bank: Participant| {
            bench.told();
            bench.letters();
            bench.store.tables().participants.insert(bank.ispb, bank);
        };
        let bench = Bench::with([native(PAYER_BANK)]);
        assert!(bench.hear(0, vec![requested(order(1))]).await.is_empty());
        become_of(&bench, classic(PAYER_BANK));
        assert!(bench.hear(1, vec![requested(order(1))]).await.is_empty());
        let told = vec![(TransferState::Rejected, vec!["payer"])];
        assert_eq!((bench.told(), bench.letters()), (told, vec![]));

        let bench = Bench::with([classic(PAYER_BANK)]);
        assert!(bench.hear_classic(0, vec![ordered(order(1))]).await.is_empty());
        become_of(&bench, native(PAYER_BANK));
        assert!(bench.hear_classic(1, vec![ordered(order(1))]).await.is_empty());
        assert_eq!((bench.told(), bench.letters()), (vec![], vec![(Side::Payer, Word::Failed)]));
    }

    fn limited(centavos: i64) -> Bench {
        let position_limit = Some(Money::from_centavos(centavos));
        Bench::with([Participant { position_limit, ..native(PAYER_BANK) }, native(PAYEE_BANK)])
    }

    #[tokio::test]
    async fn a_limit_is_shared_by_the_orders_of_a_batch() {
        let bench = limited(300);
        let said = (1..=3).map(|number| requested(order(number))).collect();
        bench.hear(0, said).await;
        let states = [1, 2, 3].map(|number| bench.state(number));
        let expected = [TransferState::Pending, TransferState::Pending, TransferState::Rejected];
        assert_eq!(states, expected);
        assert_eq!(bench.positions(), (0, 0, 300));
        let rejected = bench.store.stored(&order(3).end_to_end_id).unwrap();
        assert_eq!(rejected.standing().reason, Some(ReasonCode::Am04));
    }

    #[tokio::test]
    async fn a_reservation_ends_with_every_end_of_pending() {
        let bench = limited(600);
        let said = (1..=3).map(|number| requested(order(number))).collect();
        bench.hear(0, said).await;
        assert_eq!(bench.positions(), (0, 0, 600));
        bench.hear(1, vec![accepted(1)]).await;
        assert_eq!(bench.positions(), (-100, 100, 500));
        bench.hear(2, vec![refused(2, ReasonCode::Ac03)]).await;
        assert_eq!(bench.positions(), (-100, 100, 300));
        bench.hear(41, vec![accepted(3)]).await;
        assert_eq!(bench.state(3), TransferState::Expired);
        assert_eq!(bench.positions(), (-100, 100, 0));
    }

    #[tokio::test]
    async fn room_that_a_batch_frees_can_be_used_in_it() {
        let bench = limited(100);
        bench.hear(0, vec![requested(order(1))]).await;
        let mut next = order(1);
        next.end_to_end_id = EndToEndId::new(ispb(PAYER_BANK), at(0), 77);
        let said = vec![refused(1, ReasonCode::Ac03), requested(next.clone())];
        bench.hear(1, said).await;
        let stored = bench.store.stored(&next.end_to_end_id).unwrap();
        assert_eq!(stored.standing().state, TransferState::Pending);
        assert_eq!(bench.positions(), (0, 0, 100));
    }
}
