//! The plans already made, by document and operation name, the latest used kept longest.
//!
//! A client that sends the same document again, or only its hash with persisted operations, pays
//! for no second plan. Variables are no part of the key, so different values share a plan.

use std::fmt::{self, Debug, Formatter};
use std::hash::RandomState;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use super::Prepared;

/// What a plan is made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) document: String,
    pub(crate) operation: Option<String>,
}

/// Plans, at most so many.
pub(crate) struct Plans {
    kept: Mutex<LruCache<Source, Arc<Prepared>, RandomState>>,
}

impl Debug for Plans {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plans").finish_non_exhaustive()
    }
}

impl Plans {
    /// Room for some plans, at least one.
    pub(crate) fn with_room_for(plans_max: usize) -> Self {
        let room = NonZeroUsize::new(plans_max).unwrap_or(NonZeroUsize::MIN);
        Self { kept: Mutex::new(LruCache::with_hasher(room, RandomState::new())) }
    }

    /// The plan of a source.
    pub(crate) fn get(&self, source: &Source) -> Option<Arc<Prepared>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(source).cloned()
    }

    /// Keeps a plan.
    pub(crate) fn keep(&self, source: Source, plan: Arc<Prepared>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(source, plan);
    }

    /// How many are kept.
    pub(crate) fn count(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
