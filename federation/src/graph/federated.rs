//! The joined graph as an executor, so that what serves a schema serves it.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{
    BatchRequest, BatchResponse, Data, Executor, IntrospectionMode, Request, Response, ServerError,
    Variables,
};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::{self, BoxStream};
use tokio::time::timeout;

use super::{Builder, Graph, stream::events};
use crate::Code;
use crate::batch::execute_all;
use crate::introspection::Introspection;
use crate::plan::{Prepared, Source};
use crate::run::{Context, Run};

/// What is said of a subgraph that does not answer.
const AWAY: [Code; 3] =
    [Code::SubgraphTimeout, Code::SubgraphUnavailable, Code::SubgraphAnswerTooLarge];

/// One graph over many subgraphs.
#[derive(Debug, Clone)]
pub struct Federated {
    pub(super) graph: Arc<Graph>,
}

/// Whether a subgraph answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubgraphHealth {
    /// Its name in the supergraph.
    pub name: String,
    /// Why it does not, if it does not.
    pub failure: Option<String>,
}

impl Federated {
    /// Begins a graph over a composed supergraph.
    pub fn builder(supergraph_sdl: &str) -> Builder {
        Builder::new(supergraph_sdl)
    }

    pub(super) fn of(graph: Graph) -> Self {
        Self { graph: Arc::new(graph) }
    }

    /// How many plans are kept.
    pub fn plan_count(&self) -> usize {
        self.graph.plans.count()
    }

    /// Asks every subgraph for the name of its root type, the cheapest thing there is to ask. One
    /// that takes longer than `within` does not answer.
    pub async fn health(&self, within: Duration) -> Vec<SubgraphHealth> {
        let probes = self.graph.subgraphs.iter().map(|(name, subgraph)| async move {
            let answer = timeout(within, subgraph.execute(Request::new("{ __typename }"))).await;
            let failure = match answer {
                // One that refuses to answer a stranger is there.
                Ok(response) => {
                    let is_away = |error: &ServerError| AWAY.iter().any(|code| code.is_of(error));
                    response.errors.into_iter().find(is_away).map(|error| error.message)
                }
                Err(_elapsed) => Some("it did not answer in time".to_owned()),
            };
            SubgraphHealth { name: name.clone(), failure }
        });
        join_all(probes).await
    }

    /// The plan and variables of a request, or why it is refused.
    pub(super) async fn prepare(
        &self,
        request: &mut Request,
    ) -> Result<(Arc<Prepared>, Variables), Vec<ServerError>> {
        let source = Source {
            document: std::mem::take(&mut request.query),
            operation: request.operation_name.take(),
        };
        let given = std::mem::take(&mut request.variables);
        let (prepared, variables) = self.graph.prepare(source, given).await?;
        let refused = match request.introspection_mode {
            IntrospectionMode::Enabled => None,
            IntrospectionMode::Disabled => (!prepared.introspection.is_empty())
                .then_some("Introspection is switched off here."),
            IntrospectionMode::IntrospectionOnly => (prepared.step.is_some()
                || prepared.subscription.is_some())
            .then_some("Nothing but introspection is answered here."),
        };
        match refused {
            Some(message) => Err(vec![Code::IntrospectionDisabled.error(message)]),
            None => Ok((prepared, variables)),
        }
    }

    async fn run(&self, prepared: &Prepared, variables: &Variables, data: &Data) -> Response {
        // What the schema answers by itself needs no turn.
        let turn = match &prepared.step {
            Some(_) => self.graph.turns.operation(&prepared.kind).await,
            None => Ok(None),
        };
        let _turn = match turn {
            Ok(turn) => turn,
            Err(refused) => return Response::from_errors(vec![refused]),
        };
        let run = Run::new(Context { graph: &self.graph, variables, data });
        if !prepared.introspection.is_empty() {
            let introspection = Introspection::new(&self.graph.api, variables);
            run.know(introspection.answer(&prepared.introspection));
        }
        run.all(prepared).await;
        run.finish(prepared)
    }
}

impl Executor for Federated {
    async fn execute(&self, mut request: Request) -> Response {
        match self.prepare(&mut request).await {
            Ok((prepared, _)) if prepared.subscription.is_some() => {
                let message = "A subscription is answered over WebSocket or as multipart.";
                Response::from_errors(vec![Code::SubscriptionNeedsStream.error(message)])
            }
            Ok((prepared, variables)) => {
                let data = self.graph.carry.collect(None, &request.data);
                self.run(&prepared, &variables, &data).await
            }
            Err(errors) => Response::from_errors(errors),
        }
    }

    async fn execute_batch(&self, batch: BatchRequest) -> BatchResponse {
        execute_all(self, &self.graph.limits, batch).await
    }

    fn execute_stream(
        &self,
        mut request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let this = self.clone();
        let answers = async move {
            let (prepared, variables) = match this.prepare(&mut request).await {
                Ok(ready) => ready,
                Err(errors) => {
                    return stream::once(async { Response::from_errors(errors) }).boxed();
                }
            };
            let data = this.graph.carry.collect(session.as_deref(), &request.data);
            if prepared.subscription.is_some() {
                return events(this, prepared, variables, data);
            }
            stream::once(async move { this.run(&prepared, &variables, &data).await }).boxed()
        };
        stream::once(answers).flatten().boxed()
    }
}
