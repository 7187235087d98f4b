//! Everything that the code says, gathered: events with schema and example, and who reads them.

use anyhow::{Context as _, anyhow};
use codepix::catalogue::{self, ContextCatalogue};
use codepix::config::ContextName;
use serde_json::Value;
use shared_kernel::application::catalogue::{Channel, EventEntry, Reader, Shape};
use shared_kernel::application::{InboundRecord, TopicPartition};
use shared_kernel::domain::Timestamp;
use uuid::Uuid;

use crate::schema;

/// The id of every example's event.
const EXAMPLE_ID: Uuid = Uuid::from_u128(0x0193_487f_7a00_7c55_8b1a_5d2f_0c9a_4e00);
/// When every example was written to its outbox: 2026-11-20T12:00:00.2Z.
pub(crate) const EXAMPLE_MICROS: i64 = 1_795_176_000_200_000;

/// A context that takes an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReaderDoc {
    /// Name of the context.
    pub context: &'static str,
    /// Its consumer.
    pub consumer: &'static str,
    /// Address of the channel on which it reads.
    pub channel: &'static str,
}

/// One event, whole.
#[derive(Clone, Debug)]
pub struct EventDoc {
    /// The context in whose registry it is.
    pub context: ContextName,
    /// `ce_source`.
    pub source: &'static str,
    /// Its entry.
    pub entry: EventEntry,
    /// JSON Schema of its body.
    pub schema: Value,
    /// An example as it is read, on each of its channels.
    pub records: Vec<InboundRecord>,
    /// Body of the example.
    pub example: Value,
    /// Who takes it.
    pub readers: Vec<ReaderDoc>,
}

impl EventDoc {
    /// Whether its records have an envelope.
    pub const fn has_envelope(&self) -> bool {
        matches!(self.entry.shape, Shape::CloudEvent)
    }
}

/// Everything.
#[derive(Debug)]
pub struct Catalogue {
    /// The contexts.
    pub contexts: Vec<ContextCatalogue>,
    /// Their events, in the order of the registries.
    pub events: Vec<EventDoc>,
}

impl Catalogue {
    /// Asks the code.
    ///
    /// # Errors
    /// When an event has no example.
    pub fn of_the_code() -> anyhow::Result<Self> {
        Self::of(catalogue::contexts().into())
    }

    /// Of these contexts alone.
    ///
    /// # Errors
    /// When an event has no example.
    pub fn of(contexts: Vec<ContextCatalogue>) -> anyhow::Result<Self> {
        let readers: Vec<&Reader> = contexts.iter().flat_map(|context| context.readers).collect();
        let mut events = Vec::new();
        for context in &contexts {
            for entry in context.events {
                events.push(document(context, entry, &readers)?);
            }
        }
        Ok(Self { contexts, events })
    }

    /// Every channel with its owner, each once.
    pub fn channels(&self) -> Vec<(ContextName, Channel)> {
        let mut found: Vec<(ContextName, Channel)> = Vec::new();
        for context in &self.contexts {
            for channel in context.channels() {
                if !found.iter().any(|(_, known)| known.address == channel.address) {
                    found.push((context.context, channel));
                }
            }
        }
        found
    }

    /// The events that a context takes.
    pub fn read_by(&self, context: ContextName) -> Vec<&EventDoc> {
        let takes = |event: &&EventDoc| {
            event.readers.iter().any(|reader| reader.context == context.as_str())
        };
        self.events.iter().filter(takes).collect()
    }

    /// The events that stand on a channel.
    pub fn on(&self, channel: &str) -> Vec<&EventDoc> {
        let stands =
            |event: &&EventDoc| event.entry.channels.iter().any(|known| known.address == channel);
        self.events.iter().filter(stands).collect()
    }
}

fn document(
    context: &ContextCatalogue,
    entry: &EventEntry,
    readers: &[&Reader],
) -> anyhow::Result<EventDoc> {
    let name = entry.event_type;
    let schema = schema::whole(&serde_json::to_value((entry.schema)())?);
    let records = example_records(context, entry)?;
    let body = records.first().and_then(|record| record.payload.as_deref());
    let example = serde_json::from_slice(body.unwrap_or_default())
        .with_context(|| format!("the example of {name} is no JSON"))?;
    let readers = readers.iter().flat_map(|reader| takes(reader, entry, &records)).collect();
    Ok(EventDoc {
        context: context.context,
        source: context.source.unwrap_or_default(),
        entry: *entry,
        schema,
        records,
        example,
        readers,
    })
}

/// The example as readers meet it: one record for each channel of the event.
fn example_records(
    context: &ContextCatalogue,
    entry: &EventEntry,
) -> anyhow::Result<Vec<InboundRecord>> {
    let name = entry.event_type;
    let published = (entry.example)().map_err(|error| anyhow!("{name} has no example: {error}"))?;
    anyhow::ensure!(
        published.event_type() == name,
        "the example of {name} is a {}",
        published.event_type()
    );
    let at = Timestamp::from_micros(EXAMPLE_MICROS)?;
    let source = context.source.unwrap_or_default();
    let topics: Vec<String> = published.topics().map(str::to_owned).collect();
    let sent = published.into_record("", source, EXAMPLE_ID, at);
    let record = |channel: &Channel| {
        let own = topics.iter().find(|topic| channel.holds(topic));
        let topic = own.cloned().unwrap_or_else(|| topic_of_example(channel));
        InboundRecord {
            from: TopicPartition { topic, partition: 0 },
            offset: 0,
            broker_time: at,
            key: sent.key.clone(),
            headers: sent.headers.clone(),
            payload: sent.payload.clone(),
        }
    };
    Ok(entry.channels.iter().map(record).collect())
}

/// Where an example stands on a channel that it does not name itself.
pub(crate) fn topic_of_example(channel: &Channel) -> String {
    channel.topic_of("00000002").name().to_owned()
}

/// On which channels a reader takes an event; one that refuses it does not.
fn takes(reader: &Reader, entry: &EventEntry, records: &[InboundRecord]) -> Vec<ReaderDoc> {
    let on_channels = entry.channels.iter().zip(records);
    let read = on_channels.filter(|(channel, record)| {
        reader.channels.contains(&channel.address) && matches!((reader.read)(record), Ok(true))
    });
    read.map(|(channel, _record)| ReaderDoc {
        context: reader.context,
        consumer: reader.consumer,
        channel: channel.address,
    })
    .collect()
}

/// Names of events that two contexts claim; each in a sentence. Pages and links know no context.
pub fn contested(catalogue: &Catalogue) -> Vec<String> {
    let mut found = Vec::new();
    for (place, event) in catalogue.events.iter().enumerate() {
        let name = event.entry.name;
        let mut before = catalogue.events.iter().take(place);
        let is_other =
            |other: &&EventDoc| other.entry.name == name && other.context != event.context;
        if let Some(other) = before.find(is_other) {
            let (one, another) = (other.context.as_str(), event.context.as_str());
            found.push(format!(
                "{one} and {another} both have an event {name}: a name is one context's, so call \
                 one of them otherwise"
            ));
        }
    }
    found
}
