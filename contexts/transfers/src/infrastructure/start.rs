//! How the hub starts.

use std::sync::Arc;

use shared_kernel::application::log::LogError;
use shared_kernel::application::{Clock, StoreError};

use shared_kernel::infrastructure::kafka::{
    Retention, Subscription, TailFeed, TailListener, TopicPlan, partition_count,
};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::{
    ContextPlan, ContextSettings, ContextStart, Stage, StartError, Worker,
};

use super::classic::consumer::{
    CONFIRMATIONS_READER, ORDERS_BATCH_MAX, ORDERS_READER, OutsideMessages,
};
use super::classic::line::KafkaLine;
use super::classic::placement::Partitions;
use super::classic::published::{CONFIRMATIONS, ORDERS};
use super::classic::topics::ClassicTopics;
use super::graphql::{self, GraphSchema};
use super::grpc::{DirectoryClient, TransfersServices};
use super::kafka::changes::TailChanges;
use super::kafka::consumer::BankMessages;
use super::kafka::inbound::{BANK_MESSAGES, READER as BANKS};
use super::kafka::news::{READER as FOLLOWERS, TailNews};
use super::kafka::topics::KafkaBankTopics;
use super::postgres::hand_overs::{PgHandOvers, SHARDS};
use super::{MIGRATIONS, NAME, READERS, SCHEMA, SOURCE, topics};
use crate::application::hand_over::{Courier, CourierPorts, CourierSettings};
use crate::application::outside::{OrderDesk, OrderPorts};
use crate::application::ports::{BankTopics, ParticipantRun, TransfersReads, TransfersStore};
use crate::application::{
    AcknowledgeCreditHandler, Clearing, EnrolParticipantHandler, ExpireOverdue,
    RepeatConfirmations, ResolveTransferHandler, Transfers, TransfersSettings,
};

/// Settings of the classic protocol.
#[derive(Clone, Debug)]
pub struct ClassicSettings {
    /// What its topics are called.
    pub topics: ClassicTopics,
    /// The directory's gRPC address.
    pub pix_keys_url: String,
    /// The token that is shown to it.
    pub pix_keys_token: Option<String>,
}

/// The hub, wired.
#[expect(missing_debug_implementations, reason = "a schema has no form to print")]
pub struct Running {
    /// Its gRPC service.
    pub services: TransfersServices,
    /// Its part of the graph.
    pub graph: GraphSchema,
    /// Its use cases, for other transports.
    pub facade: Arc<Transfers>,
    /// Loops to be run.
    pub workers: Vec<Worker>,
}

/// Migrates, makes sure of the topics, and wires the hub. Nothing runs before its workers do.
///
/// # Errors
/// [`StartError`] says what does not answer.
pub async fn start(
    settings: &ContextSettings,
    own: TransfersSettings,
    classic: &ClassicSettings,
) -> Result<Running, StartError> {
    let plan = ContextPlan {
        name: NAME,
        schema: SCHEMA,
        source: SOURCE,
        migrations: MIGRATIONS,
        topics: topics().into_iter().chain(classic.topics.plans()).collect(),
        readers: READERS,
    };
    let mut start = ContextStart::begin(settings, plan).await?;
    let sessions = Arc::new(start.sessions.clone());
    let store: Arc<dyn TransfersStore> = Arc::<Sessions>::clone(&sessions);
    let reads: Arc<dyn TransfersReads> = sessions;
    let bank_topics = Arc::new(KafkaBankTopics::new(start.kafka().clone(), own));
    ensure_bank_topics(&*reads, &*bank_topics)
        .await
        .map_err(|error| StartError::Store { context: NAME, error })?;
    work(&mut start, &store, own)?;
    let topics: Arc<dyn BankTopics> = Arc::<KafkaBankTopics>::clone(&bank_topics);
    serve_programs(&mut start, (&store, &topics), own, classic).await?;
    let clock = Arc::clone(&start.clock);
    let resolve = ResolveTransferHandler::new(Arc::clone(&store), Arc::clone(&clock), own);
    let acknowledge = AcknowledgeCreditHandler::new(Arc::clone(&store), Arc::clone(&clock));
    let enrol = EnrolParticipantHandler::new(store, bank_topics, clock);
    let (feed, news) = (TailFeed::default(), TailNews::new(settings.stop_work.clone()));
    let followers: [Arc<dyn TailListener>; 2] = [Arc::new(feed.clone()), Arc::new(news.clone())];
    start.listen(&FOLLOWERS, &followers)?;
    let changes = TailChanges::new(feed, settings.stop_work.clone());
    let commands = (
        start.command(Arc::new(enrol), 1),
        start.command(Arc::new(resolve), 1),
        start.command(Arc::new(acknowledge), 1),
    );
    let facade = Transfers::new(commands, &reads, Arc::new(changes), Arc::new(news));
    let facade = Arc::new(facade);
    let (callers, ids) = (Arc::clone(&start.callers), Arc::clone(&start.ids));
    let services = TransfersServices::new(Arc::clone(&facade), callers, Arc::clone(&ids));
    let graph = graphql::schema(&facade, ids);
    Ok(Running { services, graph, facade, workers: start.finish() })
}

/// The consumer of bank messages and the sweepers.
fn work(
    start: &mut ContextStart,
    store: &Arc<dyn TransfersStore>,
    own: TransfersSettings,
) -> Result<(), StartError> {
    let clock: Arc<dyn Clock> = Arc::clone(&start.clock);
    let clearing = Clearing::new(Arc::clone(&clock), own);
    let handler = BankMessages::new(Arc::clone(store), clearing, Arc::clone(&start.ids));
    let progress = start.consumer(&Subscription::of(&BANKS), Arc::new(handler))?;
    let expire = ExpireOverdue::new(Arc::clone(store), progress, Arc::clone(&clock), own);
    start.sweeper("sweeper of deadlines", own.sweep_every, Arc::new(expire));
    let repeat = RepeatConfirmations::new(Arc::clone(store), clock, own);
    start.sweeper("sweeper of missing reports", own.sweep_every, Arc::new(repeat));
    Ok(())
}

/// The consumer of what bank programs write, and the couriers of hand-overs.
async fn serve_programs(
    start: &mut ContextStart,
    (store, bank_topics): (&Arc<dyn TransfersStore>, &Arc<dyn BankTopics>),
    own: TransfersSettings,
    classic: &ClassicSettings,
) -> Result<(), StartError> {
    let log = |error| StartError::Log { context: NAME, error };
    let token = classic.pix_keys_token.as_deref();
    let directory = DirectoryClient::new(&classic.pix_keys_url, token)
        .map_err(|error| log(LogError::Fatal(format!("PIX_KEYS_URL: {error}"))))?;
    let partitions = partitions(start).await;
    let ports = OrderPorts {
        directory: Arc::new(directory),
        placement: Arc::new(partitions),
        topics: Arc::clone(bank_topics),
        clock: Arc::clone(&start.clock),
        ids: Arc::clone(&start.ids),
    };
    let desk = OrderDesk::new(ports, Clearing::new(Arc::clone(&start.clock), own));
    let confirmations = start.kafka().named(&classic.topics.confirmations);
    let (store, ids) = (Arc::clone(store), Arc::clone(&start.ids));
    let handler = Arc::new(OutsideMessages::new(store, desk, ids, confirmations));
    let ClassicTopics { orders, confirmations } = &classic.topics;
    let orders = Subscription::of(&ORDERS_READER).named(ORDERS.address, orders);
    let confirmations =
        Subscription::of(&CONFIRMATIONS_READER).named(CONFIRMATIONS.address, confirmations);
    for subscription in [orders.at_most(ORDERS_BATCH_MAX), confirmations] {
        start.consumer(&subscription, Arc::<OutsideMessages>::clone(&handler))?;
    }
    for shard in 0..SHARDS {
        let ports = CourierPorts {
            hand_overs: Arc::new(PgHandOvers::new(start.sessions.clone())),
            line: Box::new(KafkaLine::of_shard(start.kafka(), shard)),
            topics: Arc::clone(bank_topics),
            clock: Arc::clone(&start.clock),
        };
        let courier = Courier::new(shard, ports, CourierSettings::default());
        let stop = start.stop_relays();
        start.worker(&format!("courier-{shard}"), Stage::Relay, async move {
            courier.run(stop).await;
            Ok(())
        });
    }
    Ok(())
}

/// The partitions of the topic of bank messages. One that the broker does not name yet was made
/// just now, by us and as we plan it.
async fn partitions(start: &ContextStart) -> Partitions {
    let counted = partition_count(start.kafka(), BANK_MESSAGES).await;
    let known = counted.ok().and_then(|count| i32::try_from(count).ok());
    Partitions::new(known.unwrap_or(TopicPlan::new(BANK_MESSAGES, Retention::Days30).partitions))
}

/// Makes good topics of banks that were lost, before anything is sent to them.
async fn ensure_bank_topics(
    reads: &dyn TransfersReads,
    topics: &dyn BankTopics,
) -> Result<(), StoreError> {
    let everyone = ParticipantRun::default();
    let banks = reads.participants(&[everyone]).await?.concat();
    if banks.is_empty() { Ok(()) } else { topics.ensure(&banks).await }
}
