//! The payee's bank refuses a transfer (or says so again).

use shared_kernel::domain::Violation;

use crate::application::desk::Desk;
use crate::application::message::{Heard, TransferRefused};
use crate::domain::Side;

/// Reaction to `TransferRefused`.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferRefused;

impl OnTransferRefused {
    /// Rejects with the bank's reason; what is decided already is told to the sender.
    ///
    /// # Errors
    /// `transfer_unknown`, `sender_is_not_payee`.
    pub fn react(
        message: TransferRefused,
        heard: &Heard,
        desk: &mut Desk,
    ) -> Result<(), Violation> {
        let TransferRefused { sender, end_to_end_id, reason } = message;
        if let Some(event) = desk.known(&end_to_end_id)?.refuse(sender, reason, desk.now())? {
            return desk.happen(&end_to_end_id, event, &heard.trace);
        }
        desk.answer(&end_to_end_id, Side::Payee, &heard.trace);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::ReasonCode;

    use super::*;
    use crate::application::message::BankMessage;
    use crate::application::testing::{Bench, accepted, refused, requested};
    use crate::domain::TransferState;
    use crate::domain::testing::{ispb, order};

    #[tokio::test]
    async fn it_rejects_with_the_banks_reason() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), refused(1, ReasonCode::Be01)]).await;
        let told = bench.told();
        assert_eq!(told[1], (TransferState::Rejected, vec!["hub", "payer", "payee"]));
        let stored = bench.store.stored(&order(1).end_to_end_id).unwrap();
        assert_eq!(stored.standing().reason, Some(ReasonCode::Be01));
    }

    #[tokio::test]
    async fn after_an_acceptance_it_changes_nothing_and_is_answered() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), accepted(1)]).await;
        bench.told();
        assert!(bench.hear(1, vec![refused(1, ReasonCode::Ac03)]).await.is_empty());
        assert_eq!(bench.told(), [(TransferState::Confirmed, vec!["payee"])]);
        assert_eq!(bench.positions(), (-100, 100, 0));
    }

    #[tokio::test]
    async fn strangers_and_unknown_transfers_are_set_aside() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1))]).await;
        let (sender, reason) = (ispb("00000009"), ReasonCode::Ac03);
        let end_to_end_id = order(1).end_to_end_id;
        let stranger = TransferRefused { sender, end_to_end_id, reason };
        let said = vec![BankMessage::Refused(stranger), refused(2, reason)];
        assert_eq!(bench.hear(1, said).await, ["sender_is_not_payee", "transfer_unknown"]);
    }
}
