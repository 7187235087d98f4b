//! What clients were told: every order with the answer that it got.

use serde_json::Value;

use super::order::Order;

/// What became of an order, as its client knows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// It was done.
    Accepted(Value),
    /// It was refused, for this reason.
    Refused(String),
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
    /// Nonsense that strangers wrote: numbers.
    pub(crate) nonsense: u64,
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
        format!("order-{}", self.orders)
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
