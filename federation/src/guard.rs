//! What a subgraph's own endpoint takes, where routers of others ask it.
//!
//! A schema writes the fragments of a document out before it knows how large that makes it, and
//! fragments that use one another twice each make it large without end. So a document is measured
//! here first, each fragment once, and runs when it is its turn.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::{
    BatchRequest, BatchResponse, Data, Executor, Name, Request, Response, ServerError,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use hive_router_query_planner::state::supergraph_state::OperationKind;

use crate::batch::execute_all;
use crate::turns::Turns;
use crate::{Code, Limits};

/// Selections within one another that are followed.
const LEVELS_MAX: usize = 250;

/// An executor that runs no document with too many fields, and not too many at a time.
#[derive(Clone, Debug)]
pub struct Guarded<E> {
    inner: E,
    limits: Limits,
    turns: Arc<Turns>,
}

impl<E> Guarded<E> {
    /// Guards an executor. Of the limits these are held: fields, operations of a batch, and how
    /// many are under way.
    pub fn new(inner: E, limits: Limits) -> Self {
        Self { inner, limits, turns: Arc::new(Turns::new(&limits)) }
    }

    /// The kind of the operation that is asked for; what cannot be read is the executor's to
    /// refuse.
    fn measured(&self, request: &mut Request) -> Result<OperationKind, ServerError> {
        let name = request.operation_name.clone();
        let Ok(document) = request.parsed_query() else { return Ok(OperationKind::Query) };
        let found = fields(document)?;
        let most = self.limits.fields_max;
        if found > most {
            let message = format!("The document has {found} fields; {most} is the most.");
            return Err(Code::OperationTooLarge.error(message));
        }
        Ok(kind(document, name.as_deref()))
    }
}

impl<E: Executor> Executor for Guarded<E> {
    async fn execute(&self, mut request: Request) -> Response {
        let turn = match self.measured(&mut request) {
            Ok(kind) => self.turns.operation(&kind).await,
            Err(refused) => Err(refused),
        };
        match turn {
            Ok(_turn) => self.inner.execute(request).await,
            Err(refused) => Response::from_errors(vec![refused]),
        }
    }

    async fn execute_batch(&self, batch: BatchRequest) -> BatchResponse {
        execute_all(self, &self.limits, batch).await
    }

    fn execute_stream(
        &self,
        mut request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let turn = match self.measured(&mut request) {
            Ok(OperationKind::Subscription) => self.turns.stream(),
            Ok(kind) => {
                let this = self.clone();
                return stream::once(async move {
                    match this.turns.operation(&kind).await {
                        Ok(turn) => held(this.inner.execute_stream(request, session), turn),
                        Err(refused) => once(refused),
                    }
                })
                .flatten()
                .boxed();
            }
            Err(refused) => Err(refused),
        };
        match turn {
            Ok(turn) => held(self.inner.execute_stream(request, session), turn),
            Err(refused) => once(refused),
        }
    }
}

fn once(refused: ServerError) -> BoxStream<'static, Response> {
    stream::once(async { Response::from_errors(vec![refused]) }).boxed()
}

/// The answers, and something that is kept until they end.
fn held<T: Send + Sync + 'static>(
    answers: BoxStream<'static, Response>,
    kept: T,
) -> BoxStream<'static, Response> {
    let keeping = move |_answer: &Response| {
        let _held = &kept;
    };
    answers.inspect(keeping).boxed()
}

fn kind(document: &ExecutableDocument, name: Option<&str>) -> OperationKind {
    let mut operations = document.operations.iter();
    let is_meant = |known: Option<&Name>| name.is_none() || known.map(Name::as_str) == name;
    let found = operations.find(|(known, _)| is_meant(*known)).map(|(_, it)| it.node.ty);
    match found {
        Some(OperationType::Subscription) => OperationKind::Subscription,
        Some(OperationType::Mutation) => OperationKind::Mutation,
        Some(OperationType::Query) | None => OperationKind::Query,
    }
}

/// How many fields a document has, its fragments written out.
fn fields(document: &ExecutableDocument) -> Result<u64, ServerError> {
    let mut counter = Counter { document, known: HashMap::new(), levels: 0 };
    let sets = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let mut sum = 0_u64;
    for set in sets {
        sum = sum.saturating_add(counter.selections(set)?);
    }
    Ok(sum)
}

struct Counter<'a> {
    document: &'a ExecutableDocument,
    /// Counted fragments; none while one is being counted.
    known: HashMap<&'a str, Option<u64>>,
    levels: usize,
}

impl<'a> Counter<'a> {
    fn selections(&mut self, set: &'a SelectionSet) -> Result<u64, ServerError> {
        self.levels = self.levels.saturating_add(1);
        if self.levels > LEVELS_MAX {
            return Err(too_deep());
        }
        let mut sum = 0_u64;
        for selection in &set.items {
            let found = match &selection.node {
                Selection::Field(field) => {
                    self.selections(&field.node.selection_set.node)?.saturating_add(1)
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.node.selection_set.node)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node)?
                }
            };
            sum = sum.saturating_add(found);
        }
        self.levels = self.levels.saturating_sub(1);
        Ok(sum)
    }

    fn fragment(&mut self, name: &'a str) -> Result<u64, ServerError> {
        match self.known.get(name) {
            Some(Some(found)) => return Ok(*found),
            Some(None) => return Err(too_deep()),
            None => {}
        }
        self.known.insert(name, None);
        let found = match self.document.fragments.get(name) {
            Some(fragment) => self.selections(&fragment.node.selection_set.node)?,
            None => 0,
        };
        // One that is not there counts too: whoever follows spreads follows those to it.
        let found = found.max(1);
        self.known.insert(name, Some(found));
        Ok(found)
    }
}

fn too_deep() -> ServerError {
    Code::OperationTooDeep.error("The document is nested too deep, or its fragments go round.")
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, Object, Schema, Subscription, value};
    use futures::Stream;

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn one(&self) -> i32 {
            1
        }
    }

    struct Events;

    #[Subscription]
    impl Events {
        async fn never(&self) -> impl Stream<Item = i32> + use<> {
            stream::pending()
        }
    }

    fn guarded(limits: Limits) -> Guarded<Schema<Query, EmptyMutation, Events>> {
        Guarded::new(Schema::new(Query, EmptyMutation, Events), limits)
    }

    async fn code(limits: Limits, query: &str) -> Option<&'static str> {
        let answer = guarded(limits).execute(Request::new(query)).await;
        let known = |error: &ServerError| Code::ALL.into_iter().find(|code| code.is_of(error));
        answer.errors.iter().find_map(known).map(Code::as_str)
    }

    /// A document whose fragments use one another twice each, down to the last.
    fn doubled(begin: &str, on: &str, count: usize, last: &str) -> String {
        let fragments = (0..count).map(|index| {
            let next = index.saturating_add(1);
            format!(" fragment a{index} on {on} {{ ...a{next} ...a{next} }}")
        });
        begin.to_owned() + &fragments.collect::<Vec<_>>().concat() + last
    }

    #[tokio::test]
    async fn a_document_that_is_large_when_it_is_written_out_does_not_run() {
        let begin = "{ __schema { queryType { ...a0 } } }";
        let large = Some("operation_too_large");
        let leaf = doubled(begin, "__Type", 28, " fragment a28 on __Type { name }");
        assert_eq!(code(Limits::default(), &leaf).await, large);
        assert_eq!(code(Limits::default(), &doubled(begin, "__Type", 28, "")).await, large);
        let chain: Vec<String> = (0..5_000)
            .map(|it: usize| format!("fragment a{it} on Query {{ ...a{} }}", it.saturating_add(1)))
            .collect();
        let chain = format!("{{ ...a0 }} {}", chain.join(" "));
        assert_eq!(code(Limits::default(), &chain).await, Some("operation_too_deep"));
        let round = "{ ...a0 } fragment a0 on Query { ...a0 }";
        assert_eq!(code(Limits::default(), round).await, Some("operation_too_deep"));
        let small = doubled("{ ...a0 }", "Query", 3, " fragment a3 on Query { one }");
        let eight = Limits { fields_max: 8, ..Limits::default() };
        assert_eq!(code(eight, &small).await, None);
        assert_eq!(code(Limits { fields_max: 7, ..eight }, &small).await, large);
    }

    #[tokio::test]
    async fn streams_and_operations_have_turns_of_their_own() {
        let limits =
            Limits { streams_under_way_max: 1, queries_under_way_max: 1, ..Limits::default() };
        let guarded = guarded(limits);
        let follow = || guarded.execute_stream(Request::new("subscription { never }"), None);
        let first = follow();
        let refused = follow().next().await.unwrap();
        assert!(Code::TooManyWatchers.is_of(&refused.errors[0]), "{refused:?}");
        for _ in 0..2 {
            let answer = guarded.execute_stream(Request::new("{ one }"), None).next().await;
            assert_eq!(answer.unwrap().data, value!({ "one": 1 }));
        }
        drop(first);
        assert!(futures::poll!(follow().next()).is_pending());
        let batch = (0..11).map(|_| Request::new("{ one }")).collect();
        let BatchResponse::Single(refused) =
            guarded.execute_batch(BatchRequest::Batch(batch)).await
        else {
            panic!("a batch of eleven")
        };
        assert!(Code::BatchTooLarge.is_of(&refused.errors[0]));
    }
}
