//! An event on its way out: made of a type in a registry, and of nothing else.

use uuid::Uuid;

use crate::application::catalogue::{Event, EventEntry, Shape, Topic, entry_of};
use crate::application::envelope::CloudEvent;
use crate::application::log::OutboundRecord;
use crate::application::trace::TraceParent;
use crate::application::transaction::StoreError;
use crate::domain::Timestamp;

/// Bytes that most bodies fit into.
const BODY_BYTES: usize = 1_024;

/// An event that a context publishes, before it has an id and a time.
///
/// The record key is the subject, so that one aggregate is one order. Its fields are private: only
/// [`Published::of`] makes one, and that takes only what is in a registry.
#[derive(Clone, Debug)]
pub struct Published {
    entry: &'static EventEntry,
    topics: Vec<Topic>,
    subject: String,
    aggregate_version: i64,
    trace: TraceParent,
    payload: Vec<u8>,
}

impl PartialEq for Published {
    /// The same type of event with the same content.
    fn eq(&self, other: &Self) -> bool {
        let Self { entry, topics, subject, aggregate_version, trace, payload } = self;
        entry.event_type == other.entry.event_type
            && (topics, subject, aggregate_version) == other.place()
            && (trace, payload) == (&other.trace, &other.payload)
    }
}

impl Eq for Published {}

impl Published {
    const fn place(&self) -> (&Vec<Topic>, &String, &i64) {
        (&self.topics, &self.subject, &self.aggregate_version)
    }

    /// An event with a copy on each of `topics`, about the aggregate `subject`, which has this
    /// version after it. A foreign event with an empty subject has no key.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a topic that is of none of the event's channels, and for a body
    /// that JSON cannot hold.
    pub fn of<E: Event>(
        event: &E,
        topics: Vec<Topic>,
        subject: String,
        aggregate_version: i64,
        trace: TraceParent,
    ) -> Result<Self, StoreError> {
        let entry = const { entry_of::<E>() };
        let is_declared =
            |topic: &Topic| entry.channels.iter().any(|channel| channel.address == topic.channel());
        if let Some(stray) = topics.iter().find(|topic| !is_declared(topic)) {
            let (event, topic) = (entry.event_type, stray.name());
            return Err(StoreError::Rejected(format!("{event} is not declared on {topic}")));
        }
        let mut payload = Vec::with_capacity(BODY_BYTES);
        serde_json::to_writer(&mut payload, event).map_err(|error| {
            StoreError::Rejected(format!("{} has no JSON: {error}", entry.event_type))
        })?;
        Ok(Self { entry, topics, subject, aggregate_version, trace, payload })
    }

    /// What the registry says of it.
    pub const fn entry(&self) -> &'static EventEntry {
        self.entry
    }

    /// `ce_type`, such as `codepix.transfers.TransferConfirmed.v1`.
    pub const fn event_type(&self) -> &'static str {
        self.entry.event_type
    }

    /// Topics that get a copy, without prefix.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.iter().map(Topic::name)
    }

    /// `ce_subject`: id of the aggregate.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `ce_aggregateversion`: version of the aggregate after the event.
    pub const fn aggregate_version(&self) -> i64 {
        self.aggregate_version
    }

    /// The trace that caused it.
    pub const fn trace(&self) -> &TraceParent {
        &self.trace
    }

    /// JSON body.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Keeps only the copies on topics that `is_wanted` by name, as a sender that forgets one.
    pub fn retain_topics(&mut self, mut is_wanted: impl FnMut(&str) -> bool) {
        self.topics.retain(|topic| is_wanted(topic.name()));
    }

    /// Gives the event its identity and makes the record. A foreign event has no envelope; a trace
    /// disturbs nobody.
    pub fn into_record(
        self,
        prefix: &str,
        source: &str,
        id: Uuid,
        at: Timestamp,
    ) -> OutboundRecord {
        let headers = match self.entry.shape {
            Shape::CloudEvent => CloudEvent {
                id,
                event_type: self.entry.event_type,
                source,
                at,
                subject: &self.subject,
                aggregate_version: self.aggregate_version,
                trace: &self.trace,
            }
            .headers(),
            Shape::Foreign { .. } => {
                vec![("traceparent".to_owned(), self.trace.as_str().as_bytes().to_vec())]
            }
        };
        let is_keyless =
            self.subject.is_empty() && matches!(self.entry.shape, Shape::Foreign { .. });
        OutboundRecord {
            topics: self.topics.iter().map(|topic| format!("{prefix}{}", topic.name())).collect(),
            headers,
            key: (!is_keyless).then(|| self.subject.into_bytes()),
            payload: Some(self.payload),
            time: Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;

    use super::*;
    use crate::application::catalogue::{Channel, ExampleError, Registry};

    const PROBES: Channel = Channel::new("codepix.probe", "the probe");
    const OTHERS: Channel = Channel::new("others", "");
    const SOURCE: &str = "/codepix/probe";

    #[derive(Serialize, JsonSchema)]
    struct NotedV1<'a> {
        text: &'a str,
    }

    #[derive(Serialize, JsonSchema)]
    struct TheirNote {
        text: String,
    }

    crate::events! {
        /// What the probe publishes.
        registry Probe of "probe", source SOURCE, types "codepix.probe.";
        NotedV1<'_> = "Noted" (1, 2) on [PROBES], example noted;
        TheirNote = "TheirNote" (1, 0) on [OTHERS], example theirs, foreign "Notes" from "a friend";
    }

    fn trace() -> TraceParent {
        TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
    }

    fn noted() -> Result<Published, ExampleError> {
        let topics = vec![PROBES.topic()];
        Ok(Published::of(&NotedV1 { text: "a" }, topics, "probe-1".into(), 3, trace())?)
    }

    fn theirs() -> Result<Published, ExampleError> {
        let note = TheirNote { text: "b".into() };
        let topics = vec![OTHERS.topic_named("renamed")];
        Ok(Published::of(&note, topics, String::new(), 0, trace())?)
    }

    fn record(published: Published) -> OutboundRecord {
        published.into_record("t1.", SOURCE, Uuid::nil(), Timestamp::EPOCH)
    }

    #[test]
    fn an_event_is_what_its_entry_says() {
        let [first, second] = Probe::EVENTS else { panic!("two events") };
        assert_eq!((first.name, first.version), ("Noted", "1.2.0"));
        assert_eq!(first.event_type, "codepix.probe.Noted.v1");
        assert_eq!(second.shape, Shape::Foreign { protocol: "Notes" });
        let published = (first.example)().unwrap();
        assert_eq!(published.event_type(), first.event_type);
        let record = record(published);
        assert_eq!(record.topics, ["t1.codepix.probe"]);
        assert_eq!(record.key.as_deref(), Some(b"probe-1".as_slice()));
        let header = |name: &str| {
            let found = record.headers.iter().find(|(header, _)| header == name);
            found.map(|(_, value)| String::from_utf8(value.clone()).unwrap())
        };
        assert_eq!(header("ce_type").as_deref(), Some("codepix.probe.Noted.v1"));
        assert_eq!(header("ce_aggregateversion").as_deref(), Some("3"));
        assert_eq!(record.payload.as_deref(), Some(br#"{"text":"a"}"#.as_slice()));
    }

    #[test]
    fn a_foreign_event_is_its_body_alone() {
        let record = record(theirs().unwrap());
        assert_eq!(record.topics, ["t1.renamed"]);
        assert_eq!(record.key, None);
        let names: Vec<&str> = record.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["traceparent"]);
        assert_eq!(record.payload.as_deref(), Some(br#"{"text":"b"}"#.as_slice()));
    }

    #[test]
    fn an_event_is_sent_nowhere_else() {
        let topics = vec![PROBES.topic(), OTHERS.topic()];
        let refused = Published::of(&NotedV1 { text: "a" }, topics, "probe-1".into(), 1, trace());
        let StoreError::Rejected(sentence) = refused.unwrap_err() else { panic!("rejected") };
        assert_eq!(sentence, "codepix.probe.Noted.v1 is not declared on others");
    }
}
