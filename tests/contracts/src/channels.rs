//! The pages of channels: topics with key, partitions and retention.

use codepix::config::ContextName;
use serde_yaml_ng::{Mapping, Value};
use shared_kernel::application::catalogue::{Channel, Retention, Shape};
use shared_kernel::application::dead_letter::SUFFIX;

use crate::outside::{self, Program};
use crate::page::{self, Page};
use crate::registry::Catalogue;
use crate::tree::Tree;
use crate::{events, house};

/// What people say of every channel.
pub const PROSE: &[&str] = &["## Why it exists"];

/// Id of a channel: its address, where a parameter has no braces.
pub fn id(channel: &Channel) -> String {
    plain(channel.address).replace(['<', '>'], "")
}

/// An address as it is written in tables, where braces would be code.
pub fn plain(address: &str) -> String {
    address.replace('{', "<").replace('}', ">")
}

/// How long records are kept, in words.
pub const fn kept(retention: Retention) -> &'static str {
    match retention {
        Retention::Forever => "for ever",
        Retention::Days30 => "30 days",
        Retention::LastOfEachKey => "the last of each key",
    }
}

/// Writes the page of every channel.
///
/// # Errors
/// When a page cannot be read.
pub fn write(catalogue: &Catalogue, tree: &mut Tree) -> anyhow::Result<()> {
    for (owner, channel) in catalogue.channels() {
        let path = format!("channels/{}/index.mdx", id(&channel));
        let mut page = match tree.get(&path) {
            Some(text) => Page::parse(text)?,
            None => Page { prose: PROSE.join("\n\n"), ..Page::default() },
        };
        head(owner, &channel, &mut page);
        page.made = Some(made(catalogue, &channel));
        tree.put(&path, page.render()?);
    }
    Ok(())
}

fn head(owner: ContextName, channel: &Channel, page: &mut Page) {
    page.set("id", id(channel));
    page.set("name", plain(channel.address));
    page.set("version", house::VERSION);
    let (partitions, kept) = (channel.partitions, kept(channel.retention));
    let key = if channel.key.is_empty() { "no key" } else { channel.key };
    page.set("summary", format!("By {key}; {partitions} partitions, kept {kept}."));
    page.set("address", channel.address);
    page.set("protocols", page::texts(["kafka"]));
    page.set("owners", page::texts([house::of(owner).team]));
    if let Some((_, name, _)) = channel.parameter() {
        let words = "One topic for each.";
        let said: Mapping = std::iter::once(("description".into(), words.into())).collect();
        let parameter: Mapping = std::iter::once((name.into(), Value::Mapping(said))).collect();
        page.set("parameters", Value::Mapping(parameter));
    }
}

fn made(catalogue: &Catalogue, channel: &Channel) -> String {
    let key = if channel.key.is_empty() { "none" } else { channel.key };
    let aside = match channel.retention {
        Retention::LastOfEachKey => "nothing: its writer alone reads it".to_owned(),
        Retention::Forever | Retention::Days30 => {
            format!("on `{}{SUFFIX}`, one partition, 30 days", plain(channel.address))
        }
    };
    let mut made = format!(
        "## In figures\n\n| | |\n|---|---|\n| topic | `{}` |\n| key | {key} |\n\
         | partitions | {} |\n\
         | kept | {} |\n| set aside | {aside} |\n",
        plain(channel.address),
        channel.partitions,
        kept(channel.retention),
    );
    let on = catalogue.on(channel.address);
    let has_envelope = |shape: &Shape| matches!(shape, Shape::CloudEvent);
    let form = if on.iter().all(|event| has_envelope(&event.entry.shape)) {
        "CloudEvents 1.0 in Kafka's binary mode: attributes are headers, the value is JSON"
    } else {
        "the value alone, in the shape of the protocol's owner"
    };
    made.extend([format!(
        "| form | {form} |\n\n## What stands on it\n\n| event | read by |\n|---|---|\n"
    )]);
    for event in on {
        let here = event.readers.iter().filter(|reader| reader.channel == channel.address);
        let mut readers: Vec<String> =
            here.map(|reader| events::service_link(reader.context)).collect();
        readers.dedup();
        readers.extend(outside::readers_of(event).map(Program::link));
        let (name, version) = (event.entry.name, event.entry.version);
        let readers =
            if readers.is_empty() { "nobody here".to_owned() } else { readers.join(", ") };
        made.extend([format!("| [{name}](/docs/events/{name}/{version}) | {readers} |\n")]);
    }
    made.push_str("\n## Map\n\n<ChannelInformation />\n\n<NodeGraph />");
    made
}
