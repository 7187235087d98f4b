//! A database in memory that keeps the promises of the real one, and no others.
//!
//! Transactions see what is committed and what they wrote themselves (`READ COMMITTED`), take row
//! locks and wait for them, meet unique keys, and take effect whole or not at all. A failed
//! statement aborts its transaction, and committing an aborted transaction undoes it without an
//! error, as `PostgreSQL` does. The answer to a commit may be lost, sessions may be cut off, and
//! what a killed process had open may linger.

mod answers;
mod locks;
mod outbox;
mod rows;
mod transaction;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared_kernel::application::log::{OutboundRecord, TopicPartition};
use shared_kernel::application::{Clock, Ids, Remembered, StoreError};
use tokio::sync::Notify;

use crate::checks::Oracle;
use crate::executor::NodeId;
use crate::world::World;
use locks::Locks;

pub(crate) use locks::Row;
pub(crate) use outbox::Lead;
pub(crate) use rows::{all, find};
pub(crate) use transaction::OpenTransaction;

/// The rows of one context: as committed, or as one transaction wrote them.
pub(crate) trait Tables: Default + Send + 'static {
    /// Name of the schema.
    const SCHEMA: &'static str;

    /// What is wrong with making `own` durable, if anything: the checks after every step.
    fn examine(&self, own: &Self, oracle: &mut Oracle) -> Result<(), String>;

    /// Makes them durable.
    fn absorb(&mut self, own: Self);

    /// How many of these rows leave a mark in the fingerprint of a run.
    fn marks(&self) -> usize;

    /// What happens by `own`, for the story.
    fn tell(&self, own: &Self) -> Vec<String>;
}

/// Rows of the kernel's own tables.
#[derive(Default)]
pub(crate) struct KernelTables {
    pub(crate) outbox: BTreeMap<i64, StoredRow>,
    rows: i64,
    pub(crate) offsets: BTreeMap<(String, TopicPartition), i64>,
    clusters: BTreeMap<String, String>,
    answers: BTreeMap<(String, String), Remembered>,
    leads: BTreeMap<(&'static str, u16), u64>,
    numbers: u64,
}

/// A row of the outbox.
#[derive(Clone)]
pub(crate) struct StoredRow {
    shard: u16,
    records: Arc<Vec<OutboundRecord>>,
}

/// The server that all schemas live on.
#[derive(Default)]
pub(crate) struct Server {
    sessions: AtomicU64,
    is_down: AtomicBool,
}

impl Server {
    /// All sessions are cut off, and nobody gets a new one until [`Self::up`].
    pub(crate) fn down(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        self.is_down.store(true, Ordering::Relaxed);
    }

    pub(crate) fn up(&self) {
        self.is_down.store(false, Ordering::Relaxed);
    }

    fn session(&self) -> Result<u64, StoreError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the database system is starting up".into()));
        }
        Ok(self.sessions.load(Ordering::Relaxed))
    }

    fn is_alive(&self, session: u64) -> bool {
        self.sessions.load(Ordering::Relaxed) == session
    }
}

/// What is durable of one schema.
pub(crate) struct Durable<T> {
    pub(crate) tables: T,
    pub(crate) kernel: KernelTables,
    locks: Locks,
}

/// One schema; clones are the same.
pub(crate) struct Database<T> {
    world: Arc<World>,
    server: Arc<Server>,
    durable: Arc<Mutex<Durable<T>>>,
}

impl<T> Clone for Database<T> {
    fn clone(&self) -> Self {
        Self {
            world: Arc::clone(&self.world),
            server: Arc::clone(&self.server),
            durable: Arc::clone(&self.durable),
        }
    }
}

impl<T: Tables> Database<T> {
    pub(crate) fn new(world: &Arc<World>, server: &Arc<Server>) -> Self {
        let durable = Durable {
            tables: T::default(),
            kernel: KernelTables::default(),
            locks: Locks::default(),
        };
        Self {
            world: Arc::clone(world),
            server: Arc::clone(server),
            durable: Arc::new(Mutex::new(durable)),
        }
    }

    fn durable(&self) -> MutexGuard<'_, Durable<T>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is committed, seen from outside the simulated world.
    pub(crate) fn look<R>(&self, act: impl FnOnce(&Durable<T>) -> R) -> R {
        act(&self.durable())
    }

    /// After the server went down: nobody holds anything.
    pub(crate) fn cut_off(&self) {
        let locks = {
            let mut durable = self.durable();
            durable.kernel.leads.clear();
            std::mem::take(&mut durable.locks)
        };
        locks.wake_all();
    }
}

/// Wakes the relays of one process.
pub(crate) type Signal = Arc<Notify>;

/// A process's access to one schema.
pub(crate) struct Session<T> {
    pub(crate) database: Database<T>,
    pub(crate) node: NodeId,
    pub(crate) source: &'static str,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) signal: Signal,
}

impl<T> Clone for Session<T> {
    fn clone(&self) -> Self {
        Self {
            database: self.database.clone(),
            node: self.node,
            source: self.source,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            signal: Arc::clone(&self.signal),
        }
    }
}

impl<T: Tables> Session<T> {
    pub(crate) fn world(&self) -> &Arc<World> {
        &self.database.world
    }

    /// Changes rows outside any transaction, at once.
    pub(crate) fn change<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        act(&mut self.database.durable().tables)
    }

    /// One statement outside any transaction.
    pub(crate) async fn read<R>(&self, act: impl FnOnce(&T) -> R) -> Result<R, StoreError> {
        self.reach().await?;
        Ok(act(&self.database.durable().tables))
    }

    /// A statement goes to the server, which may not answer.
    async fn reach(&self) -> Result<u64, StoreError> {
        let world = self.world();
        world.delay(self.node, "before the database answers").await;
        let session = self.database.server.session()?;
        if world.unlucky(world.plan.rates.statement) {
            world.fault(self.node, || {
                format!("a statement in {} gets no answer: the connection is gone", T::SCHEMA)
            });
            return Err(StoreError::Unavailable("connection reset by peer".into()));
        }
        Ok(session)
    }
}
