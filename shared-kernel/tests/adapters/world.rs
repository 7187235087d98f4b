//! A context as small as can be: it writes down what it reads.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl;
use futures::future::BoxFuture;
use shared_kernel::application::catalogue::{Channel, ExampleError, Topic};
use shared_kernel::application::consumer::Consumer;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{
    BatchHandler, InboundRecord, LogReader, LogWriter, OutboundRecord, Polled, Progress, Published,
    Refusal, StopHandle, StoreError, TopicPartition, TraceParent,
};
use shared_kernel::infrastructure::kafka::{KafkaReader, KafkaSettings, KafkaWriter};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{Migration, PgSession, statement, store_error};
use shared_kernel::infrastructure::system::SystemIds;
use shared_kernel::testing::{TestServers, eventually};
use tokio::task::JoinHandle;

pub(crate) const SCHEMA: &str = "probe";
pub(crate) const SOURCE: &str = "/codepix/probe";
pub(crate) const GROUP: &str = "codepix.probe";
pub(crate) const TOPIC: &str = "codepix.notes";
pub(crate) const PARTITIONS: i32 = 4;

/// What a note may not say: the database refuses it.
pub(crate) const UNFIT: &str = "unfit";

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    name: "2026-11-20_note",
    up: "CREATE TABLE probe.note (\
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
         text text NOT NULL CHECK (text <> 'unfit'));
         CREATE TABLE probe.once (name text PRIMARY KEY)",
}];

/// The servers of a test, with a schema and a topic.
pub(crate) struct World {
    pub(crate) servers: TestServers,
    pub(crate) sessions: Sessions,
    writer: Arc<KafkaWriter>,
}

impl World {
    pub(crate) async fn fresh() -> Self {
        let servers = TestServers::fresh().await;
        servers.create_topics(&[TOPIC], PARTITIONS).await;
        let sessions = servers.sessions(SCHEMA, SOURCE, MIGRATIONS).await;
        let writer = servers.writer();
        Self { servers, sessions, writer }
    }

    /// A consumer that writes notes down, after `look` has seen the batch.
    pub(crate) fn consumer(&self, look: Look) -> (Consumer<Notes>, Arc<Progress>) {
        self.servers.consumer(GROUP, TOPIC, &self.sessions, self.notes(look))
    }

    pub(crate) fn notes(&self, look: Look) -> Arc<Notes> {
        Arc::new(Notes { sessions: self.sessions.clone(), look })
    }

    /// Consumes until every partition is read to its end.
    pub(crate) async fn consume(&self, look: Look) {
        let (mut consumer, progress) = self.consumer(look);
        let (_handle, stop) = stop_pair();
        while progress.at_end().len() < 4 {
            consumer.step(&stop).await.expect("the consumer goes on");
        }
    }

    /// A consumer that runs until it is stopped.
    pub(crate) fn run(&self, look: Look) -> RunningConsumer {
        let (consumer, progress) = self.consumer(look);
        let (handle, stop) = stop_pair();
        let task = tokio::spawn(async move {
            consumer.run(stop).await.expect("the consumer goes on");
        });
        RunningConsumer { handle, progress, task }
    }

    /// Writes one record per text, each under a key of its own.
    pub(crate) async fn write(&self, texts: impl IntoIterator<Item = String>) {
        let record = |text: String| plain(&self.servers.kafka, &text, &text);
        let records: Vec<OutboundRecord> = texts.into_iter().map(record).collect();
        self.writer.write(&records).await.unwrap();
    }

    /// All notes, in the order in which they were written down.
    pub(crate) async fn read_notes(&self) -> Vec<String> {
        let mut connection = self.sessions.database.connection().await.unwrap();
        let rows: Vec<Note> = statement("SELECT text FROM probe.note ORDER BY id")
            .load(&mut connection)
            .await
            .unwrap();
        rows.into_iter().map(|note| note.text).collect()
    }

    pub(crate) async fn sql(&self, text: &'static str) {
        let mut connection = self.sessions.database.session().await.unwrap();
        statement(text).execute(&mut connection).await.unwrap();
    }
}

/// A consumer at work.
pub(crate) struct RunningConsumer {
    pub(crate) handle: StopHandle,
    pub(crate) progress: Arc<Progress>,
    pub(crate) task: JoinHandle<()>,
}

impl RunningConsumer {
    /// Stops as a process does that is asked to.
    pub(crate) async fn stop(self) {
        self.handle.stop();
        self.task.await.unwrap();
    }
}

#[derive(QueryableByName)]
struct Note {
    #[diesel(sql_type = Text)]
    text: String,
}

/// What a test does when a batch is handled: the texts of the batch in, the outcome out.
pub(crate) type Look =
    Box<dyn Fn(Vec<String>) -> BoxFuture<'static, Result<Vec<Refusal>, StoreError>> + Send + Sync>;

/// A look that lets everything pass.
pub(crate) fn nothing_special() -> Look {
    looking(|_texts| async { Ok(Vec::new()) })
}

pub(crate) fn looking<F>(look: impl Fn(Vec<String>) -> F + Send + Sync + 'static) -> Look
where
    F: Future<Output = Result<Vec<Refusal>, StoreError>> + Send + 'static,
{
    Box::new(move |texts| Box::pin(look(texts)))
}

/// Writes every record down as a note.
pub(crate) struct Notes {
    sessions: Sessions,
    look: Look,
}

#[async_trait]
impl BatchHandler for Notes {
    type Transaction = PgSession;

    async fn begin(&self) -> Result<Box<PgSession>, StoreError> {
        self.sessions.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut PgSession,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let texts: Vec<String> = batch.iter().map(text_of).collect();
        let refusals = (self.look)(texts.clone()).await?;
        let refused = |index| refusals.iter().any(|refusal| refusal.index == index);
        let taken: Vec<String> =
            texts.into_iter().enumerate().filter(|(at, _)| !refused(*at)).map(|it| it.1).collect();
        write_down(transaction, taken).await?;
        Ok(refusals)
    }
}

pub(crate) async fn write_down(
    transaction: &mut PgSession,
    texts: Vec<String>,
) -> Result<(), StoreError> {
    statement("INSERT INTO probe.note (text) SELECT * FROM unnest($1::text[])")
        .bind::<Array<Text>, _>(texts)
        .execute(transaction.connection())
        .await
        .map(drop)
        .map_err(store_error)
}

/// A statement inside a transaction.
pub(crate) async fn execute(
    transaction: &mut PgSession,
    text: &'static str,
) -> Result<usize, StoreError> {
    statement(text).execute(transaction.connection()).await.map_err(store_error)
}

pub(crate) fn text_of(record: &InboundRecord) -> String {
    let text = String::from_utf8_lossy(record.payload.as_deref().unwrap_or_default()).into_owned();
    serde_json::from_str(&text).unwrap_or(text)
}

/// A record without an envelope.
pub(crate) fn plain(kafka: &KafkaSettings, key: &str, text: &str) -> OutboundRecord {
    OutboundRecord {
        topics: vec![kafka.named(TOPIC)],
        key: Some(key.as_bytes().to_vec()),
        headers: vec![("written-by".into(), b"a test".to_vec())],
        payload: Some(text.as_bytes().to_vec()),
        time: None,
    }
}

/// A note, which its topic and the topics of banks may carry.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct NotedV1(String);

const NOTES: Channel = Channel::new(TOPIC, "the note").partitions(PARTITIONS);
const BANKS: Channel = Channel::new("codepix.bank.{ispb}", "the note").partitions(2);

shared_kernel::events! {
    /// What the probe publishes.
    registry Probe of "probe", source SOURCE, types "codepix.probe.";
    NotedV1 = "Noted" (1, 0) on [NOTES, BANKS], example example;
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every example")]
fn example() -> Result<Published, ExampleError> {
    Ok(published("key", 1))
}

/// An event of an aggregate, as a context publishes it.
pub(crate) fn published(key: &str, version: i64) -> Published {
    noted(key, version, format!("{key}/{version}"), vec![NOTES.topic()])
}

/// The same with a copy for a bank.
pub(crate) fn copied(key: &str, version: i64, bank: &str) -> Published {
    noted(key, version, format!("{key}/{version}"), vec![NOTES.topic(), BANKS.topic_of(bank)])
}

/// An event with this text.
pub(crate) fn noted(key: &str, version: i64, text: String, topics: Vec<Topic>) -> Published {
    let trace = TraceParent::begin(&SystemIds);
    Published::of(&NotedV1(text), topics, key.to_owned(), version, trace).unwrap()
}

/// An event that no topic takes.
pub(crate) fn huge(key: &str, version: i64) -> Published {
    noted(key, version, "x".repeat(1_100_000), vec![NOTES.topic()])
}

/// A member of the group, and the partitions that it was told to read.
pub(crate) async fn joined(kafka: &KafkaSettings) -> (KafkaReader, Vec<TopicPartition>) {
    let join = KafkaReader::join(kafka, &kafka.named(GROUP), &[kafka.named(TOPIC)]);
    let mut reader = join.unwrap();
    let told = eventually(async || match reader.poll(1_000, Duration::from_millis(100)).await {
        Ok(Polled::Assigned(partitions)) => Ok(partitions),
        other => Err(other),
    })
    .await;
    (reader, told)
}

/// Texts in a form that does not depend on their order.
pub(crate) fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// `prefix-000`, `prefix-001`, …
pub(crate) fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}-{number:03}")).collect()
}
