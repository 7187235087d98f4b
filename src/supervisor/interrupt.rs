//! SIGINT and SIGTERM as an answer to a wait.
//!
//! Handlers need either `unsafe` or tokio; tokio's live in a thread of their own here, and the
//! supervisor's thread hears of a signal wherever it pauses.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::SupervisorError;
use super::clock;

/// Where a wait learns that it was interrupted.
#[derive(Debug)]
pub(super) struct Interrupt {
    signals: Receiver<Signal>,
    received: Cell<bool>,
}

impl Interrupt {
    /// From now on, SIGINT and SIGTERM end waits instead of the process.
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        drop(guard);
        let (sender, signals) = mpsc::channel();
        let wait = move || {
            runtime.block_on(poll_fn(|context| {
                while let Poll::Ready(Some(())) = interrupts.poll_recv(context) {
                    sender.send(Signal::INT).ok();
                }
                while let Poll::Ready(Some(())) = terminations.poll_recv(context) {
                    sender.send(Signal::TERM).ok();
                }
                Poll::<()>::Pending
            }));
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
        Ok(Self { signals, received: Cell::new(false) })
    }

    /// One that never comes.
    #[cfg(test)]
    pub(super) fn never() -> Self {
        Self { signals: mpsc::channel().1, received: Cell::new(false) }
    }

    /// Waits for the next signal, at most this long.
    pub(super) fn next(&self, limit: Duration) -> Option<Signal> {
        match self.signals.recv_timeout(limit) {
            Ok(signal) => Some(signal),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                clock::pause(limit);
                None
            }
        }
    }

    /// Waits, or fails at once if a signal comes or ever came.
    pub(super) fn pause(&self, duration: Duration) -> Result<(), SupervisorError> {
        if !self.received.get() {
            self.received.set(self.next(duration).is_some());
        }
        if self.received.get() { Err(SupervisorError::Interrupted) } else { Ok(()) }
    }
}
