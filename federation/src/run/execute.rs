//! Walks the steps of a plan and asks the subgraphs.
//!
//! What is known of the answer lies behind a lock that is held only to read from it or merge into
//! it, never while a subgraph is asked. A sub-request has a time limit, and a panic in a subgraph
//! of this process is that sub-request's error.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Data, Name, Request, Response, ServerError, Value, Variables};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use tokio::time::timeout;

use super::merge::merge;
use super::project::Projector;
use crate::Code;
use crate::graph::Graph;
use crate::plan::{Fetch, Prepared, Step};

/// What a run needs besides its plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) variables: &'a Variables,
    /// What each sub-request carries.
    pub(crate) data: &'a Data,
}

/// One run of a plan.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(super) context: Context<'a>,
    state: Mutex<State>,
}

/// What is known of the answer.
#[derive(Debug)]
pub(super) struct State {
    pub(super) data: Value,
    pub(super) errors: Vec<ServerError>,
}

impl<'a> Run<'a> {
    /// A run that knows nothing yet.
    pub(crate) fn new(context: Context<'a>) -> Self {
        let data = Value::Object(IndexMap::new());
        Self { context, state: Mutex::new(State { data, errors: Vec::new() }) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins what is known already.
    pub(crate) fn know(&self, data: Value) {
        merge(&mut self.state().data, data);
    }

    /// Does what a plan does, as far as it gets in the time that an operation has.
    pub(crate) async fn all(&self, prepared: &Prepared) {
        let Some(step) = &prepared.step else { return };
        let limits = &self.context.graph.limits;
        let within = limits.operation_ms_max;
        if timeout(Duration::from_millis(within), self.step(step)).await.is_err() {
            let message = format!("The operation was not answered whole within {within} ms.");
            self.state().add(Code::OperationTimeout.error(message), limits.errors_max);
        }
    }

    /// Does a step.
    fn step<'s>(&'s self, step: &'s Step) -> BoxFuture<'s, ()> {
        match step {
            Step::Fetch(fetch) if fetch.entities.is_empty() => self.fetch(fetch).boxed(),
            Step::Fetch(fetch) => self.entities(fetch).boxed(),
            Step::Sequence(steps) => async move {
                for step in steps {
                    self.step(step).await;
                }
            }
            .boxed(),
            Step::Parallel(steps) => {
                join_all(steps.iter().map(|step| self.step(step))).map(|_done| ()).boxed()
            }
            Step::Condition { variable, then, otherwise } => {
                let holds = self.context.variables.get(variable) == Some(&Value::Boolean(true));
                match if holds { then } else { otherwise } {
                    Some(step) => self.step(step),
                    None => async {}.boxed(),
                }
            }
        }
    }

    async fn fetch(&self, fetch: &Fetch) {
        let response = self.send(fetch, Variables::default()).await;
        self.absorb(fetch, response);
    }

    /// The request of a fetch, with the representations that it asks for.
    pub(crate) fn request(&self, fetch: &Fetch, mut variables: Variables) -> Request {
        for name in &fetch.variables {
            if let Some(value) = self.context.variables.get(name) {
                variables.insert(name.clone(), value.clone());
            }
        }
        let mut request = Request::new(fetch.text.as_str()).variables(variables);
        self.context.graph.carry.copy(self.context.data, &mut request.data);
        request.set_parsed_query(fetch.document.clone());
        request
    }

    /// Asks a subgraph.
    pub(super) async fn send(&self, fetch: &Fetch, variables: Variables) -> Response {
        let graph = self.context.graph;
        let Some((name, subgraph)) = graph.subgraphs.get(fetch.subgraph) else {
            let error = graph.mask.internal("plan", "it names a subgraph that is not there");
            return Response::from_errors(vec![error]);
        };
        let request = self.request(fetch, variables);
        let answer = AssertUnwindSafe(async { subgraph.execute(request).await }).catch_unwind();
        let within = Duration::from_millis(graph.limits.sub_request_ms_max);
        match timeout(within, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(_panic)) => {
                let place = format!("subgraph {name}");
                Response::from_errors(vec![graph.mask.internal(&place, "it panicked")])
            }
            Err(_elapsed) => {
                let message = format!("The subgraph {name} did not answer in time.");
                Response::from_errors(vec![Code::SubgraphTimeout.error(message)])
            }
        }
    }

    /// The answer: what was asked for of what is known.
    pub(crate) fn finish(self, prepared: &Prepared) -> Response {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let errors_max = self.context.graph.limits.errors_max;
        let projector = Projector::new(self.context.variables, state.errors, errors_max);
        let (data, mut errors) = projector.answer(prepared, state.data);
        for error in errors.iter_mut().filter(|error| error.locations.is_empty()) {
            error.locations.extend(prepared.places.at(&error.path));
        }
        let mut response = Response::new(data);
        response.errors = errors;
        response
    }
}

impl State {
    /// Adds an error, if there is still room for one.
    pub(super) fn add(&mut self, error: ServerError, errors_max: usize) {
        if self.errors.len() < errors_max {
            self.errors.push(error);
        }
    }
}

/// The representations of a fetch as its variables.
pub(super) fn with(name: &Name, representations: Vec<Value>, variables: &mut Variables) {
    variables.insert(name.clone(), Value::List(representations));
}
