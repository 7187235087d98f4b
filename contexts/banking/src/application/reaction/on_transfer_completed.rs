//! Both sides have reported: nothing is left to do, unless a side missed the settlement.

use shared_kernel::domain::Violation;

use super::on_transfer_confirmed::{post_credit, post_debit};
use crate::application::books::Books;
use crate::application::hub::HubEvent;
use crate::domain::{IncomingTransfer, OutgoingTransfer};

/// Applies what was missed. It implies `TransferConfirmed`, but asks for no report.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferCompleted;

impl OnTransferCompleted {
    /// Applies the event.
    pub(crate) fn apply(books: &mut Books, event: &HubEvent) -> Result<(), Violation> {
        let id = event.payment.end_to_end_id;
        let missed_debit = event.to_payer() && post_debit(books, event)?;
        let missed_credit = event.to_payee() && post_credit(books, event)?;
        let debit = books.outgoing(id).filter(|_| missed_debit).and_then(OutgoingTransfer::report);
        let credit =
            books.incoming(id).filter(|_| missed_credit).and_then(IncomingTransfer::report);
        for report in [debit, credit].into_iter().flatten() {
            books.tell(report, &event.trace);
        }
        Ok(())
    }
}
