//! Waiting for something that will happen: polls with a deadline, never sleeps blindly.

use std::fmt::Debug;
use std::time::Duration;

/// How long a test waits for something before it fails.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Asks until the answer is `Ok`, for at most [`PATIENCE`].
///
/// # Panics
/// With the last `Err` when the deadline passes: that is the test's failure.
#[expect(clippy::panic, reason = "a test that waited in vain has failed")]
pub async fn eventually<T, E: Debug>(mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let started = tokio::time::Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) if started.elapsed() >= PATIENCE => {
                panic!("not within {PATIENCE:?}: {error:?}");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
