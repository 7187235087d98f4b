//! `CloudEvents` 1.0 in Kafka's binary mode: the envelope of every event of ours.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::application::cut::shortened;
use crate::application::log::{InboundRecord, UNREADABLE_HEADER};
use crate::application::trace::TraceParent;
use crate::domain::Timestamp;

/// Media type of every event body.
pub const CONTENT_TYPE: &str = "application/json";

/// Bytes of a malformed value that its refusal quotes.
const QUOTED_BYTES_MAX: usize = 100;

/// The envelope of an event that leaves.
pub(crate) struct CloudEvent<'a> {
    pub(crate) id: Uuid,
    pub(crate) event_type: &'a str,
    pub(crate) source: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) subject: &'a str,
    pub(crate) aggregate_version: i64,
    pub(crate) trace: &'a TraceParent,
}

impl CloudEvent<'_> {
    /// Its headers.
    pub(crate) fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let text = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        vec![
            text("ce_specversion", "1.0"),
            text("ce_id", &self.id.to_string()),
            text("ce_type", self.event_type),
            text("ce_source", self.source),
            text("ce_time", &self.at.to_string()),
            text("ce_subject", self.subject),
            text("ce_aggregateversion", &self.aggregate_version.to_string()),
            text("traceparent", self.trace.as_str()),
            text("content-type", CONTENT_TYPE),
        ]
    }
}

/// The envelope of a record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `ce_id`.
    pub id: Uuid,
    /// `ce_type`.
    pub event_type: String,
    /// `ce_source`.
    pub source: String,
    /// `ce_subject`.
    pub subject: String,
    /// `ce_aggregateversion`.
    pub aggregate_version: i64,
    /// `ce_time`.
    pub time: Timestamp,
    /// `traceparent`, if the sender had one.
    pub trace: Option<TraceParent>,
}

/// A record cannot be read as an event: it goes to the dead-letter topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Unreadable {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong with it.
    pub sentence: String,
}

impl Unreadable {
    /// A record that breaks the rule `code`.
    pub fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }
}

impl Envelope {
    /// Reads the headers of a record.
    ///
    /// # Errors
    /// `envelope_header` names the header that is missing or malformed, or says that one has a
    /// name that is no text.
    pub fn read(record: &InboundRecord) -> Result<Self, Unreadable> {
        if record.headers.iter().any(|(name, _)| name == UNREADABLE_HEADER) {
            return Err(Unreadable::new(
                "envelope_header",
                "the name of a header is no UTF-8 text",
            ));
        }
        let need = |name: &'static str| {
            record.header(name).ok_or_else(|| {
                Unreadable::new("envelope_header", format!("the header {name} is missing"))
            })
        };
        let bad = |name: &'static str, value: &str| {
            let quoted = shortened(value, QUOTED_BYTES_MAX);
            let sentence = format!("the header {name} is malformed: {quoted:?}");
            Unreadable::new("envelope_header", sentence)
        };
        let version = need("ce_specversion")?;
        if version != "1.0" {
            return Err(bad("ce_specversion", version));
        }
        let (id, time) = (need("ce_id")?, need("ce_time")?);
        let aggregate_version = need("ce_aggregateversion")?;
        Ok(Self {
            id: Uuid::parse_str(id).map_err(|_invalid| bad("ce_id", id))?,
            event_type: need("ce_type")?.to_owned(),
            source: need("ce_source")?.to_owned(),
            subject: need("ce_subject")?.to_owned(),
            aggregate_version: aggregate_version
                .parse()
                .map_err(|_invalid| bad("ce_aggregateversion", aggregate_version))?,
            time: Timestamp::parse(time).map_err(|_invalid| bad("ce_time", time))?,
            trace: record.header("traceparent").and_then(TraceParent::parse),
        })
    }
}

/// Reads the JSON body of a record.
///
/// # Errors
/// `payload_missing` for a tombstone, `payload_json` when the body is not the expected JSON.
pub fn read_payload<T: DeserializeOwned>(record: &InboundRecord) -> Result<T, Unreadable> {
    let Some(payload) = &record.payload else {
        return Err(Unreadable::new("payload_missing", "the record has no body"));
    };
    serde_json::from_slice(payload).map_err(|error| {
        Unreadable::new("payload_json", format!("the body is unreadable: {error}"))
    })
}
