//! What clients were told: every order with the answer that it got.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::founding::Place;
use super::order::Order;
use super::variation::Scope;
use crate::log::At;
use crate::words::Words;

/// What became of an order, as its client knows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// It was done.
    Accepted(Value),
    /// It was refused, for this reason.
    Refused(String),
}

/// The answer in a few words: what was made has an id.
impl Words for Told {
    fn words(&self) -> String {
        match self {
            Self::Refused(code) => format!("refused, {code}"),
            Self::Accepted(answer) => {
                let id = ["end_to_end_id", "id"].iter().find_map(|name| answer.get(name)?.as_str());
                id.map_or_else(|| "done".to_owned(), |id| format!("done, {id}"))
            }
        }
    }
}

/// A value of an answer, as people read it.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(fields)) => {
            let field = |(name, value): (&String, &Value)| named(name, &plain(Some(value)));
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        Some(Value::Array(values)) => {
            values.iter().map(|it| plain(Some(it))).collect::<Vec<_>>().join(", ")
        }
        Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
    }
}

fn named(name: &str, value: &str) -> String {
    format!("{} {value}", name.replace('_', " "))
}

/// Two answers that should be one, and where they differ.
pub(super) fn apart(one: &Told, other: &Told) -> String {
    let both = format!("{}, and then {}", one.words(), other.words());
    let (Told::Accepted(Value::Object(old)), Told::Accepted(Value::Object(new))) = (one, other)
    else {
        return both;
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differ = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    let differ = differ.map(|name| {
        let (was, is) = (plain(old.get(name)), plain(new.get(name)));
        format!("{}, and then {is}", named(name, &was))
    });
    format!("{both}; {}", differ.collect::<Vec<_>>().join("; "))
}

/// An order and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) order: Order,
    pub(crate) told: Told,
}

/// Everything that clients were told.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
    /// Where keys were used.
    claims: BTreeSet<Scope>,
    /// What else was asked for under a key, in its scope.
    rivals: BTreeMap<Scope, Vec<Order>>,
    /// The accounts of the founding, at the banks that are hosted here.
    pub(crate) accounts: Vec<Place>,
    /// Nonsense that strangers wrote, numbered from one: where it is.
    pub(crate) nonsense: Vec<At>,
    /// Dead letters that were redriven: topic, partition, offset.
    pub(crate) redriven: Vec<(String, i32, i64)>,
    /// Clients that have not finished.
    pub(crate) at_work: u64,
    /// Banks, accounts and keys are there.
    pub(crate) is_founded: bool,
    orders: u64,
}

impl Journal {
    /// A key that no order had yet.
    pub(crate) fn key(&mut self) -> String {
        self.orders += 1;
        Self::key_of(self.orders)
    }

    fn key_of(number: u64) -> String {
        format!("order-{number}")
    }

    /// How many keys there are, and one of them.
    pub(crate) fn used_key(&self, choose: impl FnOnce(u64) -> u64) -> String {
        Self::key_of(choose(self.orders).max(1))
    }

    /// The key of an order is used where it counts. False when it was, or when there is none.
    pub(crate) fn claim(&mut self, order: &Order) -> bool {
        order.scope().is_some_and(|scope| self.claims.insert(scope))
    }

    /// Something else is asked for under the key of an order.
    pub(crate) fn rival(&mut self, other: &Order) {
        if let Some(scope) = other.scope() {
            self.rivals.entry(scope).or_default().push(other.clone());
        }
    }

    /// Everything else that was asked for under the key of an order.
    pub(crate) fn rivals(&self, order: &Order) -> Vec<Order> {
        order.scope().and_then(|scope| self.rivals.get(&scope)).cloned().unwrap_or_default()
    }

    pub(crate) fn note(&mut self, order: Order, told: Told) {
        self.entries.push(Entry { order, told });
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was told last, after all was quiet.
    pub(crate) fn amend(&mut self, place: usize, told: Told) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.told = told;
        }
    }

    /// The orders that were accepted, with their answers.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = (&Order, &Value)> {
        self.entries.iter().filter_map(|entry| match &entry.told {
            Told::Accepted(answer) => Some((&entry.order, answer)),
            Told::Refused(_) => None,
        })
    }
}
