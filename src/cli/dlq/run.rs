//! What the words of `codepix dlq` do.

use shared_kernel::application::dead_letter::SUFFIX;
use shared_kernel::application::{Clock as _, InboundRecord, TopicPartition};
use shared_kernel::infrastructure::kafka::KafkaWriter;
use shared_kernel::infrastructure::system::SystemClock;

use super::address::Address;
use super::command::{DlqCommand, LetterFilter, ListLetters, RedriveLetters, ShowLetter};
use super::letter::{Letter, Mailbox, address_of, marked, names_topic};
use super::redrive::{Open, ROUND_MAX, named, open, write_round};
use super::scan::{Extent, Scanner};
use super::view::{LetterList, LetterView, Redriven, WholeLetter};
use crate::cli::output::Output;
use crate::client::ClientError;

/// Runs `codepix dlq`.
///
/// # Errors
/// [`ClientError`] when Kafka does not answer, or a letter is not there.
pub async fn run(command: DlqCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        DlqCommand::List(which) => list(which, output).await,
        DlqCommand::Show(which) => show(which, output).await,
        DlqCommand::Redrive(which) => redrive(which, output).await,
    }
}

/// The letters that the filter means, and a remark where a scan was bounded.
async fn gather(
    scanner: &Scanner,
    filter: &LetterFilter,
    prefix: &str,
    scan_max: u32,
    output: &Output,
) -> anyhow::Result<Vec<Letter>> {
    let is_wanted = |topic: &str| {
        filter.topic.as_deref().is_none_or(|wanted| names_topic(wanted, topic, prefix))
    };
    let mut mailbox = Mailbox::default();
    for extent in scanner.extents(is_wanted).await? {
        let tail = extent.tail(scan_max);
        if tail.low > extent.low {
            output.remark(&format!(
                "{}: read from offset {}; --scan-max reads more",
                extent.at, tail.low
            ));
        }
        scanner.read(&tail, |record| mailbox.take(&record)).await?;
    }
    let mut letters = mailbox.into_letters();
    letters.retain(|letter| letter.is_meant(filter));
    Ok(letters)
}

async fn list(which: ListLetters, output: &Output) -> anyhow::Result<()> {
    let scanner = Scanner::new(&which.kafka)?;
    let prefix = &which.kafka.topic_prefix;
    let mut letters = gather(&scanner, &which.filter, prefix, which.scan_max, output).await?;
    letters.retain(|letter| which.all || letter.redriven_at.is_none());
    letters.sort_by(|left, right| {
        right.failed_at.cmp(&left.failed_at).then_with(|| right.address.cmp(&left.address))
    });
    let more = letters.len().saturating_sub(which.limit);
    letters.truncate(which.limit);
    let now = SystemClock.now();
    let letters = letters.into_iter().map(|letter| LetterView::of(letter, now)).collect();
    output.show(&LetterList { letters, more })
}

async fn show(which: ShowLetter, output: &Output) -> anyhow::Result<()> {
    let scanner = Scanner::new(&which.kafka)?;
    let wanted = &which.letter;
    let mut mailbox = Mailbox::default();
    let mut found = None;
    for extent in scanner.extents(|topic| topic == wanted.topic).await? {
        let extent = from_letters(extent, std::slice::from_ref(wanted));
        let take = |record: InboundRecord| {
            if address_of(&record) == *wanted {
                mailbox.take(&record);
                found = Some(record);
            } else if marked(&record).is_some() {
                mailbox.take(&record);
            }
        };
        scanner.read(&extent, take).await?;
    }
    let letter = mailbox.into_letters().into_iter().find(|letter| letter.address == *wanted);
    let (Some(letter), Some(record)) = (letter, found) else {
        let sentence = format!("there is no letter {wanted}");
        return Err(ClientError::usage("letter_not_found", "letter", sentence).into());
    };
    output.show(&WholeLetter::of(letter, &record, SystemClock.now()))
}

/// The part of a partition that holds these letters and their markers. A marker is written after
/// its letter, in whichever partition.
fn from_letters(extent: Extent, letters: &[Address]) -> Extent {
    let here = letters.iter().filter(|letter| {
        letter.topic == extent.at.topic && letter.partition == extent.at.partition
    });
    let first = here.map(|letter| letter.offset).min().unwrap_or(extent.low);
    Extent { low: first.max(extent.low), ..extent }
}

/// The letters that are named, and those behind them.
async fn look_up(scanner: &Scanner, wanted: &[Address]) -> anyhow::Result<Vec<Letter>> {
    let mut mailbox = Mailbox::default();
    let is_wanted = |topic: &str| wanted.iter().any(|letter| letter.topic == topic);
    for extent in scanner.extents(is_wanted).await? {
        scanner.read(&from_letters(extent, wanted), |record| mailbox.take(&record)).await?;
    }
    Ok(mailbox.into_letters())
}

async fn redrive(which: RedriveLetters, output: &Output) -> anyhow::Result<()> {
    let scanner = Scanner::new(&which.kafka)?;
    let Open { letters, unfit, cut } = if which.all {
        let prefix = &which.kafka.topic_prefix;
        open(gather(&scanner, &which.filter, prefix, which.scan_max, output).await?)
    } else {
        let found = look_up(&scanner, &which.letters).await?;
        let letters = named(found, &which.letters, which.again)?;
        Open { letters, ..Open::default() }
    };
    let addresses: Vec<Address> = letters.into_iter().map(|letter| letter.address).collect();
    let result = Redriven {
        letters: addresses.iter().map(ToString::to_string).collect(),
        dry_run: which.dry_run,
        unfit,
        cut,
    };
    if which.dry_run || addresses.is_empty() {
        return output.show(&result);
    }
    if !which.yes {
        agree(&addresses, *output)?;
    }
    let writer = KafkaWriter::new(&which.kafka.settings())?;
    let mut rest = addresses.as_slice();
    while let Some((first, _)) = rest.split_first() {
        let (now, later) = rest.split_at(round_length(first, rest));
        write_round(&writer, &fetch(&scanner, now).await?, SystemClock.now()).await?;
        rest = later;
    }
    output.show(&result)
}

/// Asks whether to go on.
fn agree(addresses: &[Address], output: Output) -> Result<(), anyhow::Error> {
    let mut topics: Vec<&str> = addresses.iter().map(Address::origin).collect();
    topics.dedup();
    let question = format!("Redrive {} letters to {}?", addresses.len(), topics.join(", "));
    let refusal = match output.confirm(&question)? {
        Some(true) => return Ok(()),
        Some(false) => ("redrive_declined", "nothing was redriven"),
        None => ("confirmation_needed", "nobody can be asked here: --yes redrives without asking"),
    };
    let (code, sentence) = refusal;
    Err(ClientError::usage(code, "yes", sentence).into())
}

/// How many of the first letters lie in one partition and fit one round.
fn round_length(first: &Address, letters: &[Address]) -> usize {
    let same =
        |letter: &&Address| letter.topic == first.topic && letter.partition == first.partition;
    letters.iter().take(ROUND_MAX).take_while(same).count()
}

/// The whole records of letters of one partition, in order.
async fn fetch(scanner: &Scanner, letters: &[Address]) -> anyhow::Result<Vec<InboundRecord>> {
    let (Some(first), Some(last)) = (letters.first(), letters.last()) else {
        return Ok(Vec::new());
    };
    let extent = Extent {
        at: TopicPartition { topic: first.topic.clone(), partition: first.partition },
        low: first.offset,
        high: last.offset.saturating_add(1),
    };
    let mut records = Vec::with_capacity(letters.len());
    let take = |record: InboundRecord| {
        if letters.contains(&address_of(&record)) {
            records.push(record);
        }
    };
    scanner.read(&extent, take).await?;
    anyhow::ensure!(
        records.len() == letters.len(),
        "letters of {}{SUFFIX} vanished while they were redriven",
        first.origin()
    );
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(count: i64, topic: &str) -> Vec<Address> {
        let topic = topic.to_owned();
        (0..count).map(|offset| Address { topic: topic.clone(), partition: 0, offset }).collect()
    }

    #[test]
    fn named_letters_are_read_from_the_first_on() {
        let at = TopicPartition { topic: "a.dlq".to_owned(), partition: 0 };
        let extent = Extent { at, low: 5, high: 100 };
        let letter = |offset| Address { topic: "a.dlq".to_owned(), partition: 0, offset };
        assert_eq!(from_letters(extent.clone(), &[letter(70), letter(30)]).low, 30);
        assert_eq!(from_letters(extent.clone(), &[letter(1)]).low, 5);
        assert_eq!(from_letters(extent, &[]).low, 5);
    }

    #[test]
    fn a_round_stays_in_one_partition_and_is_bounded() {
        let mut mixed = letters(3, "a.dlq");
        mixed.extend(letters(2, "b.dlq"));
        assert_eq!(round_length(&mixed[0], &mixed), 3);
        assert_eq!(round_length(&mixed[3], &mixed[3..]), 2);
        let many = letters(250, "a.dlq");
        assert_eq!(round_length(&many[0], &many), ROUND_MAX);
    }
}
