//! The supervisor's own clock. It measures waits for other processes and decides nothing about
//! money, so it needs no port; it is the one file of this folder that reads time or sleeps.

use std::thread;
use std::time::{Duration, Instant};

/// A moment from which a wait is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(Instant);

impl Moment {
    /// This moment.
    #[expect(clippy::disallowed_methods, reason = "waits for processes, not for the domain")]
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// How long ago it was.
    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Blocks this thread, which is never one of an async runtime.
#[expect(clippy::disallowed_methods, reason = "called from plain threads only")]
pub(super) fn pause(duration: Duration) {
    thread::sleep(duration);
}
