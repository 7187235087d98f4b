//! What the use cases need of the store.

use async_trait::async_trait;
use shared_kernel::application::{StoreError, Transaction};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Timestamp};

use crate::domain::{
    AccountBalance, AccountEvent, AccountState, AccountVersion, Direction, ExternalAccount,
    ExternalBalance, KnownBalance, Movement, Standing, TransferParties,
};

/// The projection inside a transaction.
#[async_trait]
pub trait BalancesTransaction: Transaction {
    /// The balances of these accounts, locked until the end of the transaction; those that are not
    /// there are left out. One statement.
    async fn load_balances(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<AccountBalance>, StoreError>;

    /// Stores these balances, new or changed, and tells whoever waits for them once the
    /// transaction commits. Two statements.
    async fn save_balances(&mut self, balances: &[AccountBalance]) -> Result<(), StoreError>;

    /// Adds these entries to the histories of their accounts, each newer than all of its account
    /// that are there. One statement.
    async fn append_history(&mut self, entries: &[HistoryEntry]) -> Result<(), StoreError>;

    /// Adds these events to histories that may have newer ones, and dates again what follows them;
    /// what is there stays. One statement, and one more if any of them was not there.
    async fn append_late(&mut self, events: &[AccountEvent]) -> Result<(), StoreError>;

    /// Adds these transfers; what is there stays. One statement.
    async fn append_transfers(&mut self, transfers: &[TransferParties]) -> Result<(), StoreError>;

    /// Adds these words of another program; what is there stays. One statement.
    async fn append_external_balances(
        &mut self,
        said: &[ExternalBalance],
    ) -> Result<(), StoreError>;

    /// Adds these accounts of another program, each once; of one that is there the earlier time
    /// stays. One statement.
    async fn open_external_accounts(
        &mut self,
        opened: &[ExternalAccount],
    ) -> Result<(), StoreError>;
}

/// An entry of a history that is newer than all of its account before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The event.
    pub event: AccountEvent,
    /// Since when the account is so: the latest time up to this version, which is later than the
    /// event's own where the bank's clock stood back. So it never falls with the version.
    pub effective_at: Timestamp,
}

/// An account at a past instant: `None` before its opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastState {
    /// Which account.
    pub account_id: AccountId,
    /// Its bank, unless it is external.
    pub ispb: Option<Ispb>,
    /// What it was then.
    pub standing: Option<Standing>,
}

/// Where a line stands in a statement: the newest version first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinePlace {
    /// When it happened; where the bank's clock stood back, the latest time before.
    pub occurred_at: Timestamp,
    /// Version of the account after it.
    pub version: i64,
}

/// Which lines of a statement are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatementWindow {
    /// Of which account.
    pub account_id: AccountId,
    /// Not older than this.
    pub from: Option<Timestamp>,
    /// Older than this.
    pub to: Option<Timestamp>,
    /// Only what came, or went.
    pub direction: Option<Direction>,
    /// Behind this line, which is newer.
    pub after: Option<LinePlace>,
    /// At most so many.
    pub limit: i64,
}

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// What the account was after it, and since when; its total is the running balance.
    pub state: AccountState,
    /// What moved; the other side is completed from the hub's events.
    pub movement: Movement,
    /// The key that was paid to, of a transfer through the hub.
    pub payee_key: Option<String>,
}

impl StatementLine {
    /// Where it stands.
    pub const fn place(&self) -> LinePlace {
        let AccountState { version, occurred_at, funds: _ } = self.state;
        LinePlace { occurred_at, version: version.number() }
    }

    /// The transfer of the hub that moved it; one within a bank is the bank's own affair.
    pub fn hub_transfer(&self) -> Option<EndToEndId> {
        self.movement.end_to_end_id.filter(|_| !self.movement.kind.is_within_bank())
    }
}

/// One list of the balances of a bank, in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceRun {
    /// Of which bank.
    pub ispb: Ispb,
    /// Only those behind this account.
    pub after: Option<AccountId>,
    /// How many at most.
    pub rows: i64,
}

/// Opens transactions.
#[async_trait]
pub trait BalancesStore: Send + Sync {
    /// A transaction that takes effect whole or not at all.
    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError>;
}

/// The projection as it is read, outside any transaction. Each call is one statement.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait BalancesReads: Send + Sync {
    /// The balances of these accounts, in any order; those that are not there are left out.
    async fn balances(&self, accounts: &[AccountId]) -> Result<Vec<KnownBalance>, StoreError>;

    /// The balances of each run: one answer for each, in their order.
    async fn balances_of_banks(
        &self,
        runs: &[BalanceRun],
    ) -> Result<Vec<Vec<KnownBalance>>, StoreError>;

    /// What these accounts were at these instants, in the order of the question; `None` for an
    /// account that is not there.
    async fn past_states(
        &self,
        wanted: &[(AccountId, Timestamp)],
    ) -> Result<Vec<Option<PastState>>, StoreError>;

    /// The lines in these windows, in the order of the question, each newest first.
    async fn statements(
        &self,
        windows: &[StatementWindow],
    ) -> Result<Vec<Vec<StatementLine>>, StoreError>;
}

/// What the projection commits, as it commits it.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Commits: Send + Sync {
    /// Begins to listen; what is committed from now on is heard.
    fn listen(&self, account: AccountId) -> Box<dyn CommitWatch>;
}

/// Hears of one account.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CommitWatch: Send {
    /// Returns when the account may have reached `version`: then it is time to look. False when
    /// the process is stopping.
    async fn reached(&mut self, version: AccountVersion) -> bool;
}
