//! The joined graph.

mod builder;
mod federated;
mod stream;

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use async_graphql::{ServerError, Variables};
use graphql_tools::validation::validate::ValidationPlan;
use hive_router_query_planner::planner::Planner;

pub use self::builder::{BuildError, Builder};
pub use self::federated::{Federated, SubgraphHealth};

use crate::api::Api;
use crate::carry::Carry;
use crate::error::Mask;
use crate::plan::{PlanFailure, Planning, Plans, Prepared, Source};
use crate::turns::Turns;
use crate::{Limits, Subgraph};

/// Everything that operations share.
pub(crate) struct Graph {
    pub(crate) api: Api,
    planner: Planner,
    rules: ValidationPlan,
    pub(crate) subgraphs: Vec<(String, Arc<dyn Subgraph>)>,
    /// The place of each subgraph in them.
    places: HashMap<String, usize>,
    pub(crate) carry: Carry,
    pub(crate) mask: Mask,
    pub(crate) limits: Limits,
    plans: Plans,
    turns: Turns,
}

impl Debug for Graph {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.subgraphs.iter().map(|(name, _)| name).collect();
        formatter.debug_struct("Graph").field("subgraphs", &names).finish_non_exhaustive()
    }
}

impl Graph {
    /// The plan of an operation and its variables, or why it is refused. A document that is known
    /// is neither read nor planned again; what is refused is not kept.
    fn prepare(
        &self,
        source: Source,
        given: Variables,
    ) -> Result<(Arc<Prepared>, Variables), Vec<ServerError>> {
        let limits = &self.limits;
        if let Some(prepared) = self.plans.get(&source) {
            let variables = prepared.variables.coerce(&self.api, given)?;
            prepared.cost.check(&variables, limits).map_err(|error| vec![error])?;
            return Ok((prepared, variables));
        }
        let planning = Planning {
            api: &self.api,
            planner: &self.planner,
            rules: &self.rules,
            limits,
            subgraphs: &self.places,
        };
        let checked = planning.check(&source)?;
        let variables = checked.variables.coerce(&self.api, given)?;
        checked.cost.check(&variables, limits).map_err(|error| vec![error])?;
        match planning.plan(checked, source.operation.as_deref()) {
            Ok(prepared) => {
                let prepared = Arc::new(prepared);
                self.plans.keep(source, Arc::clone(&prepared));
                Ok((prepared, variables))
            }
            Err(PlanFailure::Refused(error)) => Err(vec![error]),
            Err(PlanFailure::Internal(reason)) => Err(vec![self.mask.internal("planner", &reason)]),
        }
    }
}
