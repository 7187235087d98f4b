//! How far a replay is, for whoever watches it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use shared_kernel::application::{InboundRecord, Observer};

/// What a replay does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Reads the log into the shadow.
    #[default]
    Rebuilding,
    /// Compares the shadow with the live side.
    Comparing,
    /// Takes the live side's place.
    Swapping,
}

impl Phase {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rebuilding => "rebuilding",
            Self::Comparing => "comparing",
            Self::Swapping => "swapping",
        }
    }
}

/// What a gauge shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it does.
    pub phase: Phase,
    /// Events that are in the shadow, those of a former run that is gone on with too.
    pub done: u64,
    /// Events that it will have.
    pub total: u64,
    /// Of them those of a former run.
    pub resumed: u64,
    /// Records of this run that no read side takes: dead letters.
    pub set_aside: u64,
}

/// How far a replay is.
#[derive(Debug, Default)]
pub struct Gauge(Mutex<Reading>);

impl Gauge {
    /// What it shows now.
    pub fn reading(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Observer for Gauge {
    fn batch_committed(&self, _consumer: &str, records: &[InboundRecord], _took: Duration) {
        let records = u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.change(|reading| reading.done = reading.done.saturating_add(records));
    }

    fn dead_lettered(&self, _consumer: &str, _code: &str) {
        self.change(|reading| reading.set_aside = reading.set_aside.saturating_add(1));
    }
}
