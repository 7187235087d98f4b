//! The payee's bank accepts a transfer (or says so again).

use shared_kernel::domain::Violation;

use crate::application::desk::Desk;
use crate::application::message::{Heard, TransferAccepted};
use crate::domain::Side;

/// Reaction to `TransferAccepted`.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferAccepted;

impl OnTransferAccepted {
    /// Confirms in time, expires too late; what is decided already is told to the sender.
    ///
    /// # Errors
    /// `transfer_unknown`, `sender_is_not_payee`.
    pub fn react(
        message: TransferAccepted,
        heard: &Heard,
        desk: &mut Desk,
    ) -> Result<(), Violation> {
        let TransferAccepted { sender, end_to_end_id } = message;
        if let Some(event) = desk.known(&end_to_end_id)?.accept(sender, heard.at, desk.now())? {
            return desk.happen(&end_to_end_id, event, &heard.trace);
        }
        desk.answer(&end_to_end_id, Side::Payee, &heard.trace);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::message::BankMessage;
    use crate::application::testing::{Bench, accepted, refused, requested};
    use crate::domain::TransferState;
    use crate::domain::testing::{PAYER_BANK, at, ispb, order};
    use shared_kernel::domain::ReasonCode;

    async fn pending() -> Bench {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1))]).await;
        bench.told();
        bench
    }

    #[tokio::test]
    async fn in_time_it_confirms_and_moves_the_positions() {
        let bench = pending().await;
        assert!(bench.hear(40, vec![accepted(1)]).await.is_empty());
        assert_eq!(bench.told(), [(TransferState::Confirmed, vec!["hub", "payer", "payee"])]);
        assert_eq!(bench.positions(), (-100, 100, 0));
        let row = bench.store.tables().transfers[&order(1).end_to_end_id].clone();
        assert_eq!(row.resend_at, Some(at(20)));
    }

    #[tokio::test]
    async fn too_late_it_expires() {
        let bench = pending().await;
        assert!(bench.hear(41, vec![accepted(1)]).await.is_empty());
        assert_eq!(bench.told(), [(TransferState::Expired, vec!["hub", "payer", "payee"])]);
        assert_eq!(bench.positions(), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_repeat_is_answered_with_the_present_state() {
        let bench = pending().await;
        bench.hear(1, vec![accepted(1)]).await;
        bench.told();
        bench.hear(2, vec![accepted(1)]).await;
        assert_eq!(bench.told(), [(TransferState::Confirmed, vec!["payee"])]);
        assert_eq!(bench.positions(), (-100, 100, 0));
    }

    #[tokio::test]
    async fn after_expiry_or_rejection_the_sender_learns_of_it() {
        let bench = pending().await;
        bench.hear(41, vec![accepted(1)]).await;
        bench.hear(1, vec![requested(order(2)), refused(2, ReasonCode::Ac03)]).await;
        bench.told();
        bench.hear(2, vec![accepted(1), accepted(2)]).await;
        let expected =
            [(TransferState::Expired, vec!["payee"]), (TransferState::Rejected, vec!["payee"])];
        assert_eq!(bench.told(), expected);
        assert_eq!(bench.positions(), (0, 0, 0));
    }

    #[tokio::test]
    async fn strangers_and_unknown_transfers_are_set_aside() {
        let bench = pending().await;
        let end_to_end_id = order(1).end_to_end_id;
        let stranger = TransferAccepted { sender: ispb(PAYER_BANK), end_to_end_id };
        let said = vec![BankMessage::Accepted(stranger), accepted(2)];
        assert_eq!(bench.hear(1, said).await, ["sender_is_not_payee", "transfer_unknown"]);
        assert_eq!(bench.told(), []);
        assert_eq!(bench.state(1), TransferState::Pending);
    }
}
