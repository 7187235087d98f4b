//! One event on one line.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shared_kernel::application::catalogue::Shape;
use shared_kernel::application::{Envelope, InboundRecord};

use super::known::KnownEvents;
use crate::cli::output::{Paint, Shown, Tone, clock_time};

/// Characters of the longest value that a line shows whole.
const VALUE_LENGTH_MAX: usize = 60;

/// Words at the end of names that tell how it went.
const WENT: &[(&str, Tone)] = &[
    ("Completed", Tone::Good),
    ("Confirmed", Tone::Good),
    ("Credited", Tone::Good),
    ("Settled", Tone::Good),
    ("SettledByPayee", Tone::Good),
    ("SettledByPayer", Tone::Good),
    ("Rejected", Tone::Bad),
    ("Refused", Tone::Bad),
    ("Expired", Tone::Bad),
    ("Overdue", Tone::Bad),
    ("Blocked", Tone::Bad),
    ("Closed", Tone::Bad),
    ("Requested", Tone::Open),
    ("Pending", Tone::Open),
    ("Held", Tone::Open),
];

/// A record as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct EventView {
    /// Without prefix.
    topic: String,
    partition: i32,
    offset: i64,
    /// When it happened; of a record without envelope, when the broker took it.
    time: String,
    /// `ce_type`, or what stands on a topic of another protocol.
    #[serde(rename = "type")]
    event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// Its page in the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// Why it is no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    body: Option<Box<RawValue>>,
    #[serde(skip)]
    clock: String,
    #[serde(skip)]
    name: String,
}

impl EventView {
    /// A record of a topic (name without prefix), decoded by what the registry knows.
    pub(super) fn of(
        record: &InboundRecord,
        topic: &str,
        events: &KnownEvents,
        catalogue_url: &str,
    ) -> Self {
        let envelope = Envelope::read(record);
        let known = events.entry_of(topic, record, envelope.as_ref().ok());
        let is_foreign = known.is_some_and(|entry| matches!(entry.shape, Shape::Foreign { .. }));
        let page = known.map(|entry| {
            format!(
                "{}/docs/events/{}/{}",
                catalogue_url.trim_end_matches('/'),
                entry.name,
                entry.version
            )
        });
        let (envelope, unreadable) = match envelope {
            Ok(envelope) => (Some(envelope), None),
            Err(_) if is_foreign => (None, None),
            Err(wrong) => (None, Some(events.strange(topic).unwrap_or(wrong.sentence))),
        };
        let at = envelope.as_ref().map_or(record.broker_time, |it| it.time);
        let event_type = envelope.as_ref().map(|it| it.event_type.clone());
        let event_type = event_type.or_else(|| known.map(|entry| entry.event_type.to_owned()));
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            topic: topic.to_owned(),
            partition: record.from.partition,
            offset: record.offset,
            time: at.to_string(),
            clock: clock_time(at),
            name: event_type.as_deref().map_or_else(|| "no event".to_owned(), short),
            event_type,
            id: envelope.as_ref().map(|it| it.id.to_string()),
            key: record.key.as_deref().map(lossy),
            version: envelope.as_ref().map(|it| it.aggregate_version),
            trace: envelope.and_then(|it| it.trace).map(|it| it.as_str().to_owned()),
            page,
            unreadable,
            body: record.payload.as_deref().and_then(body_on_one_line),
        }
    }

    /// Its type, if it is known.
    pub(super) fn event_type(&self) -> &str {
        self.event_type.as_deref().unwrap_or_default()
    }

    fn tone(&self) -> Tone {
        if self.unreadable.is_some() {
            return Tone::Bad;
        }
        let ending = WENT.iter().find(|(word, _)| self.name.ends_with(word));
        // Unblocked is not blocked.
        let is_undone = self.name.ends_with("Unblocked");
        ending.filter(|_| !is_undone).map_or(Tone::Strong, |(_, tone)| *tone)
    }
}

/// `TransferConfirmed` of `codepix.transfers.TransferConfirmed.v1`.
fn short(event_type: &str) -> String {
    let mut parts = event_type.rsplit('.');
    let version = parts.next().unwrap_or_default();
    match parts.next() {
        Some(name) if version == "v1" => name.to_owned(),
        Some(name) => format!("{name}.{version}"),
        None => version.to_owned(),
    }
}

impl Shown for EventView {
    fn text(&self, paint: Paint) -> String {
        let name = paint.tint(self.tone(), &one_line(&self.name));
        let name = match &self.page {
            Some(page) => paint.link(&name, page),
            None => name,
        };
        let mut words = vec![paint.tint(Tone::Faint, &self.clock), name];
        words.extend(self.key.as_deref().map(one_line));
        words.extend(self.version.map(|version| paint.tint(Tone::Faint, &format!("v{version}"))));
        words.push(paint.tint(Tone::Faint, &one_line(&self.topic)));
        words.extend(self.unreadable.as_deref().map(|why| paint.tint(Tone::Bad, &one_line(why))));
        let body = self.body.as_ref().and_then(|body| serde_json::from_str(body.get()).ok());
        for (field, value) in body.as_ref().map(fields).unwrap_or_default() {
            words.push(format!("{}{value}", paint.tint(Tone::Faint, &format!("{field}="))));
        }
        if let Some(page) = self.page.as_ref().filter(|_| !paint.has_links()) {
            words.push(page.clone());
        }
        words.join("  ")
    }
}

/// What a body says, field by field; what is empty says nothing.
fn fields(body: &Value) -> Vec<(String, String)> {
    let Some(fields) = body.as_object() else {
        return vec![("body".to_owned(), cut(&one_line(&body.to_string())))];
    };
    let mut told = Vec::new();
    for (field, value) in fields {
        let text = match value {
            Value::Null => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::String(text) => text.clone(),
            Value::Object(inner) => words_of(inner),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
        };
        told.push((one_line(field), cut(&one_line(&text))));
    }
    told
}

/// Money as money, a party by its name, and whatever else as it is.
fn words_of(inner: &serde_json::Map<String, Value>) -> String {
    let text = |field: &str| inner.get(field).and_then(Value::as_str);
    match (text("currency"), text("amount"), text("owner_name")) {
        (Some(currency), Some(amount), _) => format!("{currency} {amount}"),
        (_, _, Some(name)) => format!("{name} at {}", text("ispb").unwrap_or("?")),
        _ => Value::Object(inner.clone()).to_string(),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= VALUE_LENGTH_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(VALUE_LENGTH_MAX).collect();
    format!("{kept}…")
}

/// Others' texts must neither end the line nor move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if disturbs(character) { ' ' } else { character }).collect()
}

/// Whether a terminal, or whoever reads line by line, does something with it but show it: control
/// characters, other ends of lines, and what turns the direction of writing.
fn disturbs(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// A body as it was written, to the digit, and on one line: line breaks can only stand between its
/// parts, where they say nothing, and what else disturbs only in its texts, where it has an escape.
fn body_on_one_line(body: &[u8]) -> Option<Box<RawValue>> {
    let body: &RawValue = serde_json::from_slice(body).ok()?;
    let mut line = String::with_capacity(body.get().len());
    for character in body.get().chars() {
        if matches!(character, '\n' | '\r' | '\t') {
            line.push(' ');
        } else if disturbs(character) {
            line.extend([format!("\\u{:04x}", u32::from(character))]);
        } else {
            line.push(character);
        }
    }
    RawValue::from_string(line).ok()
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::TopicPartition;
    use shared_kernel::application::catalogue::EventEntry;
    use shared_kernel::domain::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::catalogue;
    use crate::cli::events::{ForeignTopics, TailEvents};

    fn entry(name: &str) -> &'static EventEntry {
        let own = catalogue::events().filter(|entry| entry.name == name);
        own.max_by_key(|entry| entry.event_type).unwrap()
    }

    /// The page of an event, whatever version it has by now.
    fn page(name: &str) -> String {
        format!("http://here/docs/events/{name}/{}", entry(name).version)
    }

    fn example(name: &str) -> (InboundRecord, String) {
        let published = (entry(name).example)().unwrap();
        let topic = published.topics().next().unwrap().to_owned();
        let sent = published.into_record("", "/codepix/transfers", Uuid::nil(), Timestamp::EPOCH);
        let from = TopicPartition { topic: topic.clone(), partition: 3 };
        let record = InboundRecord {
            from,
            offset: 7,
            broker_time: Timestamp::EPOCH,
            key: sent.key,
            headers: sent.headers,
            payload: sent.payload,
        };
        (record, topic)
    }

    fn shown(record: &InboundRecord, topic: &str) -> EventView {
        let events = KnownEvents::on(&ForeignTopics::default());
        EventView::of(record, topic, &events, "http://here/")
    }

    fn view(name: &str) -> EventView {
        let (record, topic) = example(name);
        shown(&record, &topic)
    }

    #[test]
    fn an_event_is_one_line_with_its_page() {
        let line = view("TransferRejected").text(Paint::new(false));
        assert_eq!(line.lines().count(), 1);
        for part in [
            "00:00:00.000  TransferRejected  E00000001",
            "  v2  codepix.transfers  ",
            "amount=BRL 100.00",
            "payer=Maria Silva at 00000001",
            "reason_code=AC06",
            &page("TransferRejected"),
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        assert!(!line.contains("confirmed_at"), "what is null says nothing: {line}");
    }

    #[test]
    fn a_terminal_gets_a_link_and_a_colour() {
        let line = view("TransferRejected").text(Paint::new(true));
        let link = format!("\u{1b}]8;;{}\u{1b}\\", page("TransferRejected"));
        assert!(line.contains(&link), "{line:?}");
        assert_eq!(line.matches("http://here").count(), 1, "not once more as text");
        assert!(line.contains("\u{1b}[31m"), "refusals are red: {line:?}");
        assert_eq!(view("AccountUnblocked").tone(), Tone::Strong);
    }

    #[test]
    fn json_has_the_envelope_and_the_body_as_it_is() {
        let json = serde_json::to_value(view("AmountHeld")).unwrap();
        assert_eq!(json["type"], entry("AmountHeld").event_type);
        assert_eq!(json["body"]["amount"]["amount"], "100.00");
        assert_eq!(json["page"], page("AmountHeld"));
        assert_eq!((&json["partition"], &json["offset"]), (&3.into(), &7.into()));
        assert!(json.get("unreadable").is_none());
    }

    #[test]
    fn a_body_of_many_lines_is_one_line_and_forges_no_event() {
        let (mut record, topic) = example("AmountHeld");
        let forged = r#"{"type":"codepix.transfers.TransferConfirmed.v1"}"#;
        let body = format!("{{\r\n\t\"sum\": 1006.5699999999999000,\n\"more\":\n{forged}\n}}");
        record.payload = Some(body.clone().into_bytes());
        let line = serde_json::to_string(&shown(&record, &topic)).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains("1006.5699999999999000"), "to the digit: {line}");
        let json: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["type"], entry("AmountHeld").event_type);
        assert_eq!(json["body"], serde_json::from_str::<Value>(&body).unwrap());
    }

    #[test]
    fn no_text_of_others_reaches_the_terminal_as_a_command() {
        // CSI and OSC in both forms, DEL, ends of lines and a turned direction, as texts of JSON.
        let evil = "a\u{1b}[2J\u{9b}2J\u{9d}0;x\u{7}\u{7f}\u{85}\u{2028}\u{2029}\u{202e}\u{2066}b";
        let raw: String = evil.chars().filter(|it| u32::from(*it) >= 0x20).collect();
        let (mut record, topic) = example("AmountHeld");
        record.key = Some(evil.as_bytes().to_vec());
        let text = serde_json::to_string(evil).unwrap();
        for body in [
            format!(r#"{{{text}:{text},"in":{{{text}:[{text}]}},"raw":"{raw}"}}"#),
            format!("[{text}]"),
            text.clone(),
            format!("\"{raw}\""),
        ] {
            record.payload = Some(body.clone().into_bytes());
            for headers in [record.headers.clone(), vec![("ce_type".into(), evil.into())]] {
                let record = InboundRecord { headers, ..record.clone() };
                let view = shown(&record, &topic);
                let line = view.text(Paint::new(false));
                assert!(!line.chars().any(disturbs), "{line:?}");
                let json = view.body.as_ref().unwrap();
                assert!(!json.get().chars().any(disturbs), "{json:?}");
                let (same, was): (Value, Value) = (
                    serde_json::from_str(json.get()).unwrap(),
                    serde_json::from_str(&body).unwrap(),
                );
                assert_eq!(same, was, "and nothing of it is lost");
            }
        }
    }

    #[test]
    fn what_is_no_event_is_shown_with_the_reason() {
        let (mut record, topic) = example("AmountHeld");
        record.headers.clear();
        record.payload = Some(b"\x1b[2J".to_vec());
        let view = shown(&record, &topic);
        let line = view.text(Paint::new(false));
        assert!(line.contains("no event") && line.contains("ce_specversion"), "{line}");
        assert!(!line.contains('\u{1b}'));
        assert_eq!(view.event_type(), "");
    }

    #[test]
    fn events_that_share_a_topic_are_told_apart_by_their_bodies() {
        let names = ["BankProgramOrdered", "WalletTransactionCreated"];
        let topics = names.map(|name| example(name).1);
        assert_eq!(topics[0], topics[1]);
        for name in names {
            let view = view(name);
            let json = serde_json::to_value(&view).unwrap();
            assert_eq!(
                (&json["type"], &json["page"]),
                (&entry(name).event_type.into(), &page(name).into())
            );
            assert!(json.get("unreadable").is_none(), "{json}");
            let wanted = TailEvents { types: vec![name.to_owned()], ..TailEvents::default() };
            let of_both = names.map(|it| wanted.wants_type(self::view(it).event_type()));
            assert_eq!(of_both, names.map(|it| it == name));
        }
    }

    #[test]
    fn a_program_may_write_its_fields_in_any_case_and_leave_some_out() {
        let (mut record, topic) = example("BankProgramOrdered");
        record.payload =
            Some(br#"{"ID":"1","accountid":"2","amount":"3","PIXKEYTO":"k"}"#.to_vec());
        assert_eq!(shown(&record, &topic).event_type(), entry("BankProgramOrdered").event_type);
    }

    #[test]
    fn what_is_neither_of_a_shared_topic_says_so() {
        let (mut record, topic) = example("BankProgramOrdered");
        for body in [r#"{"hello":1}"#, "[]", "x"] {
            record.payload = Some(body.as_bytes().to_vec());
            let line = shown(&record, &topic).text(Paint::new(false));
            let why = "the body has no field of BankProgramOrdered or WalletTransactionCreated";
            assert!(line.contains("no event") && line.contains(why), "{line}");
        }
    }

    #[test]
    fn a_tombstone_is_of_the_event_of_its_topic() {
        let (mut record, topic) = example("HandOverMarked");
        record.payload = None;
        assert_eq!(shown(&record, &topic).event_type(), entry("HandOverMarked").event_type);
    }
}
