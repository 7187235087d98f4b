//! The pages of events.

use serde_json::{Value, json};
use shared_kernel::application::catalogue::{Producer, Shape};

use crate::outside::{self, Program};
use crate::page::{self, Page};
use crate::registry::{Catalogue, EventDoc};
use crate::tree::Tree;
use crate::{channels, frozen, house, schema};

/// What people say of every event.
pub const PROSE: &[&str] = &["## Why it exists", "## Who reads it", "## What may happen twice"];

/// Where the pages of an event are.
pub fn folder(event: &EventDoc) -> String {
    format!("{}/events/{}", house::of(event.context).folder(), event.entry.name)
}

/// Writes the pages of every event.
///
/// # Errors
/// When a page cannot be read.
pub fn write(catalogue: &Catalogue, tree: &mut Tree) -> anyhow::Result<()> {
    for event in &catalogue.events {
        let folder = current_folder(catalogue, event);
        tree.put(&format!("{folder}/schema.json"), schema::pretty(&event.schema));
        tree.put(&format!("{folder}/example.json"), schema::pretty(&example(event)));
        let path = format!("{folder}/index.mdx");
        let mut page = match tree.get(&path) {
            Some(text) => Page::parse(text)?,
            None => Page { prose: PROSE.join("\n\n"), ..Page::default() },
        };
        head(event, &mut page);
        page.made = Some(made(event));
        tree.put(&path, page.render()?);
    }
    Ok(())
}

/// The newest version of an event stands in its folder, the others beside one another below.
fn current_folder(catalogue: &Catalogue, event: &EventDoc) -> String {
    let is_newer = |other: &&EventDoc| {
        other.entry.name == event.entry.name
            && frozen::number_of(other.entry.version) > frozen::number_of(event.entry.version)
    };
    if catalogue.events.iter().find(is_newer).is_none() {
        return folder(event);
    }
    format!("{}/versioned/{}", folder(event), event.entry.version)
}

/// The sentence that its type says of itself.
pub fn summary(event: &EventDoc) -> &str {
    event.schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn head(event: &EventDoc, page: &mut Page) {
    let entry = &event.entry;
    page.set("id", entry.name);
    page.set("name", entry.name);
    page.set("version", entry.version);
    page.set("summary", summary(event));
    page.set("owners", page::texts([house::of(event.context).team]));
    page.set("schemaPath", "schema.json");
    page.set(
        "channels",
        page::pointers(
            entry.channels.iter().map(channels::id).collect::<Vec<_>>().iter().map(String::as_str),
        ),
    );
}

/// The example with its envelope, as a tool would print it.
fn example(event: &EventDoc) -> Value {
    let Some(record) = event.records.first() else { return Value::Null };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: serde_json::Map<String, Value> =
        record.headers.iter().map(|(name, value)| (name.clone(), json!(text(value)))).collect();
    json!({
        "topic": record.from.topic,
        "key": record.key.as_deref().map(text),
        "headers": headers,
        "value": event.example,
    })
}

fn made(event: &EventDoc) -> String {
    let entry = &event.entry;
    let mut made = String::from("## In the record\n\n| | |\n|---|---|\n");
    let mut row = |name: &str, value: &str| {
        made.extend([format!("| {name} | {value} |\n")]);
    };
    match entry.shape {
        Shape::CloudEvent => {
            row("`ce_type`", &format!("`{}`", entry.event_type));
            row("`ce_source`", &format!("`{}`", event.source));
        }
        Shape::Foreign { protocol } => row("shape", &format!("{protocol}: the body alone")),
    }
    let programs: Vec<String> = outside::writers_of(event).map(Program::link).collect();
    match entry.producer {
        Producer::Outside(who) if programs.is_empty() => row("written by", who),
        Producer::Outside(_) => row("written by", &programs.join(", ")),
        Producer::Context if programs.is_empty() => {}
        Producer::Context => {
            let own = service_link(event.context.as_str());
            row("written by", &format!("{own}; {}", programs.join(", ")));
        }
    }
    for channel in entry.channels {
        let key = if channel.key.is_empty() { "no key" } else { channel.key };
        row(&format!("on `{}`", channels::plain(channel.address)), &format!("key: {key}"));
    }
    made.push_str("\n### Readers\n\n");
    made.push_str(&readers(event));
    made.push_str(
        "\n### Example\n\n<Schema file=\"example.json\" title=\"A real record\" lang=\"json\" />\n",
    );
    made.push_str(
        "\n## Schema\n\n<SchemaViewer file=\"schema.json\" title=\"Fields\" maxHeight=\"600\" />\n",
    );
    made.push_str("\n## Map\n\n<NodeGraph />");
    made
}

fn readers(event: &EventDoc) -> String {
    let programs: Vec<&Program> = outside::readers_of(event).collect();
    if event.readers.is_empty() && programs.is_empty() {
        return "No context takes it from the log. It is there for people and for programs to \
                come.\n"
            .to_owned();
    }
    let mut table = String::from("| who | consumer | on |\n|---|---|---|\n");
    for reader in &event.readers {
        let (consumer, channel) = (reader.consumer, channels::plain(reader.channel));
        table.extend([format!(
            "| {} | `{consumer}` | `{channel}` |\n",
            service_link(reader.context)
        )]);
    }
    for channel in event.entry.channels {
        let on = channels::plain(channel.address);
        let row = |program: &&Program| format!("| {} | its own | `{on}` |\n", program.link());
        table.extend(programs.iter().map(row));
    }
    table
}

/// A link to the page of a context's service.
pub fn service_link(context: &str) -> String {
    match house::named(context) {
        Some(house) => {
            format!("[{}](/docs/services/{}/{})", house.domain, house.service, house::VERSION)
        }
        None => context.to_owned(),
    }
}
