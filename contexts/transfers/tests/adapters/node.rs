//! The whole hub, started as in a process of its own, and banks around it.

use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::log::{LogError, LogReader, Polled};
use shared_kernel::application::stop::{StopHandle, stop_pair};
use shared_kernel::application::{InboundRecord, LogWriter};
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::kafka::{KafkaReader, KafkaWriter};
use shared_kernel::infrastructure::postgres::DatabaseSettings;
use shared_kernel::infrastructure::{ContextSettings, Stage};
use shared_kernel::testing::wait::PATIENCE;
use shared_kernel::testing::{TestServers, eventually};
use tokio::task::JoinHandle;
use transfers::application::{Transfers, TransfersSettings};
use transfers::infrastructure::classic::topics::ClassicTopics;
use transfers::infrastructure::{ClassicSettings, GraphSchema, start};

use crate::harness::{Said, enrolment};

/// One process.
pub(crate) struct Node {
    pub(crate) facade: Arc<Transfers>,
    pub(crate) graph: GraphSchema,
    stop_work: StopHandle,
    stop_relays: StopHandle,
    work: Vec<JoinHandle<Result<(), LogError>>>,
    relays: Vec<JoinHandle<Result<(), LogError>>>,
}

impl Node {
    pub(crate) async fn start(servers: &TestServers) -> Self {
        Self::with(servers, TransfersSettings::default()).await
    }

    pub(crate) async fn with(servers: &TestServers, own: TransfersSettings) -> Self {
        let (stop_work, work_signal) = stop_pair();
        let (stop_relays, relay_signal) = stop_pair();
        let settings = ContextSettings {
            database: DatabaseSettings { url: servers.database_url.clone(), connections_max: 8 },
            kafka: servers.kafka.clone(),
            writer: Arc::new(KafkaWriter::new(&servers.kafka).unwrap()),
            callers: Arc::new(Callers::default()),
            outbox_shards: 2,
            stop_work: work_signal,
            stop_relays: relay_signal,
        };
        // Nobody orders in the classic protocol where no directory is.
        let classic = ClassicSettings {
            topics: ClassicTopics::default(),
            pix_keys_url: "http://127.0.0.1:1".to_owned(),
            pix_keys_token: None,
        };
        let running = start(&settings, own, &classic).await.unwrap();
        let (mut work, mut relays) = (Vec::new(), Vec::new());
        for worker in running.workers {
            let task = tokio::spawn(worker.run);
            match worker.stage {
                Stage::Work => work.push(task),
                Stage::Relay => relays.push(task),
            }
        }
        let (facade, graph) = (running.facade, running.graph);
        Self { facade, graph, stop_work, stop_relays, work, relays }
    }

    /// Ends as a process does that was asked to.
    pub(crate) async fn stop(self) {
        self.stop_work.stop();
        for task in self.work {
            task.await.unwrap().unwrap();
        }
        self.stop_relays.stop();
        for task in self.relays {
            task.await.unwrap().unwrap();
        }
    }

    /// Ends as a process does that is killed: nothing is finished.
    pub(crate) fn kill(self) {
        for task in self.work.iter().chain(&self.relays) {
            task.abort();
        }
    }

    pub(crate) async fn enrol(&self, codes: &[&str]) {
        for code in codes {
            self.facade.enrol_participant.submit(enrolment(code, None)).await.unwrap();
        }
    }
}

/// Says things to the hub, as banks do.
pub(crate) struct Banks {
    writer: KafkaWriter,
    prefix: String,
}

impl Banks {
    pub(crate) fn new(servers: &TestServers) -> Self {
        let writer = KafkaWriter::new(&servers.kafka).unwrap();
        Self { writer, prefix: servers.kafka.topic_prefix.clone() }
    }

    pub(crate) async fn say(&self, said: &[Said]) {
        let records: Vec<_> = said.iter().map(|said| said.written(&self.prefix)).collect();
        self.writer.write(&records).await.unwrap();
    }
}

/// Reads a topic from its beginning.
pub(crate) struct Follower {
    reader: KafkaReader,
    pub(crate) seen: Vec<InboundRecord>,
}

impl Follower {
    pub(crate) fn of(servers: &TestServers, topic: &str) -> Self {
        let kafka = &servers.kafka;
        let group = kafka.named(&format!("follower.{topic}"));
        let reader = KafkaReader::join(kafka, &group, &[kafka.named(topic)]).unwrap();
        Self { reader, seen: Vec::new() }
    }

    /// Reads on until what was seen is enough.
    pub(crate) async fn until(&mut self, enough: impl Fn(&[InboundRecord]) -> bool) {
        let started = tokio::time::Instant::now();
        while !enough(&self.seen) {
            assert!(started.elapsed() < PATIENCE, "only {} records", self.seen.len());
            match self.reader.poll(1_000, Duration::from_millis(100)).await {
                Ok(Polled::Assigned(partitions)) => {
                    // A topic that was made just now may have no leader yet.
                    let reader = &mut self.reader;
                    let beginnings =
                        eventually(async || reader.beginnings(&partitions).await).await;
                    self.reader.assign(&beginnings).await.unwrap();
                }
                Ok(Polled::Batch { records, .. }) => self.seen.extend(records),
                Ok(Polled::Nothing | Polled::Revoked) | Err(LogError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
