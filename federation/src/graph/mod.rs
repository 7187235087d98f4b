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
use tokio::task::{JoinError, spawn_blocking};
use tracing::Span;

pub use self::builder::{BuildError, Builder};
pub use self::federated::{Federated, SubgraphHealth};

use crate::api::Api;
use crate::carry::Carry;
use crate::error::Mask;
use crate::plan::{PlanFailure, Planning, Plans, Prepared, Read, Source};
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

/// Fields and fragments of a document that is planned at once: a few milliseconds of work at most.
const AT_ONCE_WEIGHT_MAX: u64 = 50;

impl Graph {
    /// The plan of an operation and its variables, or why it is refused. A document that is known
    /// is neither read nor planned again; what is refused is not kept. One that is not and is large
    /// is planned when it is its turn, beside the threads on which everything else goes on. A small
    /// one is planned at once: what a client begins over a socket stands when it is asked for the
    /// next thing.
    async fn prepare(
        self: &Arc<Self>,
        source: Source,
        given: Variables,
    ) -> Result<(Arc<Prepared>, Variables), Vec<ServerError>> {
        if let Some(prepared) = self.plans.get(&source) {
            return self.with_variables(prepared, given);
        }
        let read = self.planning().read(&source)?;
        if read.weight() <= AT_ONCE_WEIGHT_MAX {
            return self.plan(source, read, given);
        }
        let turn = self.turns.planning().await.map_err(|refused| vec![refused])?;
        // Whoever waited for the turn may have waited for this very document.
        if let Some(prepared) = self.plans.get(&source) {
            return self.with_variables(prepared, given);
        }
        let (graph, span) = (Arc::clone(self), Span::current());
        let planned = spawn_blocking(move || {
            // The turn lasts as long as the work, even when nobody waits for it any more.
            let _turn = turn;
            span.in_scope(|| graph.plan(source, read, given))
        });
        let failed = |stopped: JoinError| self.mask.internal("planner", &stopped.to_string());
        planned.await.unwrap_or_else(|stopped| Err(vec![failed(stopped)]))
    }

    fn with_variables(
        &self,
        prepared: Arc<Prepared>,
        given: Variables,
    ) -> Result<(Arc<Prepared>, Variables), Vec<ServerError>> {
        let variables = prepared.variables.coerce(&self.api, given)?;
        prepared.cost.check(&variables, &self.limits).map_err(|error| vec![error])?;
        Ok((prepared, variables))
    }

    fn planning(&self) -> Planning<'_> {
        Planning {
            api: &self.api,
            planner: &self.planner,
            rules: &self.rules,
            limits: &self.limits,
            subgraphs: &self.places,
        }
    }

    /// Plans a document that is not known, and keeps the plan.
    fn plan(
        &self,
        source: Source,
        read: Read,
        given: Variables,
    ) -> Result<(Arc<Prepared>, Variables), Vec<ServerError>> {
        let planning = self.planning();
        let checked = planning.check(read, &source)?;
        let variables = checked.variables.coerce(&self.api, given)?;
        checked.cost.check(&variables, &self.limits).map_err(|error| vec![error])?;
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
