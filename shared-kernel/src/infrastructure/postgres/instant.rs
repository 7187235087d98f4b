//! `Timestamp` and `timestamptz`: microseconds both, other epochs.

use diesel::pg::data_types::PgTimestamp;

use crate::domain::Timestamp;

/// 2000-01-01, the epoch of `PostgreSQL`, in microseconds since 1970-01-01.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// For a bind of type `Timestamptz`.
pub fn instant(at: Timestamp) -> PgTimestamp {
    PgTimestamp(at.micros().saturating_sub(POSTGRES_EPOCH_MICROS))
}

/// From a column of type `Timestamptz`.
pub fn timestamp(stored: PgTimestamp) -> Timestamp {
    Timestamp::from_micros(stored.0.saturating_add(POSTGRES_EPOCH_MICROS)).unwrap_or(Timestamp::MAX)
}
