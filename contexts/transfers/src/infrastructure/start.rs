//! How the hub starts.

use std::sync::Arc;

use shared_kernel::application::{Clock, StoreError};
use shared_kernel::infrastructure::kafka::TailFeed;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::{
    ContextPlan, ContextSettings, ContextStart, StartError, Worker,
};

use super::graphql::{self, GraphSchema};
use super::grpc::TransfersServices;
use super::kafka::changes::TailChanges;
use super::kafka::consumer::BankMessages;
use super::kafka::inbound::{BANK_MESSAGES, CONSUMER};
use super::kafka::news::TailNews;
use super::kafka::published::TRANSFERS;
use super::kafka::topics::KafkaBankTopics;
use super::{MIGRATIONS, NAME, SCHEMA, SOURCE, topics};
use crate::application::ports::{BankTopics, TransfersReads, TransfersStore};
use crate::application::{
    Clearing, EnrolParticipantHandler, ExpireOverdue, RepeatConfirmations, Transfers,
    TransfersSettings,
};
use crate::domain::Participant;

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
) -> Result<Running, StartError> {
    let plan = ContextPlan {
        name: NAME,
        schema: SCHEMA,
        source: SOURCE,
        migrations: MIGRATIONS,
        topics: topics(),
    };
    let mut start = ContextStart::begin(settings, plan).await?;
    let sessions = Arc::new(start.sessions.clone());
    let store: Arc<dyn TransfersStore> = Arc::<Sessions>::clone(&sessions);
    let reads: Arc<dyn TransfersReads> = sessions;
    let bank_topics = Arc::new(KafkaBankTopics::new(start.kafka().clone()));
    ensure_bank_topics(&*reads, &*bank_topics)
        .await
        .map_err(|error| StartError::Store { context: NAME, error })?;
    work(&mut start, &store, own)?;
    let handler = EnrolParticipantHandler::new(store, bank_topics, Arc::clone(&start.clock));
    let (feed, news) = (TailFeed::default(), TailNews::new(settings.stop_work.clone()));
    start.listen(TRANSFERS.address, vec![Arc::new(feed.clone()), Arc::new(news.clone())]);
    let changes = TailChanges::new(feed, settings.stop_work.clone());
    let enrol = start.command(Arc::new(handler), 1);
    let facade = Transfers::new(enrol, &reads, Arc::new(changes), Arc::new(news));
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
    let topics = [BANK_MESSAGES.to_owned()];
    let progress = start.consumer(CONSUMER, &topics, Arc::new(handler))?;
    let expire = ExpireOverdue::new(Arc::clone(store), progress, Arc::clone(&clock), own);
    start.sweeper("sweeper of deadlines", own.sweep_every, Arc::new(expire));
    let repeat = RepeatConfirmations::new(Arc::clone(store), clock, own);
    start.sweeper("sweeper of missing reports", own.sweep_every, Arc::new(repeat));
    Ok(())
}

/// Makes good topics of native banks that were lost, before anything is sent to them.
async fn ensure_bank_topics(
    reads: &dyn TransfersReads,
    topics: &dyn BankTopics,
) -> Result<(), StoreError> {
    let banks = reads.participants(None, None).await?;
    let native: Vec<_> =
        banks.iter().filter(|bank| Participant::has_topic(bank)).map(|bank| bank.ispb).collect();
    if native.is_empty() { Ok(()) } else { topics.ensure(&native).await }
}
