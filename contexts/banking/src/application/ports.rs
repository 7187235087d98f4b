//! What the use cases need of the world. Everything takes slices: one is a batch of one.
//!
//! Locks are taken in one order everywhere: banks (by ISPB, where they change), transfers (by
//! `EndToEndId`), customer accounts (by id), the banks' own accounts (by id).

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{
    Answers, ApplicationError, Clock, Ids, Published, StoreError, TraceParent,
};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, TaxId, Timestamp};

use super::books::Changes;
use super::directory::KeyDirectory;
use super::page::{
    AccountAt, AccountPlace, AccountsOf, Part, PostingPlace, PostingsOf, TransferPlace, TransfersOf,
};
use super::views::{BankView, HoldView, StatementLine, TransferView};
use crate::domain::{
    Account, AccountEvent, AccountNumber, Bank, Branch, Client, ClientId, Customer,
    IncomingTransfer, OutgoingTransfer, Party,
};

/// Something, and the trace that caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced<T> {
    /// What.
    pub value: T,
    /// The trace.
    pub trace: TraceParent,
}

/// A bank as the desk that opens accounts sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankDesk {
    /// The bank.
    pub ispb: Ispb,
    /// Whether its books are kept here.
    pub hosted: bool,
    /// The account number that it gives next, unless someone chose that one.
    pub next_number: i64,
    /// The number of its next client.
    pub next_client: i64,
}

/// A bank as a participant's event describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankChange {
    /// The bank.
    pub bank: Bank,
    /// Version of the participant: a later one wins.
    pub version: i64,
}

/// A key as the directory's event describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Its canonical text.
    pub key: String,
    /// Its owner; nobody once it is removed.
    pub owner: Option<Party>,
    /// Version of the key: a later one wins.
    pub version: i64,
}

/// Sides of transfers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideIds {
    /// Payers' sides.
    pub outgoing: BTreeSet<EndToEndId>,
    /// Payees' sides.
    pub incoming: BTreeSet<EndToEndId>,
}

impl SideIds {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.outgoing.is_empty() && self.incoming.is_empty()
    }
}

/// A place in a branch.
pub type NumberedAccount = (Ispb, Branch, AccountNumber);

/// A transaction of this context.
#[async_trait]
pub trait BankingTransaction: Answers {
    /// Which of these sides are settled: that is final, so nothing is locked.
    async fn settled(&mut self, sides: &SideIds) -> Result<SideIds, StoreError>;

    /// The outgoing transfers among these, locked.
    async fn outgoing(&mut self, ids: &[EndToEndId]) -> Result<Vec<OutgoingTransfer>, StoreError>;

    /// The incoming transfers among these, locked.
    async fn incoming(&mut self, ids: &[EndToEndId]) -> Result<Vec<IncomingTransfer>, StoreError>;

    /// Open outgoing transfers whose order is to be told again, at most `limit`, locked; those
    /// that another process holds are skipped.
    async fn due_outgoing(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<OutgoingTransfer>>, StoreError>;

    /// Expected credits whose acceptance is to be told again, at most `limit`, locked; those that
    /// another process holds are skipped.
    async fn due_incoming(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<IncomingTransfer>>, StoreError>;

    /// The accounts among these, locked.
    async fn accounts(&mut self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError>;

    /// How many credits each of these accounts expects; those that expect none may be missing.
    async fn expected_credits(
        &mut self,
        ids: &[AccountId],
    ) -> Result<Vec<(AccountId, i64)>, StoreError>;

    /// The desks of these banks, locked.
    async fn desks(&mut self, banks: &[Ispb]) -> Result<Vec<BankDesk>, StoreError>;

    /// The customers among these.
    async fn customers(&mut self, ids: &[(Ispb, TaxId)]) -> Result<Vec<Customer>, StoreError>;

    /// The clients among these.
    async fn clients(&mut self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError>;

    /// Those of these places that have an account.
    async fn taken_numbers(
        &mut self,
        places: &[NumberedAccount],
    ) -> Result<Vec<NumberedAccount>, StoreError>;

    /// Writes what changed and publishes what happened: one write per table.
    async fn save(&mut self, changes: Changes) -> Result<(), StoreError>;

    /// Keeps what is newer than what is known of each bank. One change per bank.
    async fn save_banks(&mut self, changes: &[BankChange]) -> Result<(), StoreError>;

    /// Keeps what is newer than what is known of each key. One change per key.
    async fn save_keys(&mut self, changes: &[KeyChange]) -> Result<(), StoreError>;
}

/// An open transaction of this context.
pub type OpenTransaction = dyn BankingTransaction;

/// Opens transactions.
#[async_trait]
pub trait BankingStore: Send + Sync {
    /// A transaction that takes effect whole or not at all.
    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError>;
}

/// Reads outside any transaction. Of each part of a list there are as many rows as
/// [`PageSize::rows_to_read`](shared_kernel::application::PageSize::rows_to_read) says, in a list
/// of its own, in the order of the parts.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait BankingReads: Send + Sync {
    /// All banks that are hosted here, by ISPB.
    async fn banks(&self) -> Result<Vec<BankView>, StoreError>;

    /// Those of these banks that are hosted here, as they are shown.
    async fn banks_among(&self, banks: &[Ispb]) -> Result<Vec<BankView>, StoreError>;

    /// Those of these banks that are hosted here.
    async fn hosted(&self, banks: &[Ispb]) -> Result<Vec<Ispb>, StoreError>;

    /// The accounts among these.
    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError>;

    /// The clients among these.
    async fn clients(&self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError>;

    /// Accounts of each bank, oldest first.
    async fn accounts_of(
        &self,
        parts: &[Part<AccountsOf, AccountPlace>],
    ) -> Result<Vec<Vec<Account>>, StoreError>;

    /// The owners of those keys that belong to the bank that asks, with the key's text.
    async fn own_keys(&self, wanted: &[(Ispb, String)])
    -> Result<Vec<(String, Party)>, StoreError>;

    /// The side of each transfer that an account sees, in the order in which they are named.
    async fn transfers(
        &self,
        sides: &[(EndToEndId, AccountId)],
    ) -> Result<Vec<Option<TransferView>>, StoreError>;

    /// Transfers of each account, newest first.
    async fn transfers_of(
        &self,
        parts: &[Part<TransfersOf, TransferPlace>],
    ) -> Result<Vec<Vec<TransferView>>, StoreError>;

    /// Open holds of each account, newest first.
    async fn holds_of(
        &self,
        parts: &[Part<AccountAt, TransferPlace>],
    ) -> Result<Vec<Vec<HoldView>>, StoreError>;

    /// Ledger entries of each account, newest first.
    async fn statements(
        &self,
        parts: &[Part<PostingsOf, PostingPlace>],
    ) -> Result<Vec<Vec<StatementLine>>, StoreError>;
}

/// Tells readers of another protocol of transfers within a bank, in that protocol's own messages.
pub trait Echo: Send + Sync {
    /// What goes with what happened to these accounts, in order; nothing for most.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for what has no form in that protocol.
    fn of(&self, events: &[Traced<AccountEvent>]) -> Result<Vec<Published>, StoreError>;
}

/// Nobody speaks another protocol.
#[derive(Clone, Copy, Debug)]
pub struct NoEcho;

impl Echo for NoEcho {
    fn of(&self, _events: &[Traced<AccountEvent>]) -> Result<Vec<Published>, StoreError> {
        Ok(Vec::new())
    }
}

/// What every use case is made with.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct BankingPorts {
    /// Opens transactions.
    pub store: Arc<dyn BankingStore>,
    /// Reads outside of them.
    pub reads: Arc<dyn BankingReads>,
    /// The directory of keys.
    pub directory: Arc<dyn KeyDirectory>,
    /// The only banks of this process; empty: all that are hosted.
    pub banks: BTreeSet<Ispb>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Ids and entropy.
    pub ids: Arc<dyn Ids>,
    /// What readers of another protocol are told.
    pub echo: Arc<dyn Echo>,
}

impl BankingPorts {
    /// The same changes with what readers of another protocol are told of them.
    ///
    /// # Errors
    /// As [`Echo::of`].
    pub fn echoed(&self, changes: Changes) -> Result<Changes, StoreError> {
        let echoes = self.echo.of(&changes.account_events)?;
        Ok(Changes { echoes, ..changes })
    }
}

/// The answer of something that may fail.
pub type Outcome<T> = Result<T, ApplicationError>;
