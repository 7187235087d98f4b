//! How every context starts: schema, topics, relays, consumers, command workers, sweepers.
//!
//! A context names what it has; the order and the wiring are the same for all.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::application::batcher::{BatchExecutor, BatchLimits, Batcher, batcher};
use crate::application::catalogue::Reader;
use crate::application::command::{BatchCommand, CommandRunner};
use crate::application::consumer::{BatchHandler, Consumer, ConsumerPorts, ConsumerSettings};
use crate::application::log::{LogError, LogWriter};
use crate::application::outbox::Outbox;
use crate::application::relay::{Relay, RelayPorts, RelaySettings};
use crate::application::stop::StopSignal;
use crate::application::sweeper::{Sweep, sweep_until_stopped};
use crate::application::transaction::AnswerBook;
use crate::application::{Clock, Ids, Observer, Progress, StoreError};
use crate::infrastructure::grpc::Callers;
use crate::infrastructure::kafka::{
    KafkaReader, KafkaSettings, KafkaWriter, Subscription, Tail, TailFeed, TailListener, TopicPlan,
    ensure_topics,
};
use crate::infrastructure::postgres::answers::ForgetAnswers;
use crate::infrastructure::postgres::outbox::OutboxSignal;
use crate::infrastructure::postgres::session::Sessions;
use crate::infrastructure::postgres::shards::settle_shards;
use crate::infrastructure::postgres::{Database, DatabaseSettings, Migration, Tables, migrate};
use crate::infrastructure::system::{Metrics, SystemClock, SystemIds};

/// What the process gives every context.
#[derive(Clone, Debug)]
pub struct ContextSettings {
    /// The context's database.
    pub database: DatabaseSettings,
    /// The log.
    pub kafka: KafkaSettings,
    /// The process's producer.
    pub writer: Arc<KafkaWriter>,
    /// Who may call.
    pub callers: Arc<Callers>,
    /// Wanted shards of the outbox.
    pub outbox_shards: u16,
    /// Asks consumers, commands and sweepers to end.
    pub stop_work: StopSignal,
    /// Asks relays to end, once nothing appends any more.
    pub stop_relays: StopSignal,
}

/// What a context says of itself.
#[derive(Clone, Debug)]
pub struct ContextPlan {
    /// `pix-keys`, `transfers`, …
    pub name: &'static str,
    /// Its schema.
    pub schema: &'static str,
    /// `ce_source`: `/codepix/<name>`.
    pub source: &'static str,
    /// Its migrations, oldest first.
    pub migrations: &'static [Migration],
    /// The topics that it owns.
    pub topics: Vec<TopicPlan>,
    /// Its consumers, as the catalogue lists them: no other can be started.
    pub readers: &'static [Reader],
}

/// When a worker ends during a graceful stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// First: consumers, commands, sweepers, tails.
    Work,
    /// Then: relays, so that what was committed is sent.
    Relay,
}

/// A loop that lives as long as the process; one that ends early or panics ends the process.
pub struct Worker {
    /// For logs.
    pub name: String,
    /// When it ends.
    pub stage: Stage,
    /// The loop.
    pub run: BoxFuture<'static, Result<(), LogError>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Worker")
            .field("name", &self.name)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// A context cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("{context}: {error}")]
    Store {
        /// Which context.
        context: &'static str,
        /// What is wrong.
        error: StoreError,
    },
    /// The log.
    #[error("{context}: {error}")]
    Log {
        /// Which context.
        context: &'static str,
        /// What is wrong.
        error: LogError,
    },
}

/// A context that is being wired.
pub struct ContextStart {
    /// Opens its transactions; also its answer book, its offsets and its outbox.
    pub sessions: Sessions,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its ids.
    pub ids: Arc<dyn Ids>,
    /// Who may call.
    pub callers: Arc<Callers>,
    plan: ContextPlan,
    settings: ContextSettings,
    observer: Arc<dyn Observer>,
    workers: Vec<Worker>,
}

impl std::fmt::Debug for ContextStart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ContextStart")
            .field("plan", &self.plan)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl ContextStart {
    /// Migrates the schema, creates the topics, and starts the relays and the sweeper that forgets
    /// old answers.
    ///
    /// # Errors
    /// [`StartError`] names the context and what does not answer.
    pub async fn begin(settings: &ContextSettings, plan: ContextPlan) -> Result<Self, StartError> {
        let store = |error| StartError::Store { context: plan.name, error };
        let database = Database::new(&settings.database).map_err(store)?;
        let tables = Tables::of(plan.schema);
        migrate(&database, &tables, plan.migrations).await.map_err(store)?;
        let mut connection = database.connection().await.map_err(store)?;
        let shards =
            settle_shards(&mut connection, &tables, settings.outbox_shards).await.map_err(store)?;
        drop(connection);
        if shards != settings.outbox_shards.max(1) {
            let wanted = settings.outbox_shards;
            tracing::warn!(
                context = plan.name,
                shards,
                wanted,
                "rows wait in the shards of before"
            );
        }
        ensure_topics(&settings.kafka, &plan.topics)
            .await
            .map_err(|error| StartError::Log { context: plan.name, error })?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let sessions = Sessions {
            database,
            tables,
            topic_prefix: settings.kafka.topic_prefix.clone(),
            source: plan.source,
            shards,
            signal: Arc::new(OutboxSignal::default()),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        };
        let observer: Arc<dyn Observer> = Arc::new(Metrics { context: plan.name });
        let mut start = Self {
            sessions,
            clock,
            ids,
            callers: Arc::clone(&settings.callers),
            plan,
            settings: settings.clone(),
            observer,
            workers: Vec::new(),
        };
        for shard in 0..shards {
            start.relay(shard);
        }
        let forget = ForgetAnswers(start.sessions.clone());
        start.sweeper("forget-answers", Duration::from_hours(1), Arc::new(forget));
        Ok(start)
    }

    /// A loop of the context's own.
    pub fn worker(
        &mut self,
        name: &str,
        stage: Stage,
        run: impl Future<Output = Result<(), LogError>> + Send + 'static,
    ) {
        let name = format!("{}/{name}", self.plan.name);
        self.workers.push(Worker { name, stage, run: Box::pin(run) });
    }

    fn relay(&mut self, shard: u16) {
        let outbox: Arc<dyn Outbox> = Arc::new(self.sessions.clone());
        let writer = Arc::clone(&self.settings.writer);
        let log: Arc<dyn LogWriter> = writer;
        let ports = RelayPorts {
            outbox,
            log,
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&self.observer),
        };
        let relay = Relay::new(shard, ports, RelaySettings::default());
        let stop = self.settings.stop_relays.clone();
        self.worker(&format!("relay-{shard}"), Stage::Relay, async move {
            relay.run(stop).await;
            Ok(())
        });
    }

    /// A queue of commands of one kind, with `workers` workers on it.
    pub fn command<U: BatchCommand>(
        &mut self,
        use_case: Arc<U>,
        workers: usize,
    ) -> Batcher<U::Command, U::Answer> {
        let book: Arc<dyn AnswerBook> = Arc::new(self.sessions.clone());
        let runner = CommandRunner::new(use_case, book, Arc::clone(&self.observer));
        self.batches(U::OPERATION, Arc::new(runner), workers)
    }

    /// A queue of requests that are answered together: commands, or lookups that coalesce.
    pub fn batches<E: BatchExecutor>(
        &mut self,
        name: &str,
        executor: Arc<E>,
        workers: usize,
    ) -> Batcher<E::Request, E::Answer> {
        let (queue, workers) = batcher(executor, BatchLimits::default(), workers);
        for worker in workers {
            let stop = self.settings.stop_work.clone();
            self.worker(name, Stage::Work, async move {
                worker.run(stop).await;
                Ok(())
            });
        }
        queue
    }

    /// The topics of a subscription, if its reader is one of the context's.
    fn topics_of(&self, subscription: &Subscription) -> Result<Vec<String>, StartError> {
        let topics = subscription.topics(self.plan.readers).map_err(|sentence| {
            let (context, error) = (self.plan.name, LogError::Fatal(sentence));
            StartError::Log { context, error }
        })?;
        Ok(topics.into_iter().map(str::to_owned).collect())
    }

    /// A consumer of what one of the context's readers reads, in that reader's group. Its progress
    /// tells sweepers how far it is.
    ///
    /// # Errors
    /// [`StartError::Log`] when the reader is none of the context's, and when librdkafka refuses
    /// the settings.
    pub fn consumer<H: BatchHandler + 'static>(
        &mut self,
        subscription: &Subscription,
        handler: Arc<H>,
    ) -> Result<Arc<Progress>, StartError> {
        let (name, topics) = (subscription.group(), self.topics_of(subscription)?);
        let group = self.settings.kafka.named(name);
        let named = |topic: &String| match topic.strip_prefix('^') {
            Some(pattern) => {
                format!("^{}{pattern}", self.settings.kafka.topic_prefix.replace('.', "\\."))
            }
            None => self.settings.kafka.named(topic),
        };
        let topics: Vec<String> = topics.iter().map(named).collect();
        let reader = KafkaReader::join(&self.settings.kafka, &group, &topics)
            .map_err(|error| StartError::Log { context: self.plan.name, error })?;
        let progress = Arc::new(Progress::default());
        let ports = ConsumerPorts {
            reader: Box::new(reader),
            offsets: Arc::new(self.sessions.clone()),
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&self.observer),
            progress: Arc::clone(&progress),
        };
        let mut bounds = ConsumerSettings::new(group);
        bounds.batch_max = subscription.batch_max().unwrap_or(bounds.batch_max);
        let consumer = Consumer::new(bounds, ports, handler);
        let stop = self.settings.stop_work.clone();
        self.worker(&format!("consumer {name}"), Stage::Work, consumer.run(stop));
        Ok(progress)
    }

    /// A sweeper that looks every `every`.
    pub fn sweeper(&mut self, name: &'static str, every: Duration, job: Arc<dyn Sweep>) {
        let (clock, stop) = (Arc::clone(&self.clock), self.settings.stop_work.clone());
        self.worker(name, Stage::Work, async move {
            sweep_until_stopped(name, job, every, clock, stop).await;
            Ok(())
        });
    }

    /// The live end of what one of the context's readers reads, for watchers.
    ///
    /// # Errors
    /// As [`ContextStart::listen`].
    pub fn tail(&mut self, reader: &'static Reader) -> Result<TailFeed, StartError> {
        let feed = TailFeed::default();
        self.listen(reader, &[Arc::new(feed.clone())])?;
        Ok(feed)
    }

    /// The same for listeners of the context's own.
    ///
    /// # Errors
    /// [`StartError::Log`] when the reader is none of the context's.
    pub fn listen(
        &mut self,
        reader: &'static Reader,
        listeners: &[Arc<dyn TailListener>],
    ) -> Result<(), StartError> {
        for topic in self.topics_of(&Subscription::of(reader))? {
            let tail = Tail::new(&self.settings.kafka, &topic, listeners.to_vec());
            let stop = self.settings.stop_work.clone();
            self.worker(&format!("tail {topic}"), Stage::Work, async move {
                tail.run(stop).await;
                Ok(())
            });
        }
        Ok(())
    }

    /// Asks relays of the context's own to end, with those of the outbox.
    pub fn stop_relays(&self) -> StopSignal {
        self.settings.stop_relays.clone()
    }

    /// The log's settings, for a context that creates topics later.
    pub fn kafka(&self) -> &KafkaSettings {
        &self.settings.kafka
    }

    /// The workers, ready to run.
    pub fn finish(self) -> Vec<Worker> {
        self.workers
    }
}
