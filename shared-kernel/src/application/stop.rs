//! Graceful stop: one signal that every worker watches between two steps.

use tokio::sync::watch;

/// Asks all holders of its [`StopSignal`]s to end.
#[derive(Debug)]
pub struct StopHandle(watch::Sender<bool>);

/// Tells a worker that it is time to end; cloned freely.
#[derive(Clone, Debug)]
pub struct StopSignal(watch::Receiver<bool>);

/// A connected pair.
pub fn stop_pair() -> (StopHandle, StopSignal) {
    let (sender, receiver) = watch::channel(false);
    (StopHandle(sender), StopSignal(receiver))
}

impl StopHandle {
    /// Asks everyone to stop. Dropping the handle does the same.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl StopSignal {
    /// True once a stop was asked for.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns when a stop is asked for.
    pub async fn stopped(&mut self) {
        while !*self.0.borrow_and_update() {
            if self.0.changed().await.is_err() {
                return;
            }
        }
    }
}
