//! Bugs of what clients are shown.

use serde_json::Value;

use super::Bug;
use crate::world::World;

/// An answer to a client.
pub(crate) fn answer(world: &World, mut answer: Value) -> Value {
    let name = answer.get_mut("counterparty_name").filter(|_| world.has(Bug::PayeeMisnamed));
    if let Some(name) = name {
        *name = Value::from("Somebody else");
    }
    answer
}
