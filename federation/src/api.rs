//! The schema that a client sees, indexed: the supergraph without what is marked inaccessible.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use graphql_tools::static_graphql::schema::{
    Definition, Document, Field, InputValue, Type, TypeDefinition,
};
use hive_router_query_planner::planner::Planner;
use hive_router_query_planner::state::supergraph_state::{OperationKind, SupergraphDefinition};

/// Names of types, shared by the plans that test for them.
pub(crate) type TypeSet = Arc<HashSet<String>>;

/// The schema of the joined graph.
#[derive(Debug)]
pub(crate) struct Api {
    document: Arc<Document>,
    types: HashMap<String, usize>,
    roots: Roots,
    /// Names that an object of a type may answer to: its own, and those of its possible types.
    possible: HashMap<String, TypeSet>,
    /// Possible types that a client may see.
    visible: HashMap<String, TypeSet>,
    /// Every object type, visible or not.
    objects: TypeSet,
}

#[derive(Debug)]
struct Roots {
    query: String,
    mutation: Option<String>,
    subscription: Option<String>,
}

impl Api {
    /// The schema that a planner shows to clients.
    pub(crate) fn of(planner: &Planner) -> Self {
        let document = Arc::clone(&planner.consumer_schema.document);
        let mut types = HashMap::new();
        for (index, definition) in document.definitions.iter().enumerate() {
            if let Definition::TypeDefinition(definition) = definition {
                types.insert(definition.name().to_owned(), index);
            }
        }
        let supergraph = &planner.supergraph;
        let roots = Roots {
            query: supergraph.query_type.clone(),
            mutation: supergraph.mutation_type.clone(),
            subscription: supergraph.subscription_type.clone(),
        };
        let possible = possible(planner);
        let visible = possible.iter().map(|(name, members)| {
            let seen = members.iter().filter(|member| types.contains_key(*member)).cloned();
            (name.clone(), Arc::new(seen.collect()))
        });
        let visible = visible.collect();
        let is_object = |(_, it): &(&String, &SupergraphDefinition)| {
            matches!(it, SupergraphDefinition::Object(_))
        };
        let objects = supergraph.definitions.iter().filter(is_object);
        let objects = Arc::new(objects.map(|(name, _)| name.clone()).collect());
        let possible = possible.into_iter().map(|(name, it)| (name, Arc::new(it))).collect();
        Self { document, types, roots, possible, visible, objects }
    }

    /// The whole schema.
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// A type by its name.
    pub(crate) fn type_named(&self, name: &str) -> Option<&TypeDefinition> {
        match self.document.definitions.get(*self.types.get(name)?)? {
            Definition::TypeDefinition(definition) => Some(definition),
            Definition::SchemaDefinition(_)
            | Definition::TypeExtension(_)
            | Definition::DirectiveDefinition(_) => None,
        }
    }

    /// A field of an object or interface type.
    pub(crate) fn field(&self, parent: &str, name: &str) -> Option<&Field> {
        self.type_named(parent)?.field_by_name(name)
    }

    /// The root type of a kind of operation, if the graph has that kind.
    pub(crate) fn root(&self, kind: &OperationKind) -> Option<&str> {
        match kind {
            OperationKind::Query => Some(&self.roots.query),
            OperationKind::Mutation => self.roots.mutation.as_deref(),
            OperationKind::Subscription => self.roots.subscription.as_deref(),
        }
    }

    /// The names that an object may have where a type is asked for.
    pub(crate) fn possible(&self, name: &str) -> TypeSet {
        let own = || Arc::new(HashSet::from([name.to_owned()]));
        self.possible.get(name).cloned().unwrap_or_else(own)
    }

    /// Those of them that a client may see.
    pub(crate) fn visible(&self, name: &str) -> TypeSet {
        self.visible.get(name).cloned().unwrap_or_default()
    }

    /// Every object type of the supergraph.
    pub(crate) fn objects(&self) -> TypeSet {
        Arc::clone(&self.objects)
    }

    /// The values of an enum that a client may see.
    pub(crate) fn enum_values(&self, name: &str) -> Option<HashSet<String>> {
        match self.type_named(name)? {
            TypeDefinition::Enum(it) => {
                Some(it.values.iter().map(|value| value.name.clone()).collect())
            }
            TypeDefinition::Scalar(_)
            | TypeDefinition::Object(_)
            | TypeDefinition::Interface(_)
            | TypeDefinition::Union(_)
            | TypeDefinition::InputObject(_) => None,
        }
    }
}

fn possible(planner: &Planner) -> HashMap<String, HashSet<String>> {
    let mut possible: HashMap<String, HashSet<String>> = HashMap::new();
    for (name, definition) in &planner.supergraph.definitions {
        possible.entry(name.clone()).or_default().insert(name.clone());
        match definition {
            SupergraphDefinition::Object(object) => {
                for implemented in &object.join_implements {
                    let members = possible.entry(implemented.interface.clone()).or_default();
                    members.insert(name.clone());
                }
            }
            SupergraphDefinition::Union(union) => {
                let members = possible.entry(name.clone()).or_default();
                members.extend(union.types.iter().cloned());
            }
            SupergraphDefinition::Interface(_)
            | SupergraphDefinition::Enum(_)
            | SupergraphDefinition::Scalar(_)
            | SupergraphDefinition::InputObject(_) => {}
        }
    }
    possible
}

/// Whether a type is a list, whatever else it is.
pub(crate) fn is_list(of: &Type) -> bool {
    match of {
        Type::NamedType(_) => false,
        Type::ListType(_) => true,
        Type::NonNullType(inner) => is_list(inner),
    }
}

/// Whether an input must be given: never null, and without a default.
pub(crate) fn is_required(input: &InputValue) -> bool {
    input.default_value.is_none() && matches!(input.value_type, Type::NonNullType(_))
}
