//! The outbox as ports: what committed transactions want written to the log.

use std::time::Duration;

use async_trait::async_trait;

use crate::application::log::OutboundRecord;
use crate::application::transaction::StoreError;

/// One stored row: all records of one transaction that belong to one shard.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Order of the row in its shard.
    pub id: i64,
    /// Its records, in order.
    pub records: Vec<OutboundRecord>,
}

/// All shards of one context's outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Becomes the one relay of this shard, or `None` while another process is.
    async fn try_lead(&self, shard: u16) -> Result<Option<Box<dyn OutboxShard>>, StoreError>;

    /// Returns when a row was appended in this process, or after `wait`: another process may have
    /// appended one.
    async fn appended(&self, wait: Duration);
}

/// A shard that this process leads. Leadership and access are one thing: who lost the first
/// cannot do the second.
#[async_trait]
pub trait OutboxShard: Send {
    /// The oldest rows, at most `limit`.
    async fn pending(&mut self, limit: i64) -> Result<Vec<OutboxRow>, StoreError>;

    /// Removes rows whose records are acknowledged.
    async fn remove(&mut self, ids: &[i64]) -> Result<(), StoreError>;
}

/// FNV-1a, stable across versions.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Which shard a record key belongs to; stable across versions.
pub fn shard_of(key: &[u8], shards: u16) -> u16 {
    let remainder = fnv(key).checked_rem(u64::from(shards)).unwrap_or(0);
    u16::try_from(remainder).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_in_its_shard_and_keys_spread() {
        let shards: Vec<u16> = (0..64_u8).map(|byte| shard_of(&[byte], 4)).collect();
        assert!((0..4).all(|shard| shards.contains(&shard)), "{shards:?}");
        assert_eq!(shard_of(b"E00000001", 4), shard_of(b"E00000001", 4));
        assert_eq!(shard_of(b"anything", 1), 0);
    }
}
