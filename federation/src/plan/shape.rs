//! What an answer looks like: what was asked for, in that order, with its types.
//!
//! Subgraphs answer more than the client asked, under the planner's names, and know nothing of one
//! another's nulls. The shape is the client's selection with the type of every field resolved, so
//! that projecting an answer looks nothing up in the schema.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_graphql::Name;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::{FieldSelection, SelectionSet};
use hive_router_query_planner::state::supergraph_state::{
    SupergraphDefinition, SupergraphState, TypeNode,
};

use crate::api::{Api, TypeSet};

/// What is selected in an object.
#[derive(Debug, Default)]
pub(crate) struct Selections {
    pub(crate) items: Vec<Item>,
}

/// One selection.
#[derive(Debug)]
pub(crate) enum Item {
    Field(FieldShape),
    Fragment { types: TypeSet, when: When, selections: Selections },
}

/// One field of the answer.
#[derive(Debug)]
pub(crate) struct FieldShape {
    pub(crate) key: Name,
    pub(crate) when: When,
    /// The key stands more than once in its object, so its value is needed again.
    pub(crate) repeated: bool,
    pub(crate) shown: Shown,
}

/// Where the value of a field comes from.
#[derive(Debug)]
pub(crate) enum Shown {
    /// The name of the object's type.
    Typename,
    /// An answer that is already as it must be: introspection.
    Ready,
    /// The data.
    Value { field: String, kinds: Kinds, selections: Selections },
}

/// The conditions of `@skip` and `@include`.
#[derive(Debug, Default)]
pub(crate) struct When {
    pub(crate) skip: Option<Name>,
    pub(crate) include: Option<Name>,
}

/// The type of a field, which an object may declare stricter than its interface does.
#[derive(Debug)]
pub(crate) struct Kinds {
    pub(crate) usual: Kind,
    pub(crate) stricter: HashMap<String, Kind>,
}

/// A type, as far as it matters to an answer.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    NonNull(Box<Kind>),
    List(Box<Kind>),
    Leaf,
    /// Only these values.
    Enum(Arc<HashSet<String>>),
    Composite(Composite),
}

/// An object, interface or union.
#[derive(Debug, Clone)]
pub(crate) struct Composite {
    pub(crate) name: String,
    /// Types of objects that may be shown here.
    pub(crate) visible: TypeSet,
    /// Every object type; one of these that is not visible is shown as null.
    pub(crate) objects: TypeSet,
}

/// Resolves selections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shaper<'a> {
    pub(crate) api: &'a Api,
    pub(crate) supergraph: &'a SupergraphState,
}

impl Shaper<'_> {
    /// The shape of a selection in a type.
    pub(crate) fn selections(&self, set: &SelectionSet, parent: &str) -> Selections {
        let mut counts = HashMap::new();
        count_keys(set, &mut counts);
        self.counted(set, parent, &counts)
    }

    fn counted(
        &self,
        set: &SelectionSet,
        parent: &str,
        counts: &HashMap<&str, usize>,
    ) -> Selections {
        let items = set.items.iter().filter_map(|item| match item {
            SelectionItem::Field(field) => {
                let is_repeated =
                    counts.get(field.selection_identifier()).is_some_and(|it| *it > 1);
                self.field(field, parent, is_repeated).map(Item::Field)
            }
            SelectionItem::InlineFragment(fragment) => Some(Item::Fragment {
                types: self.api.possible(&fragment.type_condition),
                when: When::of(fragment.skip_if.as_ref(), fragment.include_if.as_ref()),
                selections: self.counted(&fragment.selections, &fragment.type_condition, counts),
            }),
            SelectionItem::FragmentSpread(_) => None,
        });
        Selections { items: items.collect() }
    }

    fn field(&self, field: &FieldSelection, parent: &str, repeated: bool) -> Option<FieldShape> {
        if field.omit_from_response {
            return None;
        }
        let shown = match field.name.as_str() {
            "__typename" => Shown::Typename,
            "__schema" | "__type" => Shown::Ready,
            name => {
                let declared = self.declared(parent, name)?;
                Shown::Value {
                    field: name.to_owned(),
                    kinds: self.kinds(parent, name, declared),
                    selections: self.selections(&field.selections, declared.inner_type()),
                }
            }
        };
        Some(FieldShape {
            key: Name::new(field.selection_identifier()),
            when: When::of(field.skip_if.as_ref(), field.include_if.as_ref()),
            repeated,
            shown,
        })
    }

    fn declared(&self, parent: &str, field: &str) -> Option<&TypeNode> {
        let parent = self.supergraph.definitions.get(parent)?;
        Some(&parent.fields().get(field)?.field_type)
    }

    fn kinds(&self, parent: &str, field: &str, declared: &TypeNode) -> Kinds {
        let mut stricter = HashMap::new();
        for object in self.api.possible(parent).iter() {
            let own = self.declared(object, field).filter(|own| *own != declared);
            if let Some(own) = own {
                stricter.insert(object.clone(), self.kind(own));
            }
        }
        Kinds { usual: self.kind(declared), stricter }
    }

    fn kind(&self, declared: &TypeNode) -> Kind {
        let name = match declared {
            TypeNode::NonNull(inner) => return Kind::NonNull(Box::new(self.kind(inner))),
            TypeNode::List(inner) => return Kind::List(Box::new(self.kind(inner))),
            TypeNode::Named(name) => name,
        };
        match self.supergraph.definitions.get(name) {
            Some(
                SupergraphDefinition::Object(_)
                | SupergraphDefinition::Interface(_)
                | SupergraphDefinition::Union(_),
            ) => Kind::Composite(Composite {
                name: name.clone(),
                visible: self.api.visible(name),
                objects: self.api.objects(),
            }),
            Some(SupergraphDefinition::Enum(_)) => {
                Kind::Enum(Arc::new(self.api.enum_values(name).unwrap_or_default()))
            }
            Some(SupergraphDefinition::Scalar(_) | SupergraphDefinition::InputObject(_)) | None => {
                Kind::Leaf
            }
        }
    }
}

impl When {
    fn of(skip: Option<&String>, include: Option<&String>) -> Self {
        Self { skip: skip.map(Name::new), include: include.map(Name::new) }
    }
}

fn count_keys<'a>(set: &'a SelectionSet, counts: &mut HashMap<&'a str, usize>) {
    for item in &set.items {
        match item {
            SelectionItem::Field(field) => {
                let count = counts.entry(field.selection_identifier()).or_default();
                *count = count.saturating_add(1);
            }
            SelectionItem::InlineFragment(fragment) => count_keys(&fragment.selections, counts),
            SelectionItem::FragmentSpread(_) => {}
        }
    }
}
