//! How a payment leaves an account: by the hub, or within the bank.

use std::time::Duration;

use shared_kernel::domain::Violation;

use super::account_command::own_account;
use super::books::{Books, Movement};
use super::command::{RequestTransfer, ResolvedPayee};
use super::views::TransferView;
use crate::domain::{Account, BookTransfer, EntryAccount, Leg, OutgoingTransfer, Payment};

/// Holds the amount and orders the transfer; a payee at the same bank is paid at once.
///
/// # Errors
/// The broken rule; then nothing was recorded.
pub(crate) fn order(
    books: &mut Books,
    command: &RequestTransfer,
    found: &ResolvedPayee,
    transfer_deadline: Duration,
) -> Result<TransferView, Violation> {
    let payer = own_account(books, &command.on)?;
    let payment = Payment {
        end_to_end_id: found.end_to_end_id,
        payer: payer.party(),
        payee: found.payee.clone(),
        payee_key: command.payee_key.as_str().to_owned(),
        amount: command.amount,
        description: command.description.as_str().to_owned(),
        ordered_at: books.now(),
        deadline: books.now().saturating_add(transfer_deadline),
    };
    if payment.payee.ispb == payment.payer.ispb {
        return book(books, command, &payer, payment);
    }
    let held = payer.hold(&payment, books.now())?;
    let transfer = OutgoingTransfer::request(payment);
    let view = TransferView::from(&transfer);
    books.record(held, &command.on.trace);
    books.order(transfer, &command.on.trace);
    Ok(view)
}

/// Both sides at once, in one posting.
fn book(
    books: &mut Books,
    command: &RequestTransfer,
    payer: &Account,
    payment: Payment,
) -> Result<TransferView, Violation> {
    let debited = payer.book_debit(&payment, books.entry_id(), books.now())?;
    let paid = books.account(payment.payee.account_id).ok_or_else(|| {
        let message = "The payee's account does not exist. (AC03)";
        Violation::failed_precondition("payee_account_unknown", "payee_key", message)
    })?;
    let credited = paid.book_credit(&payment, books.entry_id(), books.now())?;
    let reference = payment.end_to_end_id.to_string();
    let movement = Movement { leg: Leg::Book, reference, amount: payment.amount };
    if let (Some(from), Some(to)) = (debited.fact.entry_id(), credited.fact.entry_id()) {
        let from = (from, EntryAccount::customer(&debited));
        let to = (to, EntryAccount::customer(&credited));
        books.post(payment.payer.ispb, movement, from, to);
    }
    books.record(debited, &command.on.trace);
    books.record(credited, &command.on.trace);
    let transfer = BookTransfer { payment, booked_at: books.now() };
    let view = TransferView::book(&transfer, payer.state().id);
    books.book(transfer);
    Ok(view)
}
