//! What the hub says on a bank's own topic, folded over the books of a batch.
//!
//! `TransferCompleted` is most of the time no news: a look without locks sorts those out. Then one
//! load of outgoing transfers, one of incoming, one of the accounts whose money may move; then
//! every event in order; then one save. A repeated or late event changes nothing;
//! `TransferConfirmed` is answered with its report every time.

use std::sync::Arc;

use shared_kernel::application::{Clock, Ids, StoreError, TraceParent};
use shared_kernel::domain::{AccountId, Ispb, ReasonCode, Violation};

use super::books::Books;
use super::ports::{OpenTransaction, SideIds};
use super::reaction::{
    OnTransferCompleted, OnTransferConfirmed, OnTransferExpired, OnTransferPending,
    OnTransferRejected,
};
use crate::domain::{OutgoingTransfer, Payment};

/// What the hub says of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubWord {
    /// The payee's bank is asked.
    Pending,
    /// Settled and final.
    Confirmed,
    /// Posted on both sides.
    Completed,
    /// Refused by the hub or the payee's bank.
    Rejected(ReasonCode),
    /// Not accepted in time.
    Expired(ReasonCode),
}

/// A message of the hub to one bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubEvent {
    /// The bank on whose topic it was read: it acts for that bank alone.
    pub bank: Ispb,
    /// What it says.
    pub word: HubWord,
    /// Of which transfer, with the hub's times.
    pub payment: Payment,
    /// The trace that it belongs to.
    pub trace: TraceParent,
}

impl HubEvent {
    /// Whether the bank is the payer's.
    pub fn to_payer(&self) -> bool {
        self.payment.payer.ispb == self.bank
    }

    /// Whether the bank is the payee's.
    pub fn to_payee(&self) -> bool {
        self.payment.payee.ispb == self.bank
    }
}

/// Reacts to the hub for the banks that are hosted here.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct HubReactions {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl HubReactions {
    /// Reactions over a clock and a source of ids.
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { clock, ids }
    }

    /// Applies the events in order; each is answered with the rule that it broke, if it did.
    ///
    /// # Errors
    /// The store's: nothing of the batch has happened.
    pub async fn react(
        &self,
        transaction: &mut OpenTransaction,
        events: &[HubEvent],
    ) -> Result<Vec<Result<(), Violation>>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let old = self.old_news(transaction, events).await?;
        let news: Vec<&HubEvent> = events.iter().filter(|event| !is_old(event, &old)).collect();
        let mut books = Books::by(Arc::clone(&self.clock), Arc::clone(&self.ids));
        let sides = sides(news.iter().copied());
        books.load_transfers(transaction, sides.outgoing, sides.incoming).await?;
        let accounts = news.iter().flat_map(|event| accounts(&books, event)).collect();
        books.load_accounts(transaction, accounts).await?;
        let outcome = |event: &HubEvent| {
            if is_old(event, &old) { Ok(()) } else { fold(&mut books, event) }
        };
        let outcomes = events.iter().map(outcome).collect();
        let changes = books.finish();
        if !changes.is_empty() {
            transaction.save(changes).await?;
        }
        Ok(outcomes)
    }

    /// The sides that were settled before they are told that the transfer is completed.
    async fn old_news(
        &self,
        transaction: &mut OpenTransaction,
        events: &[HubEvent],
    ) -> Result<SideIds, StoreError> {
        let completed = sides(events.iter().filter(|event| event.word == HubWord::Completed));
        if completed.is_empty() {
            return Ok(completed);
        }
        transaction.settled(&completed).await
    }
}

/// The sides that events speak of.
fn sides<'a>(events: impl Iterator<Item = &'a HubEvent>) -> SideIds {
    let mut sides = SideIds::default();
    for event in events {
        let id = event.payment.end_to_end_id;
        if event.to_payer() {
            sides.outgoing.insert(id);
        }
        if event.to_payee() {
            sides.incoming.insert(id);
        }
    }
    sides
}

/// Whether an event completes what this bank has settled already.
fn is_old(event: &HubEvent, settled: &SideIds) -> bool {
    let id = event.payment.end_to_end_id;
    event.word == HubWord::Completed
        && must_concern_the_bank(event).is_ok()
        && (event.to_payer() && settled.outgoing.contains(&id)
            || event.to_payee() && settled.incoming.contains(&id))
}

/// The accounts whose state an event may depend on or change: none once its side is over.
fn accounts(books: &Books, event: &HubEvent) -> Vec<AccountId> {
    let Payment { end_to_end_id: id, payer, payee, .. } = &event.payment;
    let open = books.outgoing(*id).is_some_and(OutgoingTransfer::is_open);
    let debit = (event.to_payer() && open).then_some(payer.account_id);
    let may_credit = match event.word {
        HubWord::Pending => books.incoming(*id).is_none(),
        HubWord::Confirmed | HubWord::Completed => {
            books.incoming(*id).is_none_or(|side| !side.is_posted())
        }
        HubWord::Rejected(_) | HubWord::Expired(_) => false,
    };
    let credit = (event.to_payee() && may_credit).then_some(payee.account_id);
    debit.into_iter().chain(credit).collect()
}

/// Applies one event. One that is refused has changed nothing.
fn fold(books: &mut Books, event: &HubEvent) -> Result<(), Violation> {
    must_concern_the_bank(event)?;
    let id = event.payment.end_to_end_id;
    let outgoing = books.outgoing(id).filter(|_| event.to_payer());
    let incoming = books.incoming(id).filter(|_| event.to_payee());
    let known = outgoing
        .map(|transfer| &transfer.state().payment)
        .into_iter()
        .chain(incoming.map(|transfer| &transfer.state().payment));
    if known.into_iter().any(|payment| !payment.is_same_as(&event.payment)) {
        let message = "another transfer with this EndToEndId is known here";
        return Err(Violation::already_exists("transfer_differs", "end_to_end_id", message));
    }
    match event.word {
        HubWord::Pending => {
            OnTransferPending::apply(books, event);
            Ok(())
        }
        HubWord::Confirmed => OnTransferConfirmed::apply(books, event),
        HubWord::Completed => OnTransferCompleted::apply(books, event),
        HubWord::Rejected(reason) => OnTransferRejected::apply(books, event, reason),
        HubWord::Expired(reason) => OnTransferExpired::apply(books, event, reason),
    }
}

/// A bank reads its own topic, and nothing there may act for another. A transfer within one bank
/// never goes through the hub.
fn must_concern_the_bank(event: &HubEvent) -> Result<(), Violation> {
    let bank = event.bank;
    let refused = |message| Violation::permission_denied("bank_not_concerned", "ispb", message);
    match (event.to_payer(), event.to_payee()) {
        (true, false) | (false, true) => Ok(()),
        (false, false) => Err(refused(format!("bank {bank} is neither payer's nor payee's"))),
        (true, true) => Err(refused(format!("bank {bank} would pay itself"))),
    }
}
