//! What a redrive writes: first the record where it came from, then the marker of the letter.

use shared_kernel::application::dead_letter::header;
use shared_kernel::application::{InboundRecord, LogWriter, OutboundRecord};
use shared_kernel::domain::Timestamp;

use super::address::Address;
use super::letter::{Letter, Origin, REDRIVEN, REDRIVEN_AT, address_of};
use crate::client::ClientError;

/// Letters of one round of two writes.
pub(super) const ROUND_MAX: usize = 100;

/// Which of the named letters may be redriven.
///
/// # Errors
/// `letter_not_found`, `letter_redriven`, `letter_origin_unknown` or `letter_cut` for the first
/// that may not.
pub(super) fn named(
    letters: Vec<Letter>,
    wanted: &[Address],
    again: bool,
) -> Result<Vec<Letter>, ClientError> {
    for address in wanted {
        let Some(letter) = letters.iter().find(|letter| letter.address == *address) else {
            let sentence = format!("there is no letter {address}");
            return Err(ClientError::usage("letter_not_found", "letter", sentence));
        };
        if let (Some(at), false) = (letter.redriven_at, again) {
            let sentence = format!("{address} was redriven at {at}; --again redrives it once more");
            return Err(ClientError::usage("letter_redriven", "letter", sentence));
        }
        if !is_fit(letter) {
            let sentence = format!("{address} does not name the topic it came from");
            return Err(ClientError::usage("letter_origin_unknown", "letter", sentence));
        }
        if !letter.cut.is_empty() {
            let sentence = format!(
                "{address} holds only the beginning of its record ({}), which was too large for a \
                 letter; the whole record is at the origin that `codepix dlq show` names",
                letter.cut.join(", ")
            );
            return Err(ClientError::usage("letter_cut", "letter", sentence));
        }
    }
    Ok(letters.into_iter().filter(|letter| wanted.contains(&letter.address)).collect())
}

/// The letters that were not redriven yet, sorted by whether they can be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    /// These can.
    pub(super) letters: Vec<Letter>,
    /// How many do not name the topic they came from.
    pub(super) unfit: usize,
    /// How many hold only a part of their record.
    pub(super) cut: usize,
}

/// The letters that were not redriven yet.
pub(super) fn open(letters: Vec<Letter>) -> Open {
    let (fit, unfit): (Vec<_>, Vec<_>) =
        letters.into_iter().filter(|letter| letter.redriven_at.is_none()).partition(is_fit);
    let (letters, cut): (Vec<_>, Vec<_>) =
        fit.into_iter().partition(|letter| letter.cut.is_empty());
    Open { letters, unfit: unfit.len(), cut: cut.len() }
}

/// A letter goes back to the topic that its own topic belongs to, and nowhere else.
fn is_fit(letter: &Letter) -> bool {
    letter.origin.as_ref().is_some_and(|origin| origin.at.topic == letter.address.origin())
}

/// The record as it was before a consumer gave up on it.
pub(super) fn original(letter: &InboundRecord) -> Option<OutboundRecord> {
    let origin = Origin::of(letter)?;
    let mut headers = letter.headers.clone();
    headers.retain(|(name, _)| !name.starts_with(header::PREFIX));
    Some(OutboundRecord {
        topics: vec![origin.at.topic],
        key: letter.key.clone(),
        headers,
        payload: letter.payload.clone(),
        time: origin.time,
    })
}

/// The record that says of a letter, in its own topic, that it was redriven.
pub(super) fn marker(letter: &InboundRecord, at: Timestamp) -> OutboundRecord {
    let address = address_of(letter);
    let text = |name: &str, value: String| (name.to_owned(), value.into_bytes());
    OutboundRecord {
        headers: vec![text(REDRIVEN, address.within_topic()), text(REDRIVEN_AT, at.to_string())],
        topics: vec![address.topic],
        key: letter.key.clone(),
        payload: None,
        time: Some(at),
    }
}

/// Writes a round: all originals, then all markers. Killed in between, its letters stay listed.
///
/// # Errors
/// When Kafka does not take them: what was written may be written again.
pub(super) async fn write_round(
    writer: &dyn LogWriter,
    round: &[InboundRecord],
    at: Timestamp,
) -> anyhow::Result<()> {
    let originals: Vec<OutboundRecord> = round.iter().filter_map(original).collect();
    writer.write(&originals).await?;
    let markers: Vec<OutboundRecord> = round.iter().map(|letter| marker(letter, at)).collect();
    writer.write(&markers).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use shared_kernel::application::log::LogError;

    use super::super::letter::tests::{TOPIC, cut_letter_record, letter_record, read_back};
    use super::super::letter::{Mailbox, marked};
    use super::*;

    fn letters(records: &[InboundRecord]) -> Vec<Letter> {
        let mut mailbox = Mailbox::default();
        for record in records {
            mailbox.take(record);
        }
        mailbox.into_letters()
    }

    fn address(offset: i64) -> Address {
        Address { topic: TOPIC.to_owned(), partition: 0, offset }
    }

    #[test]
    fn the_original_comes_back_as_it_was() {
        let record = original(&letter_record(0, "a")).unwrap();
        assert_eq!(record.topics, ["test.codepix.transfers"]);
        assert_eq!(record.key.as_deref(), Some(&b"E1"[..]));
        let names: Vec<&str> = record.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ce_type"]);
        assert_eq!(record.time, Timestamp::from_millis(1_000).ok());
    }

    #[test]
    fn a_marker_names_its_letter() {
        let at = Timestamp::from_millis(9_000).unwrap();
        let letter = letter_record(41, "a");
        let read = read_back(marker(&letter, at), 42);
        assert_eq!(marked(&read), Some((address(41), at)));
        assert_eq!((read.key, read.payload), (letter.key, None));
    }

    #[test]
    fn a_redriven_letter_is_redriven_again_only_on_demand() {
        let letter = letter_record(0, "a");
        let at = Timestamp::from_millis(9_000).unwrap();
        let box_of = || letters(&[letter.clone(), read_back(marker(&letter, at), 1)]);
        assert_eq!(open(box_of()), Open::default());
        let refusal = named(box_of(), &[address(0)], false).unwrap_err();
        assert_eq!(refusal.code(), "letter_redriven");
        assert_eq!(named(box_of(), &[address(0)], true).unwrap().len(), 1);
    }

    #[test]
    fn a_letter_that_is_not_there_stops_the_whole_redrive() {
        let there = letters(&[letter_record(0, "a")]);
        let refusal = named(there, &[address(0), address(5)], false).unwrap_err();
        assert_eq!(refusal.code(), "letter_not_found");
    }

    #[test]
    fn a_letter_goes_nowhere_but_to_the_topic_of_its_box() {
        let mut record = letter_record(0, "a");
        for (name, value) in &mut record.headers {
            if name == header::TOPIC {
                *value = b"another.topic".to_vec();
            }
        }
        let foreign = InboundRecord { headers: vec![], ..letter_record(1, "a") };
        let expected = Open { unfit: 2, ..Open::default() };
        assert_eq!(open(letters(&[record.clone(), foreign])), expected);
        let refusal = named(letters(&[record]), &[address(0)], false).unwrap_err();
        assert_eq!(refusal.code(), "letter_origin_unknown");
    }

    #[test]
    fn a_letter_that_holds_a_part_is_never_written_as_if_it_were_the_record() {
        let there = || letters(&[letter_record(0, "a"), cut_letter_record(1)]);
        let refusal = named(there(), &[address(0), address(1)], false).unwrap_err();
        assert_eq!(refusal.code(), "letter_cut");
        let open = open(there());
        assert_eq!((open.letters.len(), open.unfit, open.cut), (1, 0, 1));
    }

    /// Keeps what is written; fails at one write.
    #[derive(Default)]
    struct Paper {
        written: Mutex<Vec<OutboundRecord>>,
        fails_at: Option<usize>,
    }

    #[async_trait]
    impl LogWriter for Paper {
        async fn write(&self, records: &[OutboundRecord]) -> Result<(), LogError> {
            let mut written = self.written.lock().unwrap();
            if self.fails_at == Some(written.len()) {
                return Err(LogError::Unavailable("no broker".to_owned()));
            }
            written.extend_from_slice(records);
            Ok(())
        }
    }

    #[tokio::test]
    async fn no_letter_is_marked_before_its_record_is_written() {
        let round = [letter_record(0, "a"), letter_record(1, "b")];
        let paper = Paper::default();
        write_round(&paper, &round, Timestamp::EPOCH).await.unwrap();
        let topics: Vec<String> =
            paper.written.lock().unwrap().iter().map(|record| record.topics[0].clone()).collect();
        let origin = "test.codepix.transfers";
        assert_eq!(topics, [origin, origin, TOPIC, TOPIC]);

        let broken = Paper { fails_at: Some(0), ..Paper::default() };
        assert!(write_round(&broken, &round, Timestamp::EPOCH).await.is_err());
        assert!(broken.written.lock().unwrap().is_empty());
    }
}
