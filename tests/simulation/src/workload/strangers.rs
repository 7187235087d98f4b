//! What else is written to the topics: nonsense, repeats of old records, redriven dead letters.

use std::sync::Arc;

use shared_kernel::application::Ids as _;
use shared_kernel::application::dead_letter::{SUFFIX, header};
use shared_kernel::application::log::{InboundRecord, OutboundRecord};
use shared_kernel::domain::EndToEndId;
use transfers::application::marked_line::DELIVERED;
use transfers::application::outside::OutsideMessage;
use transfers::infrastructure::classic::inbound;
use transfers::infrastructure::classic::published::{CONFIRMATIONS, ORDERS};
use uuid::Uuid;

use crate::city::City;
use crate::executor::WORLD;
use crate::log::words;
use crate::world::SeededIds;

/// Header that marks nonsense, so that it is found again.
pub(crate) const MARK: &str = "nonsense";

/// Nonsense of this kind is an order that the hub knows, with other content.
const OTHER_CONTENT: u64 = 4;

/// Whether the hub or a bank of ours reads it.
fn is_read(topic: &str) -> bool {
    let is_own =
        topic.starts_with("codepix.") && ![DELIVERED, "codepix.transfers"].contains(&topic);
    !topic.ends_with(SUFFIX) && (is_own || of_programs(topic))
}

/// Whether programs of other banks write there.
fn of_programs(topic: &str) -> bool {
    [ORDERS.address, CONFIRMATIONS.address].contains(&topic)
}

/// A record as it was written.
fn copy(record: &InboundRecord) -> OutboundRecord {
    OutboundRecord {
        topics: vec![record.from.topic.clone()],
        key: record.key.clone(),
        headers: record.headers.clone(),
        payload: record.payload.clone(),
        time: None,
    }
}

fn set_header(record: &mut OutboundRecord, name: &str, value: &str) {
    record.headers.retain(|(header, _)| header != name);
    record.headers.push((name.to_owned(), value.as_bytes().to_vec()));
}

/// Replaces a text of the body. `None` when it is not there.
fn replace(record: &mut OutboundRecord, old: &str, new: &str) -> Option<()> {
    let body = String::from_utf8(record.payload.clone()?).ok()?;
    let changed = body.replacen(old, new, 1);
    record.payload = (changed != body).then(|| changed.into_bytes());
    record.payload.as_ref().map(|_| ())
}

/// Nonsense made of a real record.
fn spoiled(record: &InboundRecord, how: u64) -> Option<OutboundRecord> {
    let mut spoiled = copy(record);
    let of_transfers = record.from.topic == "codepix.banking.transfers";
    // No bank of ours looks into what it need not know.
    let is_unread = record.header("ce_type") == Some("codepix.transfers.TransferOverdue.v1");
    match how {
        0 | 1 if is_unread => return None,
        0 => spoiled.payload = None,
        1 => spoiled.payload = Some(b"{\"end_to_end_id\":".to_vec()),
        2 => spoiled.headers.clear(),
        3 => set_header(&mut spoiled, "ce_type", "nonsense.v1"),
        OTHER_CONTENT if of_transfers => {
            let is_order = record.header("ce_type") == Some("codepix.banking.TransferRequested.v1");
            if !is_order {
                return None;
            }
            replace(&mut spoiled, "\"description\":\"rent\"", "\"description\":\"loot\"")?;
        }
        // Somebody speaks for a bank that is not concerned.
        5 if of_transfers => {
            let body = String::from_utf8(record.payload.clone()?).ok()?;
            let sender = body.split("\"ispb\":\"").nth(1)?.get(..8)?.to_owned();
            let (old, new) = (format!("\"ispb\":\"{sender}\""), "\"ispb\":\"00000099\"");
            replace(&mut spoiled, &old, new)?;
        }
        // Out of the order of its transfer.
        6 if of_transfers => spoiled.key = Some(b"another key".to_vec()),
        _ => return None,
    }
    Some(spoiled)
}

/// Nonsense made of a message of a program.
fn spoiled_message(record: &InboundRecord, how: u64, other_id: Uuid) -> Option<OutboundRecord> {
    let body = match how {
        0 => None,
        1 => Some("{\"id\":".to_owned()),
        2 => Some("{\"id\":\"1\",\"accountId\":\"1\",\"status\":\"\"}".to_owned()),
        3 if record.from.topic == ORDERS.address => {
            let message = inbound::order(record).ok()??;
            let id = message.order_id();
            // Nobody has this account.
            Some(format!("{{\"id\":\"{id}\",\"accountId\":\"{other_id}\",\"amount\":1}}"))
        }
        3 => Some(format!("{{\"id\":\"{other_id}\",\"status\":\"confirmed\"}}")),
        OTHER_CONTENT if record.from.topic == ORDERS.address => {
            let mut other = copy(record);
            replace(&mut other, "\"description\":\"rent\"", "\"description\":\"spoil\"")?;
            return Some(other);
        }
        5 => {
            let message = inbound::confirmation(record).ok()?;
            Some(format!("{{\"id\":\"{}\",\"status\":\"paid\"}}", message.order_id()))
        }
        _ => return None,
    };
    Some(OutboundRecord { payload: body.map(String::into_bytes), ..copy(record) })
}

/// A record for the story.
fn told(record: &InboundRecord) -> String {
    words(&record.headers, record.payload.as_deref())
}

/// What is wrong with nonsense of that kind, for the story.
fn nonsense(how: u64) -> &'static str {
    match how {
        0 => "without a body",
        1 => "cut off in the middle of its body",
        2 => "without readable headers or ids",
        3 => "of an unknown kind or order",
        OTHER_CONTENT => "known, with other content",
        5 => "in words that its sender may not use",
        _ => "under another key",
    }
}

impl City {
    fn any_record(&self) -> Option<Arc<InboundRecord>> {
        let all = self.log.all(is_read);
        all.get(self.world.chance.place(all.len())).cloned()
    }

    /// Whether the hub knows the order in a record: else another one would be the first.
    fn is_known(&self, record: &InboundRecord) -> bool {
        if let Ok(Some(OutsideMessage::Order(order))) = inbound::order(record) {
            return self.transfers.look(|it| {
                let known = it.tables.orders.get(&order.order_id);
                known.is_some_and(|known| known.account_id == order.account_id)
            });
        }
        let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
        let id = key.and_then(|key| EndToEndId::parse(key).ok());
        id.is_some_and(|id| self.transfers.look(|it| it.tables.transfers.contains_key(&id)))
    }

    /// Writes something that no reader can use.
    pub(crate) fn spoil(&self) {
        let Some(record) = self.any_record() else { return };
        let how = self.world.chance.below(7);
        if how == OTHER_CONTENT && !self.is_known(&record) {
            return;
        }
        let spoiled = if of_programs(&record.from.topic) {
            let other_id = SeededIds::new(&self.world).random();
            spoiled_message(&record, how, other_id)
        } else {
            spoiled(&record, how)
        };
        let Some(mut spoiled) = spoiled else { return };
        let number = {
            let mut journal = self.journal();
            journal.nonsense += 1;
            journal.nonsense
        };
        set_header(&mut spoiled, MARK, &number.to_string());
        if let Some(at) = self.log.append(&record.from.topic, &spoiled) {
            self.world.say(WORLD, "nonsense", || {
                format!("FAULT: nonsense is written to {at}: {}, {}", told(&record), nonsense(how))
            });
        } else {
            self.journal().nonsense -= 1;
        }
    }

    /// Writes an old record again, as a producer does that never heard of its success.
    pub(crate) fn repeat(&self) {
        let Some(record) = self.any_record() else { return };
        if record.header(MARK).is_some() {
            return;
        }
        if let Some(at) = self.log.append(&record.from.topic, &copy(&record)) {
            self.world.say(WORLD, "repeat", || {
                format!("FAULT: {} is written again to {at}", told(&record))
            });
        }
    }
}

/// An operator puts dead letters back where they came from: all that were not yet, in any order.
pub(crate) fn redrive(city: &City) -> usize {
    let mut letters = city.log.all(|topic| topic.ends_with(SUFFIX));
    city.world.chance.shuffle(&mut letters);
    let mut redriven = 0;
    for letter in letters {
        let place = (letter.from.topic.clone(), letter.from.partition, letter.offset);
        if letter.header(MARK).is_some() || city.journal().redriven.contains(&place) {
            continue;
        }
        let mut original = copy(&letter);
        original.headers.retain(|(name, _)| !name.starts_with(header::PREFIX));
        let Some(topic) = letter.header(header::TOPIC) else { continue };
        if let Some(at) = city.log.append(topic, &original) {
            city.journal().redriven.push(place);
            redriven += 1;
            city.world
                .say(WORLD, "redrive", || format!("operator: redrives {} to {at}", told(&letter)));
        }
    }
    redriven
}
