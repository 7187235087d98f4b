//! The planner's nodes, turned into steps.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use async_graphql::Name;
use async_graphql::parser::parse_query;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes::{
    BatchFetchNode, ConditionNode, FetchNode, FetchNodePathSegment, FetchRewrite,
    FlattenNodePathSegment, PlanNode,
};

use super::{Change, Entities, Fetch, Hop, Key, Require, Rewrite, Step};
use crate::api::{Api, TypeSet};

/// The field and the variable of entities that are asked for one kind at a time.
const ENTITIES: &str = "_entities";
const REPRESENTATIONS: &str = "representations";

/// Turns nodes into steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compiler<'a> {
    pub(crate) api: &'a Api,
    /// The place of each subgraph, by name.
    pub(crate) subgraphs: &'a HashMap<String, usize>,
}

impl Compiler<'_> {
    /// A step of a node; what it cannot be is an error that says so.
    pub(crate) fn step(&self, node: PlanNode) -> Result<Step, String> {
        match node {
            PlanNode::Fetch(node) => Ok(Step::Fetch(Box::new(self.fetch(node, &[])?))),
            PlanNode::Flatten(node) => {
                let PlanNode::Fetch(fetch) = *node.node else { return self.step(*node.node) };
                Ok(Step::Fetch(Box::new(self.fetch(fetch, node.path.as_slice())?)))
            }
            PlanNode::BatchFetch(node) => Ok(Step::Fetch(Box::new(self.batch(node)?))),
            PlanNode::Sequence(node) => Ok(Step::Sequence(self.steps(node.nodes)?)),
            PlanNode::Parallel(node) => Ok(Step::Parallel(self.steps(node.nodes)?)),
            PlanNode::Condition(node) => self.condition(node),
            PlanNode::Subscription(_) => Err("a subscription inside a plan".to_owned()),
            PlanNode::Defer(_) => Err("a deferred part, which is not supported".to_owned()),
        }
    }

    /// Steps of nodes.
    pub(crate) fn steps(
        &self,
        nodes: impl IntoIterator<Item = PlanNode>,
    ) -> Result<Vec<Step>, String> {
        nodes.into_iter().map(|node| self.step(node)).collect()
    }

    fn condition(&self, node: ConditionNode) -> Result<Step, String> {
        let step = |node: Option<Box<PlanNode>>| {
            node.map(|node| self.step(*node).map(Box::new)).transpose()
        };
        let then = step(node.if_clause)?;
        let otherwise = step(node.else_clause)?;
        Ok(Step::Condition { variable: Name::new(node.condition), then, otherwise })
    }

    /// A fetch of a node: of entities at a path if it requires something, else at the root.
    pub(crate) fn fetch(
        &self,
        node: FetchNode,
        path: &[FlattenNodePathSegment],
    ) -> Result<Fetch, String> {
        let output = self.rewrites(node.output_rewrites);
        let mut fetch =
            self.bare(&node.service_name, node.operation.document_str, node.variable_usages)?;
        match node.requires {
            Some(requires) => fetch.entities.push(Entities {
                key: Name::new(ENTITIES),
                variable: Name::new(REPRESENTATIONS),
                paths: vec![self.hops(path)],
                requires: self.requires(&requires),
                input: self.rewrites(node.input_rewrites),
                output,
            }),
            None => fetch.output = output,
        }
        Ok(fetch)
    }

    fn batch(&self, node: BatchFetchNode) -> Result<Fetch, String> {
        let mut fetch =
            self.bare(&node.service_name, node.operation.document_str, node.variable_usages)?;
        for alias in node.entity_batch.aliases {
            fetch.entities.push(Entities {
                key: Name::new(alias.alias),
                variable: Name::new(alias.representations_variable_name),
                paths: alias.merge_paths.iter().map(|path| self.hops(path.as_slice())).collect(),
                requires: self.requires(&alias.requires),
                input: self.rewrites(alias.input_rewrites),
                output: self.rewrites(alias.output_rewrites),
            });
        }
        Ok(fetch)
    }

    fn bare(
        &self,
        service: &str,
        text: String,
        variables: Option<BTreeSet<String>>,
    ) -> Result<Fetch, String> {
        let subgraph = self.subgraphs.get(service).copied();
        let subgraph = subgraph.ok_or_else(|| format!("a fetch from the unknown {service}"))?;
        let document = parse_query(&text).map_err(|error| error.to_string())?;
        let variables = variables.into_iter().flatten().map(Name::new).collect();
        let (entities, output) = (Vec::new(), Vec::new());
        Ok(Fetch { subgraph, text, document, variables, entities, output })
    }

    fn any_of(&self, names: &BTreeSet<String>) -> TypeSet {
        let sets = names.iter().map(|name| self.api.possible(name));
        let all = sets.fold(HashSet::new(), |mut all, set| {
            all.extend(set.iter().cloned());
            all
        });
        Arc::new(all)
    }

    fn hops(&self, path: &[FlattenNodePathSegment]) -> Vec<Hop> {
        let hops = path.iter().map(|segment| match segment {
            FlattenNodePathSegment::Field(name) => Hop::Field(Name::new(name)),
            FlattenNodePathSegment::TypeCondition(names) => Hop::Is(self.any_of(names)),
            FlattenNodePathSegment::List => Hop::Each,
        });
        hops.collect()
    }

    fn requires(&self, set: &SelectionSet) -> Vec<Require> {
        let parts = set.items.iter().filter_map(|item| match item {
            SelectionItem::Field(field) => Some(Require::Field {
                from: Name::new(&field.name),
                to: Name::new(field.selection_identifier()),
                inside: self.requires(&field.selections),
            }),
            SelectionItem::InlineFragment(fragment) => Some(Require::Fragment {
                types: self.api.possible(&fragment.type_condition),
                inside: self.requires(&fragment.selections),
            }),
            SelectionItem::FragmentSpread(_) => None,
        });
        parts.collect()
    }

    fn rewrites(&self, rewrites: Option<Vec<FetchRewrite>>) -> Vec<Rewrite> {
        let rewrites = rewrites.into_iter().flatten().map(|rewrite| match rewrite {
            FetchRewrite::ValueSetter(it) => {
                Rewrite { path: self.keys(&it.path), change: Change::Set(it.set_value_to) }
            }
            FetchRewrite::KeyRenamer(it) => {
                let change = Change::Rename(Name::new(it.rename_key_to));
                Rewrite { path: self.keys(&it.path), change }
            }
        });
        rewrites.collect()
    }

    fn keys(&self, path: &[FetchNodePathSegment]) -> Vec<Key> {
        let keys = path.iter().map(|segment| match segment {
            FetchNodePathSegment::Key(name) => Key::Field(Name::new(name)),
            FetchNodePathSegment::TypenameEquals(names) => Key::Is(self.any_of(names)),
        });
        keys.collect()
    }
}
