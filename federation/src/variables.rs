//! Variables, checked and brought into their declared types before anything is planned.
//!
//! A subgraph checks what reaches it, but a variable may reach several or none, and a condition of
//! `@include` is read by the join itself. So all of it happens here once, by the rules of the
//! specification: defaults fill in, one value becomes a list of one, whole numbers become ids. What
//! does not fit is refused with the place of its declaration; the value itself is not repeated,
//! because messages end up in logs.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Pos, ServerError, Value, Variables};
use graphql_tools::static_graphql::query::{self, Type};
use graphql_tools::static_graphql::schema::{EnumType, InputObjectType, TypeDefinition};

use crate::Code;
use crate::api::{Api, is_required};
use crate::run::name_in;

/// Errors that are reported at once.
const ERRORS_MAX: usize = 10;

/// The variables that an operation declares.
#[derive(Debug)]
pub(crate) struct Declared {
    variables: Vec<Variable>,
}

#[derive(Debug)]
struct Variable {
    name: Name,
    declared: Type,
    default: Option<Value>,
    position: Pos,
}

impl Declared {
    /// Of an operation.
    pub(crate) fn of(operation: &query::OperationDefinition) -> Self {
        let variables = operation.variable_definitions().iter().map(|definition| Variable {
            name: Name::new(&definition.name),
            declared: definition.var_type.clone(),
            default: definition.default_value.as_ref().map(constant),
            position: Pos { line: definition.position.line, column: definition.position.column },
        });
        Self { variables: variables.collect() }
    }

    /// What is given, in the declared types; what is not declared is left out.
    pub(crate) fn coerce(
        &self,
        api: &Api,
        mut given: Variables,
    ) -> Result<Variables, Vec<ServerError>> {
        let mut coerced = Variables::default();
        let mut errors = Vec::new();
        for variable in &self.variables {
            let value = given.remove(&variable.name).or_else(|| variable.default.clone());
            match (value, &variable.declared) {
                (Some(value), declared) => {
                    let mut check = Check { api, variable, errors: &mut errors };
                    let path = Path { parent: None, part: Part::Field(&variable.name) };
                    let value = check.value(declared, value, &path);
                    coerced.insert(variable.name.clone(), value);
                }
                (None, Type::NonNullType(_)) => {
                    let mut check = Check { api, variable, errors: &mut errors };
                    let path = Path { parent: None, part: Part::Field(&variable.name) };
                    let declared = &variable.declared;
                    check.refuse(&path, &format!("is missing; {declared} is required"));
                }
                (None, Type::NamedType(_) | Type::ListType(_)) => {}
            }
        }
        if errors.is_empty() { Ok(coerced) } else { Err(errors) }
    }
}

/// Where in a variable a value lies.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    part: Part<'a>,
}

enum Part<'a> {
    Field(&'a str),
    Index(usize),
}

impl Path<'_> {
    fn written(&self) -> String {
        match (self.parent, &self.part) {
            (None, Part::Field(name)) => format!("${name}"),
            (Some(parent), Part::Field(name)) => format!("{}.{name}", parent.written()),
            (Some(parent), Part::Index(index)) => format!("{}[{index}]", parent.written()),
            (None, Part::Index(index)) => format!("[{index}]"),
        }
    }
}

struct Check<'a> {
    api: &'a Api,
    variable: &'a Variable,
    errors: &'a mut Vec<ServerError>,
}

impl Check<'_> {
    fn refuse(&mut self, path: &Path<'_>, what: &str) -> Value {
        if self.errors.len() < ERRORS_MAX {
            let message = format!("The variable {} {what}.", path.written());
            self.errors.push(Code::VariableInvalid.at(message, vec![self.variable.position]));
        }
        Value::Null
    }

    fn value(&mut self, declared: &Type, value: Value, path: &Path<'_>) -> Value {
        match (declared, value) {
            (Type::NonNullType(_), Value::Null) => {
                self.refuse(path, &format!("is null; {declared} is required"))
            }
            (Type::NonNullType(inner), value) => self.value(inner, value, path),
            (_, Value::Null) => Value::Null,
            (Type::ListType(inner), Value::List(values)) => {
                let values = values.into_iter().enumerate().map(|(index, value)| {
                    let path = Path { parent: Some(path), part: Part::Index(index) };
                    self.value(inner, value, &path)
                });
                Value::List(values.collect())
            }
            (Type::ListType(inner), value) => Value::List(vec![self.value(inner, value, path)]),
            (Type::NamedType(name), value) => self.named(name, value, path),
        }
    }

    fn named(&mut self, name: &str, value: Value, path: &Path<'_>) -> Value {
        let api = self.api;
        match api.type_named(name) {
            Some(TypeDefinition::Enum(definition)) => self.enumerated(definition, value, path),
            Some(TypeDefinition::InputObject(definition)) => self.object(definition, value, path),
            Some(
                TypeDefinition::Scalar(_)
                | TypeDefinition::Object(_)
                | TypeDefinition::Interface(_)
                | TypeDefinition::Union(_),
            )
            | None => self.scalar(name, value, path),
        }
    }

    fn scalar(&mut self, name: &str, value: Value, path: &Path<'_>) -> Value {
        let fits = match (name, &value) {
            ("Int", Value::Number(number)) => {
                number.as_i64().is_some_and(|whole| i32::try_from(whole).is_ok())
            }
            ("ID", Value::Number(number)) => {
                if number.is_i64() || number.is_u64() {
                    return Value::String(number.to_string());
                }
                false
            }
            ("Float", Value::Number(_))
            | ("String" | "ID", Value::String(_))
            | ("Boolean", Value::Boolean(_)) => true,
            ("Int" | "Float" | "String" | "Boolean" | "ID", _) => false,
            // A scalar of a subgraph's own is that subgraph's to judge.
            _ => true,
        };
        if fits {
            return value;
        }
        let found = kind(&value);
        self.refuse(path, &format!("must be {}, not {found}", wanted(name)))
    }

    fn enumerated(&mut self, definition: &EnumType, value: Value, path: &Path<'_>) -> Value {
        let given = name_in(&value);
        if definition.values.iter().any(|known| Some(known.name.as_str()) == given) {
            return value;
        }
        let known: Vec<&str> = definition.values.iter().map(|value| value.name.as_str()).collect();
        let name = &definition.name;
        self.refuse(path, &format!("must be a value of {name}: {}", known.join(", ")))
    }

    fn object(&mut self, definition: &InputObjectType, value: Value, path: &Path<'_>) -> Value {
        let name = &definition.name;
        let Value::Object(mut given) = value else {
            let found = kind(&value);
            return self.refuse(path, &format!("must be an object of {name}, not {found}"));
        };
        let mut coerced = IndexMap::with_capacity(given.len());
        for field in &definition.fields {
            let path = Path { parent: Some(path), part: Part::Field(&field.name) };
            let default = || field.default_value.as_ref().map(constant);
            match given.swap_remove(field.name.as_str()).or_else(default) {
                Some(value) => {
                    let value = self.value(&field.value_type, value, &path);
                    coerced.insert(Name::new(&field.name), value);
                }
                None if is_required(field) => {
                    let wanted = &field.value_type;
                    self.refuse(&path, &format!("is missing; {wanted} is required"));
                }
                None => {}
            }
        }
        for unknown in given.keys() {
            let path = Path { parent: Some(path), part: Part::Field(unknown) };
            self.refuse(&path, &format!("is not known; {name} has no such field"));
        }
        let one_of = definition.directives.iter().any(|directive| directive.name == "oneOf");
        let set = coerced.values().filter(|value| **value != Value::Null).count();
        if one_of && (set != 1 || coerced.len() != 1) {
            self.refuse(path, &format!("must have exactly one field of {name}"));
        }
        Value::Object(coerced)
    }
}

fn wanted(scalar: &str) -> &'static str {
    match scalar {
        "Int" => "a whole number of 32 bits",
        "Float" => "a number",
        "Boolean" => "true or false",
        "ID" => "a text or a whole number",
        _ => "a text",
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Number(_) => "such a number",
        Value::String(_) | Value::Enum(_) | Value::Binary(_) => "a text",
        Value::Boolean(_) => "true or false",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A literal of a document; a variable cannot stand in one.
pub(crate) fn constant(literal: &query::Value) -> Value {
    match literal {
        query::Value::Variable(_) | query::Value::Null => Value::Null,
        query::Value::Int(number) => number.as_i64().map_or(Value::Null, Value::from),
        query::Value::Float(number) => (*number).into(),
        query::Value::String(text) => Value::String(text.clone()),
        query::Value::Boolean(flag) => Value::Boolean(*flag),
        query::Value::Enum(name) => Value::Enum(Name::new(name)),
        query::Value::List(values) => Value::List(values.iter().map(constant).collect()),
        query::Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (Name::new(name), constant(value)));
            Value::Object(fields.collect())
        }
    }
}
