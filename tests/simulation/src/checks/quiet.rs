//! When nothing is under way any more: is everything as it was promised?

use std::collections::{BTreeMap, BTreeSet};

use balances::application::ports::HistoryEntry;
use balances::domain::{AccountBalance, AccountEvent, Direction as Flow, Movement};
use banking::application::views::{Direction, ShownState, TransferView};
use banking::domain::{AccountStatus, IncomingStatus, InternalAccount, OutgoingStatus};
use pix_keys::domain::Account as Listed;
use shared_kernel::application::InboundRecord;
use shared_kernel::application::dead_letter::{self, SUFFIX};
use shared_kernel::domain::{EndToEndId, ReasonCode, Timestamp};
use transfers::domain::{CreditTiming, Side, Transfer, TransferState};
use transfers::infrastructure::classic::consumer::{CONFIRMATIONS_CONSUMER, ORDERS_CONSUMER};

use super::promises::promises;
use super::{Finding, enrolments, histories, must, programs};
use crate::city::City;
use crate::contexts::banking::BankingTables;
use crate::store::{Database, Tables};
use crate::words::{Words as _, money};
use crate::workload::MARK;

/// What is still under way.
pub(crate) fn left_open(city: &City) -> Vec<String> {
    let mut open = Vec::new();
    let at_work = city.journal().at_work;
    if at_work > 0 {
        open.push(format!("{at_work} customers are not done"));
    }
    waiting(&city.transfers, &mut open);
    waiting(&city.banking, &mut open);
    waiting(&city.pix_keys, &mut open);
    waiting(&city.balances, &mut open);
    for (group, at, end) in city.log.ends() {
        let key = (group.clone(), at.clone());
        let next = match group.as_str() {
            "codepix.transfers" | ORDERS_CONSUMER | CONFIRMATIONS_CONSUMER => {
                city.transfers.look(|it| it.kernel.offsets.get(&key).copied())
            }
            "codepix.pix-keys" => city.pix_keys.look(|it| it.kernel.offsets.get(&key).copied()),
            "codepix.balances" | "codepix.balances.transfers" => {
                city.balances.look(|it| it.kernel.offsets.get(&key).copied())
            }
            // One group, or one for each bank.
            _ => city.banking.look(|it| it.kernel.offsets.get(&key).copied()),
        };
        if next.unwrap_or(0) < end {
            open.push(format!("{group} has read {at} to {} of {end}", next.unwrap_or(0)));
        }
    }
    programs::left_open(city, &mut open);
    city.transfers.look(|it| {
        let unfinished = it.tables.transfers.values().filter(|it| !it.standing().state.is_final());
        open.extend(
            unfinished.map(|it| format!("{} is {}", it.order().end_to_end_id, it.standing().state)),
        );
    });
    city.banking.look(|it| {
        let holds = it.tables.outgoing.iter();
        let holds = holds.filter(|(_, (side, _))| side.is_open());
        open.extend(holds.map(|(id, _)| format!("the hold of {id} is open")));
        let credits = it.tables.incoming.iter();
        let credits = credits.filter(|(_, (it, _))| it.state().status == IncomingStatus::Expected);
        open.extend(credits.map(|(id, _)| format!("the credit of {id} is expected")));
    });
    open
}

fn waiting<T: Tables>(database: &Database<T>, open: &mut Vec<String>) {
    let rows = database.look(|it| it.kernel.outbox.len());
    if rows > 0 {
        open.push(format!("{rows} rows wait in the outbox of {}", T::SCHEMA));
    }
}

/// Everything that is wrong now that all is quiet; the first that is found.
pub(crate) fn examine(city: &City) -> Finding {
    records(city)?;
    city.transfers.look(|hub| {
        city.banking.look(|banks| {
            for transfer in hub.tables.transfers.values() {
                both_sides(transfer, &banks.tables)?;
                told_to_payee(transfer, &banks.tables)?;
            }
            let known = &hub.tables.transfers;
            let strange = banks.tables.outgoing.keys().find(|id| !known.contains_key(id));
            must(strange.is_none(), || format!("the hub never heard of {}", strange.words()))?;
            for position in hub.tables.positions.values() {
                must(position.reserved.is_zero(), || {
                    format!("{} still reserves {}", position.ispb, position.reserved)
                })?;
                if !banks.tables.banks.contains_key(&position.ispb) {
                    continue;
                }
                let settlement = InternalAccount::Settlement.id(position.ispb);
                let own = banks.tables.internal.get(&settlement);
                let own = own.map_or(0, |(_, _, balance)| balance.centavos());
                must(own + position.amount.centavos() == 0, || {
                    format!("position and settlement account of {} differ", position.ispb)
                })?;
            }
            programs::examine(city, &hub.tables)?;
            promises(city, &hub.tables, &banks.tables)
        })
    })?;
    told_by_the_log(city)?;
    copies(city)?;
    told_to_banks(city)?;
    answers_told(city)?;
    sound_letters(city)?;
    parties(city)?;
    enrolments::copies(city)?;
    projections(city)
}

/// Every record is where it must be, once; nonsense is in the dead letters.
fn records(city: &City) -> Finding {
    let oracle = city.world.oracle();
    let unpublished = oracle.unpublished();
    must(unpublished.is_empty(), || {
        format!("committed and never sent: records on {}", unpublished.words())
    })?;
    for (group, at, end) in city.log.ends() {
        let covered = oracle.covered(&group, &at);
        must(covered == end, || {
            format!("{group} counts {at} as read to {end}, and effects reach to {covered}")
        })?;
    }
    drop(oracle);
    let letters = city.log.all(|topic| topic.ends_with(SUFFIX));
    let found: BTreeSet<&str> = letters.iter().filter_map(|letter| letter.header(MARK)).collect();
    let journal = city.journal();
    let mut written = (1_usize..).zip(&journal.nonsense);
    let missing = written.find(|(number, _)| !found.contains(number.to_string().as_str()));
    missing.map_or(Ok(()), |(number, at)| {
        Err(format!("nonsense {number}, written to {at}, is in no dead-letter topic"))
    })
}

/// The banks agree with the hub on a transfer, those that are hosted here.
fn both_sides(transfer: &Transfer, banks: &BankingTables) -> Finding {
    let id = transfer.order().end_to_end_id;
    let state = transfer.standing().state;
    let payer = banks.outgoing.get(&id).map(|(side, _)| side.state().status);
    let payee = banks.incoming.get(&id).map(|(side, _)| side.state().status);
    let payer_agrees = match state {
        TransferState::Completed => payer == Some(OutgoingStatus::Settled),
        TransferState::Rejected => payer == Some(OutgoingStatus::Rejected),
        TransferState::Expired => payer == Some(OutgoingStatus::Expired),
        TransferState::Pending | TransferState::Confirmed => false,
    };
    let payee_agrees = match state {
        TransferState::Completed => {
            matches!(payee, Some(IncomingStatus::Credited | IncomingStatus::Unapplied))
        }
        TransferState::Rejected | TransferState::Expired => {
            matches!(payee, None | Some(IncomingStatus::Cancelled | IncomingStatus::Refused))
        }
        TransferState::Pending | TransferState::Confirmed => false,
    };
    let is_here = |side| transfer.ends().timing(side) == CreditTiming::OnConfirmation;
    // A bank that speaks as ours do may keep its books elsewhere.
    let is_ours = banks.banks.contains_key(&transfer.bank(Side::Payer));
    let is_payer_here = is_ours && is_here(Side::Payer);
    let agree = (payer_agrees || !is_payer_here) && (payee_agrees || !is_here(Side::Payee));
    must(agree, || {
        let (payer, payee) = (payer.words(), payee.words());
        format!("{id} is {state}; its payer's bank says {payer}, its payee's bank {payee}")
    })
}

/// What a payer must be shown: where it stands, and why.
pub(super) fn truth(
    transfer: Option<&Transfer>,
    direction: Direction,
) -> Option<(ShownState, Option<ReasonCode>)> {
    if direction == Direction::Book {
        return Some((ShownState::Settled, None));
    }
    let standing = transfer?.standing();
    let state = match standing.state {
        TransferState::Pending => ShownState::Requested,
        TransferState::Confirmed | TransferState::Completed => ShownState::Settled,
        TransferState::Rejected => ShownState::Rejected,
        TransferState::Expired => ShownState::Expired,
    };
    Some((state, standing.reason))
}

/// What a payee is shown of a transfer is what was ordered, and what became of it. One that its own
/// bank has refused was refused, even if the deadline was faster at the hub.
fn told_to_payee(transfer: &Transfer, banks: &BankingTables) -> Finding {
    let (order, standing) = (transfer.order(), transfer.standing());
    let Some((side, _)) = banks.incoming.get(&order.end_to_end_id) else { return Ok(()) };
    let view = TransferView::from(side);
    let own = side.state();
    let is_as_ordered = view.account_id == order.payee.account_id
        && view.amount == order.amount
        && view.payee_key == order.payee_key.as_str()
        && view.description == order.description.as_str()
        && view.counterparty_ispb == order.payer.ispb
        && view.counterparty_name == order.payer.owner_name.as_str();
    must(is_as_ordered, || {
        format!("the payee is shown {}; ordered was {}", view.words(), order.words())
    })?;
    let wanted = match (own.status, standing.state) {
        (IncomingStatus::Credited, TransferState::Completed) => (ShownState::Settled, None),
        (IncomingStatus::Cancelled, TransferState::Expired) => {
            (ShownState::Expired, standing.reason)
        }
        (IncomingStatus::Unapplied, TransferState::Completed)
        | (IncomingStatus::Refused, TransferState::Expired) => (ShownState::Rejected, own.reason),
        (IncomingStatus::Cancelled | IncomingStatus::Refused, TransferState::Rejected) => {
            (ShownState::Rejected, standing.reason)
        }
        (status, state) => {
            let (id, status) = (view.end_to_end_id, status.words());
            return Err(format!("{id} is {status} at its payee's bank, and {state} at the hub"));
        }
    };
    must((view.state, view.reason) == wanted, || {
        let (id, shown) = (view.end_to_end_id, (view.state, view.reason).words());
        format!("the payee of {id} is shown {shown}; true is {}", wanted.words())
    })
}

/// Every event on the hub's topic has its copies, under the same id: for the payer's bank, but for
/// the question, and for the payee's bank, once it was asked.
fn copies(city: &City) -> Finding {
    let id = |record: &InboundRecord| record.header("ce_id").unwrap_or_default().to_owned();
    let copies = city.log.all(|topic| topic.starts_with("codepix.bank."));
    let copies: BTreeSet<(&str, String)> =
        copies.iter().map(|copy| (copy.from.topic.as_str(), id(copy))).collect();
    let events = city.log.all(|topic| topic == "codepix.transfers");
    city.transfers.look(|hub| {
        for event in events.iter().filter(|event| event.header(MARK).is_none()) {
            let subject = event.header("ce_subject").unwrap_or_default();
            let transfer = EndToEndId::parse(subject).ok();
            let transfer = transfer.and_then(|id| hub.tables.transfers.get(&id));
            let Some(transfer) = transfer else { return Err(format!("{subject} is unknown")) };
            let kind = event.header("ce_type").unwrap_or_default();
            let is_question = kind == "codepix.transfers.TransferPending.v1";
            let payer = (!is_question).then_some(Side::Payer);
            let payee = transfer.standing().payee_told.then_some(Side::Payee);
            let has_topic =
                |side: &Side| transfer.ends().timing(*side) == CreditTiming::OnConfirmation;
            for side in [payer, payee].into_iter().flatten().filter(has_topic) {
                let topic = format!("codepix.bank.{}", transfer.bank(side));
                let is_there = copies.contains(&(topic.as_str(), id(event)));
                must(is_there, || format!("{kind} of {subject} has no copy on {topic}"))?;
            }
        }
        Ok(())
    })
}

/// A bank is told of a transfer now and then, until it answers; not all the time.
const TOLD_MAX: usize = 500;

/// No bank was told of one transfer without an end.
fn told_to_banks(city: &City) -> Finding {
    let mut told: BTreeMap<Option<Vec<u8>>, usize> = BTreeMap::new();
    for record in city.log.all(|topic| topic.starts_with("codepix.bank.")) {
        *told.entry(record.key.clone()).or_insert(0) += 1;
    }
    let most = told.into_iter().find(|(_, times)| *times > TOLD_MAX);
    most.map_or(Ok(()), |(key, times)| {
        let of = key.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        Err(format!("banks are told all the time of {of}: {times} times"))
    })
}

/// What a bank has decided on a transfer, it has told the hub.
fn answers_told(city: &City) -> Finding {
    let said = city.log.all(|topic| topic == "codepix.banking.transfers");
    let said: BTreeSet<(&str, &str)> = said
        .iter()
        .filter(|record| record.header(MARK).is_none())
        .filter_map(|record| Some((record.header("ce_subject")?, record.header("ce_type")?)))
        .collect();
    city.banking.look(|banks| {
        let answered = banks.tables.incoming.values().map(|(side, _)| side.state());
        for state in answered.filter(|state| state.answered_at.is_some()) {
            let word = match state.status {
                IncomingStatus::Refused => "codepix.banking.TransferRefused.v1",
                IncomingStatus::Expected
                | IncomingStatus::Credited
                | IncomingStatus::Unapplied
                | IncomingStatus::Cancelled => "codepix.banking.TransferAccepted.v1",
            };
            let id = state.payment.end_to_end_id;
            must(said.contains(&(id.as_str(), word)), || {
                format!("{id} is {} at its payee's bank, which never said so", state.status.words())
            })?;
        }
        Ok(())
    })
}

/// Only nonsense, and what was cursed, ends in the dead letters.
fn sound_letters(city: &City) -> Finding {
    let oracle = city.world.oracle();
    for letter in city.log.all(|topic| topic.ends_with(SUFFIX)) {
        if letter.header(MARK).is_some() || oracle.is_cursed(&letter) {
            continue;
        }
        if programs::is_deserved(city, &letter) {
            continue;
        }
        let header = |name| letter.header(name).unwrap_or_default();
        return Err(format!(
            "{} set a sound record of {} aside: {}",
            header(dead_letter::header::CONSUMER),
            header(dead_letter::header::TOPIC),
            header(dead_letter::header::REASON)
        ));
    }
    Ok(())
}

/// The newest event of each transfer on the log states what the hub holds, and each state that it
/// went through was told once or more.
fn told_by_the_log(city: &City) -> Finding {
    let mut told: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for record in city.log.all(|topic| topic == "codepix.transfers") {
        if record.header(MARK).is_some() {
            continue;
        }
        let version = record.header("ce_aggregateversion").and_then(|text| text.parse().ok());
        let (Some(subject), Some(version)) = (record.header("ce_subject"), version) else {
            return Err("an event on codepix.transfers has no envelope".into());
        };
        let event = record.header("ce_type").unwrap_or_default().to_lowercase();
        told.entry(subject.to_owned()).or_default().insert(version, event);
    }
    city.transfers.look(|hub| {
        must(told.len() == hub.tables.transfers.len(), || {
            format!("{} transfers, and the log tells of {}", hub.tables.transfers.len(), told.len())
        })?;
        for (id, transfer) in &hub.tables.transfers {
            let standing = transfer.standing();
            let versions = told.get(id.as_str());
            let complete = versions.is_some_and(|it| it.keys().copied().eq(1..=standing.version));
            must(complete, || format!("the log does not tell every state of {id}"))?;
            let last = versions.and_then(|it| it.get(&standing.version));
            let agrees = last.is_some_and(|event| event.contains(standing.state.as_str()));
            must(agrees, || {
                format!("the log says {} of {id}, the hub {}", last.words(), standing.state)
            })?;
        }
        Ok(())
    })
}

/// Copies agree with what they are copies of.
fn projections(city: &City) -> Finding {
    city.banking.look(|banks| {
        for (id, account) in &banks.tables.accounts {
            let state = account.state();
            let seen = city.balances.look(|it| it.tables.balances.get(id).cloned());
            let Some(seen) = seen else { return Err(format!("no balance of {id} is known")) };
            let funds = seen.funds();
            let agrees = funds.available() == state.funds.available()
                && funds.held() == state.funds.held
                && seen.version().number() == state.version
                && seen.missing().is_empty()
                && seen.owner_name() == Some(state.owner_name.as_str());
            must(agrees, || {
                let (seen, owner) = (seen.words(), state.owner_name.as_str());
                format!("the read side has {seen}; the bank has {}, of {owner}", state.words())
            })?;
            history(city, &seen)?;
            histories::agrees(city, *id)?;
            let listed = city.pix_keys.look(|it| it.tables.accounts.get(id).map(Listed::status));
            let same = match state.status {
                AccountStatus::Active => pix_keys::domain::AccountStatus::Active,
                AccountStatus::Blocked => pix_keys::domain::AccountStatus::Blocked,
                AccountStatus::Closed => pix_keys::domain::AccountStatus::Closed,
            };
            must(listed == Some(same), || {
                let (status, listed) = (state.status.words(), listed.words());
                format!("account {id} is {status}, and the directory says {listed}")
            })?;
        }
        city.pix_keys.look(|directory| {
            for (key, entry) in &directory.tables.entries {
                let holder = entry.holding().map(|held| held.account_id);
                let known = banks.tables.keys.get(key.as_str());
                let owner = known.and_then(|it| it.owner.as_ref()).map(|it| it.account_id);
                let version = known.map(|it| it.version);
                must(owner == holder && version == Some(entry.version()), || {
                    let (key, owner, holder) = (key.as_str(), owner.words(), holder.words());
                    let (known, truth) = (version.unwrap_or(0), entry.version());
                    format!(
                        "in version {known}, as the banks know it, {key} names {owner}; in the \
                         directory, in version {truth}, {holder}"
                    )
                })?;
                let closed = holder.and_then(|id| banks.tables.accounts.get(&id));
                let closed = closed.is_some_and(|it| it.state().status == AccountStatus::Closed);
                must(!closed, || {
                    format!("the closed account {} has the key {}", holder.words(), key.as_str())
                })?;
            }
            Ok(())
        })
    })
}

/// Every version of the account is in its history and none is dated before another, the money that
/// moved from one to the next is what the second is richer by, and the last is the balance.
fn history(city: &City, balance: &AccountBalance) -> Finding {
    let id = balance.account_id();
    city.balances.look(|it| {
        let mut before: Option<&AccountEvent> = None;
        let mut latest = Timestamp::EPOCH;
        for ((_, version), entry) in it.tables.history.range((id, i64::MIN)..=(id, i64::MAX)) {
            let HistoryEntry { event, effective_at } = entry;
            latest = latest.max(event.state.occurred_at);
            must(*effective_at == latest, || {
                format!("version {version} of {id} is in force since {effective_at}, not {latest}")
            })?;
            let expected = before.map_or(1, |it| it.state.version.number() + 1);
            must(*version == expected, || {
                format!("the history of {id} has version {version} where {expected} belongs")
            })?;
            let at = event.state.occurred_at;
            must(before.is_none_or(|it| it.state.occurred_at <= at), || {
                format!("version {version} of {id} is dated before the one that it follows")
            })?;
            let total = |it: &AccountEvent| it.state.funds.total().centavos();
            let moved = event.movement.as_ref().map_or(0, signed_centavos);
            must(total(event) == before.map_or(0, total) + moved, || {
                let (was, now) = (money(before.map_or(0, total)), money(total(event)));
                format!("version {version} of {id} moved {} from {was} to {now}", money(moved))
            })?;
            before = Some(event);
        }
        must(before.is_some_and(|last| last.state.version == balance.version()), || {
            format!("the history of {id} ends before its balance")
        })
    })
}

fn signed_centavos(movement: &Movement) -> i64 {
    match movement.kind.direction() {
        Flow::Credit => movement.amount.centavos(),
        Flow::Debit => -movement.amount.centavos(),
    }
}

/// Both sides of every transfer are known to the read side, as the hub has them.
fn parties(city: &City) -> Finding {
    city.transfers.look(|hub| {
        city.balances.look(|it| {
            for (id, transfer) in &hub.tables.transfers {
                let order = transfer.order();
                let known = it.tables.transfers.get(id);
                let same = known.is_some_and(|known| {
                    known.payer.account_id == order.payer.account_id
                        && known.payee.account_id == order.payee.account_id
                });
                must(same, || {
                    format!("the read side knows {} of {}", known.words(), order.words())
                })?;
            }
            Ok(())
        })
    })
}
