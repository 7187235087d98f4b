//! How many operations and streams are under way at a time, so that those who ask do not starve
//! those who pay.
//!
//! An operation waits for its turn a while and is refused then; a stream is refused at once. What a
//! mutation does is done together with others', so mutations have turns of their own and do not
//! queue behind queries. An event of a subscription is a query too, but waits as long as it takes:
//! its stream is slower then, and loses nothing.
//!
//! Large documents that are not known yet are checked and planned one at a time: that is work
//! without a pause, and a document within all limits may make it a hundred times as long as usual.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::ServerError;
use hive_router_query_planner::state::supergraph_state::OperationKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::{Code, Limits};

/// A turn, which ends when this is dropped; none where nobody counts any more.
pub(crate) type Turn = Option<OwnedSemaphorePermit>;

/// What is free.
#[derive(Debug)]
pub(crate) struct Turns {
    queries: Arc<Semaphore>,
    mutations: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    planning: Arc<Semaphore>,
    wait: Duration,
}

/// Documents that are planned at a time.
const PLANNED_MAX: usize = 1;

fn room(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
}

impl Turns {
    /// Everything is free.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            queries: room(limits.queries_under_way_max),
            mutations: room(limits.mutations_under_way_max),
            streams: room(limits.streams_under_way_max),
            planning: room(PLANNED_MAX),
            wait: Duration::from_millis(limits.turn_ms_max),
        }
    }

    /// The turn of an operation.
    pub(crate) async fn operation(&self, kind: &OperationKind) -> Result<Turn, ServerError> {
        let room = match kind {
            OperationKind::Query | OperationKind::Subscription => &self.queries,
            OperationKind::Mutation => &self.mutations,
        };
        self.turn(room).await
    }

    /// The turn of a document that is checked and planned.
    pub(crate) async fn planning(&self) -> Result<Turn, ServerError> {
        self.turn(&self.planning).await
    }

    async fn turn(&self, room: &Arc<Semaphore>) -> Result<Turn, ServerError> {
        match timeout(self.wait, Arc::clone(room).acquire_owned()).await {
            Ok(turn) => Ok(turn.ok()),
            Err(_elapsed) => {
                let message =
                    "Too many operations are under way. Ask again shortly, and fewer at a time.";
                Err(Code::TooManyQueries.error(message))
            }
        }
    }

    /// The turn of an event of a subscription.
    pub(crate) async fn event(&self) -> Turn {
        Arc::clone(&self.queries).acquire_owned().await.ok()
    }

    /// The turn of a stream.
    pub(crate) fn stream(&self) -> Result<Turn, ServerError> {
        let message = "Too many subscriptions are open. End one, or ask for the state instead.";
        let turn = Arc::clone(&self.streams).try_acquire_owned();
        turn.map(Some).map_err(|_full| Code::TooManyWatchers.error(message))
    }
}
