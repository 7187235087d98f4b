//! Waiting: polls with a deadline, never sleeps blindly.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

/// How long most things may take before the test fails; generous, for machines under load.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// How long between two looks.
const LOOK: Duration = Duration::from_millis(25);

/// Asks until the answer is `Ok`, for at most [`PATIENCE`].
pub(crate) async fn eventually<T, E: Debug>(ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    eventually_within(PATIENCE, ask).await
}

/// Asks until the answer is `Ok`; fails the test with the last `Err` after `patience`.
pub(crate) async fn eventually_within<T, E: Debug>(
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let started = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) if started.elapsed() >= patience => {
                panic!("not within {patience:?}: {error:?}");
            }
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}
