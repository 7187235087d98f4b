//! The real clock, the real ids and the metrics of a process.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use uuid::Uuid;

use crate::application::{Clock, Ids, InboundRecord, Observer};
use crate::domain::Timestamp;
use crate::infrastructure::traces::taken_in;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this adapter is where the clock is read")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH.saturating_add(since)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The machine's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this adapter is where ids are made")]
    fn ordered(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(clippy::disallowed_methods, reason = "this adapter is where ids are made")]
    fn random(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// Counts into the process's metrics (`/metrics`).
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    /// Name of the context, a label of every figure.
    pub context: &'static str,
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl Observer for Metrics {
    fn batch_committed(&self, consumer: &str, records: &[InboundRecord], took: Duration) {
        taken_in(consumer, records);
        let consumer = consumer.to_owned();
        metrics::counter!("codepix_consumer_records_total", "consumer" => consumer.clone())
            .increment(count(records.len()));
        metrics::counter!("codepix_consumer_batches_total", "consumer" => consumer.clone())
            .increment(1);
        metrics::histogram!("codepix_consumer_batch_seconds", "consumer" => consumer).record(took);
    }

    fn batch_retried(&self, consumer: &str) {
        metrics::counter!("codepix_consumer_retries_total", "consumer" => consumer.to_owned())
            .increment(1);
    }

    fn dead_lettered(&self, consumer: &str, code: &str) {
        metrics::counter!(
            "codepix_dead_letters_total",
            "consumer" => consumer.to_owned(), "code" => code.to_owned()
        )
        .increment(1);
    }

    fn relayed(&self, records: usize) {
        metrics::counter!("codepix_relay_records_total", "context" => self.context)
            .increment(count(records));
    }

    fn relay_retried(&self) {
        metrics::counter!("codepix_relay_retries_total", "context" => self.context).increment(1);
    }

    fn relay_refused(&self) {
        metrics::counter!("codepix_relay_refused_total", "context" => self.context).increment(1);
    }

    fn commands_decided(&self, operation: &'static str, commands: usize, refused: usize) {
        metrics::counter!("codepix_commands_total", "operation" => operation)
            .increment(count(commands));
        metrics::counter!("codepix_commands_refused_total", "operation" => operation)
            .increment(count(refused));
    }
}
