//! Identifiers as a port: nothing above the drivers draws randomness of its own.

use uuid::Uuid;

/// Source of identifiers and entropy.
pub trait Ids: Send + Sync {
    /// A time-ordered identifier (`UUIDv7`): rows, events.
    fn ordered(&self) -> Uuid;

    /// An unpredictable identifier (`UUIDv4`): EVP keys.
    fn random(&self) -> Uuid;

    /// 128 bits of entropy, e.g. for the suffix of an `EndToEndId` or a span id.
    fn entropy(&self) -> u128 {
        self.random().as_u128()
    }
}
