//! Writes to the log: idempotent producer, acknowledged by all in-sync replicas.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};

use crate::application::log::{LogError, LogWriter, OutboundRecord};
use crate::infrastructure::kafka::settings::KafkaSettings;

/// The producer of a process.
pub struct KafkaWriter {
    settings: KafkaSettings,
    producer: Mutex<FutureProducer>,
}

impl std::fmt::Debug for KafkaWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("KafkaWriter")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn connect(settings: &KafkaSettings) -> Result<FutureProducer, LogError> {
    settings
        .client(&[
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("linger.ms", "0"),
            ("message.timeout.ms", "30000"),
            ("queue.buffering.max.messages", "500000"),
            // Above what our topics take: how large a record may be is said in one place.
            ("message.max.bytes", "2000000"),
            // Copies for bank topics of one transfer stay together; several aggregates do not.
            ("partitioner", "murmur2_random"),
        ])
        .create()
        .map_err(|error| LogError::Fatal(format!("the Kafka producer cannot start: {error}")))
}

impl KafkaWriter {
    /// A producer; it connects in the background.
    ///
    /// # Errors
    /// [`LogError::Fatal`] when librdkafka refuses the settings.
    pub fn new(settings: &KafkaSettings) -> Result<Self, LogError> {
        Ok(Self { settings: settings.clone(), producer: Mutex::new(connect(settings)?) })
    }

    fn producer(&self) -> FutureProducer {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A producer with a fatal error can never send again: a new one takes its place.
    fn renew(&self, broken: &FutureProducer) {
        if broken.client().fatal_error().is_none() {
            return;
        }
        match connect(&self.settings) {
            Ok(producer) => {
                *self.producer.lock().unwrap_or_else(PoisonError::into_inner) = producer;
                tracing::warn!("the Kafka producer was replaced after a fatal error");
            }
            Err(error) => tracing::error!(%error, "the Kafka producer could not be replaced"),
        }
    }
}

pub(super) fn headers(record: &OutboundRecord) -> OwnedHeaders {
    record
        .headers
        .iter()
        .fold(OwnedHeaders::new_with_capacity(record.headers.len()), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        })
}

/// Queues one copy; waits while librdkafka's own queue is full.
async fn enqueue(
    producer: &FutureProducer,
    topic: &str,
    record: &OutboundRecord,
) -> Result<DeliveryFuture, KafkaError> {
    let mut message: FutureRecord<'_, [u8], [u8]> =
        FutureRecord::to(topic).headers(headers(record));
    if let Some(key) = &record.key {
        message = message.key(key);
    }
    if let Some(payload) = &record.payload {
        message = message.payload(payload);
    }
    if let Some(time) = record.time {
        message = message.timestamp(time.millis());
    }
    loop {
        match producer.send_result(message) {
            Ok(delivery) => return Ok(delivery),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                message = back;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// What a failed write means. A key may be a person's: the record is named by its event's id.
fn refusal(error: &KafkaError, topic: &str, record: &OutboundRecord) -> LogError {
    let for_ever = matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidMessage
                | RDKafkaErrorCode::InvalidMessageSize
                | RDKafkaErrorCode::InvalidRecord
                | RDKafkaErrorCode::InvalidTimestamp
                | RDKafkaErrorCode::InvalidTopic
        )
    );
    if !for_ever {
        return LogError::Unavailable(error.to_string());
    }
    let id = record.headers.iter().find(|(name, _)| name == "ce_id");
    let id = id.map_or("none".into(), |(_, value)| String::from_utf8_lossy(value));
    let payload = record.payload.as_ref().map_or(0, Vec::len);
    LogError::Fatal(format!(
        "topic {topic} never takes the record with ce_id {id} and a payload of {payload} bytes \
         ({error})"
    ))
}

#[async_trait]
impl LogWriter for KafkaWriter {
    async fn write(&self, records: &[OutboundRecord]) -> Result<(), LogError> {
        let producer = self.producer();
        let written = async {
            let mut deliveries = Vec::with_capacity(records.len());
            for record in records {
                for topic in &record.topics {
                    let refused = |error| (error, topic, record);
                    let delivery = enqueue(&producer, topic, record).await.map_err(refused)?;
                    deliveries.push((delivery, topic, record));
                }
            }
            for (delivery, topic, record) in deliveries {
                match delivery.await {
                    Ok(Ok(_)) => {}
                    Ok(Err((error, _))) => return Err((error, topic, record)),
                    Err(_cancelled) => return Err((KafkaError::Canceled, topic, record)),
                }
            }
            Ok(())
        };
        written.await.map_err(|(error, topic, record)| {
            self.renew(&producer);
            refusal(&error, topic, record)
        })
    }
}
