//! The registry of what a context publishes, made by the types that are published.
//!
//! [`events!`](crate::events) lists types; each gets its name, version, channels, JSON Schema and
//! an example. [`Published`] is made of a listed type alone: the look-up in the list happens
//! while the program is compiled, so an event that is in no registry is an error of the compiler
//! and costs nothing when it is sent. Schemas and examples are functions: nothing of them is made
//! until the catalogue, a test or a person asks.

use std::error::Error;
use std::fmt::Display;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::application::envelope::Unreadable;
use crate::application::log::InboundRecord;
use crate::application::published::Published;
use crate::application::trace::TraceParent;

/// What the macro needs where a context does not name it.
#[doc(hidden)]
pub mod support {
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema};

    /// The schema of what is written, and not of what could be read back: what is always there is
    /// required, though it may be null.
    pub fn schema_of<T: JsonSchema>() -> Schema {
        SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<T>()
    }
}

/// How long records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// The record of what happened: never deleted.
    Forever,
    /// Deleted after 30 days.
    Days30,
    /// The last record of each key, until it is a tombstone; read from the beginning at each start.
    LastOfEachKey,
}

/// A topic as its owner wants it, or one for each of something: `codepix.bank.{ispb}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Name without prefix; a parameter stands in braces.
    pub address: &'static str,
    /// What the key of a record is, in words; empty where records have none.
    pub key: &'static str,
    /// Partitions, fixed at creation.
    pub partitions: i32,
    /// How long records are kept.
    pub retention: Retention,
}

impl Channel {
    /// A topic of 8 partitions that is kept for ever.
    pub const fn new(address: &'static str, key: &'static str) -> Self {
        Self { address, key, partitions: 8, retention: Retention::Forever }
    }

    /// The same with another number of partitions.
    #[must_use]
    pub const fn partitions(self, partitions: i32) -> Self {
        Self { partitions, ..self }
    }

    /// The same, kept so long.
    #[must_use]
    pub const fn kept(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// The one topic of a channel without parameter.
    pub fn topic(&self) -> Topic {
        self.topic_named(self.address)
    }

    /// The topic of one of many: what stands in braces becomes `parameter`.
    pub fn topic_of(&self, parameter: impl Display) -> Topic {
        match self.parameter() {
            Some((before, _, after)) => self.topic_named(format!("{before}{parameter}{after}")),
            None => self.topic(),
        }
    }

    /// The topic under another name: those of others' protocols are settings.
    pub fn topic_named(&self, name: impl Into<String>) -> Topic {
        Topic { channel: self.address, name: name.into() }
    }

    /// What stands before, in and behind the braces.
    pub fn parameter(&self) -> Option<(&'static str, &'static str, &'static str)> {
        parted(self.address)
    }

    /// Whether a topic (name without prefix) is of this channel.
    pub fn holds(&self, topic: &str) -> bool {
        is_at(self.address, topic)
    }
}

/// What stands before, in and behind the braces of an address.
fn parted(address: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = address.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Whether a topic (name without prefix) is at an address, which may be another than its
/// channel's: those of others' protocols are settings.
pub fn is_at(address: &str, topic: &str) -> bool {
    match parted(address) {
        None => topic == address,
        Some((before, _, after)) => topic
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|value| !value.is_empty() && !value.contains('.')),
    }
}

/// A topic of a channel: events are sent nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    channel: &'static str,
    name: String,
}

impl Topic {
    /// Address of its channel.
    pub const fn channel(&self) -> &'static str {
        self.channel
    }

    /// Name without prefix.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How an event stands in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `CloudEvents` 1.0 in Kafka's binary mode: ours.
    CloudEvent,
    /// The body alone, in the shape of a protocol that others own.
    Foreign {
        /// Name of the protocol.
        protocol: &'static str,
    },
}

/// Who writes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Producer {
    /// The context in whose registry it is.
    Context,
    /// A program that is not ours; the context only reads it.
    Outside(&'static str),
}

/// Why there is no example of an event.
pub type ExampleError = Box<dyn Error + Send + Sync>;

/// The trace of every example.
///
/// # Errors
/// Never: it is a well-formed one.
pub fn example_trace() -> Result<TraceParent, ExampleError> {
    TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .ok_or_else(|| "the trace of the examples is malformed".into())
}

/// One event type of a registry.
#[derive(Clone, Copy, Debug)]
pub struct EventEntry {
    /// Its name, such as `TransferConfirmed`; unique in the whole product.
    pub name: &'static str,
    /// `ce_type`, such as `codepix.transfers.TransferConfirmed.v1`; of a foreign event, its id.
    pub event_type: &'static str,
    /// Its version: the first number is that of the type, the second counts additions.
    pub version: &'static str,
    /// How it stands in its record.
    pub shape: Shape,
    /// Who writes it.
    pub producer: Producer,
    /// Where it may stand, the topic of record first.
    pub channels: &'static [Channel],
    /// JSON Schema of its body, as it is written.
    pub schema: fn() -> Schema,
    /// A real value, made by the code that publishes.
    pub example: fn() -> Result<Published, ExampleError>,
}

/// Everything that one context publishes. [`events!`](crate::events) writes it.
pub trait Registry {
    /// Name of the context.
    const CONTEXT: &'static str;
    /// `ce_source` of its events.
    const SOURCE: &'static str;
    /// Its event types.
    const EVENTS: &'static [EventEntry];
}

/// A body that may be published. [`events!`](crate::events) implements it for what it lists.
pub trait Event: Serialize + JsonSchema {
    /// Where it is listed.
    type Registry: Registry;
    /// As which type.
    const EVENT_TYPE: &'static str;
}

/// One consumer of a context and what it makes of a record.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// Name of the context.
    pub context: &'static str,
    /// Group, and name of the stored offsets.
    pub consumer: &'static str,
    /// Addresses of the channels that it reads.
    pub channels: &'static [&'static str],
    /// Event types that its code names: each must exist, or the code waits for what never comes.
    pub knows: &'static [&'static str],
    /// Reads a record as the consumer does: whether it takes the event or lets it pass by.
    pub read: fn(&InboundRecord) -> Result<bool, Unreadable>,
}

/// The entry of a type, found while the program is compiled.
pub(super) const fn entry_of<E: Event>() -> &'static EventEntry {
    let mut rest = <E::Registry as Registry>::EVENTS;
    while let [first, others @ ..] = rest {
        if is_same(first.event_type.as_bytes(), E::EVENT_TYPE.as_bytes()) {
            return first;
        }
        rest = others;
    }
    #[expect(clippy::panic, reason = "it stops the compiler, and never the program")]
    {
        panic!("this event is in no registry: list it in the `events!` of its context")
    }
}

const fn is_same(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([one, left_rest @ ..], [other, right_rest @ ..]) = (left, right) {
        if *one != *other {
            return false;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.is_empty() && right.is_empty()
}

/// Declares the registry of a context and makes its types publishable.
///
/// ```text
/// events! {
///     /// What the hub publishes.
///     pub registry Hub of "transfers", source SOURCE, types "codepix.transfers.";
///     TransferPendingV1<'_> = "TransferPending" (1, 0) on [TRANSFERS, BANKS], example pending;
/// BalanceUpdated = "BalanceUpdated" (1, 0) on [BALANCES], example updated, foreign "Wallet
/// Core"; }
/// ```
///
/// A type has its name, its version (the first number is in its type, the second counts additions
/// that break no reader), its channels and a function that makes an example. A message in the shape
/// of a protocol that others own names the protocol; one that only others write says who,
/// with `from "…"` behind it.
///
/// # No way around it
/// A type that is in no registry cannot be published:
///
/// ```compile_fail,E0080
/// use shared_kernel::application::catalogue::{Event, EventEntry, Registry};
/// use shared_kernel::application::{Published, TraceParent};
///
/// struct Empty;
/// impl Registry for Empty {
///     const CONTEXT: &'static str = "probe";
///     const SOURCE: &'static str = "/codepix/probe";
///     const EVENTS: &'static [EventEntry] = &[];
/// }
///
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// struct Secret {}
/// impl Event for Secret {
///     type Registry = Empty;
///     const EVENT_TYPE: &'static str = "codepix.probe.Secret.v1";
/// }
///
/// let trace = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
/// drop(Published::of(&Secret {}, vec![], String::new(), 1, trace.unwrap()));
/// ```
#[macro_export]
macro_rules! events {
    (
        $(#[$meta:meta])*
        $visibility:vis registry $registry:ident of $context:literal,
            source $source:expr, types $prefix:literal;
        $(
            $type:ty = $name:literal ($major:literal, $minor:literal) on [$($channel:expr),+ $(,)?],
                example $example:path $(, foreign $protocol:literal $(from $outside:literal)?)?;
        )+
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $visibility struct $registry;

        impl $crate::application::catalogue::Registry for $registry {
            const CONTEXT: &'static str = $context;
            const SOURCE: &'static str = $source;
            const EVENTS: &'static [$crate::application::catalogue::EventEntry] = &[$(
                $crate::application::catalogue::EventEntry {
                    name: $name,
                    event_type: concat!($prefix, $name, ".v", $major),
                    version: concat!($major, ".", $minor, ".0"),
                    shape: $crate::events!(@shape $($protocol)?),
                    producer: $crate::events!(@producer $($($outside)?)?),
                    channels: &[$($channel),+],
                    schema: || $crate::application::catalogue::support::schema_of::<$type>(),
                    example: $example,
                },
            )+];
        }

        $(
            impl $crate::application::catalogue::Event for $type {
                type Registry = $registry;
                const EVENT_TYPE: &'static str = concat!($prefix, $name, ".v", $major);
            }
        )+
    };
    (@shape) => { $crate::application::catalogue::Shape::CloudEvent };
    (@shape $protocol:literal) => {
        $crate::application::catalogue::Shape::Foreign { protocol: $protocol }
    };
    (@producer) => { $crate::application::catalogue::Producer::Context };
    (@producer $outside:literal) => {
        $crate::application::catalogue::Producer::Outside($outside)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Channel = Channel::new("codepix.probe", "probe");
    const MANY: Channel = Channel::new("codepix.bank.{ispb}", "probe").partitions(2);

    #[test]
    fn a_channel_knows_its_topics() {
        assert_eq!(ONE.topic().name(), "codepix.probe");
        assert_eq!(MANY.topic_of("00000001").name(), "codepix.bank.00000001");
        assert_eq!(MANY.topic_of("00000001").channel(), MANY.address);
        assert!(ONE.holds("codepix.probe") && !ONE.holds("codepix.probe.dlq"));
        assert!(MANY.holds("codepix.bank.00000001"));
        assert!(!MANY.holds("codepix.bank.") && !MANY.holds("codepix.bank.00000001.dlq"));
    }

    #[derive(Serialize, JsonSchema)]
    struct Noted {
        always: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sometimes: Option<String>,
    }

    #[test]
    fn a_schema_requires_what_is_always_written() {
        let schema = support::schema_of::<Noted>().to_value();
        assert_eq!(schema["required"], serde_json::json!(["always"]));
        let fields = schema["properties"].as_object().unwrap();
        assert!(fields.contains_key("always") && fields.contains_key("sometimes"));
        let written = serde_json::to_value(Noted { always: None, sometimes: None }).unwrap();
        assert_eq!(written, serde_json::json!({ "always": null }));
    }

    #[test]
    fn texts_are_the_same_to_the_last_letter() {
        assert!(is_same(b"one", b"one"));
        assert!(!is_same(b"one", b"ones") && !is_same(b"ones", b"one") && !is_same(b"a", b"b"));
    }
}
