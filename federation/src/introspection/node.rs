//! The parts of a schema, as introspection names them.

use async_graphql::Value;
use graphql_tools::static_graphql::schema::{
    self, Definition, Directive, DirectiveDefinition, EnumValue, Field, InputValue, Type,
    TypeDefinition,
};
use hive_router_query_planner::state::supergraph_state::OperationKind;

use crate::api::Api;

/// What the specification says where a deprecation has no reason.
const NO_REASON: &str = "No longer supported";

/// One part of the schema.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node<'a> {
    Root,
    Schema,
    Named(&'a TypeDefinition),
    /// A list, or a type that is never null.
    Wrapped(&'a Type),
    Field(&'a Field),
    Input(&'a InputValue),
    EnumValue(&'a EnumValue),
    Directive(&'a DirectiveDefinition),
}

/// What a field of a part answers.
pub(super) enum Answer<'a> {
    Value(Value),
    One(Node<'a>),
    Many(Vec<Node<'a>>),
}

impl<'a> Node<'a> {
    /// The name of its own type.
    pub(super) fn typename(self) -> &'static str {
        match self {
            Self::Root => "Query",
            Self::Schema => "__Schema",
            Self::Named(_) | Self::Wrapped(_) => "__Type",
            Self::Field(_) => "__Field",
            Self::Input(_) => "__InputValue",
            Self::EnumValue(_) => "__EnumValue",
            Self::Directive(_) => "__Directive",
        }
    }

    /// A field of it; null for what it does not have.
    pub(super) fn field(self, api: &'a Api, name: &str, deprecated: bool) -> Answer<'a> {
        match self {
            Self::Root if name == "__schema" => Answer::One(Self::Schema),
            Self::Root => null(),
            Self::Schema => schema(api, name),
            Self::Named(definition) => named(api, definition, name, deprecated),
            Self::Wrapped(wrapped) => wrapper(api, wrapped, name),
            Self::Field(field) => match name {
                "name" => text(&field.name),
                "description" => optional(field.description.as_ref()),
                "args" => inputs(&field.arguments, deprecated),
                "type" => of_type(api, &field.field_type),
                _ => deprecation(&field.directives, name),
            },
            Self::Input(input) => match name {
                "name" => text(&input.name),
                "description" => optional(input.description.as_ref()),
                "type" => of_type(api, &input.value_type),
                "defaultValue" => {
                    optional(input.default_value.as_ref().map(ToString::to_string).as_ref())
                }
                _ => deprecation(&input.directives, name),
            },
            Self::EnumValue(value) => match name {
                "name" => text(&value.name),
                "description" => optional(value.description.as_ref()),
                _ => deprecation(&value.directives, name),
            },
            Self::Directive(directive) => match name {
                "name" => text(&directive.name),
                "description" => optional(directive.description.as_ref()),
                "isRepeatable" => Answer::Value(Value::Boolean(directive.repeatable)),
                "args" => inputs(&directive.arguments, deprecated),
                "locations" => {
                    let places =
                        directive.locations.iter().map(|place| Value::from(place.as_str()));
                    Answer::Value(Value::List(places.collect()))
                }
                _ => null(),
            },
        }
    }
}

fn null<'a>() -> Answer<'a> {
    Answer::Value(Value::Null)
}

fn text<'a>(text: &str) -> Answer<'a> {
    Answer::Value(Value::from(text))
}

fn optional<'a>(text: Option<&String>) -> Answer<'a> {
    Answer::Value(text.map_or(Value::Null, Value::from))
}

fn of_type<'a>(api: &'a Api, of: &'a Type) -> Answer<'a> {
    match of {
        Type::NamedType(name) => {
            api.type_named(name).map_or(null(), |definition| Answer::One(Node::Named(definition)))
        }
        Type::ListType(_) | Type::NonNullType(_) => Answer::One(Node::Wrapped(of)),
    }
}

fn schema<'a>(api: &'a Api, name: &str) -> Answer<'a> {
    let root = |kind| {
        let definition = api.root(&kind).and_then(|name| api.type_named(name));
        definition.map_or(null(), |definition| Answer::One(Node::Named(definition)))
    };
    match name {
        "types" => Answer::Many(definitions(api).map(Node::Named).collect()),
        "queryType" => root(OperationKind::Query),
        "mutationType" => root(OperationKind::Mutation),
        "subscriptionType" => root(OperationKind::Subscription),
        "directives" => {
            let all = api.document().definitions.iter().filter_map(|definition| match definition {
                Definition::DirectiveDefinition(directive) => Some(Node::Directive(directive)),
                Definition::SchemaDefinition(_)
                | Definition::TypeDefinition(_)
                | Definition::TypeExtension(_) => None,
            });
            Answer::Many(all.collect())
        }
        _ => null(),
    }
}

fn definitions(api: &Api) -> impl Iterator<Item = &TypeDefinition> {
    api.document().definitions.iter().filter_map(|definition| match definition {
        Definition::TypeDefinition(definition) => Some(definition),
        Definition::SchemaDefinition(_)
        | Definition::TypeExtension(_)
        | Definition::DirectiveDefinition(_) => None,
    })
}

fn named<'a>(
    api: &'a Api,
    definition: &'a TypeDefinition,
    name: &str,
    deprecated: bool,
) -> Answer<'a> {
    let parts = Parts::of(definition);
    let shown = |directives: &[Directive]| deprecated || deprecated_with(directives).is_none();
    match name {
        "kind" => text(parts.kind),
        "name" => text(definition.name()),
        "description" => optional(parts.description),
        "specifiedByURL" => optional(argument(parts.directives, "specifiedBy", "url").as_ref()),
        "isOneOf" if parts.kind == "INPUT_OBJECT" => {
            let one_of = parts.directives.iter().any(|directive| directive.name == "oneOf");
            Answer::Value(Value::Boolean(one_of))
        }
        "fields" => parts.fields.map_or(null(), |fields| {
            let fields = fields
                .iter()
                .filter(|field| !field.name.starts_with("__") && shown(&field.directives));
            Answer::Many(fields.map(Node::Field).collect())
        }),
        "interfaces" => parts.interfaces.map_or(null(), |names| {
            let interfaces = names.iter().filter_map(|name| api.type_named(name));
            Answer::Many(interfaces.map(Node::Named).collect())
        }),
        "possibleTypes" if matches!(parts.kind, "INTERFACE" | "UNION") => {
            let members = api.visible(definition.name());
            let is_member = |other: &&TypeDefinition| {
                matches!(other, TypeDefinition::Object(_)) && members.contains(other.name())
            };
            Answer::Many(definitions(api).filter(is_member).map(Node::Named).collect())
        }
        "enumValues" => parts.values.map_or(null(), |values| {
            let values = values.iter().filter(|value| shown(&value.directives));
            Answer::Many(values.map(Node::EnumValue).collect())
        }),
        "inputFields" => parts.inputs.map_or(null(), |fields| inputs(fields, deprecated)),
        _ => null(),
    }
}

fn wrapper<'a>(api: &'a Api, wrapped: &'a Type, name: &str) -> Answer<'a> {
    let (kind, inner) = match wrapped {
        Type::ListType(inner) => ("LIST", inner),
        Type::NonNullType(inner) => ("NON_NULL", inner),
        Type::NamedType(_) => return of_type(api, wrapped),
    };
    match name {
        "kind" => text(kind),
        "ofType" => of_type(api, inner),
        _ => null(),
    }
}

fn inputs(inputs: &[InputValue], deprecated: bool) -> Answer<'_> {
    let shown = |input: &&InputValue| deprecated || deprecated_with(&input.directives).is_none();
    Answer::Many(inputs.iter().filter(shown).map(Node::Input).collect())
}

fn deprecation<'a>(directives: &[Directive], name: &str) -> Answer<'a> {
    let reason = deprecated_with(directives);
    match name {
        "isDeprecated" => Answer::Value(Value::Boolean(reason.is_some())),
        "deprecationReason" => optional(reason.as_ref()),
        _ => null(),
    }
}

/// The reason of a deprecation, if there is one.
fn deprecated_with(directives: &[Directive]) -> Option<String> {
    directives.iter().find(|directive| directive.name == "deprecated")?;
    Some(argument(directives, "deprecated", "reason").unwrap_or_else(|| NO_REASON.to_owned()))
}

fn argument(directives: &[Directive], directive: &str, argument: &str) -> Option<String> {
    let directive = directives.iter().find(|one| one.name == directive)?;
    let (_, value) = directive.arguments.iter().find(|(name, _)| name == argument)?;
    if let schema::Value::String(text) = value { Some(text.clone()) } else { None }
}

/// What a kind of type has, and none of what it has not.
#[derive(Default)]
struct Parts<'a> {
    kind: &'static str,
    description: Option<&'a String>,
    directives: &'a [Directive],
    fields: Option<&'a [Field]>,
    interfaces: Option<&'a [String]>,
    values: Option<&'a [EnumValue]>,
    inputs: Option<&'a [InputValue]>,
}

impl<'a> Parts<'a> {
    fn of(definition: &'a TypeDefinition) -> Self {
        match definition {
            TypeDefinition::Scalar(it) => {
                Self::plain("SCALAR", it.description.as_ref(), &it.directives)
            }
            TypeDefinition::Object(it) => Self {
                fields: Some(&it.fields),
                interfaces: Some(&it.implements_interfaces),
                ..Self::plain("OBJECT", it.description.as_ref(), &it.directives)
            },
            TypeDefinition::Interface(it) => Self {
                fields: Some(&it.fields),
                interfaces: Some(&it.implements_interfaces),
                ..Self::plain("INTERFACE", it.description.as_ref(), &it.directives)
            },
            TypeDefinition::Union(it) => {
                Self::plain("UNION", it.description.as_ref(), &it.directives)
            }
            TypeDefinition::Enum(it) => Self {
                values: Some(&it.values),
                ..Self::plain("ENUM", it.description.as_ref(), &it.directives)
            },
            TypeDefinition::InputObject(it) => Self {
                inputs: Some(&it.fields),
                ..Self::plain("INPUT_OBJECT", it.description.as_ref(), &it.directives)
            },
        }
    }

    fn plain(
        kind: &'static str,
        description: Option<&'a String>,
        directives: &'a [Directive],
    ) -> Self {
        Self { kind, description, directives, ..Self::default() }
    }
}
