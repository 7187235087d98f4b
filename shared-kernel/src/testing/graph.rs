//! What a subgraph says of itself.

use async_graphql::{ObjectType, Schema, SubscriptionType};
use serde_json::Value;

const TYPES: &str = "{ __schema { types { name description \
     fields { name description args { name description } } \
     inputFields { name description } enumValues { name description } } } }";

/// What federation and the language bring.
fn is_given(name: &str) -> bool {
    name == "ID" || name.starts_with('_')
}

/// Every type, field, argument and enum value without a description, as `Type.field(argument)`.
/// Of `foreign` entities the owner describes the type and the id.
///
/// # Panics
/// When the schema does not answer: that is the test's failure.
#[expect(clippy::panic, reason = "a schema that does not answer has failed its test")]
pub async fn undocumented<Q, M, S>(schema: &Schema<Q, M, S>, foreign: &[&str]) -> Vec<String>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let answer = schema.execute(TYPES).await;
    let Ok(data) = answer.data.into_json() else { panic!("{:?}", answer.errors) };
    let types = listed(data.pointer("/__schema/types"));
    assert!(types.len() > 10, "{:?}", answer.errors);
    let mut found = Vec::new();
    for kind in types {
        let name = text(kind, "name");
        let is_foreign = foreign.contains(&name);
        if is_bare(kind) && !is_foreign && !is_given(name) {
            found.push(name.to_owned());
        }
        let parts = ["fields", "inputFields", "enumValues"];
        for part in parts.into_iter().flat_map(|part| listed(kind.get(part))) {
            let part_name = text(part, "name");
            let is_given = name.starts_with('_') || part_name.starts_with('_');
            if is_given || (is_foreign && part_name == "id") {
                continue;
            }
            if is_bare(part) {
                found.push(format!("{name}.{part_name}"));
            }
            let bare = listed(part.get("args")).iter().filter(|it| is_bare(it));
            found.extend(bare.map(|it| format!("{name}.{part_name}({})", text(it, "name"))));
        }
    }
    found
}

fn listed(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_bare(value: &Value) -> bool {
    text(value, "description").is_empty()
}
