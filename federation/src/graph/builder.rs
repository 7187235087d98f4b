//! Puts a graph together, and refuses one whose parts do not fit.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Debug, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use graphql_tools::validation::rules::default_rules_validation_plan;
use hive_router_query_planner::planner::{Planner, QueryPlannerOptions};
use hive_router_query_planner::utils::parsing::safe_parse_schema;
use thiserror::Error;
use uuid::Uuid;

use super::{Federated, Graph};
use crate::api::Api;
use crate::carry::Carry;
use crate::error::Mask;
use crate::plan::Plans;
use crate::turns::Turns;
use crate::{Limits, Subgraph};

/// Why a graph cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The text is not the SDL of a supergraph.
    #[error("the supergraph cannot be read: {0}")]
    Supergraph(String),
    /// A subgraph of the supergraph was not given.
    #[error("the supergraph names the subgraph {0:?}, which was not given")]
    SubgraphMissing(String),
    /// A subgraph was given that the supergraph does not know.
    #[error("the subgraph {0:?} is not in the supergraph")]
    SubgraphUnknown(String),
    /// Two subgraphs were given under one name.
    #[error("the subgraph {0:?} was given twice")]
    SubgraphTwice(String),
}

/// A graph to be built.
#[must_use]
pub struct Builder {
    supergraph: String,
    subgraphs: Vec<(String, Arc<dyn Subgraph>)>,
    carry: Carry,
    limits: Limits,
    ids: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Debug for Builder {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.subgraphs.iter().map(|(name, _)| name).collect();
        formatter.debug_struct("Builder").field("subgraphs", &names).finish_non_exhaustive()
    }
}

impl Builder {
    /// Over a composed supergraph.
    pub(super) fn new(supergraph: &str) -> Self {
        Self {
            supergraph: supergraph.to_owned(),
            subgraphs: Vec::new(),
            carry: Carry::default(),
            limits: Limits::default(),
            ids: Arc::new(new_id),
        }
    }

    /// A part of the graph, under its name in the supergraph.
    pub fn subgraph(mut self, name: impl Into<String>, subgraph: Arc<dyn Subgraph>) -> Self {
        self.subgraphs.push((name.into(), subgraph));
        self
    }

    /// Hands request data of a type on to every sub-request.
    pub fn carry<T: Any + Clone + Send + Sync>(mut self) -> Self {
        self.carry.add::<T>();
        self
    }

    /// Other limits than the usual ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where the ids of masked errors come from; else they are UUIDs of version 7.
    pub fn error_ids(mut self, ids: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// The graph, if every subgraph of the supergraph was given and no other.
    pub fn build(self) -> Result<Federated, BuildError> {
        let document = safe_parse_schema(&self.supergraph)
            .map_err(|error| BuildError::Supergraph(error.to_string()))?;
        let planner = catch_unwind(AssertUnwindSafe(|| {
            Planner::new_from_supergraph(&document, QueryPlannerOptions::default())
        }));
        let planner = planner
            .map_err(|_panic| BuildError::Supergraph("its types do not fit together".to_owned()))?
            .map_err(|error| BuildError::Supergraph(error.to_string()))?;
        let places = places(&planner, &self.subgraphs)?;
        let graph = Graph {
            api: Api::of(&planner),
            planner,
            rules: default_rules_validation_plan(),
            subgraphs: self.subgraphs,
            places,
            carry: self.carry,
            mask: Mask::new(self.ids),
            limits: self.limits,
            plans: Plans::with_room_for(self.limits.plans_max, self.limits.plans_bytes_max),
            turns: Turns::new(&self.limits),
        };
        Ok(Federated::of(graph))
    }
}

fn places(
    planner: &Planner,
    given: &[(String, Arc<dyn Subgraph>)],
) -> Result<HashMap<String, usize>, BuildError> {
    let known: BTreeSet<&String> = planner.supergraph.known_subgraphs.values().collect();
    if known.is_empty() {
        return Err(BuildError::Supergraph("it names no subgraph".to_owned()));
    }
    let mut places = HashMap::new();
    for (place, (name, _)) in given.iter().enumerate() {
        if !known.contains(name) {
            return Err(BuildError::SubgraphUnknown(name.clone()));
        }
        if places.insert(name.clone(), place).is_some() {
            return Err(BuildError::SubgraphTwice(name.clone()));
        }
    }
    match known.into_iter().find(|name| !places.contains_key(*name)) {
        Some(missing) => Err(BuildError::SubgraphMissing(missing.clone())),
        None => Ok(places),
    }
}

#[expect(clippy::disallowed_methods, reason = "finds a line of the log; nothing is decided by it")]
fn new_id() -> String {
    Uuid::now_v7().to_string()
}
