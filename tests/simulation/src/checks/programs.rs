//! When all is quiet: the books of the programs of other banks against the hub.

use std::collections::{BTreeMap, BTreeSet};

use shared_kernel::application::InboundRecord;
use shared_kernel::application::dead_letter::header;
use shared_kernel::domain::{EndToEndId, Ispb, ReasonCode};
use transfers::domain::{CreditTiming, OrderId, Resolution, Side, Transfer, TransferState};
use transfers::infrastructure::classic::consumer::{CONFIRMATIONS_CONSUMER, ORDERS_CONSUMER};
use transfers::infrastructure::classic::inbound;

use super::{Finding, must};
use crate::city::City;
use crate::contexts::transfers::TransfersTables;
use crate::programs::{self, Ordered, Program, Word};
use crate::words::{Words as _, money};

/// What programs have still to read or to say, and what waits to be handed over.
pub(super) fn left_open(city: &City, open: &mut Vec<String>) {
    let waiting = city.transfers.look(|it| it.tables.hand_overs.len());
    if waiting > 0 {
        open.push(format!("{waiting} hand-overs wait for the courier"));
    }
    for (ispb, program) in &*city.programs() {
        let (next, end) = (program.next, city.log.length(&program.topic));
        if next < end {
            open.push(format!("the program of {ispb} has read to {next} of {end}"));
        }
        if program.to_say > 0 {
            open.push(format!("the program of {ispb} has {} things to say", program.to_say));
        }
    }
}

/// The programs agree with the hub on everything that they were told and did.
pub(super) fn examine(city: &City, hub: &TransfersTables) -> Finding {
    for (ispb, program) in &*city.programs() {
        let is_theirs = |it: &&Transfer| it.is_handed_over() && it.bank(Side::Payee) == *ispb;
        let incoming: Vec<&Transfer> = hub.transfers.values().filter(is_theirs).collect();
        told_once(city, program, &incoming)?;
        for transfer in incoming {
            credited(city, program, transfer)?;
        }
        orders((*ispb, program), hub)?;
        position((*ispb, program), hub)?;
    }
    Ok(())
}

/// Each transfer was shown to a careful reader of its bank's topic once, as it was ordered, and
/// nothing else was.
fn told_once(city: &City, program: &Program, incoming: &[&Transfer]) -> Finding {
    let known = |id: &str| {
        let is_it = |it: &&&Transfer| it.ends().order_id.is_some_and(|own| own.to_string() == id);
        incoming.iter().find(is_it).map(|it| it.order())
    };
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for record in city.log.all(|topic| topic == program.topic) {
        let body = record.payload.as_deref().unwrap_or_default();
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(serde_json::Value::as_str);
        if text("status") == Some("pending") {
            let id = text("id").unwrap_or_default();
            *told.entry(id.to_owned()).or_insert(0) += 1;
            let is_as_ordered = known(id).is_none_or(|order| {
                text("pixKeyTo") == Some(order.payee_key.as_str())
                    && text("accountId") == Some(order.payer.account_id.to_string().as_str())
                    && text("description") == Some(order.description.as_str())
            });
            must(is_as_ordered, || {
                let told = programs::words(record.payload.as_deref());
                let account = text("accountId").words();
                let (told, ordered) = (told.words(), known(id).words());
                format!("handed over is {told} of account {account}; ordered was {ordered}")
            })?;
        }
    }
    let ids = incoming.iter().filter_map(|it| it.ends().order_id);
    let wanted: BTreeMap<String, usize> = ids.map(|id| (id.to_string(), 1)).collect();
    must(told == wanted, || {
        let wrong = told.iter().filter(|it| wanted.get(it.0) != Some(it.1));
        let wrong: BTreeMap<&String, usize> = wrong.map(|(id, times)| (id, *times)).collect();
        let is_missing = |it: &&&Transfer| {
            it.ends().order_id.is_some_and(|id| !told.contains_key(&id.to_string()))
        };
        let missing = incoming.iter().filter(is_missing).map(|it| it.order().end_to_end_id);
        let missing: Vec<EndToEndId> = missing.collect();
        let (topic, wrong, missing) = (&program.topic, wrong.words(), missing.words());
        format!("on {topic}, told twice or with nothing to credit: {wrong}; never told: {missing}")
    })
}

/// A payee is credited once, and exactly when the hub settled, unless somebody was mistaken who is
/// on record: an operator, or a program that contradicted one.
fn credited(city: &City, program: &Program, transfer: &Transfer) -> Finding {
    let id = transfer.order().end_to_end_id;
    let Some(order_id) = transfer.ends().order_id else {
        return Err(format!("{id} has no id at its payee's bank"));
    };
    let credited = program.credited.get(&order_id).copied();
    let amount = transfer.order().amount.centavos();
    must(credited.is_none_or(|it| it == amount), || {
        let (amount, credited) = (money(amount), credited.map(money).words());
        format!("{id} is about {amount}, and {credited} was credited")
    })?;
    must(credited.is_some() || program.missed.contains(&order_id), || {
        format!("{id} was never read by its payee's program")
    })?;
    let (standing, oracle) = (transfer.standing(), city.world.oracle());
    let (said, resolution) = (oracle.is_confirmed(&order_id), oracle.resolution(&id));
    let is_settled = matches!(standing.state, TransferState::Completed | TransferState::Confirmed);
    let is_right = if is_settled {
        credited.is_some() || resolution == Some(Resolution::Credited)
    } else {
        // A bank that has credited and says so is noted, whatever an operator decided before.
        resolution == Some(Resolution::Refused) && said == standing.contradicted_at.is_some()
    };
    must(is_right, || {
        let credited = credited.map(money).words();
        let said = if said { "says so" } else { "does not say so" };
        let noted = standing.contradicted_at.map_or("is not", |_| "is");
        format!(
            "{id} is {}; its payee's program has credited {credited} and {said}, an operator said \
             {}, and a contradiction {noted} noted",
            standing.state,
            resolution.words()
        )
    })
}

/// Each order of a program is one transfer or was refused, and the program was told which.
fn orders((ispb, program): (Ispb, &Program), hub: &TransfersTables) -> Finding {
    let mut known: BTreeMap<OrderId, &Transfer> = BTreeMap::new();
    for transfer in hub.transfers.values() {
        let Some(id) = transfer.ends().order_id else { continue };
        let other = known.insert(id, transfer);
        must(other.is_none(), || format!("the order {id} is two transfers"))?;
    }
    for (id, ordered) in &program.ordered {
        let own = known.get(id).filter(|it| it.bank(Side::Payer) == ispb);
        let state = own.map(|it| it.standing().state);
        let told: Vec<Word> = ordered.told.iter().copied().collect();
        let due = match state {
            Some(TransferState::Confirmed | TransferState::Completed) => Word::Confirmed,
            Some(TransferState::Pending | TransferState::Rejected | TransferState::Expired)
            | None => Word::Error,
        };
        must(told == [due], || {
            let (state, told) = (state.words(), told.words());
            format!("the order {id} of {ispb} is, at the hub, {state}; its program was told {told}")
        })?;
        let reason = own.and_then(|it| it.standing().reason).map(ReasonCode::sentence_en);
        must(reason.is_none() || reason == ordered.error.as_deref(), || {
            let (reason, told) = (reason.words(), ordered.error.words());
            format!("the order {id} failed: {reason}; its program is told {told}")
        })?;
    }
    let strange = hub.transfers.values().find(|it| {
        let id = it.ends().order_id;
        it.bank(Side::Payer) == ispb && !id.is_some_and(|id| program.ordered.contains_key(&id))
    });
    must(strange.is_none(), || {
        format!("no program ordered {}", strange.map(Transfer::order).words())
    })?;
    let timing = |it: &&Transfer| {
        it.bank(Side::Payer) == ispb && it.ends().timing(Side::Payer) != CreditTiming::OnDelivery
    };
    must(hub.transfers.values().find(timing).is_none(), || {
        format!("{ispb} pays as a bank of ours")
    })?;
    must(hub.positions.contains_key(&ispb), || format!("{ispb} has no position"))
}

/// The bank owes what its program knows to be settled.
fn position((ispb, program): (Ispb, &Program), hub: &TransfersTables) -> Finding {
    let is_settled = |it: &&Transfer| it.standing().confirmed_at.is_some();
    let between = |it: &&Transfer| it.bank(Side::Payer) != it.bank(Side::Payee);
    let settled = || hub.transfers.values().filter(is_settled).filter(between);
    let own = |it: &&Transfer, side| it.bank(side) == ispb;
    // What it believes of its own orders; what it has credited, and what an operator says it has.
    let order = |it: &Transfer| it.ends().order_id.and_then(|id| program.ordered.get(&id));
    let sent: BTreeSet<EndToEndId> =
        settled().filter(|it| own(it, Side::Payer)).map(|it| it.order().end_to_end_id).collect();
    let paid = hub.transfers.values().filter(|it| sent.contains(&it.order().end_to_end_id));
    let debited = |it: &Transfer| {
        let amount = it.order().amount.centavos();
        order(it).filter(|it| it.centavos.contains(&amount)).map(|_| amount)
    };
    let paid: i64 = paid.filter_map(debited).sum();
    let received = settled().filter(|it| own(it, Side::Payee));
    let received: i64 = received.map(|it| it.order().amount.centavos()).sum();
    let amount = hub.positions.get(&ispb).map_or(0, |it| it.amount.centavos());
    must(amount == received - paid, || {
        let (amount, received, paid) = (money(amount), money(received), money(paid));
        format!("bank {ispb} is owed {amount}; its program received {received} and paid {paid}")
    })
}

/// Whether a dead letter of the programs' topics is one that its program has deserved.
pub(super) fn is_deserved(city: &City, letter: &InboundRecord) -> bool {
    let of_programs = [ORDERS_CONSUMER, CONFIRMATIONS_CONSUMER];
    if !letter.header(header::CONSUMER).is_some_and(|it| of_programs.contains(&it)) {
        return false;
    }
    let code = letter.header(header::CODE).unwrap_or_default();
    let programs = city.programs();
    // Two programs may have used one id.
    let any = |id: OrderId, has: fn(&Ordered) -> bool| {
        programs.values().filter_map(|it| it.ordered.get(&id)).any(has)
    };
    match code {
        "order_content_differs" => {
            let Ok(Some(message)) = inbound::order(letter) else { return false };
            any(message.order_id(), |it| it.has_rival)
        }
        "report_before_confirmation" | "report_without_confirmation" | "order_unknown" => {
            let Ok(message) = inbound::confirmation(letter) else { return false };
            any(message.order_id(), |it| it.is_hasty)
        }
        _ => false,
    }
}
