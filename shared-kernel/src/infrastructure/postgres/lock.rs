//! Advisory locks: who migrates a schema, who relays a shard.

use crate::application::outbox::fnv;

/// The key of a lock by its name. 64 bits, so that two names never share one.
pub(crate) fn lock_key(name: &str) -> i64 {
    fnv(name.as_bytes()).cast_signed()
}

/// The lock of whoever relays a shard of a schema's outbox.
pub(crate) fn relay_lock(schema: &str, shard: u16) -> i64 {
    lock_key(&format!("codepix relay {schema}/{shard}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn shards_of_many_schemas_have_locks_of_their_own() {
        let locks =
            |schema: usize| (0..64).map(move |shard| relay_lock(&format!("schema{schema}"), shard));
        let keys: HashSet<i64> = (0..64).flat_map(locks).collect();
        assert_eq!(keys.len(), 64 * 64);
    }
}
