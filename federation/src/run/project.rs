//! Shows of the data what the client asked for, in its order, and lets nulls travel.
//!
//! A null in a field that is never null makes the object around it null, and so on outwards, as in
//! any GraphQL answer. If no subgraph said why the value is missing, an error says that it is.
//! Values move from the data into the answer; only a key that is selected twice is copied.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, PathSegment, ServerError, Value, Variables};

use super::merge::merge_shown;
use super::represent::{TYPENAME, name_in};
use crate::Code;
use crate::error::touches;
use crate::plan::{Composite, FieldShape, Item, Kind, Kinds, Prepared, Selections, Shown, When};

/// A null that the object around it cannot hold.
struct Bubble;

/// Where in the answer something is, without a copy of its names.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part<'a>,
}

enum Part<'a> {
    Root,
    Field(&'a Name),
    Index(usize),
}

impl Path<'_> {
    fn written(&self) -> Vec<PathSegment> {
        let mut path = self.parent.map(Path::written).unwrap_or_default();
        match self.part {
            Part::Root => {}
            Part::Field(name) => path.push(PathSegment::Field(name.to_string())),
            Part::Index(index) => path.push(PathSegment::Index(index)),
        }
        path
    }
}

/// One object on its way into the answer.
struct Object<'a> {
    kind: &'a str,
    fields: IndexMap<Name, Value>,
}

/// Makes one answer.
pub(super) struct Projector<'a> {
    variables: &'a Variables,
    errors: Vec<ServerError>,
    errors_max: usize,
}

impl<'a> Projector<'a> {
    /// With the errors that are already known.
    pub(super) fn new(
        variables: &'a Variables,
        errors: Vec<ServerError>,
        errors_max: usize,
    ) -> Self {
        Self { variables, errors, errors_max }
    }

    /// The answer to an operation, and its errors.
    pub(super) fn answer(mut self, prepared: &Prepared, data: Value) -> (Value, Vec<ServerError>) {
        let Value::Object(fields) = data else { return (Value::Null, self.errors) };
        let root = Path { parent: None, part: Part::Root };
        let mut object = Object { kind: &prepared.root, fields };
        let shown = self.object(&prepared.selections, &mut object, &root);
        (shown.map_or(Value::Null, Value::Object), self.errors)
    }

    fn object(
        &mut self,
        selections: &Selections,
        object: &mut Object<'_>,
        path: &Path<'_>,
    ) -> Result<IndexMap<Name, Value>, Bubble> {
        let mut shown = IndexMap::with_capacity(selections.items.len());
        self.select(selections, object, &mut shown, path)?;
        Ok(shown)
    }

    fn select(
        &mut self,
        selections: &Selections,
        object: &mut Object<'_>,
        shown: &mut IndexMap<Name, Value>,
        path: &Path<'_>,
    ) -> Result<(), Bubble> {
        for item in &selections.items {
            match item {
                Item::Field(field) if self.is_selected(&field.when) => {
                    let value = self.field(field, object, path)?;
                    match shown.get_mut(&field.key) {
                        Some(there) => merge_shown(there, value),
                        None => {
                            shown.insert(field.key.clone(), value);
                        }
                    }
                }
                Item::Fragment { types, when, selections }
                    if types.contains(object.kind) && self.is_selected(when) =>
                {
                    self.select(selections, object, shown, path)?;
                }
                Item::Field(_) | Item::Fragment { .. } => {}
            }
        }
        Ok(())
    }

    fn is_selected(&self, when: &When) -> bool {
        let holds = |name: &Name| self.variables.get(name) == Some(&Value::Boolean(true));
        !when.skip.as_ref().is_some_and(holds) && when.include.as_ref().is_none_or(holds)
    }

    fn field(
        &mut self,
        field: &FieldShape,
        object: &mut Object<'_>,
        path: &Path<'_>,
    ) -> Result<Value, Bubble> {
        let mut take = || {
            let value = if field.repeated {
                object.fields.get(&field.key).cloned()
            } else {
                object.fields.swap_remove(&field.key)
            };
            value.unwrap_or_default()
        };
        match &field.shown {
            Shown::Typename => Ok(Value::String(object.kind.to_owned())),
            Shown::Ready => Ok(take()),
            Shown::Value { field: name, kinds, selections } => {
                let path = Path { parent: Some(path), part: Part::Field(&field.key) };
                let value = take();
                let kind = kinds.of(object.kind);
                let shown = self.value(kind, selections, value, &path);
                if shown.is_err() {
                    self.missing(&format!("{}.{name}", object.kind), &path);
                }
                shown
            }
        }
    }

    fn value(
        &mut self,
        kind: &Kind,
        selections: &Selections,
        value: Value,
        path: &Path<'_>,
    ) -> Result<Value, Bubble> {
        match kind {
            Kind::NonNull(inner) => {
                let value = self.value(inner, selections, value, path)?;
                if value == Value::Null { Err(Bubble) } else { Ok(value) }
            }
            Kind::List(inner) => {
                let Value::List(values) = value else { return Ok(Value::Null) };
                let mut shown = Vec::with_capacity(values.len());
                for (index, value) in values.into_iter().enumerate() {
                    let path = Path { parent: Some(path), part: Part::Index(index) };
                    let Ok(value) = self.value(inner, selections, value, &path) else {
                        self.missing("an entry", &path);
                        return Ok(Value::Null);
                    };
                    shown.push(value);
                }
                Ok(Value::List(shown))
            }
            Kind::Leaf => Ok(value),
            Kind::Enum(values) => {
                let is_hidden = name_in(&value).is_some_and(|name| !values.contains(name));
                Ok(if is_hidden { Value::Null } else { value })
            }
            Kind::Composite(composite) => {
                let Value::Object(fields) = value else { return Ok(Value::Null) };
                Ok(self.composite(composite, selections, fields, path))
            }
        }
    }

    fn composite(
        &mut self,
        composite: &Composite,
        selections: &Selections,
        mut fields: IndexMap<Name, Value>,
        path: &Path<'_>,
    ) -> Value {
        let named = fields.swap_remove(TYPENAME);
        let kind = named.as_ref().and_then(name_in).unwrap_or(&composite.name);
        if !composite.visible.contains(kind) && composite.objects.contains(kind) {
            return Value::Null;
        }
        let mut object = Object { kind, fields };
        self.object(selections, &mut object, path).map_or(Value::Null, Value::Object)
    }

    /// Says that a value is missing, unless an error there already does.
    fn missing(&mut self, what: &str, path: &Path<'_>) {
        let path = path.written();
        let is_known = self.errors.iter().any(|error| touches(&error.path, &path));
        if !is_known && self.errors.len() < self.errors_max {
            let message = format!("{what} is never null, and has no value.");
            let mut error = Code::ValueMissing.error(message);
            error.path = path;
            self.errors.push(error);
        }
    }
}

impl Kinds {
    fn of(&self, object: &str) -> &Kind {
        if self.stricter.is_empty() {
            return &self.usual;
        }
        self.stricter.get(object).unwrap_or(&self.usual)
    }
}
