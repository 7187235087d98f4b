//! The plans already made, by document and operation name, the latest used kept longest.
//!
//! A client that sends the same document again pays for no second plan. Variables are no part of
//! the key, so different values share a plan. What a plan takes grows with its texts, so these are
//! bounded together.

use std::fmt::{self, Debug, Formatter};
use std::hash::RandomState;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::Prepared;

/// What a plan is made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) document: String,
    pub(crate) operation: Option<String>,
}

/// Plans, at most so many and so large.
pub(crate) struct Plans {
    kept: Mutex<Kept>,
    bytes_max: usize,
}

struct Kept {
    plans: LruCache<Source, Arc<Prepared>, RandomState>,
    bytes: usize,
}

impl Debug for Plans {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plans").finish_non_exhaustive()
    }
}

/// Bytes of the texts of a plan.
fn bytes(source: &Source, plan: &Prepared) -> usize {
    source.document.len().saturating_add(plan.text_bytes)
}

impl Kept {
    fn without(&mut self, gone: Option<(Source, Arc<Prepared>)>) {
        let gone = gone.map_or(0, |(source, plan)| bytes(&source, &plan));
        self.bytes = self.bytes.saturating_sub(gone);
    }
}

impl Plans {
    /// Room for some plans, at least one.
    pub(crate) fn with_room_for(plans_max: usize, bytes_max: usize) -> Self {
        let room = NonZeroUsize::new(plans_max).unwrap_or(NonZeroUsize::MIN);
        let plans = LruCache::with_hasher(room, RandomState::new());
        Self { kept: Mutex::new(Kept { plans, bytes: 0 }), bytes_max }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plan of a source.
    pub(crate) fn get(&self, source: &Source) -> Option<Arc<Prepared>> {
        self.kept().plans.get(source).cloned()
    }

    /// Keeps a plan.
    pub(crate) fn keep(&self, source: Source, plan: Arc<Prepared>) {
        let mut kept = self.kept();
        kept.bytes = kept.bytes.saturating_add(bytes(&source, &plan));
        let gone = kept.plans.push(source, plan);
        kept.without(gone);
        while kept.bytes > self.bytes_max && kept.plans.len() > 1 {
            let gone = kept.plans.pop_lru();
            kept.without(gone);
        }
    }

    /// How many are kept.
    pub(crate) fn count(&self) -> usize {
        self.kept().plans.len()
    }
}
