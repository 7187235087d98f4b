//! Where the fields of an operation stand in its document, by the keys of the answer.
//!
//! A subgraph names places of a document that nobody but the plan has seen. The path of its error
//! leads to the field of the client's document, whose place is told instead.

use std::collections::HashMap;

use async_graphql::{PathSegment, Pos};
use graphql_tools::static_graphql::query::{
    Definition, Document, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};

/// The fields of a selection.
#[derive(Debug, Default)]
pub(crate) struct Places {
    fields: HashMap<String, Field>,
}

#[derive(Debug)]
struct Field {
    at: Pos,
    inside: Places,
}

impl Places {
    /// Of an operation whose document was measured: its fragments end, and are few.
    pub(crate) fn of(document: &Document, operation: &OperationDefinition) -> Self {
        let mut places = Self::default();
        places.take(document, operation.selection_set());
        places
    }

    fn take(&mut self, document: &Document, set: &SelectionSet) {
        for selection in &set.items {
            match selection {
                Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    let at = Pos { line: field.position.line, column: field.position.column };
                    self.field(key, at).take(document, &field.selection_set);
                }
                Selection::InlineFragment(fragment) => {
                    self.take(document, &fragment.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragment(document, &spread.fragment_name) {
                        self.take(document, &fragment.selection_set);
                    }
                }
            }
        }
    }

    /// What is inside the field of a key, which stands where it stands first.
    fn field(&mut self, key: &str, at: Pos) -> &mut Self {
        let first = || Field { at, inside: Self::default() };
        &mut self.fields.entry(key.to_owned()).or_insert_with(first).inside
    }

    /// The place of the field that a path leads to, or of the last that is known on the way.
    pub(crate) fn at(&self, path: &[PathSegment]) -> Option<Pos> {
        let mut found = None;
        let mut places = self;
        for segment in path {
            let PathSegment::Field(key) = segment else { continue };
            let Some(field) = places.fields.get(key) else { break };
            found = Some(field.at);
            places = &field.inside;
        }
        found
    }
}

fn fragment<'d>(document: &'d Document, name: &str) -> Option<&'d FragmentDefinition> {
    document.definitions.iter().find_map(|definition| match definition {
        Definition::Fragment(fragment) if fragment.name == name => Some(fragment),
        Definition::Fragment(_) | Definition::Operation(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use graphql_tools::parser::parse_query;

    use super::*;
    use crate::measure::choose;

    #[test]
    fn a_path_leads_to_its_field_through_lists_aliases_and_fragments() {
        let text = "{\n  a: list {\n    ...f\n  }\n}\nfragment f on T {\n  id\n  inner { id }\n}";
        let document = parse_query::<String>(text).unwrap().into_static();
        let places = Places::of(&document, choose(&document, None).unwrap());
        let at = |path: &[&str]| {
            let segment = |part: &&str| match part.parse() {
                Ok(index) => PathSegment::Index(index),
                Err(_name) => PathSegment::Field((*part).to_owned()),
            };
            let path: Vec<PathSegment> = path.iter().map(segment).collect();
            places.at(&path).map(|at| (at.line, at.column))
        };
        assert_eq!(at(&["a"]), Some((2, 3)));
        assert_eq!(at(&["a", "3", "inner", "id"]), Some((8, 11)));
        assert_eq!(at(&["a", "3", "elsewhere"]), Some((2, 3)), "the last that is known");
        assert_eq!(at(&[]), None);
        assert_eq!(at(&["list"]), None);
    }
}
