//! The store as a port: transactions that commit whole or not at all.
//!
//! A context adds a trait of its own with what it loads and saves (always slices); the kernel
//! knows only what every transaction can do. Nothing but saving an aggregate publishes.

use async_trait::async_trait;
use serde_json::value::RawValue;

use crate::application::dead_letter::DeadLetter;
use crate::application::log::{Position, TopicPartition};
use crate::domain::Digest;

/// The store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Connection, time-out, deadlock, serialization: trying again may help. A commit that fails
    /// so may have happened.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The stored offsets are not what this reader believed: another owner moved them.
    #[error("another process owns these partitions now")]
    Fenced,
    /// A row that this transaction would create exists since: decide again on fresh state.
    #[error("a concurrent transaction was first: {0}")]
    Conflict(String),
    /// The store refuses this content, and always will.
    #[error("the store refuses it: {0}")]
    Rejected(String),
}

/// One step of one partition: from the offset we believe is stored to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetMove {
    /// Which partition.
    pub at: TopicPartition,
    /// What must be stored now.
    pub from: i64,
    /// What is stored afterwards: offset of the next record to read.
    pub to: i64,
}

/// An open transaction. Dropping it without commit rolls it back.
#[async_trait]
pub trait Transaction: Send {
    /// Moves the stored offsets of `consumer` by compare-and-set, all in one statement.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a stored offset is not the expected one.
    async fn advance(&mut self, consumer: &str, moves: &[OffsetMove]) -> Result<(), StoreError>;

    /// Writes dead letters; they leave through the outbox like everything else.
    async fn dead_letter(&mut self, letters: Vec<DeadLetter>) -> Result<(), StoreError>;

    /// Makes everything durable, events included.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;

    /// Undoes everything.
    async fn rollback(self: Box<Self>);
}

/// The first answer to a command, kept so that a repeat gets it again.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Who and what: `<ispb>/<operation>`.
    pub scope: String,
    /// The caller's idempotency key.
    pub key: String,
    /// Digest of the command's content.
    pub digest: Digest,
    /// The answer as JSON.
    pub answer: Box<RawValue>,
}

/// A transaction that can remember answers.
#[async_trait]
pub trait Answers: Transaction {
    /// Stores first answers.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of the keys was answered meanwhile.
    async fn remember(&mut self, answers: &[Remembered]) -> Result<(), StoreError>;
}

/// Reads first answers, outside any transaction.
#[async_trait]
pub trait AnswerBook: Send + Sync {
    /// The answers known for these (scope, key) pairs, in any order.
    async fn remembered(&self, keys: &[(String, String)]) -> Result<Vec<Remembered>, StoreError>;
}

/// Where consumers stand, outside any transaction.
#[async_trait]
pub trait OffsetStore: Send + Sync {
    /// Stored positions of these partitions. A partition seen for the first time is stored at the
    /// given beginning.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] when the stored offsets belong to another cluster.
    async fn positions(
        &self,
        consumer: &str,
        cluster_id: &str,
        beginnings: &[Position],
    ) -> Result<Vec<Position>, StoreError>;
}
