//! `AsyncAPI` 3: the same registry for machines. One document of the whole, and one of each
//! context.

use std::collections::BTreeSet;

use codepix::config::ContextName;
use serde_json::{Map, Value, json};
use shared_kernel::application::catalogue::{Channel, Producer, Retention};

use crate::channels;
use crate::events;
use crate::registry::{Catalogue, EventDoc};

/// Milliseconds of 30 days.
const DAYS_30_MS: i64 = 2_592_000_000;

/// The document of the whole product.
pub fn whole(catalogue: &Catalogue) -> Value {
    let words = "Every event of the hub and its banks.";
    document(catalogue, "CodePix", words, &|_event, _action| true)
}

/// The document of one context: what it sends and what it receives.
pub fn of_context(catalogue: &Catalogue, context: ContextName) -> Value {
    let title = format!("CodePix: {}", context.as_str());
    let words = "What this context sends and what it receives.";
    document(catalogue, &title, words, &|_event, action| action.context == context.as_str())
}

/// That a context sends or receives the events of a channel.
struct Action {
    context: &'static str,
    verb: &'static str,
    channel: &'static str,
}

/// What a context does with an event, channel by channel.
fn actions(event: &EventDoc) -> Vec<Action> {
    let sends = event.entry.channels.iter().filter(|_| event.entry.producer == Producer::Context);
    let sent = sends.map(|channel| Action {
        context: event.context.as_str(),
        verb: "send",
        channel: channel.address,
    });
    let received = event.readers.iter().map(|reader| Action {
        context: reader.context,
        verb: "receive",
        channel: reader.channel,
    });
    sent.chain(received).collect()
}

fn document(
    catalogue: &Catalogue,
    title: &str,
    words: &str,
    is_wanted: &dyn Fn(&EventDoc, &Action) -> bool,
) -> Value {
    let (mut addressed, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for event in &catalogue.events {
        for action in actions(event).into_iter().filter(|action| is_wanted(event, action)) {
            let Some(channel) = event.entry.channels.iter().find(|it| it.address == action.channel)
            else {
                continue;
            };
            let (id, name) = (channels::id(channel), message_id(event));
            messages.entry(name.clone()).or_insert_with(|| message(event));
            let known = addressed.entry(id.clone()).or_insert_with(|| described(channel));
            if let Some(messages) = known.get_mut("messages").and_then(Value::as_object_mut) {
                let pointer = json!({ "$ref": format!("#/components/messages/{name}") });
                messages.insert(name.clone(), pointer);
            }
            let operation = format!("{}.{}.{id}", action.context, action.verb);
            let known = operations.entry(operation).or_insert_with(|| {
                json!({
                    "action": action.verb,
                    "channel": { "$ref": format!("#/channels/{id}") },
                    "tags": [{ "name": action.context }],
                    "messages": [],
                })
            });
            let pointer = json!({ "$ref": format!("#/channels/{id}/messages/{name}") });
            if let Some(list) = known.get_mut("messages").and_then(Value::as_array_mut)
                && !list.contains(&pointer)
            {
                list.push(pointer);
            }
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": words,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "local": {
            "host": "127.0.0.1:9092",
            "protocol": "kafka",
            "description": "The Kafka that `codepix up` starts; elsewhere KAFKA_BROKERS says \
                where.",
        } },
        "channels": addressed,
        "operations": operations,
        "components": { "messages": messages },
    })
}

/// Name and version of the type: two versions of an event are two messages.
pub fn message_id(event: &EventDoc) -> String {
    let major = event.entry.version.split('.').next().unwrap_or_default();
    format!("{}.v{major}", event.entry.name)
}

fn described(channel: &Channel) -> Value {
    let (policy, kept) = match channel.retention {
        Retention::Forever => ("delete", -1),
        Retention::Days30 => ("delete", DAYS_30_MS),
        Retention::LastOfEachKey => ("compact", -1),
    };
    let mut described = json!({
        "address": channel.address,
        "messages": {},
        "bindings": { "kafka": {
            "partitions": channel.partitions,
            "topicConfiguration": { "cleanup.policy": [policy], "retention.ms": kept },
            "bindingVersion": "0.5.0",
        } },
    });
    if let (Some((_, name, _)), Some(fields)) = (channel.parameter(), described.as_object_mut()) {
        let parameters = json!({ name: { "description": "One topic for each." } });
        fields.insert("parameters".into(), parameters);
    }
    described
}

fn message(event: &EventDoc) -> Value {
    let entry = &event.entry;
    let mut payload = event.schema.clone();
    if let Value::Object(fields) = &mut payload {
        // The document is of its own dialect.
        fields.remove("$schema");
    }
    let mut message = json!({
        "name": entry.event_type,
        "title": entry.name,
        "summary": events::summary(event),
        "contentType": "application/json",
        "payload": payload,
        "examples": [{ "name": "example", "payload": event.example }],
    });
    let key = entry.channels.first().map_or("", |channel| channel.key);
    if let Some(fields) = message.as_object_mut() {
        if !key.is_empty() {
            let bindings = json!({ "kafka": {
                "key": { "type": "string", "description": key },
                "bindingVersion": "0.5.0",
            } });
            fields.insert("bindings".into(), bindings);
        }
        if event.has_envelope() {
            fields.insert("headers".into(), headers(event));
        }
    }
    message
}

fn headers(event: &EventDoc) -> Value {
    let fixed = |value: &str| json!({ "type": "string", "const": value });
    let text = |words: &str| json!({ "type": "string", "description": words });
    let key = event.entry.channels.first().map_or("the aggregate", |channel| channel.key);
    let properties = json!({
        "ce_specversion": fixed("1.0"),
        "ce_id": text("UUID of the event; the same in every copy and every resend."),
        "ce_type": fixed(event.entry.event_type),
        "ce_source": fixed(event.source),
        "ce_time": text("When it was written, RFC 3339."),
        "ce_subject": text(key),
        "ce_aggregateversion": text("Version of the aggregate after the event; readers \
            compare it."),
        "traceparent": text("W3C trace of the request that led to it."),
        "content-type": fixed("application/json"),
    });
    // In one order, whether the fields of an object keep theirs or not.
    let required: BTreeSet<&String> =
        properties.as_object().map(|fields| fields.keys().collect()).unwrap_or_default();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// References that lead nowhere.
pub fn dangling(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather(document, &mut |reference| {
        let pointer = reference.strip_prefix('#').unwrap_or(reference);
        if document.pointer(pointer).is_none() {
            found.push(reference.to_owned());
        }
    });
    found
}

fn gather(value: &Value, found: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                found(reference);
            }
            fields.values().for_each(|inner| gather(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| gather(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
