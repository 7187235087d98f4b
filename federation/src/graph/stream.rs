//! Subscriptions: one subgraph's events, each completed by the others.
//!
//! An event is a run of its own over the same plan, with the same variables and carried data. The
//! next one is taken when the one before is answered, so events keep their order and a slow client
//! slows its own stream and nothing else.

use std::sync::Arc;

use async_graphql::{Data, Response, Variables};
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::Federated;
use crate::plan::Prepared;
use crate::run::{Context, Run};

struct Subscribed {
    federated: Federated,
    prepared: Arc<Prepared>,
    variables: Variables,
    data: Data,
}

impl Subscribed {
    fn context(&self) -> Context<'_> {
        Context { graph: &self.federated.graph, variables: &self.variables, data: &self.data }
    }

    async fn complete(&self, event: Response) -> Response {
        let run = Run::new(self.context());
        if let Some(fetch) = &self.prepared.subscription {
            run.absorb(fetch, event);
        }
        if self.prepared.step.is_some() {
            let _turn = self.federated.graph.turns.event().await;
            run.all(&self.prepared).await;
        }
        run.finish(&self.prepared)
    }
}

/// The answers to a subscription.
pub(super) fn events(
    federated: Federated,
    prepared: Arc<Prepared>,
    variables: Variables,
    data: Data,
) -> BoxStream<'static, Response> {
    let subscribed = Arc::new(Subscribed { federated, prepared, variables, data });
    let graph = &subscribed.federated.graph;
    let Some(fetch) = &subscribed.prepared.subscription else { return stream::empty().boxed() };
    let Some((_, subgraph)) = graph.subgraphs.get(fetch.subgraph) else {
        let error = graph.mask.internal("plan", "it names a subgraph that is not there");
        return stream::once(async { Response::from_errors(vec![error]) }).boxed();
    };
    let turn = match graph.turns.stream() {
        Ok(turn) => turn,
        Err(refused) => {
            return stream::once(async { Response::from_errors(vec![refused]) }).boxed();
        }
    };
    let request = Run::new(subscribed.context()).request(fetch, Variables::default());
    let events = subgraph.subscribe(request);
    events
        .then(move |event| {
            let subscribed = Arc::clone(&subscribed);
            async move { subscribed.complete(event).await }
        })
        // The turn goes when the stream goes.
        .inspect(move |_answer| {
            let _held = &turn;
        })
        .boxed()
}
