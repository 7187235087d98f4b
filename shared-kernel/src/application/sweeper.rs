//! Work that is due by time: deadlines and repeats are rows, a sweeper looks for them.
//!
//! Any number of processes may sweep: the row locks of the store decide who acts.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::application::clock::Clock;
use crate::application::stop::StopSignal;
use crate::application::transaction::StoreError;

/// What a sweeper does when it looks.
#[async_trait]
pub trait Sweep: Send + Sync {
    /// Handles a bounded number of due rows in one transaction; says how many there were.
    async fn sweep(&self) -> Result<usize, StoreError>;
}

/// Sweeps every `every`, at once again while there was something, until asked to stop.
pub async fn sweep_until_stopped(
    name: &str,
    job: Arc<dyn Sweep>,
    every: Duration,
    clock: Arc<dyn Clock>,
    mut stop: StopSignal,
) {
    while !stop.is_stopped() {
        match job.sweep().await {
            Ok(0) => {}
            Ok(swept) => {
                tracing::debug!(name, swept, "swept");
                continue;
            }
            Err(error) => tracing::warn!(name, %error, "the sweeper will look again"),
        }
        futures::future::select(clock.sleep(every), Box::pin(stop.stopped())).await;
    }
}
