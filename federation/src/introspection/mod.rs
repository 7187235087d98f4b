//! Answers `__schema` and `__type` from the schema that clients see, without asking a subgraph.

mod node;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value, Variables};
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::FieldSelection;
use hive_router_query_planner::ast::value;

use self::node::{Answer, Node};
use crate::api::Api;
use crate::run::merge;

/// Answers introspection fields of an operation.
#[derive(Debug)]
pub(crate) struct Introspection<'a> {
    api: &'a Api,
    variables: &'a Variables,
}

impl<'a> Introspection<'a> {
    /// Of a schema, for a request.
    pub(crate) fn new(api: &'a Api, variables: &'a Variables) -> Self {
        Self { api, variables }
    }

    /// What an operation asks of the schema.
    pub(crate) fn answer(&self, asked: &[SelectionItem]) -> Value {
        self.object(Node::Root, asked)
    }

    fn object(&self, node: Node<'a>, items: &[SelectionItem]) -> Value {
        let mut shown = Value::Object(IndexMap::new());
        for item in items {
            match item {
                SelectionItem::Field(field) => {
                    if self.is_selected(field.skip_if.as_ref(), field.include_if.as_ref())
                        && !field.omit_from_response
                    {
                        let value = self.field(node, field);
                        let key = Name::new(field.selection_identifier());
                        merge(&mut shown, Value::Object(IndexMap::from([(key.clone(), value)])));
                        if let Value::Object(shown) = &mut shown {
                            shown.entry(key).or_insert(Value::Null);
                        }
                    }
                }
                SelectionItem::InlineFragment(fragment) => {
                    if self.is_selected(fragment.skip_if.as_ref(), fragment.include_if.as_ref()) {
                        merge(&mut shown, self.object(node, &fragment.selections.items));
                    }
                }
                SelectionItem::FragmentSpread(_) => {}
            }
        }
        shown
    }

    fn is_selected(&self, skip: Option<&String>, include: Option<&String>) -> bool {
        let holds =
            |name: &String| self.variables.get(name.as_str()) == Some(&Value::Boolean(true));
        !skip.is_some_and(holds) && include.is_none_or(holds)
    }

    fn field(&self, node: Node<'a>, field: &FieldSelection) -> Value {
        let answer = match field.name.as_str() {
            "__typename" => return Value::from(node.typename()),
            "__type" => {
                let name = self.argument(field, "name");
                match name {
                    Some(Value::String(name)) => self
                        .api
                        .type_named(&name)
                        .map_or(Answer::Value(Value::Null), |definition| {
                            Answer::One(Node::Named(definition))
                        }),
                    _ => Answer::Value(Value::Null),
                }
            }
            name => {
                let deprecated = self.argument(field, "includeDeprecated");
                node.field(self.api, name, deprecated == Some(Value::Boolean(true)))
            }
        };
        let items = &field.selections.items;
        match answer {
            Answer::Value(value) => value,
            Answer::One(node) => self.object(node, items),
            Answer::Many(nodes) => {
                Value::List(nodes.into_iter().map(|node| self.object(node, items)).collect())
            }
        }
    }

    fn argument(&self, field: &FieldSelection, name: &str) -> Option<Value> {
        match field.arguments.as_ref()?.get_argument(name)? {
            value::Value::Variable(name) => self.variables.get(name.as_str()).cloned(),
            value::Value::String(text) => Some(Value::from(text)),
            value::Value::Boolean(flag) => Some(Value::Boolean(*flag)),
            value::Value::Int(_)
            | value::Value::Float(_)
            | value::Value::Null
            | value::Value::Enum(_)
            | value::Value::List(_)
            | value::Value::Object(_) => None,
        }
    }
}
