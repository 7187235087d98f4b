//! Records: nothing is published that was not committed, nothing overtakes, nothing is skipped.

use std::hash::{DefaultHasher, Hash, Hasher};

use shared_kernel::application::dead_letter;
use shared_kernel::application::log::{InboundRecord, OutboundRecord, TopicPartition};
use shared_kernel::application::transaction::OffsetMove;
use shared_kernel::domain::EndToEndId;
use transfers::infrastructure::classic::published::{CONFIRMATIONS, ORDERS};

use super::{Acceptance, Finding, Oracle, must};
use crate::executor::NodeId;
use crate::workload::MARK;
use crate::world::World;

/// A step of an offset in a transaction, with the records that the transaction set aside.
#[derive(Clone, Debug)]
pub(crate) struct Advance {
    pub(crate) node: NodeId,
    pub(crate) consumer: String,
    pub(crate) step: OffsetMove,
    /// Partition as text, and offset.
    pub(crate) aside: Vec<(String, i64)>,
}

fn hash(record: &OutboundRecord) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&record.key, &record.headers, &record.payload).hash(&mut hasher);
    hasher.finish()
}

/// Records with the same order must not overtake each other: those of one aggregate of one
/// writer. Both sides of a transfer write under its id, each in an order of its own.
fn order(topic: &str, record: &OutboundRecord) -> Option<(String, Vec<u8>)> {
    if topic.ends_with(dead_letter::SUFFIX) {
        return None;
    }
    let mut key = record.key.clone()?;
    if topic == "codepix.banking.transfers" {
        let body = String::from_utf8_lossy(record.payload.as_deref().unwrap_or_default());
        let sender = body.split("\"ispb\":\"").nth(1).and_then(|rest| rest.get(..8));
        key.extend(sender.unwrap_or_default().bytes());
    }
    Some((topic.to_owned(), key))
}

/// A record that waits for its turn.
#[derive(Debug)]
pub(crate) struct Waiting {
    hash: u64,
    /// Its body, where programs of banks read it.
    answer: Option<Vec<u8>>,
}

/// What a record says to the program of a bank, if it is for one. A refused order is no aggregate:
/// two consumers may answer its repeats side by side, and equal answers have no order.
fn answer(topic: &str, record: &OutboundRecord) -> Option<Vec<u8>> {
    record.payload.clone().filter(|_| !topic.starts_with("codepix."))
}

/// The transfer that a record accepts, if it does.
fn accepted(record: &InboundRecord) -> Option<EndToEndId> {
    let is_acceptance = record.from.topic == "codepix.banking.transfers"
        && record.header("ce_type") == Some("codepix.banking.TransferAccepted.v1");
    if !is_acceptance || record.header(MARK).is_some() {
        return None;
    }
    EndToEndId::parse(std::str::from_utf8(record.key.as_deref()?).ok()?).ok()
}

impl Oracle {
    /// A transaction is committed that wants these records on the log.
    pub(crate) fn promise<'a>(&mut self, records: impl Iterator<Item = &'a OutboundRecord>) {
        for record in records {
            let hash = hash(record);
            for topic in &record.topics {
                self.promised.insert((topic.clone(), hash), false);
                if let Some(order) = order(topic, record) {
                    let waiting = Waiting { hash, answer: answer(topic, record) };
                    self.queues.entry(order).or_default().push_back(waiting);
                }
            }
        }
    }

    /// A relay appends a record.
    pub(crate) fn published(&mut self, topic: &str, record: &OutboundRecord) -> Finding {
        let hash = hash(record);
        let name = || {
            let key = record.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            format!("a record of {key} on {topic}")
        };
        let Some(is_there) = self.promised.get_mut(&(topic.to_owned(), hash)) else {
            return Err(format!("{} was published, and no transaction committed it", name()));
        };
        if std::mem::replace(is_there, true) {
            return Ok(());
        }
        let Some(queue) = order(topic, record).and_then(|order| self.queues.get_mut(&order)) else {
            return Ok(());
        };
        let answer = answer(topic, record);
        let is_equal = |older: &Waiting| older.answer.is_some() && older.answer == answer;
        let is_next = queue.iter().find(|older| !is_equal(older) || older.hash == hash);
        let is_next = is_next.is_some_and(|next| next.hash == hash);
        queue.retain(|waiting| waiting.hash != hash);
        must(is_next, || format!("{} overtakes an older one that was never sent", name()))
    }

    /// A record is on the log, whoever wrote it.
    pub(crate) fn heard(&mut self, record: &InboundRecord) {
        if let Some(id) = accepted(record) {
            let InboundRecord { from, offset, broker_time, .. } = record.clone();
            let heard = Acceptance { at: from, offset, broker_time };
            self.accepted.entry(id).or_default().push(heard);
        }
    }

    /// The hub will never read an acceptance.
    fn unheard(&mut self, record: &InboundRecord) {
        let heard = accepted(record).and_then(|id| self.accepted.get_mut(&id));
        if let Some(heard) = heard {
            heard.retain(|it| it.at != record.from || it.offset != record.offset);
        }
    }

    /// A handler is given these records, in a new transaction.
    pub(crate) fn take_up(&mut self, node: NodeId, consumer: &str, batch: &[InboundRecord]) {
        let places = batch.iter().map(|record| (record.from.clone(), record.offset)).collect();
        self.in_hand.insert((node, consumer.to_owned()), places);
    }

    /// A transaction that moves offsets is committed: it must have handled or set aside exactly
    /// the records in between.
    pub(crate) fn advanced(&mut self, schema: &str, advances: &[Advance]) -> Finding {
        for Advance { node, consumer, step, aside } in advances {
            let OffsetMove { at, from, to } = step;
            let key = (consumer.clone(), at.clone());
            let covered = self.covered.entry(key).or_insert(0);
            must(*covered == *from, || {
                format!(
                    "{consumer} in {schema} commits offset {to} of {at} from {from}, and {covered} \
                     is where it stood"
                )
            })?;
            *covered = *to;
            let in_hand = self.in_hand.get(&(*node, consumer.clone()));
            let name = at.to_string();
            for offset in *from..*to {
                let is_handled = in_hand.is_some_and(|them| them.contains(&(at.clone(), offset)));
                let is_aside = aside.contains(&(name.clone(), offset));
                must(is_handled || is_aside, || {
                    format!("{consumer} passes {at}@{offset} and neither handled nor kept it")
                })?;
            }
        }
        Ok(())
    }

    /// Where the effects of what a consumer read are committed up to.
    pub(crate) fn covered(&self, consumer: &str, at: &TopicPartition) -> i64 {
        self.covered.get(&(consumer.to_owned(), at.clone())).copied().unwrap_or(0)
    }

    /// Records that a committed transaction wanted on the log and that are not there.
    pub(crate) fn unpublished(&self) -> Vec<String> {
        let missing = self.promised.iter().filter(|(_, is_there)| !**is_there);
        missing.map(|((topic, _), _)| topic.clone()).collect()
    }

    /// Whether the record of a dead letter was cursed.
    pub(crate) fn is_cursed(&self, letter: &InboundRecord) -> bool {
        use dead_letter::header::{CONSUMER, OFFSET, PARTITION, TOPIC};
        let number = |name| letter.header(name).and_then(|text| text.parse::<i64>().ok());
        let (consumer, topic) = (letter.header(CONSUMER), letter.header(TOPIC));
        let partition = number(PARTITION).and_then(|number| i32::try_from(number).ok());
        let (Some(consumer), Some(topic), Some(partition), Some(offset)) =
            (consumer, topic, partition, number(OFFSET))
        else {
            return false;
        };
        let at = TopicPartition { topic: topic.to_owned(), partition };
        let curse = self.curses.get(&(consumer.to_owned(), at, offset));
        curse.is_some_and(Option::is_some)
    }

    /// Whether handling this sound record fails, every time: by a panic (true) or a refusal. Only
    /// records that nobody waits for without an end are cursed.
    pub(crate) fn curse(
        &mut self,
        world: &World,
        consumer: &str,
        record: &InboundRecord,
    ) -> Option<bool> {
        let topic = record.from.topic.as_str();
        let of_transfers = topic == "codepix.banking.transfers"
            || topic.starts_with("codepix.bank.")
            || [ORDERS.address, CONFIRMATIONS.address].contains(&topic);
        let of_balances = consumer.starts_with("codepix.balances");
        if !of_transfers && !of_balances {
            return None;
        }
        let place = (consumer.to_owned(), record.from.clone(), record.offset);
        let curse = *self.curses.entry(place).or_insert_with(|| {
            let is_cursed = world.unlucky(world.plan.rates.curse);
            is_cursed.then(|| world.chance.below(2) == 0)
        });
        if curse.is_some() {
            self.unheard(record);
        }
        curse
    }
}
