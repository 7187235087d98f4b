//! The books of a batch: what was loaded, folded in memory, and what came of it.
//!
//! Commands and reactions load once, decide in order over these accounts and transfers, and save
//! once. A refused one has changed nothing here, so it leaves no trace.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use shared_kernel::application::{Clock, Ids, Published, StoreError, TraceParent};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Timestamp};

use super::ports::{OpenTransaction, Traced};
use crate::domain::{
    Account, AccountEvent, BookTransfer, Client, Customer, EntryAccount, EntryId, HubMessage,
    IncomingEvent, IncomingTransfer, InternalAccount, Leg, OutgoingEvent, OutgoingTransfer,
    Posting, PostingHead,
};

/// What a transaction writes and publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New clients.
    pub clients: Vec<Client>,
    /// New customers.
    pub customers: Vec<Customer>,
    /// New accounts.
    pub opened: Vec<Account>,
    /// Accounts that changed, by id.
    pub accounts: Vec<Account>,
    /// What happened to accounts, in order.
    pub account_events: Vec<Traced<AccountEvent>>,
    /// New outgoing transfers.
    pub ordered: Vec<Traced<OutgoingTransfer>>,
    /// Outgoing transfers that changed, by id.
    pub outgoing: Vec<OutgoingTransfer>,
    /// New incoming transfers, by id.
    pub received: Vec<Traced<IncomingTransfer>>,
    /// Incoming transfers that changed, by id.
    pub incoming: Vec<IncomingTransfer>,
    /// Transfers within a bank.
    pub booked: Vec<BookTransfer>,
    /// Ledger postings.
    pub postings: Vec<Posting>,
    /// What the hub is told, in order.
    pub messages: Vec<Traced<HubMessage>>,
    /// The account numbers that banks give next.
    pub next_numbers: BTreeMap<Ispb, i64>,
    /// The client numbers that banks give next.
    pub next_clients: BTreeMap<Ispb, i64>,
    /// What readers of another protocol are told.
    pub echoes: Vec<Published>,
}

/// Why and how much a customer and the bank exchange.
#[derive(Clone, Debug)]
pub struct Movement {
    /// Why.
    pub leg: Leg,
    /// With the leg the name of the posting.
    pub reference: String,
    /// How much.
    pub amount: Amount,
}

/// Accounts and transfers of one batch.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Books {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    now: Timestamp,
    accounts: HashMap<AccountId, Account>,
    touched: BTreeSet<AccountId>,
    expected_credits: HashMap<AccountId, i64>,
    outgoing: HashMap<EndToEndId, OutgoingTransfer>,
    outgoing_touched: BTreeSet<EndToEndId>,
    incoming: HashMap<EndToEndId, IncomingTransfer>,
    incoming_touched: BTreeSet<EndToEndId>,
    received: BTreeMap<EndToEndId, TraceParent>,
    changes: Changes,
}

impl Books {
    /// Empty books by a clock.
    pub fn by(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        let now = clock.now();
        Self {
            clock,
            ids,
            now,
            accounts: HashMap::new(),
            touched: BTreeSet::new(),
            expected_credits: HashMap::new(),
            outgoing: HashMap::new(),
            outgoing_touched: BTreeSet::new(),
            incoming: HashMap::new(),
            incoming_touched: BTreeSet::new(),
            received: BTreeMap::new(),
            changes: Changes::default(),
        }
    }

    /// The instant of the batch: once what it is about is locked, so that a batch which waited for
    /// another is dated after it.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// An id for an entry.
    pub fn entry_id(&self) -> EntryId {
        EntryId::from_uuid(self.ids.ordered())
    }

    /// Loads transfers: outgoing, then incoming.
    ///
    /// # Errors
    /// The store's.
    pub async fn load_transfers(
        &mut self,
        transaction: &mut OpenTransaction,
        outgoing: BTreeSet<EndToEndId>,
        incoming: BTreeSet<EndToEndId>,
    ) -> Result<(), StoreError> {
        if !outgoing.is_empty() {
            let ids: Vec<EndToEndId> = outgoing.into_iter().collect();
            let found = transaction.outgoing(&ids).await?;
            let by_id = |it: OutgoingTransfer| (it.state().payment.end_to_end_id, it);
            self.outgoing.extend(found.into_iter().map(by_id));
        }
        if !incoming.is_empty() {
            let ids: Vec<EndToEndId> = incoming.into_iter().collect();
            let found = transaction.incoming(&ids).await?;
            let by_id = |it: IncomingTransfer| (it.state().payment.end_to_end_id, it);
            self.incoming.extend(found.into_iter().map(by_id));
        }
        Ok(())
    }

    /// Loads accounts; after the transfers, as locks are ordered. The instant of the batch is the
    /// one in which it has them.
    ///
    /// # Errors
    /// The store's.
    pub async fn load_accounts(
        &mut self,
        transaction: &mut OpenTransaction,
        ids: BTreeSet<AccountId>,
    ) -> Result<(), StoreError> {
        if !ids.is_empty() {
            let ids: Vec<AccountId> = ids.into_iter().collect();
            let found = transaction.accounts(&ids).await?;
            self.accounts.extend(found.into_iter().map(|account| (account.state().id, account)));
        }
        self.now = self.clock.now();
        Ok(())
    }

    /// Counts the credits that the loaded accounts expect.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_expected_credits(
        &mut self,
        transaction: &mut OpenTransaction,
    ) -> Result<(), StoreError> {
        let ids: Vec<AccountId> = self.accounts.keys().copied().collect();
        self.expected_credits.extend(transaction.expected_credits(&ids).await?);
        Ok(())
    }

    /// An account that was loaded.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// How many credits an account expects, where that was counted.
    pub fn expected_credits(&self, id: AccountId) -> i64 {
        self.expected_credits.get(&id).copied().unwrap_or_default()
    }

    /// The payer's side of a transfer.
    pub fn outgoing(&self, id: EndToEndId) -> Option<&OutgoingTransfer> {
        self.outgoing.get(&id)
    }

    /// The payee's side of a transfer.
    pub fn incoming(&self, id: EndToEndId) -> Option<&IncomingTransfer> {
        self.incoming.get(&id)
    }

    /// Something happened to an account.
    pub fn record(&mut self, event: AccountEvent, trace: &TraceParent) {
        if let Some(account) = self.accounts.get_mut(&event.account_id) {
            account.apply(&event);
            self.touched.insert(event.account_id);
        }
        self.changes.account_events.push(Traced { value: event, trace: trace.clone() });
    }

    /// A new account.
    pub fn open(&mut self, account: Account, event: AccountEvent, trace: &TraceParent) {
        self.changes.account_events.push(Traced { value: event, trace: trace.clone() });
        self.changes.opened.push(account);
    }

    /// A new customer.
    pub fn welcome(&mut self, customer: Customer) {
        self.changes.customers.push(customer);
    }

    /// The number that a bank gives next.
    pub fn next_number(&mut self, ispb: Ispb, number: i64) {
        self.changes.next_numbers.insert(ispb, number);
    }

    /// The bank pays the customer: `event` credits the account, against `from`.
    pub fn credit_customer(
        &mut self,
        movement: Movement,
        from: InternalAccount,
        event: AccountEvent,
        trace: &TraceParent,
    ) {
        let bank_side = (self.entry_id(), EntryAccount::Internal(from));
        if let Some(id) = event.fact.entry_id() {
            let to = (id, EntryAccount::customer(&event));
            self.post(event.ispb, movement, bank_side, to);
        }
        self.record(event, trace);
    }

    /// The customer pays the bank: `event` debits the account, for `to`.
    pub fn debit_customer(
        &mut self,
        movement: Movement,
        to: InternalAccount,
        event: AccountEvent,
        trace: &TraceParent,
    ) {
        let bank_side = (self.entry_id(), EntryAccount::Internal(to));
        if let Some(id) = event.fact.entry_id() {
            let from = (id, EntryAccount::customer(&event));
            self.post(event.ispb, movement, from, bank_side);
        }
        self.record(event, trace);
    }

    /// Moves money from one account to another in the books of a bank.
    pub fn post(
        &mut self,
        ispb: Ispb,
        movement: Movement,
        from: (EntryId, EntryAccount),
        to: (EntryId, EntryAccount),
    ) {
        let Movement { leg, reference, amount } = movement;
        let head = PostingHead { reference, leg, ispb, posted_at: self.now };
        self.changes.postings.push(Posting::new(head, amount, from, to));
    }

    /// A new outgoing transfer; the hub is told.
    pub fn order(&mut self, transfer: OutgoingTransfer, trace: &TraceParent) {
        self.tell(transfer.order(), trace);
        self.changes.ordered.push(Traced { value: transfer, trace: trace.clone() });
    }

    /// A transfer within the bank.
    pub fn book(&mut self, transfer: BookTransfer) {
        self.changes.booked.push(transfer);
    }

    /// Something happened to an outgoing transfer.
    pub fn record_outgoing(&mut self, id: EndToEndId, event: &OutgoingEvent) {
        if let Some(transfer) = self.outgoing.get_mut(&id) {
            transfer.apply(event);
            self.outgoing_touched.insert(id);
        }
    }

    /// A new incoming transfer.
    pub fn receive(&mut self, transfer: IncomingTransfer, trace: &TraceParent) {
        let id = transfer.state().payment.end_to_end_id;
        self.incoming.insert(id, transfer);
        self.received.insert(id, trace.clone());
    }

    /// Something happened to an incoming transfer.
    pub fn record_incoming(&mut self, id: EndToEndId, event: &IncomingEvent) {
        if let Some(transfer) = self.incoming.get_mut(&id) {
            transfer.apply(event);
            self.incoming_touched.insert(id);
        }
    }

    /// Takes over open transfers that are due, to remind the hub of them.
    pub fn adopt(
        &mut self,
        outgoing: &[Traced<OutgoingTransfer>],
        incoming: &[Traced<IncomingTransfer>],
    ) {
        let outgoing = outgoing.iter().map(|it| &it.value);
        self.outgoing.extend(outgoing.map(|it| (it.state().payment.end_to_end_id, it.clone())));
        let incoming = incoming.iter().map(|it| &it.value);
        self.incoming.extend(incoming.map(|it| (it.state().payment.end_to_end_id, it.clone())));
    }

    /// The hub is told something.
    pub fn tell(&mut self, message: HubMessage, trace: &TraceParent) {
        self.changes.messages.push(Traced { value: message, trace: trace.clone() });
    }

    /// What came of it all, each aggregate once.
    pub fn finish(mut self) -> Changes {
        self.changes.accounts =
            self.touched.iter().filter_map(|id| self.accounts.remove(id)).collect();
        self.changes.outgoing =
            self.outgoing_touched.iter().filter_map(|id| self.outgoing.remove(id)).collect();
        for (id, trace) in self.received {
            self.incoming_touched.remove(&id);
            let received = self.incoming.remove(&id).map(|value| Traced { value, trace });
            self.changes.received.extend(received);
        }
        self.changes.incoming =
            self.incoming_touched.iter().filter_map(|id| self.incoming.remove(id)).collect();
        self.changes
    }
}

impl Changes {
    /// Whether there is nothing to write and nothing to publish.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::application::ports::BankingStore;
    use crate::application::stage::Stage;
    use crate::domain::samples::BANK_A;

    #[tokio::test]
    async fn the_instant_of_a_batch_is_taken_once_its_accounts_are_loaded() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 0).await;
        let mut books = Books::by(stage.clock.clone(), stage.ports.ids.clone());
        // As long as another transaction holds the account.
        stage.clock.advance(Duration::from_secs(3));
        let mut transaction = stage.memory.begin().await.unwrap();
        books.load_accounts(&mut *transaction, BTreeSet::from([ana.account_id])).await.unwrap();
        assert_eq!(books.now(), stage.clock.now());
    }
}
