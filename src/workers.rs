//! Runs every loop of the process. One that ends early or panics ends the process: a hub that
//! works only in part would lie about it.

use std::time::Duration;

use anyhow::Context as _;
use shared_kernel::application::StopHandle;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::infrastructure::{Stage, Worker};
use tokio::task::JoinSet;

/// How long a stage of a graceful stop may take before the process ends all the same.
const STAGE_MAX: Duration = Duration::from_secs(15);

/// The running loops of a process.
#[derive(Debug)]
pub struct Workers {
    work: JoinSet<anyhow::Result<()>>,
    relays: JoinSet<anyhow::Result<()>>,
    stop_work: StopHandle,
    stop_relays: StopHandle,
}

/// The two signals of a graceful stop, in their order.
#[derive(Debug)]
pub struct Stops {
    /// Ends consumers, commands and sweepers.
    pub work: (StopHandle, shared_kernel::application::StopSignal),
    /// Ends relays.
    pub relays: (StopHandle, shared_kernel::application::StopSignal),
}

impl Default for Stops {
    fn default() -> Self {
        Self::new()
    }
}

impl Stops {
    /// Fresh signals.
    pub fn new() -> Self {
        Self { work: stop_pair(), relays: stop_pair() }
    }
}

impl Workers {
    /// Starts all of them.
    pub fn start(workers: Vec<Worker>, stops: Stops) -> Self {
        let mut running = Self {
            work: JoinSet::new(),
            relays: JoinSet::new(),
            stop_work: stops.work.0,
            stop_relays: stops.relays.0,
        };
        for Worker { name, stage, run } in workers {
            let run = async move { run.await.with_context(|| name) };
            match stage {
                Stage::Work => running.work.spawn(run),
                Stage::Relay => running.relays.spawn(run),
            };
        }
        running
    }

    /// Returns when one of them ended although nobody asked it to.
    ///
    /// # Errors
    /// Always: why it ended.
    pub async fn failed(&mut self) -> anyhow::Result<()> {
        let ended = tokio::select! {
            Some(ended) = self.work.join_next() => ended,
            Some(ended) = self.relays.join_next() => ended,
            else => std::future::pending().await,
        };
        match ended {
            Ok(Ok(())) => anyhow::bail!("a worker ended by itself"),
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(anyhow::anyhow!("a worker panicked: {panic}")),
        }
    }

    /// Ends them in order: first what makes records, then the relays that send them.
    pub async fn stop(mut self) {
        self.stop_work.stop();
        drain(&mut self.work, "consumers and commands").await;
        self.stop_relays.stop();
        drain(&mut self.relays, "relays").await;
    }
}

async fn drain(set: &mut JoinSet<anyhow::Result<()>>, what: &str) {
    let ending = async {
        while let Some(ended) = set.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "a worker failed while stopping"),
                Err(error) => tracing::warn!(%error, "a worker panicked while stopping"),
            }
        }
    };
    if tokio::time::timeout(STAGE_MAX, ending).await.is_err() {
        // Nothing is lost: what was not finished is repeated at the next start.
        tracing::warn!(what, "did not end in time and will be cut off");
    }
}
