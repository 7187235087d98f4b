//! The hub has settled a transfer: that is final, so each side posts it, whatever it missed.

use shared_kernel::domain::{EndToEndId, ReasonCode, Violation};

use crate::application::books::{Books, Movement};
use crate::application::hub::HubEvent;
use crate::domain::{
    EntryAccount, IncomingTransfer, InternalAccount, Leg, OutgoingTransfer, Payment,
};

/// Turns the hold into a debit, or credits the payee; reports it, every time it is told.
#[derive(Clone, Copy, Debug)]
pub struct OnTransferConfirmed;

impl OnTransferConfirmed {
    /// Applies the event.
    pub(crate) fn apply(books: &mut Books, event: &HubEvent) -> Result<(), Violation> {
        let id = event.payment.end_to_end_id;
        if event.to_payer() {
            post_debit(books, event)?;
            if let Some(report) = books.outgoing(id).and_then(OutgoingTransfer::report) {
                books.tell(report, &event.trace);
            }
        }
        if event.to_payee() {
            post_credit(books, event)?;
            if let Some(report) = books.incoming(id).and_then(IncomingTransfer::report) {
                books.tell(report, &event.trace);
            }
        }
        Ok(())
    }
}

/// The rule that a bank never settles or releases what it never held.
pub(super) fn unknown(id: EndToEndId) -> Violation {
    let message = format!("this bank never ordered the transfer {id}");
    Violation::not_found("transfer_unknown", "end_to_end_id", message)
}

pub(super) fn account_missing() -> Violation {
    Violation::not_found("account_not_found", "account_id", "the payer's account is not here")
}

/// The payer's side: hold to debit. Says whether it happened now.
pub(super) fn post_debit(books: &mut Books, event: &HubEvent) -> Result<bool, Violation> {
    let id = event.payment.end_to_end_id;
    let outgoing = books.outgoing(id).ok_or_else(|| unknown(id))?;
    let Some(settled) = outgoing.settle(books.now())? else { return Ok(false) };
    let payment = outgoing.state().payment.clone();
    let account = books.account(payment.payer.account_id).ok_or_else(account_missing)?;
    let debited = account.debit(&payment, books.entry_id(), books.now())?;
    books.record_outgoing(id, &settled);
    let movement = movement(Leg::Payer, &payment);
    books.debit_customer(movement, InternalAccount::Settlement, debited, &event.trace);
    Ok(true)
}

/// The payee's side: a credit, or unapplied money. Says whether it happened now.
pub(super) fn post_credit(books: &mut Books, event: &HubEvent) -> Result<bool, Violation> {
    let id = event.payment.end_to_end_id;
    let missed = IncomingTransfer::missed(event.payment.clone());
    let (incoming, is_new) = match books.incoming(id) {
        Some(incoming) => (incoming, false),
        None => (&missed, true),
    };
    // Whether it moves money at all does not depend on where to.
    if incoming.settle(None, books.now())?.is_none() {
        return Ok(false);
    }
    let payment = incoming.state().payment.clone();
    let credited = match books.account(payment.payee.account_id) {
        None => Err(ReasonCode::Ac03),
        Some(account) => account.credit(&payment, books.entry_id(), books.now()),
    };
    let Some(posted) = incoming.settle(credited.as_ref().err().copied(), books.now())? else {
        return Ok(false);
    };
    if is_new {
        books.receive(missed, &event.trace);
    }
    books.record_incoming(id, &posted);
    let movement = movement(Leg::Payee, &payment);
    match credited {
        Ok(credited) => {
            books.credit_customer(movement, InternalAccount::Settlement, credited, &event.trace);
        }
        Err(reason) => {
            let (id, reason) = (id.as_str(), reason.code());
            tracing::warn!(id, reason, "settled money that no account can take is kept unapplied");
            let side = |account| (books.entry_id(), EntryAccount::Internal(account));
            let from = side(InternalAccount::Settlement);
            let to = side(InternalAccount::UnappliedCredits);
            books.post(payment.payee.ispb, movement, from, to);
        }
    }
    Ok(true)
}

fn movement(leg: Leg, payment: &Payment) -> Movement {
    Movement { leg, reference: payment.end_to_end_id.to_string(), amount: payment.amount }
}
