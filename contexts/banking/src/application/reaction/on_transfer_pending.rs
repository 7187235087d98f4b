//! The hub asks the payee's bank whether it will credit a transfer.

use shared_kernel::domain::ReasonCode;

use crate::application::books::Books;
use crate::application::hub::HubEvent;
use crate::domain::IncomingTransfer;

/// Accepts (an expected credit) or refuses; a repeated question gets the first answer again.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferPending;

impl OnTransferPending {
    /// Applies the event. To the payer's bank it says nothing new: the order is known.
    pub(crate) fn apply(books: &mut Books, event: &HubEvent) {
        if !event.to_payee() {
            return;
        }
        let id = event.payment.end_to_end_id;
        if books.incoming(id).is_none() {
            let refusal = match books.account(event.payment.payee.account_id) {
                None => Some(ReasonCode::Ac03),
                Some(account) => account.refusal(&event.payment),
            };
            let answered = IncomingTransfer::answer(event.payment.clone(), refusal, books.now());
            books.receive(answered, &event.trace);
        }
        if let Some(reply) = books.incoming(id).and_then(IncomingTransfer::reply) {
            books.tell(reply, &event.trace);
        }
    }
}
