//! A record of a dead-letter topic, read: a letter, or the marker of a redriven one.

use std::collections::BTreeMap;

use shared_kernel::application::cut::PARTS;
use shared_kernel::application::dead_letter::{SUFFIX, header};
use shared_kernel::application::{InboundRecord, TopicPartition};
use shared_kernel::domain::Timestamp;

use super::address::Address;
use super::command::LetterFilter;

/// Header of a marker: partition and offset of the letter that was redriven.
pub(super) const REDRIVEN: &str = "dlq_redriven";
/// Header of a marker: when it was.
pub(super) const REDRIVEN_AT: &str = "dlq_redriven_at";
/// Characters of a payload that a list shows.
const EXCERPT_LENGTH_MAX: usize = 160;

/// What a list shows of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) address: Address,
    pub(super) consumer: String,
    pub(super) code: String,
    pub(super) reason: String,
    pub(super) event_type: Option<String>,
    pub(super) origin: Option<Origin>,
    pub(super) failed_at: Timestamp,
    pub(super) key: Option<String>,
    pub(super) payload: Option<String>,
    /// What of the record was too large for its letter, such as `payload of 1040000 bytes`.
    pub(super) cut: Vec<String>,
    pub(super) redriven_at: Option<Timestamp>,
}

/// Where a letter was read when it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) at: TopicPartition,
    pub(super) offset: i64,
    pub(super) time: Option<Timestamp>,
}

impl Origin {
    /// The origin that the headers name; `None` when they do not.
    pub(super) fn of(record: &InboundRecord) -> Option<Self> {
        Some(Self {
            at: TopicPartition {
                topic: record.header(header::TOPIC)?.to_owned(),
                partition: record.header(header::PARTITION)?.parse().ok()?,
            },
            offset: record.header(header::OFFSET)?.parse().ok()?,
            time: record.header(header::TIME).and_then(|time| Timestamp::parse(time).ok()),
        })
    }
}

/// The address of a record.
pub(super) fn address_of(record: &InboundRecord) -> Address {
    Address {
        topic: record.from.topic.clone(),
        partition: record.from.partition,
        offset: record.offset,
    }
}

/// The parts of a record that its letter holds only the beginning of.
fn cut_of(record: &InboundRecord) -> Vec<String> {
    let cut = PARTS.iter().filter_map(|part| {
        let bytes = record.header(part.bytes)?;
        Some(format!("{} of {bytes} bytes", part.name))
    });
    cut.collect()
}

/// Bytes as text; what is no text is shown as such.
pub(super) fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn excerpt(payload: &[u8]) -> String {
    let text = as_text(payload);
    let mut short: String = text.chars().take(EXCERPT_LENGTH_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl Letter {
    fn of(record: &InboundRecord) -> Self {
        let text = |name: &str| record.header(name).unwrap_or_default().to_owned();
        let failed_at = record.header(header::FAILED_AT).and_then(|at| Timestamp::parse(at).ok());
        Self {
            address: address_of(record),
            consumer: text(header::CONSUMER),
            code: text(header::CODE),
            reason: text(header::REASON),
            event_type: record.header("ce_type").map(str::to_owned),
            origin: Origin::of(record),
            failed_at: failed_at.unwrap_or(record.broker_time),
            key: record.key.as_deref().map(as_text),
            payload: record.payload.as_deref().map(excerpt),
            cut: cut_of(record),
            redriven_at: None,
        }
    }

    /// Whether a filter means it.
    pub(super) fn is_meant(&self, filter: &LetterFilter) -> bool {
        filter.code.as_ref().is_none_or(|code| *code == self.code)
    }
}

/// Whether `--topic` names the dead-letter topic `full`.
pub(super) fn names_topic(wanted: &str, full: &str, prefix: &str) -> bool {
    let origin = full.strip_suffix(SUFFIX).unwrap_or(full);
    let bare = origin.strip_prefix(prefix).unwrap_or(origin);
    let wanted = wanted.strip_suffix(SUFFIX).unwrap_or(wanted);
    wanted == origin || wanted == bare
}

/// The letters of dead-letter topics, gathered record by record.
#[derive(Clone, Debug, Default)]
pub(super) struct Mailbox {
    letters: BTreeMap<Address, Letter>,
    redriven: BTreeMap<Address, Timestamp>,
}

impl Mailbox {
    /// Takes the next record of a topic.
    pub(super) fn take(&mut self, record: &InboundRecord) {
        if let Some((address, at)) = marked(record) {
            self.redriven.insert(address, at);
        } else {
            let letter = Letter::of(record);
            self.letters.insert(letter.address.clone(), letter);
        }
    }

    /// The letters in the order of their addresses, with what their markers say.
    pub(super) fn into_letters(self) -> Vec<Letter> {
        let Self { letters, redriven } = self;
        let letters = letters.into_values();
        letters
            .map(|letter| Letter { redriven_at: redriven.get(&letter.address).copied(), ..letter })
            .collect()
    }
}

/// The letter that a marker names, and when it was redriven; `None` for a letter.
pub(super) fn marked(record: &InboundRecord) -> Option<(Address, Timestamp)> {
    let (partition, offset) = record.header(REDRIVEN)?.split_once(':')?;
    let at = record.header(REDRIVEN_AT).and_then(|at| Timestamp::parse(at).ok());
    let address = Address {
        topic: record.from.topic.clone(),
        partition: partition.parse().ok()?,
        offset: offset.parse().ok()?,
    };
    Some((address, at.unwrap_or(record.broker_time)))
}

#[cfg(test)]
pub(super) mod tests {
    use shared_kernel::application::DeadLetter;

    use super::*;

    pub(in crate::cli::dlq) const TOPIC: &str = "test.codepix.transfers.dlq";

    /// A letter as a consumer writes it, read back.
    pub(in crate::cli::dlq) fn letter_record(offset: i64, code: &str) -> InboundRecord {
        let original = InboundRecord {
            from: TopicPartition { topic: "test.codepix.transfers".to_owned(), partition: 3 },
            offset: 991,
            broker_time: Timestamp::from_millis(1_000).unwrap(),
            key: Some(b"E1".to_vec()),
            headers: vec![("ce_type".to_owned(), b"codepix.transfers.T.v1".to_vec())],
            payload: Some(b"{\"a\":1}".to_vec()),
        };
        let reason = "the body is unreadable";
        let letter = DeadLetter::new(original, "codepix.balances", code, reason);
        let written = letter.into_record(Timestamp::from_millis(5_000).unwrap());
        assert_eq!(written.topics, [TOPIC]);
        read_back(written, offset)
    }

    pub(in crate::cli::dlq) fn read_back(
        written: shared_kernel::application::OutboundRecord,
        offset: i64,
    ) -> InboundRecord {
        InboundRecord {
            from: TopicPartition { topic: written.topics[0].clone(), partition: 0 },
            offset,
            broker_time: written.time.unwrap_or(Timestamp::EPOCH),
            key: written.key,
            headers: written.headers,
            payload: written.payload,
        }
    }

    /// The letter of a record that was too large.
    pub(in crate::cli::dlq) fn cut_letter_record(offset: i64) -> InboundRecord {
        let payload = Some(vec![b'x'; 1_040_000]);
        let large = InboundRecord { payload, ..letter_record(offset, "payload_json") };
        let letter = DeadLetter::new(
            InboundRecord { from: origin_of(&large), ..large },
            "codepix.balances",
            "payload_json",
            "the body is unreadable",
        );
        read_back(letter.into_record(Timestamp::from_millis(5_000).unwrap()), offset)
    }

    fn origin_of(letter: &InboundRecord) -> TopicPartition {
        Origin::of(letter).unwrap().at
    }

    fn marker(offset: i64, of: &str) -> InboundRecord {
        let headers = vec![
            (REDRIVEN.to_owned(), of.as_bytes().to_vec()),
            (REDRIVEN_AT.to_owned(), b"2026-11-20T12:00:00.000000Z".to_vec()),
        ];
        InboundRecord { headers, payload: None, ..letter_record(offset, "x") }
    }

    #[test]
    fn a_letter_tells_who_gave_up_and_why() {
        let letter = Letter::of(&letter_record(7, "payload_json"));
        assert_eq!(letter.address.to_string(), format!("{TOPIC}:0:7"));
        assert_eq!(
            (letter.consumer.as_str(), letter.code.as_str()),
            ("codepix.balances", "payload_json")
        );
        assert_eq!(letter.failed_at, Timestamp::from_millis(5_000).unwrap());
        let origin = letter.origin.unwrap();
        assert_eq!(
            (origin.at.to_string(), origin.offset),
            ("test.codepix.transfers[3]".into(), 991)
        );
        assert_eq!(letter.payload.as_deref(), Some("{\"a\":1}"));
    }

    #[test]
    fn a_marker_is_no_letter_and_marks_one() {
        let mut mailbox = Mailbox::default();
        for record in [letter_record(0, "a"), letter_record(1, "b"), marker(2, "0:0")] {
            mailbox.take(&record);
        }
        let letters = mailbox.into_letters();
        let redriven: Vec<bool> = letters.iter().map(|it| it.redriven_at.is_some()).collect();
        assert_eq!(redriven, [true, false]);
    }

    #[test]
    fn a_foreign_record_is_listed_without_an_origin() {
        let record = InboundRecord { headers: vec![], ..letter_record(0, "a") };
        let letter = Letter::of(&record);
        assert_eq!((letter.origin, letter.code.as_str()), (None, ""));
    }

    #[test]
    fn a_topic_is_named_with_or_without_prefix_and_suffix() {
        for wanted in
            ["codepix.transfers", "codepix.transfers.dlq", "test.codepix.transfers", TOPIC]
        {
            assert!(names_topic(wanted, TOPIC, "test."), "{wanted}");
        }
        assert!(!names_topic("codepix", TOPIC, "test."));
    }

    #[test]
    fn a_long_payload_is_cut_between_characters() {
        let long = "ção".repeat(100);
        let short = excerpt(long.as_bytes());
        assert_eq!(short.chars().count(), EXCERPT_LENGTH_MAX + 1);
        assert!(short.ends_with('…'));
        assert_eq!(excerpt(&[0xff, b'a']), "\u{fffd}a");
    }
}
