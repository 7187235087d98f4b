//! What others read of the directory. A promise: these types only grow, and a breaking change is
//! a new type beside the old.

use schemars::JsonSchema;
use serde::Serialize;
use shared_kernel::application::catalogue::Channel;
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{AccountId, Ispb, TaxId, Timestamp};

use crate::application::ports::EntryChange;
use crate::domain::{EntryEvent, EntryId, OwnerName, PixKey, PixKeyKind, RemovalReason};

use super::examples;

/// `ce_source` of the directory's events.
pub const SOURCE: &str = "/codepix/pix-keys";
/// What happens to keys.
pub const KEYS: Channel = Channel::new("codepix.pix-keys", "canonical text of the Pix key");

/// A key names an account from now on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PixKeyRegisteredV1 {
    /// This registration; a key that is removed and registered anew gets another.
    pub entry_id: EntryId,
    /// Kind of the key.
    pub kind: PixKeyKind,
    /// Canonical text of the key.
    pub key: PixKey,
    /// The account that the key names.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Name of its owner.
    pub owner_name: OwnerName,
    /// CPF or CNPJ of its owner.
    pub owner_tax_id: TaxId,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// Start of the owner's uninterrupted possession.
    pub owned_since: Timestamp,
}

/// A key names nothing any more.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PixKeyRemovedV1 {
    /// The registration that ended.
    pub entry_id: EntryId,
    /// Kind of the key.
    pub kind: PixKeyKind,
    /// Canonical text of the key.
    pub key: PixKey,
    /// The account that the key named.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Why, as the central bank writes it.
    pub reason: RemovalReason,
    /// When it was removed.
    pub removed_at: Timestamp,
}

shared_kernel::events! {
    /// What the directory publishes.
    pub registry Directory of "pix-keys", source SOURCE, types "codepix.pix_keys.";
    PixKeyRegisteredV1 = "PixKeyRegistered" (1, 0) on [KEYS], example examples::registered;
    PixKeyRemovedV1 = "PixKeyRemoved" (1, 0) on [KEYS], example examples::removed;
}

/// The published form of a change.
///
/// # Errors
/// [`StoreError::Rejected`] for a body that JSON cannot hold.
pub fn published(change: &EntryChange) -> Result<Published, StoreError> {
    let EntryChange { entry, event, trace } = change;
    let (kind, key) = (entry.key().kind(), entry.key().clone());
    let (topics, trace) = (vec![KEYS.topic()], trace.clone());
    let (subject, version) = (entry.key().as_str().to_owned(), entry.version());
    match event.clone() {
        EntryEvent::Registered(registered) => {
            let body = PixKeyRegisteredV1 {
                entry_id: registered.entry_id,
                kind,
                key,
                account_id: registered.account_id,
                ispb: registered.ispb,
                owner_name: registered.owner.name,
                owner_tax_id: registered.owner.tax_id,
                registered_at: registered.registered_at,
                owned_since: registered.owned_since,
            };
            Published::of(&body, topics, subject, version, trace)
        }
        EntryEvent::Removed(removed) => {
            let body = PixKeyRemovedV1 {
                entry_id: removed.entry_id,
                kind,
                key,
                account_id: removed.account_id,
                ispb: removed.ispb,
                reason: removed.reason,
                removed_at: removed.removed_at,
            };
            Published::of(&body, topics, subject, version, trace)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared_kernel::application::catalogue::{EventEntry, Registry as _};

    use super::*;
    use crate::application::memory::{MemoryDirectory, account_id, enrolled, trace};
    use crate::domain::Entry;

    fn registered() -> EntryChange {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        directory.add(enrolled(1, "00000001", "12345678909"));
        directory.give(1, "maria@example.com");
        directory.published().remove(0)
    }

    fn removed(mut entry: Entry) -> EntryChange {
        let reason = RemovalReason::AccountClosure;
        let at = Timestamp::from_micros(1_000_001).unwrap();
        let event = entry.remove(account_id(1), reason, at).unwrap();
        entry.apply(&event);
        EntryChange { entry, event, trace: trace() }
    }

    #[test]
    fn the_bodies_have_the_promised_fields() {
        let registered = registered();
        let removal = published(&removed(registered.entry.clone())).unwrap();
        let registration = published(&registered).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(registration.payload()).unwrap(),
            json!({
                "entry_id": "00000000-0000-0000-0000-000000000001",
                "kind": "email",
                "key": "maria@example.com",
                "account_id": "00000000-0000-0000-0000-000000000001",
                "ispb": "00000001",
                "owner_name": "Owner",
                "owner_tax_id": "12345678909",
                "registered_at": "1970-01-01T00:00:00.000000Z",
                "owned_since": "1970-01-01T00:00:00.000000Z",
            })
        );
        assert_eq!(
            serde_json::from_slice::<Value>(removal.payload()).unwrap(),
            json!({
                "entry_id": "00000000-0000-0000-0000-000000000001",
                "kind": "email",
                "key": "maria@example.com",
                "account_id": "00000000-0000-0000-0000-000000000001",
                "ispb": "00000001",
                "reason": "ACCOUNT_CLOSURE",
                "removed_at": "1970-01-01T00:00:01.000001Z",
            })
        );
        assert_eq!((registration.aggregate_version(), removal.aggregate_version()), (1, 2));
        assert_eq!(removal.subject(), "maria@example.com");
        assert_eq!(removal.trace(), &trace());
        assert_eq!(removal.topics().collect::<Vec<_>>(), ["codepix.pix-keys"]);
    }

    #[test]
    fn the_schemas_require_every_field() {
        for EventEntry { event_type, schema, .. } in Directory::EVENTS {
            let schema = serde_json::to_value(schema()).unwrap();
            let fields = schema["properties"].as_object().unwrap().len();
            assert_eq!(schema["required"].as_array().unwrap().len(), fields, "{event_type}");
        }
    }
}
