//! Letters as they are printed.

use serde::Serialize;
use serde_json::Value;
use shared_kernel::application::InboundRecord;
use shared_kernel::domain::Timestamp;

use super::letter::{Letter, as_text};
use crate::cli::output::{Cell, Fields, Paint, Shown, Tone, age, moment, text_or_dash};

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LetterView {
    pub(super) letter: String,
    consumer: String,
    code: String,
    reason: String,
    event_type: Option<String>,
    origin_topic: Option<String>,
    origin_partition: Option<i32>,
    origin_offset: Option<i64>,
    origin_time: Option<Timestamp>,
    failed_at: Timestamp,
    key: Option<String>,
    payload: Option<String>,
    cut: Vec<String>,
    redriven_at: Option<Timestamp>,
    #[serde(skip)]
    age: String,
}

impl LetterView {
    /// The view of a letter at an instant.
    pub(super) fn of(letter: Letter, now: Timestamp) -> Self {
        let (topic, place, time) = match letter.origin {
            Some(origin) => {
                (Some(origin.at.topic), Some((origin.at.partition, origin.offset)), origin.time)
            }
            None => (None, None, None),
        };
        Self {
            letter: letter.address.to_string(),
            consumer: letter.consumer,
            code: letter.code,
            reason: letter.reason,
            event_type: letter.event_type,
            origin_topic: topic,
            origin_partition: place.map(|(partition, _)| partition),
            origin_offset: place.map(|(_, offset)| offset),
            origin_time: time,
            failed_at: letter.failed_at,
            key: letter.key,
            payload: letter.payload,
            cut: letter.cut,
            redriven_at: letter.redriven_at,
            age: age(now.since(letter.failed_at)),
        }
    }

    fn origin(&self) -> Option<String> {
        let topic = self.origin_topic.as_ref()?;
        let (partition, offset) = (self.origin_partition?, self.origin_offset?);
        Some(format!("{topic}:{partition}:{offset}, written {}", moment(self.origin_time)))
    }

    fn fields(&self) -> Fields {
        let cut = (!self.cut.is_empty()).then(|| Cell::new(Tone::Open, self.cut.join(", ")));
        let redriven = self.redriven_at.map(|at| Cell::new(Tone::Good, moment(Some(at))));
        Fields::new()
            .field("  code", Cell::new(Tone::Bad, text_or_dash(&self.code)))
            .field("  reason", text_or_dash(&self.reason))
            .field("  consumer", text_or_dash(&self.consumer))
            .field_if("  event", self.event_type.as_deref())
            .field("  origin", self.origin().unwrap_or_else(|| "unknown".to_owned()))
            .field_if("  key", self.key.as_deref())
            .field_if("  cut", cut)
            .field_if("  redriven", redriven)
    }

    fn heading(&self, paint: Paint) -> String {
        let letter = paint.tint(Tone::Strong, &self.letter);
        let age = paint.tint(Tone::Faint, &format!("{} ago", self.age));
        format!("{letter}  {age}")
    }
}

/// Letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LetterList {
    pub(super) letters: Vec<LetterView>,
    /// Letters that were found but not listed.
    pub(super) more: usize,
}

impl Shown for LetterList {
    fn text(&self, paint: Paint) -> String {
        if self.letters.is_empty() {
            return paint.tint(Tone::Good, "no dead letters");
        }
        let block = |letter: &LetterView| {
            let fields = letter.fields().field_if("  payload", letter.payload.as_deref());
            format!("{}\n{}", letter.heading(paint), fields.render(paint))
        };
        let more = (self.more > 0).then(|| format!("{} more; --limit shows them", self.more));
        self.letters.iter().map(block).chain(more).collect::<Vec<_>>().join("\n\n")
    }
}

/// A letter with all that it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct WholeLetter {
    #[serde(flatten)]
    letter: LetterView,
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

impl WholeLetter {
    /// The letter and its record. A body that is no JSON is shown as text.
    pub(super) fn of(letter: Letter, record: &InboundRecord, now: Timestamp) -> Self {
        let headers = record.headers.iter();
        let body = record.payload.as_deref().map(|payload| {
            serde_json::from_slice(payload).unwrap_or_else(|_text| Value::String(as_text(payload)))
        });
        Self {
            letter: LetterView::of(letter, now),
            headers: headers.map(|(name, value)| (name.clone(), as_text(value))).collect(),
            body,
        }
    }
}

impl Shown for WholeLetter {
    fn text(&self, paint: Paint) -> String {
        let mut headers = Fields::new();
        for (name, value) in &self.headers {
            headers = headers.field(&format!("  {name}"), value.as_str());
        }
        let body = match &self.body {
            None => "none (a tombstone)".to_owned(),
            Some(Value::String(text)) => text.chars().filter(|it| !it.is_control()).collect(),
            Some(json) => serde_json::to_string_pretty(json).unwrap_or_default(),
        };
        format!(
            "{}\n{}\n\n{}\n{}\n\n{}\n{body}",
            self.letter.heading(paint),
            self.letter.fields().render(paint),
            paint.tint(Tone::Faint, "headers"),
            headers.render(paint),
            paint.tint(Tone::Faint, "payload"),
        )
    }
}

/// What a redrive did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Redriven {
    pub(super) letters: Vec<String>,
    pub(super) dry_run: bool,
    /// Letters that name no origin and stay.
    pub(super) unfit: usize,
    /// Letters of records that were too large for them; they stay.
    pub(super) cut: usize,
}

impl Shown for Redriven {
    fn text(&self, paint: Paint) -> String {
        let count = self.letters.len();
        let noun = if count == 1 { "letter" } else { "letters" };
        let verb = if self.dry_run { "would be redriven" } else { "redriven" };
        let mut lines: Vec<String> = self.letters.clone();
        lines.push(paint.tint(Tone::Good, &format!("{count} {noun} {verb}")));
        if self.unfit > 0 {
            let sentence = format!("{} do not name the topic they came from and stay", self.unfit);
            lines.push(paint.tint(Tone::Open, &sentence));
        }
        if self.cut > 0 {
            let sentence = format!("{} hold only a part of their record and stay", self.cut);
            lines.push(paint.tint(Tone::Open, &sentence));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::letter::Mailbox;
    use super::super::letter::tests::{cut_letter_record, letter_record};
    use super::*;

    fn letter(record: &InboundRecord) -> Letter {
        let mut mailbox = Mailbox::default();
        mailbox.take(record);
        mailbox.into_letters().remove(0)
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(65_000).unwrap()
    }

    #[test]
    fn a_list_says_all_that_is_needed_to_judge_a_letter() {
        let view = LetterView::of(letter(&letter_record(7, "payload_json")), now());
        let text = LetterList { letters: vec![view], more: 2 }.text(Paint::new(false));
        for part in [
            "test.codepix.transfers.dlq:0:7  1m 0s ago",
            "code      payload_json",
            "reason    the body is unreadable",
            "consumer  codepix.balances",
            "origin    test.codepix.transfers:3:991, written 1970-01-01 00:00:01Z",
            "key       E1",
            "payload   {\"a\":1}",
            "2 more; --limit shows them",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_cut_letter_says_what_was_cut() {
        let view = LetterView::of(letter(&cut_letter_record(7)), now());
        let text = LetterList { letters: vec![view], more: 0 }.text(Paint::new(false));
        assert!(text.contains("cut       payload of 1040000 bytes"), "{text}");
    }

    #[test]
    fn a_whole_letter_shows_headers_and_json() {
        let record = letter_record(7, "payload_json");
        let whole = WholeLetter::of(letter(&record), &record, now());
        let text = whole.text(Paint::new(false));
        assert!(text.contains("ce_type") && text.contains("\"a\": 1"), "{text}");
        let json = serde_json::to_value(&whole).unwrap();
        assert_eq!((&json["body"]["a"], &json["code"]), (&1.into(), &"payload_json".into()));
    }

    #[test]
    fn a_body_that_is_no_json_is_text_that_cannot_steer_the_terminal() {
        let payload = Some(b"\x1b[2Jnot json".to_vec());
        let record = InboundRecord { payload, ..letter_record(7, "payload_json") };
        let text = WholeLetter::of(letter(&record), &record, now()).text(Paint::new(false));
        assert!(text.ends_with("payload\n[2Jnot json"), "{text:?}");
    }
}
