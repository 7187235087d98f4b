//! Time as a port: nothing above the drivers reads a clock of its own.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::Timestamp;

/// The clock of a process. A test or a simulator puts its own in.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}
