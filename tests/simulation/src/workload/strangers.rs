//! What else is written to the topics: nonsense, repeats of old records, redriven dead letters.

use std::sync::Arc;

use balances::infrastructure::kafka::TRANSFERS_TOPIC;
use banking::infrastructure::kafka::BANK_PREFIX;
use serde_json::Value;
use shared_kernel::application::Ids as _;
use shared_kernel::application::dead_letter::{SUFFIX, header};
use shared_kernel::application::log::{InboundRecord, OutboundRecord};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Money};
use transfers::application::marked_line::DELIVERED;
use transfers::application::outside::{OutsideMessage, OutsideOrder};
use transfers::infrastructure::classic::inbound;
use transfers::infrastructure::classic::published::{CONFIRMATIONS, ORDERS};
use transfers::infrastructure::kafka::inbound::BANK_MESSAGES;
use uuid::Uuid;

use super::elsewhere;
use crate::city::City;
use crate::executor::WORLD;
use crate::log::words;
use crate::random::Random;
use crate::world::SeededIds;

/// Header that marks nonsense, so that it is found again.
pub(crate) const MARK: &str = "nonsense";

/// Nonsense of this kind is an order that the hub knows, with other content.
const OTHER_CONTENT: u64 = 4;
/// Of this kind is a message of a bank that is not concerned.
const OTHER_SENDER: u64 = 5;
/// An order of a bank of ours.
const ORDERED: &str = "codepix.banking.TransferRequested.v1";

/// Whether the hub or a bank of ours reads it.
fn is_read(topic: &str) -> bool {
    let is_own = topic.starts_with("codepix.") && ![DELIVERED, TRANSFERS_TOPIC].contains(&topic);
    let is_read_here = is_own && !elsewhere::is_topic(topic);
    !topic.ends_with(SUFFIX) && (is_read_here || of_programs(topic))
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

/// The fields of an order between banks: the hub compares all of them.
const FIELDS_OF_ORDERS: [(&str, &str); 11] = [
    ("/description", "loot"),
    ("/amount/amount", "0.03"),
    ("/payee_key", "loot@example.com"),
    ("/payer/account_id", OTHER_ACCOUNT),
    ("/payee/account_id", OTHER_ACCOUNT),
    ("/payer/ispb", NOBODYS),
    ("/payee/ispb", NOBODYS),
    ("/payer/owner_name", "Somebody else"),
    ("/payee/owner_name", "Somebody else"),
    ("/payer/owner_tax_id", OTHER_OWNER),
    ("/payee/owner_tax_id", OTHER_OWNER),
];
/// The fields by which a bank knows a transfer again.
const FIELDS_OF_TRANSFERS: [(&str, &str); 3] = [
    ("/amount/amount", "0.03"),
    ("/payer/account_id", OTHER_ACCOUNT),
    ("/payee/account_id", OTHER_ACCOUNT),
];
/// What the hub asks a bank or tells it of a transfer, and the bank compares with what it knows.
const COMPARED: [&str; 4] = [
    "codepix.transfers.TransferPending.v1",
    "codepix.transfers.TransferConfirmed.v1",
    "codepix.transfers.TransferRejected.v1",
    "codepix.transfers.TransferExpired.v1",
];
/// Nobody's account, bank and tax id.
const OTHER_ACCOUNT: &str = "10070000-0000-4000-8000-000000000000";
const NOBODYS: &str = "00000099";
const OTHER_OWNER: &str = "52998224725";

/// Replaces a field of the body. `None` when it is not there, or the same.
fn replace_field(record: &mut OutboundRecord, (field, new): (&str, &str)) -> Option<()> {
    let mut body: Value = serde_json::from_slice(record.payload.as_deref()?).ok()?;
    let value = body.pointer_mut(field)?;
    if value.as_str() == Some(new) {
        return None;
    }
    *value = Value::from(new);
    record.payload = Some(body.to_string().into_bytes());
    Some(())
}

/// Nonsense made of a real record.
fn spoiled(
    record: &InboundRecord,
    how: u64,
    (impostor, whim): (Option<Ispb>, &Random),
) -> Option<OutboundRecord> {
    let mut spoiled = copy(record);
    let of_transfers = record.from.topic == BANK_MESSAGES;
    // No bank of ours looks into what it need not know.
    let is_unread = record.header("ce_type") == Some("codepix.transfers.TransferOverdue.v1");
    match how {
        0 | 1 if is_unread => return None,
        0 => spoiled.payload = None,
        1 => spoiled.payload = Some(b"{\"end_to_end_id\":".to_vec()),
        2 => spoiled.headers.clear(),
        3 => set_header(&mut spoiled, "ce_type", "nonsense.v1"),
        OTHER_CONTENT if of_transfers => {
            if record.header("ce_type") != Some(ORDERED) {
                return None;
            }
            replace_field(&mut spoiled, whim.one_of(&FIELDS_OF_ORDERS)?)?;
        }
        OTHER_CONTENT if record.from.topic.starts_with(BANK_PREFIX) => {
            if !record.header("ce_type").is_some_and(|it| COMPARED.contains(&it)) {
                return None;
            }
            replace_field(&mut spoiled, whim.one_of(&FIELDS_OF_TRANSFERS)?)?;
        }
        // Somebody speaks for a bank that is not concerned.
        OTHER_SENDER if of_transfers => {
            let impostor = impostor.map_or_else(|| NOBODYS.to_owned(), |it| it.to_string());
            replace_field(&mut spoiled, ("/ispb", &impostor))?;
        }
        // Out of the order of its transfer.
        6 if of_transfers => spoiled.key = Some(b"another key".to_vec()),
        _ => return None,
    }
    Some(spoiled)
}

/// Nonsense made of a message of a program.
fn spoiled_message(
    record: &InboundRecord,
    how: u64,
    (other_id, other_account): (Uuid, Option<AccountId>),
    whim: &Random,
) -> Option<OutboundRecord> {
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
            let Some(OutsideMessage::Order(order)) = inbound::order(record).ok()? else {
                return None;
            };
            Some(other_order(&order, whim.below(4), other_account)?)
        }
        5 => {
            let message = inbound::confirmation(record).ok()?;
            Some(format!("{{\"id\":\"{}\",\"status\":\"paid\"}}", message.order_id()))
        }
        _ => return None,
    };
    Some(OutboundRecord { payload: body.map(String::into_bytes), ..copy(record) })
}

/// An order of a program with other content: a field of it is another.
fn other_order(
    order: &OutsideOrder,
    field: u64,
    other_account: Option<AccountId>,
) -> Option<String> {
    let OutsideOrder { order_id, account_id, amount, key, kind, description } = order;
    let other = |place: u64, old: &str, new: &str| {
        Value::from(if field == place { new } else { old }).to_string()
    };
    let is_number = Money::from_json_number(amount).is_ok();
    let amount = match field {
        0 => Money::from_json_number(amount).map_or(0, Money::centavos).checked_add(1)?.to_string(),
        _ if is_number => amount.clone(),
        // What is no amount can be written in many ways.
        _ => return None,
    };
    let account = match field {
        1 => other_account.filter(|it| it != account_id)?,
        _ => *account_id,
    };
    let (key, description) = (other(2, key, "spoil@example.com"), other(3, description, "spoil"));
    Some(format!(
        "{{\"id\":\"{order_id}\",\"accountId\":\"{account}\",\"amount\":{amount},\
         \"pixKeyTo\":{key},\"pixKeyKindTo\":\"{kind}\",\"description\":{description}}}"
    ))
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
        OTHER_SENDER => "in words that its sender may not use",
        _ => "under another key",
    }
}

impl City {
    fn any_record(&self) -> Option<Arc<InboundRecord>> {
        // Now and then what the hub tells everybody: the read side reads it.
        let all = if self.world.whim.below(8) == 0 {
            self.log.all(|topic| topic == TRANSFERS_TOPIC)
        } else {
            self.log.all(is_read)
        };
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

    /// A record with which something can be done: another sender, or other content, where that is
    /// compared.
    fn any_fitting(&self, how: u64) -> Option<Arc<InboundRecord>> {
        let fits = |record: &Arc<InboundRecord>| match record.header("ce_type") {
            Some(_) if how == OTHER_SENDER => record.from.topic == BANK_MESSAGES,
            Some(kind) => kind == ORDERED || COMPARED.contains(&kind),
            None => record.from.topic == ORDERS.address,
        };
        let mut all = self.log.all(is_read);
        all.retain(|record| record.header(MARK).is_none() && fits(record));
        all.get(self.world.whim.place(all.len())).cloned()
    }

    /// A bank that speaks where another should: one that nobody knows, the other one of the
    /// transfer, or a third.
    fn impostor(&self) -> Option<Ispb> {
        let banks = self.world.plan.load.banks + self.world.plan.classic.banks;
        let number = self.world.whim.below(banks + 1);
        (number > 0).then(|| Ispb::parse(&format!("{number:08}")).ok()).flatten()
    }

    /// Another account of the bank whose program gives an order.
    fn other_account(&self, record: &InboundRecord) -> Option<AccountId> {
        let Some(OutsideMessage::Order(order)) = inbound::order(record).ok()? else { return None };
        let programs = self.programs();
        let own = programs.values().find(|it| it.accounts.contains(&order.account_id))?;
        own.accounts.iter().copied().find(|it| *it != order.account_id)
    }

    /// Whether the bank on whose topic a record is knows the transfer.
    fn is_known_there(&self, record: &InboundRecord) -> bool {
        let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
        let Some(id) = key.and_then(|key| EndToEndId::parse(key).ok()) else { return false };
        let bank = record.from.topic.strip_prefix(BANK_PREFIX).unwrap_or_default();
        self.banking.look(|it| {
            let outgoing = it.tables.outgoing.get(&id).map(|(side, _)| &side.state().payment.payer);
            let incoming = it.tables.incoming.get(&id).map(|(side, _)| &side.state().payment.payee);
            [outgoing, incoming].into_iter().flatten().any(|side| side.ispb.as_str() == bank)
        })
    }

    /// Writes something that no reader can use.
    pub(crate) fn spoil(&self) {
        let Some(record) = self.any_record() else { return };
        let how = self.world.chance.below(7);
        let is_choosy =
            [OTHER_CONTENT, OTHER_SENDER].contains(&how) && self.world.whim.below(2) == 0;
        let fitting = is_choosy.then(|| self.any_fitting(how)).flatten();
        let record = fitting.unwrap_or(record);
        // Nonsense of nonsense may be sound again.
        if record.header(MARK).is_some() && [OTHER_CONTENT, OTHER_SENDER].contains(&how) {
            return;
        }
        let is_to_bank = record.from.topic.starts_with(BANK_PREFIX);
        let is_known =
            || if is_to_bank { self.is_known_there(&record) } else { self.is_known(&record) };
        if how == OTHER_CONTENT && !is_known() {
            return;
        }
        let whim = &self.world.whim;
        let spoiled = if of_programs(&record.from.topic) {
            let other_id = SeededIds::new(&self.world).random();
            let other = (other_id, self.other_account(&record));
            spoiled_message(&record, how, other, whim)
        } else {
            spoiled(&record, how, (self.impostor(), whim))
        };
        let Some(mut spoiled) = spoiled else { return };
        let number = self.journal().nonsense.len() + 1;
        set_header(&mut spoiled, MARK, &number.to_string());
        if let Some(at) = self.log.append(&record.from.topic, &spoiled) {
            self.world.say(WORLD, "nonsense", || {
                let (of, what) = (told(&record), nonsense(how));
                format!("FAULT: nonsense {number} is written to {at}: {of}, {what}")
            });
            self.journal().nonsense.push(at);
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
