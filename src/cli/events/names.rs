//! Names of topics and types, before they are followed: one that nothing has would be waited for
//! for ever, and nobody would learn that it was mistyped.

use std::collections::BTreeSet;

use shared_kernel::application::catalogue::EventEntry;
use shared_kernel::application::dead_letter::SUFFIX;

use super::command::{self, TailEvents};
use super::known::KnownEvents;
use crate::client::ClientError;

/// Most names that are suggested.
const SUGGESTED_MAX: usize = 3;

/// Refuses what no channel and no event of the registries is called, and types that stand on none
/// of the named topics.
///
/// # Errors
/// `topic_unknown`, `event_type_unknown`, `event_type_elsewhere`: with the nearest names.
pub(super) fn check(which: &TailEvents, known: &KnownEvents) -> Result<(), ClientError> {
    for named in &which.topics {
        if !which.bare(named).iter().any(|topic| known.has_topic(topic)) {
            return Err(no_topic(named, which, known));
        }
    }
    for named in &which.types {
        let of_it = known.entries().filter(|entry| command::names(named, entry.event_type));
        let of_it: Vec<&EventEntry> = of_it.collect();
        if of_it.is_empty() {
            return Err(no_type(named, known));
        }
        let stands = |entry: &&EventEntry| {
            let mut topics = which.topics.iter().flat_map(|topic| which.bare(topic));
            topics.any(|topic| known.stands_on(entry, topic))
        };
        if !which.topics.is_empty() && !of_it.iter().any(stands) {
            return Err(elsewhere(named, &of_it, known));
        }
    }
    Ok(())
}

fn no_topic(named: &str, which: &TailEvents, known: &KnownEvents) -> ClientError {
    let said = |sentence: String| ClientError::usage("topic_unknown", "topic", sentence);
    let letters = named.strip_suffix(SUFFIX);
    if let Some(topic) = letters.filter(|it| which.bare(it).iter().any(|it| known.has_topic(it))) {
        let sentence = format!("{named} holds dead letters, which are no events");
        return said(sentence).hint(format!("`codepix dlq list --topic {topic}` lists them"));
    }
    let addresses = known.addresses_of(&known.entries().collect::<Vec<_>>());
    let bare = which.bare(named).pop().unwrap_or(named);
    let near = nearest(bare, &addresses);
    let all = addresses.iter().map(String::as_str).collect();
    let near = if near.is_empty() { all } else { near };
    let near = near.join(", ").replace('{', "<").replace('}', ">");
    said(format!("no event stands on a topic {named}; there is {near}"))
}

fn no_type(named: &str, known: &KnownEvents) -> ClientError {
    let names: BTreeSet<String> = known.entries().map(|entry| entry.name.to_owned()).collect();
    let near = nearest(short(named), &names).join(", ");
    let near = if near.is_empty() { String::new() } else { format!("; there is {near}") };
    let sentence = format!("no event is of the type {named}{near}");
    let error = ClientError::usage("event_type_unknown", "type", sentence);
    error.hint("the event catalogue has them all: `./codepix catalog serve`")
}

fn elsewhere(named: &str, of_it: &[&EventEntry], known: &KnownEvents) -> ClientError {
    let addresses = known.addresses_of(of_it).into_iter().collect::<Vec<_>>().join(", ");
    let addresses = addresses.replace('{', "<").replace('}', ">");
    let sentence = format!("{named} stands on {addresses}, and on none of the named topics");
    ClientError::usage("event_type_elsewhere", "type", sentence)
}

/// The name in a type that may be whole: `TransferConfirmed` of `codepix.….TransferConfirmed.v1`.
fn short(named: &str) -> &str {
    let is_version = |part: &str| {
        part.strip_prefix(['v', 'V']).is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    named.rsplit('.').find(|part| !is_version(part)).unwrap_or(named)
}

/// The names that are most like a mistyped one, the nearest first.
fn nearest<'a>(named: &str, names: &'a BTreeSet<String>) -> Vec<&'a str> {
    let far = (named.chars().count() / 3).max(2);
    let distance = |name: &'a String| (steps_between(named, name), name.as_str());
    let mut near: Vec<(usize, &str)> = names.iter().map(distance).collect();
    near.retain(|(steps, _)| *steps <= far);
    near.sort_unstable();
    near.into_iter().take(SUGGESTED_MAX).map(|(_, name)| name).collect()
}

/// How many letters have to be put in, left out or changed, in whatever case (Levenshtein).
fn steps_between(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().map(|letter| letter.to_ascii_lowercase()).collect();
    let mut before: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().enumerate() {
        let letter = letter.to_ascii_lowercase();
        let mut left = place.saturating_add(1);
        let mut row = vec![left];
        for (pair, known) in before.windows(2).zip(&other) {
            let [diagonal, above] = pair else { continue };
            let changed = diagonal.saturating_add(usize::from(letter != *known));
            left = changed.min(above.saturating_add(1)).min(left.saturating_add(1));
            row.push(left);
        }
        before = row;
    }
    before.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::events::ForeignTopics;

    fn checked(topics: &[&str], types: &[&str], prefix: &str) -> Result<(), ClientError> {
        let texts = |of: &[&str]| of.iter().map(|it| (*it).to_owned()).collect();
        let mut which =
            TailEvents { topics: texts(topics), types: texts(types), ..TailEvents::default() };
        which.kafka.topic_prefix = prefix.to_owned();
        which.foreign.classic_bank_topics = "their-bank-".to_owned();
        check(&which, &KnownEvents::on(&which.foreign))
    }

    #[track_caller]
    fn refused(topics: &[&str], types: &[&str], code: &str, words: &[&str]) {
        let error = checked(topics, types, "").unwrap_err();
        assert_eq!((error.code(), error.exit_code()), (code, 1));
        let said = format!("{error} {}", error.advice().unwrap_or_default());
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} of {said}");
    }

    #[test]
    fn what_is_there_may_be_followed_under_each_of_its_names() {
        for topic in ["codepix.transfers", "codepix.bank.00000002", "their-bank-002", "balances"] {
            checked(&[topic], &[], "").unwrap();
            checked(&[topic, &format!("t1.{topic}")], &[], "t1.").unwrap();
        }
        for name in ["transferconfirmed", "TransferConfirmed.v1", "WalletBalanceUpdated"] {
            checked(&[], &[name], "").unwrap();
        }
        let entries = KnownEvents::on(&ForeignTopics::default());
        assert!(entries.entries().all(|it| checked(&[], &[it.event_type, it.name], "").is_ok()));
        checked(&["codepix.pix-keys", "codepix.transfers"], &["TransferConfirmed"], "").unwrap();
    }

    #[test]
    fn a_mistyped_topic_is_refused_with_the_nearest() {
        refused(&["codepix.transfer"], &[], "topic_unknown", &["there is codepix.transfers"]);
        refused(&["codepix.pixkeys"], &[], "topic_unknown", &["codepix.pix-keys"]);
        refused(
            &["codepix.transfers", "zzz"],
            &[],
            "topic_unknown",
            &["zzz", "codepix.bank.<ispb>"],
        );
        // With its usual name a topic of the settings is not there.
        refused(&["bank002"], &[], "topic_unknown", &["their-bank-<code>"]);
        let letters = "codepix.transfers.dlq";
        refused(&[letters], &[], "topic_unknown", &["dead letters", "codepix dlq list --topic"]);
        let error = checked(&["t1.codepix.transfer"], &[], "t1.").unwrap_err();
        assert!(error.to_string().contains("there is codepix.transfers"), "{error}");
    }

    #[test]
    fn a_mistyped_type_is_refused_with_the_nearest() {
        refused(&[], &["TransferConfirmd"], "event_type_unknown", &["there is TransferConfirmed"]);
        let whole = "codepix.transfers.TransferConfirmed.v9";
        refused(&[], &["AmountHeld", whole], "event_type_unknown", &["there is TransferConfirmed"]);
        refused(&[], &["zzz"], "event_type_unknown", &["no event is of the type zzz", "catalogue"]);
    }

    #[test]
    fn a_type_that_no_named_topic_has_is_refused() {
        let topics = ["codepix.pix-keys", "codepix.banking.accounts"];
        let words = ["codepix.transfers", "codepix.bank.<ispb>", "none of the named topics"];
        refused(&topics, &["TransferConfirmed"], "event_type_elsewhere", &words);
    }

    #[test]
    fn steps_are_letters_put_in_left_out_or_changed() {
        for (one, other, steps) in [
            ("", "", 0),
            ("abc", "ABC", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(steps_between(one, other), steps, "{one} {other}");
        }
    }
}
