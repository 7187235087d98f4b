//! The payer's bank has debited its customer (or says so again).

use shared_kernel::domain::Violation;

use crate::application::desk::Desk;
use crate::application::message::{Heard, TransferSettled};
use crate::domain::Side;

/// Reaction to `TransferSettledByPayer`.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferSettledByPayer;

impl OnTransferSettledByPayer {
    /// Notes the report; the second of the two banks completes the transfer. A repeat is not
    /// answered: banks answer every confirmation with their report, and that must end.
    ///
    /// # Errors
    /// `transfer_unknown`, `sender_is_not_payer`, `report_before_confirmation`,
    /// `report_without_confirmation`.
    pub fn react(
        message: TransferSettled,
        heard: &Heard,
        desk: &mut Desk,
    ) -> Result<(), Violation> {
        let TransferSettled { sender, end_to_end_id } = message;
        match desk.known(&end_to_end_id)?.report(sender, Side::Payer, desk.now())? {
            Some(event) => desk.happen(&end_to_end_id, event, &heard.trace),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::message::BankMessage;
    use crate::application::testing::{Bench, accepted, requested, settled};
    use crate::domain::TransferState;
    use crate::domain::testing::{PAYEE_BANK, ispb, order};

    #[tokio::test]
    async fn as_the_second_report_it_completes_once() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), accepted(1), settled(1, Side::Payee)]).await;
        bench.told();
        bench.hear(1, vec![settled(1, Side::Payer); 3]).await;
        assert_eq!(bench.told(), [(TransferState::Completed, vec!["hub", "payer", "payee"])]);
        assert_eq!(bench.positions(), (-100, 100, 0));
    }

    #[tokio::test]
    async fn only_the_payers_bank_reports_it() {
        let bench = Bench::new();
        bench.hear(0, vec![requested(order(1)), accepted(1)]).await;
        let end_to_end_id = order(1).end_to_end_id;
        let stranger = TransferSettled { sender: ispb(PAYEE_BANK), end_to_end_id };
        let said = vec![BankMessage::SettledByPayer(stranger)];
        assert_eq!(bench.hear(1, said).await, ["sender_is_not_payer"]);
        assert_eq!(bench.state(1), TransferState::Confirmed);
    }
}
