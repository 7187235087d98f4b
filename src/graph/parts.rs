//! The parts of the joined graph: contexts of this process, and of others.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use async_graphql::{ObjectType, Schema, SubscriptionType};
use axum::Router;
use federation::{Federated, Guarded, Placed, RemoteSubgraph, Subgraph};
use shared_kernel::application::{Caller, Ids as _, TraceParent};
use shared_kernel::infrastructure::system::SystemIds;

use super::credential::{Credential, headers};
use super::edge::{self, Door};
use super::sdl::SUPERGRAPH;
use super::settings::GraphArguments;
use crate::config::ContextName;
use crate::limits;

/// The subgraphs of this process, and their own endpoints.
pub struct Parts {
    door: Door,
    subgraphs: BTreeMap<ContextName, Arc<dyn Subgraph>>,
    endpoints: Router,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Parts")
            .field("subgraphs", &self.subgraphs.keys())
            .finish_non_exhaustive()
    }
}

impl Parts {
    /// No part yet, behind this door.
    pub fn new(door: Door) -> Self {
        Self { door, subgraphs: BTreeMap::new(), endpoints: Router::new() }
    }

    /// Takes up the subgraph of a context.
    pub fn add<Q, M, S>(&mut self, context: ContextName, schema: Schema<Q, M, S>)
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let path = format!("/subgraphs/{}", context.as_str());
        let guarded = Guarded::new(Placed(schema.clone()), limits::of_subgraph());
        let routes = edge::routes(&path, guarded, self.door.clone());
        self.endpoints = std::mem::take(&mut self.endpoints).merge(routes);
        self.subgraphs.insert(context, Arc::new(schema));
    }

    /// `/subgraphs/<context>`, for routers of others.
    pub fn endpoints(&self) -> Router {
        self.endpoints.clone()
    }

    /// The joined graph, where this process serves it.
    ///
    /// # Errors
    /// When a part is neither here nor named, or an address is malformed.
    pub fn join(&self, settings: &GraphArguments) -> anyhow::Result<Option<Federated>> {
        let here: Vec<ContextName> = self.subgraphs.keys().copied().collect();
        if !settings.is_served_with(&here) {
            return Ok(None);
        }
        let mut graph = Federated::builder(SUPERGRAPH)
            .limits(limits::of_graph())
            .carry::<Caller>()
            .carry::<TraceParent>()
            .carry::<Credential>()
            .error_ids(|| format!("{:032x}", SystemIds.entropy()));
        let authorities = settings.authorities()?;
        for context in ContextName::ALL {
            let part = self.part(context, settings, authorities.as_deref())?;
            graph = graph.subgraph(context.as_str(), part);
        }
        Ok(Some(graph.build().context("the joined graph cannot be served")?))
    }

    fn part(
        &self,
        context: ContextName,
        settings: &GraphArguments,
        authorities: Option<&[u8]>,
    ) -> anyhow::Result<Arc<dyn Subgraph>> {
        let name = context.as_str();
        let (variable, address) = settings.address(context);
        match (address, self.subgraphs.get(&context)) {
            (Some(address), _) => {
                let mut remote = RemoteSubgraph::builder(name, address).headers(headers);
                if let Some(authorities) = authorities {
                    remote = remote.authorities(authorities);
                }
                let remote = remote.build();
                Ok(Arc::new(remote.with_context(|| format!("{variable} is {address}"))?))
            }
            (None, Some(local)) => Ok(Arc::clone(local)),
            (None, None) => anyhow::bail!(
                "the joined graph needs {name}, which this process does not serve: set {variable}"
            ),
        }
    }

    /// Where the joined graph is asked.
    pub fn routes(&self, graph: Federated) -> Router {
        edge::routes("/graphql", graph, self.door.clone()).merge(super::playground::routes())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use balances::application::query::WAIT_MAX;

    use super::*;

    /// What reading may take after a wait, with a little of the way.
    const READ: Duration = Duration::from_secs(1);

    #[test]
    fn who_waits_for_a_version_is_answered_before_its_sub_request_ends() {
        let limits = limits::of_graph();
        let sub_request = Duration::from_millis(limits.sub_request_ms_max);
        assert!(WAIT_MAX + READ <= sub_request, "else `balance_behind` is never said");
        assert!(limits.sub_request_ms_max < limits.operation_ms_max);
    }
}
