//! Versions that are made no more. Their records stay in the log for ever, so what reads the log
//! reads them: each has its example in `versioned/`, which is frozen and handed to every reader.

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use shared_kernel::application::catalogue::{Channel, Reader};
use shared_kernel::application::{InboundRecord, TopicPartition};
use shared_kernel::domain::Timestamp;

use crate::frozen::{Book, Frozen};
use crate::page::Page;
use crate::registry::{self, Catalogue, EventDoc};
use crate::tree::Tree;
use crate::{schema, versions};

/// An old version, as it is committed.
#[derive(Debug)]
pub struct OldVersion<'a> {
    /// The event, as it is now.
    pub event: &'a EventDoc,
    /// The version.
    pub version: String,
    /// Where its example is.
    pub path: String,
    /// Text of its example; none where it is gone.
    pub example: Option<String>,
    /// Its own schema.
    pub schema: Value,
}

impl OldVersion<'_> {
    /// Its example, envelope and all.
    ///
    /// # Errors
    /// When it is gone or is no JSON.
    pub fn record(&self) -> anyhow::Result<Value> {
        let Self { path, example, .. } = self;
        let text = example.as_deref().ok_or_else(|| anyhow!("{path} is gone"))?;
        serde_json::from_str(text).with_context(|| format!("{path} is no JSON"))
    }

    /// The record as readers meet it on a channel.
    fn on(&self, channel: &Channel) -> anyhow::Result<InboundRecord> {
        let record = self.record()?;
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        let topic = text("topic").filter(|topic| channel.holds(topic)).map(str::to_owned);
        let topic = topic.unwrap_or_else(|| registry::topic_of_example(channel));
        let headers = record.get("headers").and_then(Value::as_object);
        let header = |(name, value): (&String, &Value)| {
            (name.clone(), value.as_str().unwrap_or_default().as_bytes().to_vec())
        };
        Ok(InboundRecord {
            from: TopicPartition { topic, partition: 0 },
            offset: 0,
            broker_time: Timestamp::from_micros(registry::EXAMPLE_MICROS)?,
            key: text("key").map(|key| key.as_bytes().to_vec()),
            headers: headers.into_iter().flatten().map(header).collect(),
            payload: record.get("value").map(|value| value.to_string().into_bytes()),
        })
    }
}

/// Every frozen version that the code makes no more.
///
/// # Errors
/// When the fingerprints cannot be read.
pub fn old_versions<'a>(
    catalogue: &'a Catalogue,
    tree: &Tree,
) -> anyhow::Result<Vec<OldVersion<'a>>> {
    let frozen = Frozen::of(Book::Schemas, tree)?;
    let mut found = Vec::new();
    for (event_type, version) in frozen.versions() {
        let own = catalogue.events.iter().find(|event| event.entry.event_type == event_type);
        // What is current is made by the code; a type that is gone is told as a broken promise.
        let Some(event) = own.filter(|event| event.entry.version != version) else { continue };
        let folder = versions::folder_of(tree, event, version);
        let path = format!("{folder}/example.json");
        let schema = tree.get(&format!("{folder}/schema.json"));
        let schema = schema.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let example = tree.get(&path).map(str::to_owned);
        found.push(OldVersion { event, version: version.to_owned(), path, example, schema });
    }
    Ok(found)
}

/// Pages of old versions that are gone, or say that they are of something else; each in a
/// sentence.
///
/// # Errors
/// When the fingerprints or a page cannot be read.
pub fn pages(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for old in old_versions(catalogue, tree)? {
        let (name, version) = (old.event.entry.name, old.version.as_str());
        let folder = versions::folder_of(tree, old.event, version);
        let path = format!("{folder}/index.mdx");
        let Some(text) = tree.get(&path) else {
            found.push(format!(
                "the page of {name} {version} is gone: the log is full of such events, so fetch \
                 it back from the history"
            ));
            continue;
        };
        let page = Page::parse(text).with_context(|| format!("eventcatalog/{path}"))?;
        if (page.text("id"), page.text("version")) != (Some(name), Some(version)) {
            found.push(format!("eventcatalog/{path} must have the id {name} and be {version}"));
        }
    }
    Ok(found)
}

/// Old examples that are gone, or are not what was frozen.
///
/// # Errors
/// When the fingerprints cannot be read.
pub fn edited(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let frozen = Frozen::of(Book::Examples, tree)?;
    let mut found = Vec::new();
    for old in old_versions(catalogue, tree)? {
        let (name, path, version) = (old.event.entry.name, &old.path, &old.version);
        let Some(example) = &old.example else {
            found.push(format!(
                "the example of {name} {version} is gone: readers must always read it, so fetch \
                 it back from the history"
            ));
            continue;
        };
        let known = frozen.get(old.event.entry.event_type, version);
        if known.is_some_and(|known| known != schema::sha256(example)) {
            found.push(format!(
                "{path} is not what was frozen: what stands in the log does not change, so fetch \
                 it back from the history, and mend the reader"
            ));
        }
    }
    Ok(found)
}

/// Freezes the examples of versions that are made no more.
///
/// # Errors
/// When the fingerprints cannot be read.
pub fn freeze(catalogue: &Catalogue, tree: &mut Tree) -> anyhow::Result<()> {
    let mut frozen = Frozen::of(Book::Examples, tree)?;
    for old in old_versions(catalogue, tree)? {
        if let Some(example) = &old.example {
            let fingerprint = || schema::sha256(example);
            frozen.freeze(old.event.entry.event_type, &old.version, fingerprint);
        }
    }
    tree.put(Book::Examples.file(), frozen.render());
    Ok(())
}

/// What readers make of old versions and should not; each in a sentence.
///
/// # Errors
/// When an example cannot be read.
pub fn disagreements(catalogue: &Catalogue, tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for old in old_versions(catalogue, tree)? {
        for channel in old.event.entry.channels {
            let record = old.on(channel)?;
            let readers = catalogue.contexts.iter().flat_map(|context| context.readers);
            let readers = readers.filter(|reader| reader.channels.contains(&channel.address));
            found.extend(readers.filter_map(|reader| disagreement(&old, channel, reader, &record)));
        }
    }
    Ok(found)
}

fn disagreement(
    old: &OldVersion<'_>,
    channel: &Channel,
    reader: &Reader,
    record: &InboundRecord,
) -> Option<String> {
    let takes_it_now = old.event.readers.iter().any(|it| {
        (it.context, it.consumer, it.channel) == (reader.context, reader.consumer, channel.address)
    });
    let who = format!("{} ({})", reader.context, reader.consumer);
    let what = format!("{} {}, which stays in the log", old.event.entry.event_type, old.version);
    match (reader.read)(record) {
        Ok(takes) if takes == takes_it_now => None,
        Ok(_) => Some(format!(
            "{who} does not treat {what} as it treats {}: mend inbound.rs there",
            old.event.entry.version
        )),
        Err(refused) => Some(format!(
            "{who} cannot read {what}: {}: {refused}. Mend inbound.rs there: a field that came \
             later may be missing",
            refused.code
        )),
    }
}
