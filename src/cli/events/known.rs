//! Which event a record is.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;
use shared_kernel::application::catalogue::{EventEntry, Shape};
use shared_kernel::application::{Envelope, InboundRecord};

use super::topics::ForeignTopics;
use crate::catalogue;

/// Every event of the product, with what tells it from others on its topic.
pub(super) struct KnownEvents {
    events: Vec<KnownEvent>,
    topics: ForeignTopics,
}

struct KnownEvent {
    entry: &'static EventEntry,
    /// Fields that its schema requires, in lower case; of events without envelope alone.
    required: BTreeSet<String>,
}

impl KnownEvent {
    fn of(entry: &'static EventEntry) -> Self {
        let required = match entry.shape {
            Shape::CloudEvent => BTreeSet::new(),
            Shape::Foreign { .. } => required(&(entry.schema)().to_value()),
        };
        Self { entry, required }
    }

    const fn is_foreign(&self) -> bool {
        matches!(self.entry.shape, Shape::Foreign { .. })
    }

    /// How many of its required fields a body lacks; none when it has none of them.
    fn lacks(&self, fields: &BTreeSet<String>) -> Option<usize> {
        let lacking = self.required.difference(fields).count();
        (lacking < self.required.len()).then_some(lacking)
    }
}

fn required(schema: &Value) -> BTreeSet<String> {
    let fields = schema.get("required").and_then(Value::as_array);
    let names = fields.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_ascii_lowercase).collect()
}

/// Names of the fields of a body, in lower case: bank programs write them in any.
fn fields_of(record: &InboundRecord) -> BTreeSet<String> {
    let body = record.payload.as_deref().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let fields = body.as_object().into_iter().flatten();
    fields.map(|(name, _)| name.to_ascii_lowercase()).collect()
}

impl KnownEvents {
    /// All of the catalogue, on these topics.
    pub(super) fn on(topics: &ForeignTopics) -> Self {
        Self { events: catalogue::events().map(KnownEvent::of).collect(), topics: topics.clone() }
    }

    /// Every event.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'static EventEntry> {
        self.events.iter().map(|known| known.entry)
    }

    /// Whether an event stands on a topic (name without prefix).
    pub(super) fn stands_on(&self, entry: &EventEntry, topic: &str) -> bool {
        self.topics.stands_on(entry, topic)
    }

    /// The addresses on which events stand, under this hub's settings.
    pub(super) fn addresses_of(&self, entries: &[&EventEntry]) -> BTreeSet<String> {
        let mut addresses = BTreeSet::new();
        for entry in entries {
            let own = entry.channels.iter().map(|it| self.topics.address_of(entry, it));
            addresses.extend(own.map(Cow::into_owned));
        }
        addresses
    }

    /// Whether events stand on a topic (name without prefix).
    pub(super) fn has_topic(&self, topic: &str) -> bool {
        self.events.iter().any(|known| self.topics.stands_on(known.entry, topic))
    }

    /// The entry of a record: by its type, and without an envelope by its topic. Where a topic is
    /// of several such events, the one is meant whose required fields the body has.
    pub(super) fn entry_of(
        &self,
        topic: &str,
        record: &InboundRecord,
        envelope: Option<&Envelope>,
    ) -> Option<&'static EventEntry> {
        if let Some(envelope) = envelope {
            let mut all = self.events.iter().map(|known| known.entry);
            return all.find(|entry| entry.event_type == envelope.event_type);
        }
        let candidates = self.foreign(topic);
        if let [only] = candidates.as_slice() {
            return Some(only.entry);
        }
        let fields = fields_of(record);
        let lacking = candidates.iter().filter_map(|it| Some((it.lacks(&fields)?, it.entry)));
        lacking.min_by_key(|(lacking, _)| *lacking).map(|(_, entry)| entry)
    }

    /// Why a record without envelope is no event of its topic; none where events have envelopes.
    pub(super) fn strange(&self, topic: &str) -> Option<String> {
        let names: Vec<&str> = self.foreign(topic).iter().map(|it| it.entry.name).collect();
        (!names.is_empty()).then(|| format!("the body has no field of {}", names.join(" or ")))
    }

    /// The events without envelope of a topic.
    fn foreign(&self, topic: &str) -> Vec<&KnownEvent> {
        let stands = |it: &&KnownEvent| it.is_foreign() && self.topics.stands_on(it.entry, topic);
        self.events.iter().filter(stands).collect()
    }
}
