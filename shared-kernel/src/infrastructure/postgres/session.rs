//! One open transaction of one context.
//!
//! A context implements its own transaction trait for [`PgSession`] and publishes only through
//! [`PgSession::publish`], which keeps the events until the commit writes them as one outbox row
//! per shard. Cost on top of the context's own statements: begin, one insert, commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Integer, SmallInt, Text};
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, RunQueryDsl, TransactionManager};

use crate::application::dead_letter::DeadLetter;
use crate::application::log::OutboundRecord;
use crate::application::outbox::shard_of;
use crate::application::transaction::OffsetMove;
use crate::application::{Clock, Ids, Published, StoreError, Transaction};
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::outbox::{OutboxSignal, encode};
use crate::infrastructure::postgres::pool::Database;
use crate::infrastructure::postgres::statement::{Bind, statement};
use crate::infrastructure::postgres::tables::Tables;

/// What every transaction of a context is opened with.
#[derive(Clone)]
pub struct Sessions {
    /// The context's connections.
    pub database: Database,
    /// The kernel's statements in the context's schema.
    pub tables: Tables,
    /// Prefix of every topic name.
    pub topic_prefix: String,
    /// `ce_source` of the context: `/codepix/<context>`.
    pub source: &'static str,
    /// Shards of the outbox.
    pub shards: u16,
    /// Wakes the relay of this process.
    pub signal: Arc<OutboxSignal>,
    /// Clock for event times.
    pub clock: Arc<dyn Clock>,
    /// Ids of events.
    pub ids: Arc<dyn Ids>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sessions")
            .field("schema", &self.tables.schema)
            .field("topic_prefix", &self.topic_prefix)
            .finish_non_exhaustive()
    }
}

impl Sessions {
    /// Opens a transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub async fn begin(&self) -> Result<Box<PgSession>, StoreError> {
        let mut connection = self.database.connection().await?;
        AnsiTransactionManager::begin_transaction(&mut *connection).await.map_err(store_error)?;
        let lease = Lease(Some(connection));
        Ok(Box::new(PgSession { lease, sessions: self.clone(), outbox: Vec::new() }))
    }
}

/// A connection with an open transaction. Dropped so, it is closed, which rolls back at once: back
/// in the pool it would keep its row locks until somebody takes it out again.
struct Lease(Option<Object<AsyncPgConnection>>);

impl Lease {
    #[expect(clippy::expect_used, reason = "only the end of the transaction takes it")]
    fn connection(&mut self) -> &mut AsyncPgConnection {
        self.0.as_mut().expect("an open transaction has its connection")
    }

    /// The transaction has ended: the connection may be used again.
    fn give_back(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}

/// An open transaction; dropping it closes its connection, which rolls it back.
pub struct PgSession {
    lease: Lease,
    sessions: Sessions,
    outbox: Vec<OutboundRecord>,
}

impl std::fmt::Debug for PgSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PgSession")
            .field("outbox", &self.outbox.len())
            .finish_non_exhaustive()
    }
}

impl PgSession {
    /// The connection, for the context's own statements.
    pub fn connection(&mut self) -> &mut AsyncPgConnection {
        self.lease.connection()
    }

    /// The kernel's statements in this context's schema.
    pub fn tables(&self) -> Tables {
        self.sessions.tables
    }

    /// Keeps events for the commit. Only saving an aggregate calls this.
    pub fn publish(&mut self, events: impl IntoIterator<Item = Published>) {
        let now = self.sessions.clock.now();
        for event in events {
            let id = self.sessions.ids.ordered();
            let Sessions { topic_prefix, source, .. } = &self.sessions;
            self.outbox.push(event.into_record(topic_prefix, source, id, now));
        }
    }

    async fn write_outbox(&mut self) -> Result<(), StoreError> {
        let mut by_shard: BTreeMap<i16, Vec<OutboundRecord>> = BTreeMap::new();
        for record in self.outbox.drain(..) {
            let shard = shard_of(record.key.as_deref().unwrap_or_default(), self.sessions.shards);
            by_shard.entry(i16::try_from(shard).unwrap_or(0)).or_default().push(record);
        }
        let (numbers, rows): (Vec<i16>, Vec<String>) =
            by_shard.iter().map(|(shard, records)| (*shard, encode(records))).unzip();
        statement(self.sessions.tables.append)
            .bind::<Array<SmallInt>, _>(numbers)
            .bind::<Array<Text>, _>(rows)
            .execute(self.lease.connection())
            .await
            .map(drop)
            .map_err(store_error)
    }
}

#[async_trait]
impl Transaction for PgSession {
    async fn advance(&mut self, consumer: &str, moves: &[OffsetMove]) -> Result<(), StoreError> {
        let topics: Vec<&str> = moves.iter().map(|step| step.at.topic.as_str()).collect();
        let partitions: Vec<i32> = moves.iter().map(|step| step.at.partition).collect();
        let from: Vec<i64> = moves.iter().map(|step| step.from).collect();
        let to: Vec<i64> = moves.iter().map(|step| step.to).collect();
        let rows = statement(self.sessions.tables.advance)
            .bind::<Text, _>(consumer)
            .bind::<Array<Text>, _>(topics)
            .bind::<Array<Integer>, _>(partitions)
            .bind::<Array<BigInt>, _>(from)
            .bind::<Array<BigInt>, _>(to)
            .execute(self.lease.connection())
            .await
            .map_err(store_error)?;
        if rows == moves.len() { Ok(()) } else { Err(StoreError::Fenced) }
    }

    async fn dead_letter(&mut self, letters: Vec<DeadLetter>) -> Result<(), StoreError> {
        let now = self.sessions.clock.now();
        self.outbox.extend(letters.into_iter().map(|letter| letter.into_record(now)));
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let publishes = !self.outbox.is_empty();
        if publishes {
            self.write_outbox().await?;
        }
        AnsiTransactionManager::commit_transaction(self.lease.connection())
            .await
            .map_err(store_error)?;
        self.lease.give_back();
        if publishes {
            self.sessions.signal.appended();
        }
        Ok(())
    }

    async fn rollback(mut self: Box<Self>) {
        // One that cannot roll back is closed, which rolls back too.
        let ended = AnsiTransactionManager::rollback_transaction(self.lease.connection()).await;
        if ended.is_ok() {
            self.lease.give_back();
        }
    }
}
