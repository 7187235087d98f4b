//! Ids that count: the first is 1, the second 2, the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::application::Ids;

/// A counter that gives ids.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl CountedIds {
    fn next(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst)).saturating_add(1)
    }
}

impl Ids for CountedIds {
    fn ordered(&self) -> Uuid {
        uuid::Builder::from_u128(self.next())
            .with_version(uuid::Version::SortRand)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
    }

    fn random(&self) -> Uuid {
        uuid::Builder::from_u128(self.next())
            .with_version(uuid::Version::Random)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
    }
}
