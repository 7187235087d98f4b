//! The checks after every step, and when everything is quiet.
//!
//! The oracle sees every commit before it takes effect, every record that is appended, and every
//! batch that a handler is given. It keeps its own, plain picture of the world and compares.

mod answers;
mod books;
mod clocks;
mod directory;
mod enrolments;
mod histories;
mod hub;
mod intents;
mod outside;
mod past;
mod programs;
mod promises;
mod quiet;
mod reasons;
mod records;
mod shown;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use banking::domain::{IncomingStatus, OutgoingStatus, Payment};
use shared_kernel::application::log::TopicPartition;
use shared_kernel::domain::{AccountId, EndToEndId, ReasonCode, Timestamp};
use transfers::domain::{Terms, TransferState};

use crate::executor::NodeId;
use crate::plan::Plan;

pub(crate) use hub::Debt;
pub(crate) use intents::Intent;
pub(crate) use quiet::{examine, left_open};
pub(crate) use reasons::{Admitting, Pace};
pub(crate) use records::Advance;
use records::Waiting;

/// A finding: what is wrong, in words.
pub(crate) type Finding = Result<(), String>;

/// Finds something wrong unless `holds`.
pub(crate) fn must(holds: bool, wrong: impl FnOnce() -> String) -> Finding {
    if holds { Ok(()) } else { Err(wrong()) }
}

/// A record on one topic: hash of its content.
type RecordKey = (String, u64);

/// What was heard of the payee's bank's acceptance of a transfer.
#[derive(Clone, Debug)]
struct Acceptance {
    at: TopicPartition,
    offset: i64,
    broker_time: Timestamp,
}

/// The picture of the world that the checks keep.
#[derive(Debug)]
pub(crate) struct Oracle {
    /// Clocks are all right, so times of different machines can be compared.
    clocks_agree: bool,
    clocks: clocks::Clocks,
    /// Nothing goes wrong: banks answer long before a deadline.
    is_calm: bool,
    /// The directory names former owners now and then.
    names_former_owners: bool,
    /// Records that committed transactions want on the log, and whether they are there.
    promised: BTreeMap<RecordKey, bool>,
    /// Those that are not there yet, in the order of commits, by topic and order.
    queues: BTreeMap<(String, Vec<u8>), VecDeque<Waiting>>,
    /// What each consumer's handler was given last.
    in_hand: BTreeMap<(NodeId, String), Vec<(TopicPartition, i64)>>,
    /// Up to where effects of records are committed.
    covered: BTreeMap<(String, TopicPartition), i64>,
    curses: BTreeMap<(String, TopicPartition, i64), Option<bool>>,
    hub: BTreeMap<EndToEndId, TransferState>,
    terms: BTreeMap<EndToEndId, Terms>,
    payers: BTreeMap<EndToEndId, (OutgoingStatus, Payment)>,
    /// What a bank has ordered that keeps its books elsewhere.
    elsewhere: BTreeMap<EndToEndId, Payment>,
    payees: BTreeMap<EndToEndId, (IncomingStatus, AccountId, Option<ReasonCode>)>,
    accepted: BTreeMap<EndToEndId, Vec<Acceptance>>,
    outside: outside::Outside,
    names: intents::Names,
    past: past::Pasts,
    reached: BTreeMap<String, u64>,
}

impl Oracle {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            clocks_agree: plan.skew.is_zero() && plan.drift == 0,
            clocks: clocks::Clocks::new(plan),
            is_calm: plan.is_calm,
            names_former_owners: plan.rates.stale > 0,
            promised: BTreeMap::new(),
            queues: BTreeMap::new(),
            in_hand: BTreeMap::new(),
            covered: BTreeMap::new(),
            curses: BTreeMap::new(),
            hub: BTreeMap::new(),
            terms: BTreeMap::new(),
            payers: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            payees: BTreeMap::new(),
            accepted: BTreeMap::new(),
            outside: outside::Outside::default(),
            names: intents::Names::default(),
            past: past::Pasts::default(),
            reached: BTreeMap::new(),
        }
    }

    /// It is that time, truly, and so much has passed since the beginning.
    pub(crate) fn show(&mut self, now: Timestamp, passed: Duration) {
        self.clocks.show(now, passed);
    }

    /// Something happens that runs are there to make happen.
    pub(crate) fn reach(&mut self, what: impl Into<String>) {
        *self.reached.entry(what.into()).or_insert(0) += 1;
    }

    /// All of it, and how often.
    pub(crate) fn take_reached(&mut self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.reached)
    }
}
