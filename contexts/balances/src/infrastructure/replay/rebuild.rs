//! The log into the shadow, through the consumers of the live side.
//!
//! The same handlers fold the same events into the same tables under another name; offsets move in
//! the transaction of their effects, so a rebuild that is cut off anywhere goes on where it was.
//! Several readers share the partitions of a topic; an account is in one partition, so they never
//! meet at a row. Dead letters stay in the shadow's outbox, which nobody sends: they were sent when
//! the live side met them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel_async::SimpleAsyncConnection;
use shared_kernel::application::consumer::{Consumer, ConsumerPorts};
use shared_kernel::application::log::LogError;
use shared_kernel::application::{
    BatchHandler, ConsumerSettings, Observer, Progress, StopSignal, StoreError, TopicPartition,
};
use shared_kernel::infrastructure::kafka::{KafkaScan, KafkaSettings};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::store_error;

use super::gauge::Gauge;
use super::shadow::Shadow;
use crate::application::ports::{BalancesStore, BalancesTransaction};
use crate::infrastructure::kafka::inbound::{ACCOUNTS_GROUP, TRANSFERS_GROUP, WALLET_CORE_GROUP};
use crate::infrastructure::kafka::{
    ACCOUNTS_TOPIC, AccountsConsumer, TRANSFERS_TOPIC, TransfersConsumer,
};
use crate::infrastructure::wallet_core::{WalletCoreConsumer, WalletCoreTopics};

/// Records of one transaction.
const BATCH_MAX: usize = 5_000;
/// How long one poll waits for the first record.
const POLL_WAIT: Duration = Duration::from_millis(100);
/// Readers of the topic of accounts.
const READERS: usize = 2;

/// Where reading ends, exclusively.
pub(super) type Ends = BTreeMap<TopicPartition, i64>;

/// A store whose commits need not reach the disk at once: what a crash takes back is read again,
/// because its offsets go with it. The commit of the swap waits for all before it.
#[derive(Debug)]
struct Unhurried(Sessions);

#[async_trait]
impl BalancesStore for Unhurried {
    async fn begin(&self) -> Result<Box<dyn BalancesTransaction>, StoreError> {
        let mut session = self.0.begin().await?;
        let relaxed = session.connection().batch_execute("SET LOCAL synchronous_commit = off");
        relaxed.await.map_err(store_error)?;
        Ok(session)
    }
}

/// Reads the log into a shadow.
#[derive(Clone)]
pub(super) struct Rebuild {
    pub(super) kafka: KafkaSettings,
    pub(super) wallet_core: WalletCoreTopics,
    pub(super) shadow: Shadow,
    pub(super) gauge: Arc<Gauge>,
    pub(super) stop: StopSignal,
}

impl Rebuild {
    /// Reads on until the shadow stands at `ends`; false when a stop was asked for before.
    pub(super) async fn run_to(&self, ends: &Ends) -> Result<bool, LogError> {
        let store = Arc::new(Unhurried(self.shadow.sessions.clone()));
        let accounts = Arc::new(AccountsConsumer::new(store.clone()));
        let transfers = Arc::new(TransfersConsumer::new(store.clone()));
        let [balances, openings] = self.wallet_core.names().map(|name| self.kafka.named(name));
        let wallet_core = Arc::new(WalletCoreConsumer::new(store.clone(), openings.clone()));
        let formerly = Arc::new(WalletCoreConsumer::of_former_names(store));
        let mut readers = tokio::task::JoinSet::new();
        let own = [ACCOUNTS_TOPIC, TRANSFERS_TOPIC].map(|name| self.kafka.named(name));
        let of_topic = |topic: String| ends.iter().filter(move |(at, _)| at.topic == topic);
        let [accounts_topic, transfers_topic] = own.clone();
        for share in 0..READERS {
            let shared = of_topic(accounts_topic.clone()).enumerate();
            let shared = shared.filter(|(place, _)| place % READERS == share);
            let own: Ends = shared.map(|(_, (at, end))| (at.clone(), *end)).collect();
            readers.spawn(self.clone().read(ACCOUNTS_GROUP, own, Arc::clone(&accounts)));
        }
        let ends_of = |topic: String| -> Ends {
            of_topic(topic).map(|(at, end)| (at.clone(), *end)).collect()
        };
        readers.spawn(self.clone().read(TRANSFERS_GROUP, ends_of(transfers_topic), transfers));
        let others: BTreeSet<&String> =
            ends.keys().map(|at| &at.topic).filter(|topic| !own.contains(topic)).collect();
        for topic in others {
            let is_named = *topic == balances || *topic == openings;
            let handler = Arc::clone(if is_named { &wallet_core } else { &formerly });
            readers.spawn(self.clone().read(WALLET_CORE_GROUP, ends_of(topic.clone()), handler));
        }
        while let Some(read) = readers.join_next().await {
            read.map_err(|panic| LogError::Fatal(panic.to_string()))??;
        }
        Ok(!self.stop.is_stopped())
    }

    /// Reads partitions of one topic to their ends.
    async fn read<H: BatchHandler<Transaction = dyn BalancesTransaction> + 'static>(
        self,
        group: &'static str,
        ends: Ends,
        handler: Arc<H>,
    ) -> Result<(), LogError> {
        if ends.is_empty() {
            return Ok(());
        }
        let partitions = ends.len();
        let progress = Arc::new(Progress::default());
        let gauge = Arc::clone(&self.gauge);
        let observer: Arc<dyn Observer> = gauge;
        let ports = ConsumerPorts {
            reader: Box::new(KafkaScan::new(&self.kafka, ends)?),
            offsets: Arc::new(self.shadow.sessions.clone()),
            clock: Arc::clone(&self.shadow.sessions.clock),
            observer,
            progress: Arc::clone(&progress),
        };
        let name = self.kafka.named(group);
        let settings = ConsumerSettings { name, batch_max: BATCH_MAX, poll_wait: POLL_WAIT };
        let mut consumer = Consumer::new(settings, ports, handler);
        while progress.at_end().len() < partitions && !self.stop.is_stopped() {
            consumer.step(&self.stop).await?;
        }
        Ok(())
    }
}
