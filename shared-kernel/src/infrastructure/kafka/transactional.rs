//! Writes to the log in transactions, one holder at a time: for records that must never be there
//! twice.
//!
//! All holders use one transactional id. Taking over ends or undoes what a former holder had under
//! way and shuts it out: whatever it still tries fails. After any error the outcome is unknown, and
//! the line must be taken over again. librdkafka's calls block, so they run beside the runtime's
//! workers.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use crate::application::log::{LogError, OutboundRecord};
use crate::infrastructure::kafka::settings::KafkaSettings;
use crate::infrastructure::kafka::writer::headers;

/// How long taking over and one transaction may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// After which the broker undoes a transaction that nobody ends: until then it hides what follows
/// from careful readers.
const TRANSACTION_TIMEOUT_MS: &str = "10000";

/// A producer with a transactional id.
pub struct TransactionalWriter {
    settings: KafkaSettings,
    id: String,
    /// None until the line is taken over, and again after an error.
    producer: Option<Arc<FutureProducer>>,
}

impl std::fmt::Debug for TransactionalWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TransactionalWriter").field("id", &self.id).finish_non_exhaustive()
    }
}

fn unavailable(error: &KafkaError) -> LogError {
    LogError::Unavailable(error.to_string())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    let stopped = |stopped: tokio::task::JoinError| LogError::Unavailable(stopped.to_string());
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

impl TransactionalWriter {
    /// A writer that holds nothing yet. `id` (without prefix) names the line.
    pub fn new(settings: KafkaSettings, id: &str) -> Self {
        let id = settings.named(id);
        Self { settings, id, producer: None }
    }

    /// Takes the line over.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the broker does not answer; the line is nobody's then.
    pub async fn take_over(&mut self) -> Result<(), LogError> {
        self.let_go();
        let (settings, id) = (self.settings.clone(), self.id.clone());
        let producer = blocking(move || {
            let producer: FutureProducer = settings
                .client(&[
                    ("transactional.id", &id),
                    ("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS),
                    ("message.timeout.ms", TRANSACTION_TIMEOUT_MS),
                    ("linger.ms", "0"),
                ])
                .create()
                .map_err(|error| unavailable(&error))?;
            producer.init_transactions(PATIENCE).map_err(|error| unavailable(&error))?;
            Ok(Arc::new(producer))
        })
        .await?;
        self.producer = Some(producer);
        Ok(())
    }

    /// Writes records, all copies of all of them, in one transaction.
    ///
    /// # Errors
    /// [`LogError::Unavailable`]: the outcome is unknown, and the line is nobody's.
    pub async fn write(&mut self, records: Vec<OutboundRecord>) -> Result<(), LogError> {
        let Some(producer) = self.producer.clone() else {
            return Err(LogError::Unavailable("the line was not taken over".into()));
        };
        let written = blocking(move || transact(&producer, &records)).await;
        if written.is_err() {
            self.let_go();
        }
        written
    }

    /// Drops the producer, which may block.
    pub fn let_go(&mut self) {
        if let Some(producer) = self.producer.take() {
            tokio::task::spawn_blocking(move || drop(producer));
        }
    }
}

fn transact(producer: &FutureProducer, records: &[OutboundRecord]) -> Result<(), LogError> {
    producer.begin_transaction().map_err(|error| unavailable(&error))?;
    for record in records {
        for topic in &record.topics {
            let mut message: FutureRecord<'_, [u8], [u8]> =
                FutureRecord::to(topic).headers(headers(record));
            if let Some(key) = &record.key {
                message = message.key(key);
            }
            if let Some(payload) = &record.payload {
                message = message.payload(payload);
            }
            // Its delivery is part of the transaction's: the commit fails unless all are there.
            drop(producer.send_result(message).map_err(|(error, _)| unavailable(&error))?);
        }
    }
    producer.commit_transaction(PATIENCE).map_err(|error| unavailable(&error))
}
