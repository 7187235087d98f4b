//! Hub or payee's bank refused a transfer: the hold is released, an expected credit ends.

use shared_kernel::domain::{ReasonCode, Violation};

use super::on_transfer_confirmed::{account_missing, unknown};
use crate::application::books::Books;
use crate::application::hub::HubEvent;
use crate::domain::{IncomingTransfer, OutgoingEvent};

/// Releases the hold, or ends the expected credit.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferRejected;

impl OnTransferRejected {
    /// Applies the event.
    pub(crate) fn apply(
        books: &mut Books,
        event: &HubEvent,
        reason: ReasonCode,
    ) -> Result<(), Violation> {
        if event.to_payer() {
            let id = event.payment.end_to_end_id;
            let outgoing = books.outgoing(id).ok_or_else(|| unknown(id))?;
            let rejected = outgoing.reject(reason, books.now())?;
            release(books, event, rejected, reason)?;
        }
        if event.to_payee() { cancel(books, event, reason) } else { Ok(()) }
    }
}

/// Ends the payer's side, if it is open, and its hold with it.
pub(super) fn release(
    books: &mut Books,
    event: &HubEvent,
    ended: Option<OutgoingEvent>,
    reason: ReasonCode,
) -> Result<(), Violation> {
    let id = event.payment.end_to_end_id;
    let (Some(ended), Some(outgoing)) = (ended, books.outgoing(id)) else { return Ok(()) };
    let payment = outgoing.state().payment.clone();
    let account = books.account(payment.payer.account_id).ok_or_else(account_missing)?;
    let released = account.release(&payment, reason, books.now())?;
    books.record_outgoing(id, &ended);
    books.record(released, &event.trace);
    Ok(())
}

/// Ends the payee's side. One that was never seen is kept as ended, so that a late question about
/// it is not answered with an acceptance.
pub(super) fn cancel(
    books: &mut Books,
    event: &HubEvent,
    reason: ReasonCode,
) -> Result<(), Violation> {
    let id = event.payment.end_to_end_id;
    if books.incoming(id).is_none() {
        books.receive(IncomingTransfer::missed(event.payment.clone()), &event.trace);
    }
    let Some(incoming) = books.incoming(id) else { return Ok(()) };
    if let Some(cancelled) = incoming.cancel(reason, books.now())? {
        books.record_incoming(id, &cancelled);
    }
    Ok(())
}
