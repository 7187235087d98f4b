//! Checks a document, and plans one operation of it.
//!
//! In two parts, because the request's variables are checked between them: a document that is
//! refused, or whose variables are, is never planned. Planning is somebody else's code over a
//! document from outside, so a panic in it is caught and is an internal error of one request.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use async_graphql::{Pos, ServerError};
use graphql_tools::parser::query::ParseError;
use graphql_tools::parser::{self, parse_query_with_token_limit};
use graphql_tools::static_graphql::query::{Document, OperationDefinition};
use graphql_tools::validation::validate::{ValidationPlan, validate};
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::ast::operation::OperationDefinition as NormalOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::graph::PlannerOverrideContext;
use hive_router_query_planner::planner::Planner;
use hive_router_query_planner::planner::plan_nodes::PlanNode;
use hive_router_query_planner::state::supergraph_state::OperationKind;
use hive_router_query_planner::utils::cancellation::CancellationToken;

use super::compile::Compiler;
use super::shape::Shaper;
use super::{Fetch, Places, Selections, Source, Step};
use crate::api::Api;
use crate::cost::Cost;
use crate::measure::{Measured, choose, kind_of, measure};
use crate::variables::Declared;
use crate::{Code, Limits};

/// A document that is GraphQL and within the limits.
#[derive(Debug)]
pub(crate) struct Read {
    document: Document,
    measured: Measured,
}

impl Read {
    /// What checking and planning look at: fields, fragments and uses of them.
    pub(crate) const fn weight(&self) -> u64 {
        self.measured.weight
    }
}

/// A document that is sound and within the limits.
#[derive(Debug)]
pub(crate) struct Checked {
    document: Document,
    kind: OperationKind,
    root: String,
    place: Pos,
    places: Places,
    pub(crate) variables: Declared,
    pub(crate) cost: Cost,
}

/// An operation that can be run any number of times.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) kind: OperationKind,
    pub(crate) variables: Declared,
    pub(crate) cost: Cost,
    /// The type at the root of the answer.
    pub(crate) root: String,
    pub(crate) selections: Selections,
    /// Where its fields stand in the document.
    pub(crate) places: Places,
    /// What it asks of the schema itself.
    pub(crate) introspection: Vec<SelectionItem>,
    /// Where its events come from, if it is a subscription.
    pub(crate) subscription: Option<Fetch>,
    pub(crate) step: Option<Step>,
    /// Bytes of the texts of all its sub-requests.
    pub(crate) text_bytes: usize,
}

/// Why planning failed.
#[derive(Debug)]
pub(crate) enum PlanFailure {
    /// For the client to know.
    Refused(ServerError),
    /// For us alone.
    Internal(String),
}

/// What operations are prepared with.
#[derive(Clone, Copy)]
pub(crate) struct Planning<'a> {
    pub(crate) api: &'a Api,
    pub(crate) planner: &'a Planner,
    pub(crate) rules: &'a ValidationPlan,
    pub(crate) limits: &'a Limits,
    /// The place of each subgraph, by name.
    pub(crate) subgraphs: &'a HashMap<String, usize>,
}

impl Planning<'_> {
    /// Reads a document and measures it: work that grows with its length alone, whatever it
    /// says; a fragment is looked at once for each operation that uses it.
    pub(crate) fn read(&self, source: &Source) -> Result<Read, Vec<ServerError>> {
        let Self { api, limits, .. } = *self;
        let (bytes, most) = (source.document.len(), limits.document_bytes_max);
        if bytes > most {
            let message = format!("The document has {bytes} bytes; {most} is the most.");
            return Err(vec![Code::OperationTooLarge.error(message)]);
        }
        // The end of the document counts as one more.
        let tokens_max = limits.tokens_max.saturating_add(1);
        let document = parse_query_with_token_limit::<String>(&source.document, tokens_max)
            .map_err(|error| vec![unparsed(&error, limits)])?
            .into_static();
        let operation =
            choose(&document, source.operation.as_deref()).map_err(|error| vec![error])?;
        let measured = measure(api, limits, &document, operation).map_err(|error| vec![error])?;
        Ok(Read { document, measured })
    }

    /// Everything else about a document that needs no variables.
    pub(crate) fn check(&self, read: Read, source: &Source) -> Result<Checked, Vec<ServerError>> {
        let Self { api, limits, rules, .. } = *self;
        let Read { document, measured: Measured { cost, .. } } = read;
        let operation =
            choose(&document, source.operation.as_deref()).map_err(|error| vec![error])?;
        let kind = kind_of(operation);
        let errors = validate(api.document(), &document, rules);
        if !errors.is_empty() {
            let errors = errors.into_iter().take(limits.errors_max).map(|error| {
                let mut places: Vec<Pos> = error.locations.iter().map(place).collect();
                if places.is_empty() {
                    places.push(place(&position(operation))); // some rules name none
                }
                Code::GraphqlValidationFailed.at(error.message, places)
            });
            return Err(errors.collect());
        }
        let Some(root) = api.root(&kind).map(str::to_owned) else {
            let message = format!("The graph has no {}.", kind.as_str());
            return Err(vec![Code::GraphqlValidationFailed.error(message)]);
        };
        let (place, variables) = (place(&position(operation)), Declared::of(operation));
        let places = Places::of(&document, operation);
        Ok(Checked { document, kind, root, place, places, variables, cost })
    }

    /// Plans a checked operation.
    pub(crate) fn plan(
        &self,
        checked: Checked,
        operation: Option<&str>,
    ) -> Result<Prepared, PlanFailure> {
        let Self { api, planner, subgraphs, .. } = *self;
        let planned = catch_unwind(AssertUnwindSafe(|| {
            let normal = normalize_operation(&planner.supergraph, &checked.document, operation)
                .map_err(|error| PlanFailure::Internal(error.to_string()))?
                .operation;
            let (introspection, rest) = apart(&normal);
            let nodes = self.nodes(&rest)?;
            Ok((normal, introspection, nodes))
        }));
        let (normal, introspection, mut nodes) = planned
            .map_err(|_panic| PlanFailure::Internal("the planner panicked".to_owned()))??;
        let compiler = Compiler { api, subgraphs };
        let subscription = match nodes.pop_front() {
            Some(PlanNode::Subscription(node)) => {
                let fetch = compiler.fetch(node.primary, &[]);
                Some(fetch.map_err(PlanFailure::Internal)?)
            }
            Some(other) => {
                nodes.push_front(other);
                None
            }
            None => None,
        };
        let is_one_field = normal.selection_set.items.len() == 1;
        if checked.kind == OperationKind::Subscription && !(subscription.is_some() && is_one_field)
        {
            let message = "A subscription has one field at its root, and it is one of the graph's.";
            let refused = Code::GraphqlValidationFailed.at(message, vec![checked.place]);
            return Err(PlanFailure::Refused(refused));
        }
        let steps = compiler.steps(nodes).map_err(PlanFailure::Internal)?;
        let shaper = Shaper { api, supergraph: &planner.supergraph };
        let subscribed = subscription.as_ref().map_or(0, |fetch| fetch.text.len());
        let step = (!steps.is_empty()).then_some(Step::Sequence(steps));
        Ok(Prepared {
            kind: checked.kind,
            selections: shaper.selections(&normal.selection_set, &checked.root),
            variables: checked.variables,
            cost: checked.cost,
            root: checked.root,
            places: checked.places,
            introspection,
            subscription,
            text_bytes: step.as_ref().map_or(0, Step::text_bytes).saturating_add(subscribed),
            step,
        })
    }

    fn nodes(&self, operation: &NormalOperation) -> Result<VecDeque<PlanNode>, PlanFailure> {
        if operation.selection_set.items.is_empty() {
            return Ok(VecDeque::new());
        }
        let token =
            CancellationToken::with_timeout(Duration::from_millis(self.limits.planning_ms_max));
        let plan = self.planner.plan_from_normalized_operation(
            operation,
            PlannerOverrideContext::default(),
            &token,
        );
        match plan {
            Ok(plan) => Ok(plan.node.map(PlanNode::flatten_sequence).unwrap_or_default().into()),
            Err(_) if token.bail_if_cancelled().is_err() => {
                let message = "Planning the operation takes too long. Ask for less at once.";
                Err(PlanFailure::Refused(Code::OperationTooComplex.error(message)))
            }
            Err(error) => Err(PlanFailure::Internal(error.to_string())),
        }
    }
}

fn place(at: &parser::Pos) -> Pos {
    Pos { line: at.line, column: at.column }
}

fn position(operation: &OperationDefinition) -> parser::Pos {
    match operation {
        OperationDefinition::SelectionSet(it) => it.span.0,
        OperationDefinition::Query(it) => it.position,
        OperationDefinition::Mutation(it) => it.position,
        OperationDefinition::Subscription(it) => it.position,
    }
}

fn unparsed(error: &ParseError, limits: &Limits) -> ServerError {
    let ParseError(inner) = error;
    let place = vec![place(&inner.position)];
    let text = error.to_string();
    // At the very end the parser says only that it expected that end.
    let is_cut_off = text.contains("Expected end of input") && !text.contains("Unexpected");
    if text.contains("Token limit exceeded") || is_cut_off {
        let most = limits.tokens_max;
        let message = format!("The document has more than {most} tokens.");
        return Code::OperationTooLarge.at(message, place);
    }
    if text.contains("Recursion limit exceeded") {
        return Code::OperationTooDeep.at("The document is nested too deep.", place);
    }
    let reasons: Vec<&str> = text.lines().skip(1).filter(|line| !line.is_empty()).collect();
    let message = format!("The document is not GraphQL: {}.", reasons.join("; "));
    Code::GraphqlParseFailed.at(message, place)
}

/// What asks the schema itself, and the rest, which asks subgraphs.
fn apart(operation: &NormalOperation) -> (Vec<SelectionItem>, NormalOperation) {
    let named = |item: &SelectionItem, names: &[&str]| match item {
        SelectionItem::Field(field) => names.contains(&field.name.as_str()),
        SelectionItem::InlineFragment(_) | SelectionItem::FragmentSpread(_) => false,
    };
    let mut rest = operation.clone();
    let is_introspection = |item: &&SelectionItem| named(item, &["__schema", "__type"]);
    let introspection = operation.selection_set.items.iter().filter(is_introspection).cloned();
    rest.selection_set.items.retain(|item| !named(item, &["__schema", "__type", "__typename"]));
    (introspection.collect(), rest)
}
