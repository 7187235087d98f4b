//! The shadow takes the live side's place, in one transaction.
//!
//! First the consumers of the live side are held at the door, readers not: then the live offsets
//! stand still, and the shadow reads the few records up to exactly there. Only then, for the
//! moment of the exchange, are readers held too; they wait, and their statements find the new
//! tables. The exchange itself waits for those who read already, and whoever comes after it waits
//! behind it: so it waits only for a moment, then steps back and comes again. Offsets need not
//! change, because both sides stand at the same ones, and that is checked under the lock. All
//! locks are taken in the order in which every statement of this context takes its own, so nobody
//! waits in a ring.

use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use shared_kernel::application::StoreError;
use shared_kernel::infrastructure::postgres::store_error;

use super::error::ReplayError;
use super::rebuild::{Ends, Rebuild};
use super::shadow::{StoredPosition, positions};
use crate::infrastructure::postgres::SCHEMA;

/// Records that the shadow may be behind when the live side is held.
const BEHIND_MAX: i64 = 2_000;
/// Times that the shadow runs after a live side that goes on.
const CHASES_MAX: usize = 20;
/// Times that the locks are asked for.
const ATTEMPTS_MAX: usize = 100;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(250);

/// What the statements below say when a lock could not be had in time. The server decides by the
/// error's code, so its language does not matter.
const NOT_LOCKED: &str = "codepix replay: not locked in time";

/// A step in the transaction of the exchange, whose locks are waited for as long as it says.
macro_rules! step {
    ($wait:literal, $sql:literal) => {
        concat!(
            "SET LOCAL lock_timeout = '",
            $wait,
            "'; DO $$ BEGIN ",
            $sql,
            "; EXCEPTION WHEN lock_not_available OR deadlock_detected THEN \
             RAISE 'codepix replay: not locked in time'; END $$"
        )
    };
}

/// Holds whoever writes, and the offsets; readers notice nothing. Long enough for the server to
/// send its own housekeeping away, which is there before.
const HOLD_WRITERS: &str = step!(
    "2s",
    "LOCK TABLE balances.account_balance IN EXCLUSIVE MODE; \
     LOCK TABLE balances.account_history IN EXCLUSIVE MODE; \
     LOCK TABLE balances.transfer IN EXCLUSIVE MODE; \
     LOCK TABLE balances.external_balance IN EXCLUSIVE MODE; \
     LOCK TABLE balances.external_account IN EXCLUSIVE MODE; \
     PERFORM FROM balances.consumer_offset ORDER BY consumer, topic, partition FOR UPDATE"
);
/// Holds the shadow, once nobody writes to it any more.
const HOLD_SHADOW: &str = step!(
    "2s",
    "LOCK TABLE balances_shadow.account_balance IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances_shadow.account_history IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances_shadow.transfer IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances_shadow.external_balance IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances_shadow.external_account IN ACCESS EXCLUSIVE MODE"
);
/// Holds everyone. A reader waits behind it for no longer than it waits itself.
const HOLD_READERS: &str = step!(
    "200ms",
    "LOCK TABLE balances.account_balance IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances.account_history IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances.transfer IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances.external_balance IN ACCESS EXCLUSIVE MODE; \
     LOCK TABLE balances.external_account IN ACCESS EXCLUSIVE MODE"
);
/// Puts the tables of the shadow in the place of the live ones.
const EXCHANGE: &str = step!(
    "200ms",
    "DROP TABLE balances.account_balance, balances.account_history, balances.transfer, \
     balances.external_balance, balances.external_account; \
     ALTER TABLE balances_shadow.account_balance SET SCHEMA balances; \
     ALTER TABLE balances_shadow.account_history SET SCHEMA balances; \
     ALTER TABLE balances_shadow.transfer SET SCHEMA balances; \
     ALTER TABLE balances_shadow.external_balance SET SCHEMA balances; \
     ALTER TABLE balances_shadow.external_account SET SCHEMA balances; \
     DROP SCHEMA balances_shadow CASCADE"
);

/// Ends from stored positions.
pub(super) fn ends(stored: &[StoredPosition]) -> Ends {
    stored.iter().map(|it| (it.position.at.clone(), it.position.next_offset)).collect()
}

/// How one attempt ended.
enum Attempt {
    Swapped,
    Stopped,
    /// A lock could not be had in time.
    Again,
}

/// Runs after a live side that goes on, until few records are left; false when a stop was asked
/// for before.
pub(super) async fn chase(rebuild: &Rebuild, consumers: &[String]) -> Result<bool, ReplayError> {
    for _ in 0..CHASES_MAX {
        let (live, behind) = behind(rebuild, consumers).await?;
        if behind <= BEHIND_MAX {
            break;
        }
        if !rebuild.run_to(&ends(&live)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Exchanges the sides; false when a stop was asked for before.
pub(super) async fn swap(rebuild: &Rebuild, consumers: &[String]) -> Result<bool, ReplayError> {
    if !chase(rebuild, consumers).await? {
        return Ok(false);
    }
    for _ in 0..ATTEMPTS_MAX {
        let mut session = rebuild.shadow.sessions.database.session().await?;
        match attempt(rebuild, consumers, &mut session).await? {
            Attempt::Swapped => return Ok(true),
            Attempt::Stopped => return Ok(false),
            Attempt::Again => rebuild.shadow.sessions.clock.sleep(PAUSE).await,
        }
    }
    Err(ReplayError::Busy)
}

/// Where the live side stands, and by how many records the shadow is behind.
async fn behind(
    rebuild: &Rebuild,
    consumers: &[String],
) -> Result<(Vec<StoredPosition>, i64), StoreError> {
    let mut session = rebuild.shadow.sessions.database.session().await?;
    let live = positions(&mut session, SCHEMA, consumers).await?;
    let own = positions(&mut session, rebuild.shadow.schema, consumers).await?;
    let own = ends(&own);
    let behind = live.iter().fold(0_i64, |sum, StoredPosition { position, .. }| {
        let done = own.get(&position.at).copied().unwrap_or_default();
        sum.saturating_add(position.next_offset.saturating_sub(done))
    });
    Ok((live, behind))
}

/// One attempt; the session ends with it, and with it whatever was not committed.
async fn attempt(
    rebuild: &Rebuild,
    consumers: &[String],
    session: &mut AsyncPgConnection,
) -> Result<Attempt, ReplayError> {
    session.batch_execute("BEGIN").await.map_err(store_error)?;
    if !locked(session, HOLD_WRITERS).await? {
        return Ok(Attempt::Again);
    }
    let live = positions(session, SCHEMA, consumers).await?;
    let mut own = positions(session, rebuild.shadow.schema, consumers).await?;
    if own != live {
        if !rebuild.run_to(&ends(&live)).await? {
            return Ok(Attempt::Stopped);
        }
        own = positions(session, rebuild.shadow.schema, consumers).await?;
    }
    if own != live {
        return Ok(Attempt::Again);
    }
    for step in [HOLD_SHADOW, HOLD_READERS, EXCHANGE] {
        if !locked(session, step).await? {
            return Ok(Attempt::Again);
        }
    }
    session.batch_execute("COMMIT").await.map_err(store_error)?;
    Ok(Attempt::Swapped)
}

/// Takes a step; false when a lock could not be had in time.
async fn locked(session: &mut AsyncPgConnection, step: &str) -> Result<bool, StoreError> {
    match session.batch_execute(step).await {
        Ok(()) => Ok(true),
        Err(error) if error.to_string().contains(NOT_LOCKED) => Ok(false),
        Err(error) => Err(store_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_says_by_the_same_words_that_it_had_no_lock() {
        for step in [HOLD_WRITERS, HOLD_SHADOW, HOLD_READERS, EXCHANGE] {
            assert!(step.contains(&format!("RAISE '{NOT_LOCKED}'")), "{step}");
        }
    }
}
