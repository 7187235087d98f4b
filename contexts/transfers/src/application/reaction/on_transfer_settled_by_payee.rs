//! The payee's bank has credited its customer (or says so again).

use shared_kernel::domain::Violation;

use crate::application::desk::Desk;
use crate::application::message::{Heard, TransferSettled};
use crate::domain::Side;

/// Reaction to `TransferSettledByPayee`.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferSettledByPayee;

impl OnTransferSettledByPayee {
    /// Notes the report; the second of the two banks completes the transfer. A repeat is not
    /// answered: banks answer every confirmation with their report, and that must end.
    ///
    /// # Errors
    /// `transfer_unknown`, `sender_is_not_payee`, `report_before_confirmation`,
    /// `report_without_confirmation`.
    pub fn react(
        message: TransferSettled,
        heard: &Heard,
        desk: &mut Desk,
    ) -> Result<(), Violation> {
        let TransferSettled { sender, end_to_end_id } = message;
        match desk.known(&end_to_end_id)?.report(sender, Side::Payee, desk.now())? {
            Some(event) => desk.happen(&end_to_end_id, event, &heard.trace),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::ReasonCode;

    use super::*;
    use crate::application::message::BankMessage;
    use crate::application::testing::{Bench, accepted, refused, requested, settled};
    use crate::domain::TransferState;
    use crate::domain::testing::{PAYER_BANK, ispb, order};

    #[tokio::test]
    async fn the_first_report_is_kept_and_nobody_is_told() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), accepted(1)]).await;
        bench.told();
        assert!(bench.hear(1, vec![settled(1, Side::Payee); 2]).await.is_empty());
        assert_eq!(bench.told(), []);
        let stored = bench.store.stored(&order(1).end_to_end_id).unwrap();
        assert!(stored.has_report(Side::Payee) && !stored.has_report(Side::Payer));
        assert_eq!(bench.state(1), TransferState::Confirmed);
    }

    #[tokio::test]
    async fn as_the_second_report_it_completes() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), accepted(1), settled(1, Side::Payer)]).await;
        bench.told();
        bench.hear(1, vec![settled(1, Side::Payee)]).await;
        assert_eq!(bench.told(), [(TransferState::Completed, vec!["hub", "payer", "payee"])]);
    }

    #[tokio::test]
    async fn unfounded_reports_are_set_aside() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1))]).await;
        let end_to_end_id = order(1).end_to_end_id;
        let stranger = TransferSettled { sender: ispb(PAYER_BANK), end_to_end_id };
        let said = vec![
            settled(1, Side::Payee),
            BankMessage::SettledByPayee(stranger),
            settled(2, Side::Payee),
            refused(1, ReasonCode::Ac03),
            settled(1, Side::Payee),
        ];
        let expected = [
            "report_before_confirmation",
            "sender_is_not_payee",
            "transfer_unknown",
            "report_without_confirmation",
        ];
        assert_eq!(bench.hear(1, said).await, expected);
        assert_eq!(bench.state(1), TransferState::Rejected);
    }
}
