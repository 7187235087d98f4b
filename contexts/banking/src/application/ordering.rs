//! How a payment leaves an account: by the hub, or within the bank.

use std::time::Duration;

use shared_kernel::application::TraceParent;
use shared_kernel::domain::Violation;

use super::account_command::own_account;
use super::books::{Books, Movement};
use super::command::{RequestTransfer, ResolvedPayee};
use super::views::TransferView;
use crate::domain::{Account, BookTransfer, EntryAccount, EntryId, Leg, OutgoingTransfer, Payment};

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
        payee_key_registered_as: found.registered_as.clone(),
        amount: command.amount,
        description: command.description.as_str().to_owned(),
        ordered_at: payer.dated(books.now()),
        deadline: books.now().saturating_add(transfer_deadline),
    };
    if payment.payee.ispb == payment.payer.ispb {
        let (transfer, _) = book(books, &command.on.trace, &payer, payment)?;
        return Ok(TransferView::book(&transfer, payer.state().id));
    }
    let held = payer.hold(&payment, books.now())?;
    let transfer = OutgoingTransfer::request(payment);
    let view = TransferView::from(&transfer);
    books.record(held, &command.on.trace);
    books.order(transfer, &command.on.trace);
    Ok(view)
}

/// What a transfer within the bank has left on its two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BookedSides {
    /// The entry of its debit.
    pub(crate) entry_id: EntryId,
    /// Version of the payer's account after it.
    pub(crate) payer_version: i64,
    /// Version of the payee's account after it.
    pub(crate) payee_version: i64,
}

/// Both sides at once, in one posting.
///
/// # Errors
/// The broken rule; then nothing was recorded.
pub(crate) fn book(
    books: &mut Books,
    trace: &TraceParent,
    payer: &Account,
    payment: Payment,
) -> Result<(BookTransfer, BookedSides), Violation> {
    let (from, to) = (books.entry_id(), books.entry_id());
    let debited = payer.book_debit(&payment, from, books.now())?;
    let paid = books.account(payment.payee.account_id).ok_or_else(|| {
        let message = "The payee's account does not exist. (AC03)";
        Violation::failed_precondition("payee_account_unknown", "payee_key", message)
    })?;
    let credited = paid.book_credit(&payment, to, books.now())?;
    let reference = payment.end_to_end_id.to_string();
    let movement = Movement { leg: Leg::Book, reference, amount: payment.amount };
    let sides = [(from, &debited), (to, &credited)];
    let [debit, credit] = sides.map(|(id, event)| (id, EntryAccount::customer(event)));
    books.post(payment.payer.ispb, movement, debit, credit);
    let (payer_version, payee_version) = (debited.version, credited.version);
    books.record(debited, trace);
    books.record(credited, trace);
    let transfer = BookTransfer { payment, booked_at: books.now() };
    books.book(transfer.clone());
    Ok((transfer, BookedSides { entry_id: from, payer_version, payee_version }))
}
