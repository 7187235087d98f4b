//! A transfer was not accepted in time: the hold is released, an expected credit ends.

use shared_kernel::domain::{ReasonCode, Violation};

use super::on_transfer_confirmed::unknown;
use super::on_transfer_rejected::{cancel, release};
use crate::application::books::Books;
use crate::application::hub::HubEvent;

/// Releases the hold, or ends the expected credit.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferExpired;

impl OnTransferExpired {
    /// Applies the event.
    pub(crate) fn apply(
        books: &mut Books,
        event: &HubEvent,
        reason: ReasonCode,
    ) -> Result<(), Violation> {
        if event.to_payer() {
            let id = event.payment.end_to_end_id;
            let outgoing = books.outgoing(id).ok_or_else(|| unknown(id))?;
            let expired = outgoing.expire(reason, books.now())?;
            release(books, event, expired, reason)?;
        }
        if event.to_payee() { cancel(books, event, reason) } else { Ok(()) }
    }
}
