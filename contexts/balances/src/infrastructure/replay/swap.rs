//! The shadow takes the live side's place, in one transaction.
//!
//! First the consumers of the live side are held at the door, readers not: then the live offsets
//! stand still, and the shadow reads the few records up to exactly there. Only then, for the
//! moment of the exchange, are readers held too; they wait, and their statements find the new
//! tables. Offsets need not change, because both sides stand at the same ones, and that is checked
//! under the lock. All locks are taken in the order in which every statement of this context takes
//! its own, so nobody waits in a ring.

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
/// Times that a lock is asked for.
const ATTEMPTS_MAX: usize = 20;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(250);

/// Holds whoever writes. A reader never waits for more than the lock's time.
const HOLD_WRITERS: &str = "\
    BEGIN; SET LOCAL lock_timeout = '2s'; \
    LOCK TABLE balances.account_balance IN EXCLUSIVE MODE; \
    LOCK TABLE balances.transfer IN EXCLUSIVE MODE; \
    LOCK TABLE balances.external_balance IN EXCLUSIVE MODE; \
    LOCK TABLE balances.external_account IN EXCLUSIVE MODE";
/// Holds everyone.
const HOLD_READERS: &str = "\
    LOCK TABLE balances.account_balance IN ACCESS EXCLUSIVE MODE; \
    LOCK TABLE balances.account_history IN ACCESS EXCLUSIVE MODE; \
    LOCK TABLE balances.transfer IN ACCESS EXCLUSIVE MODE; \
    LOCK TABLE balances.external_balance IN ACCESS EXCLUSIVE MODE; \
    LOCK TABLE balances.external_account IN ACCESS EXCLUSIVE MODE";
/// Puts the tables of the shadow in the place of the live ones.
const EXCHANGE: &str = "\
    DROP TABLE balances.account_balance, balances.account_history, balances.transfer, \
    balances.external_balance, balances.external_account; \
    ALTER TABLE balances_shadow.account_balance SET SCHEMA balances; \
    ALTER TABLE balances_shadow.account_history SET SCHEMA balances; \
    ALTER TABLE balances_shadow.transfer SET SCHEMA balances; \
    ALTER TABLE balances_shadow.external_balance SET SCHEMA balances; \
    ALTER TABLE balances_shadow.external_account SET SCHEMA balances; \
    DROP SCHEMA balances_shadow CASCADE";

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

/// Exchanges the sides; false when a stop was asked for before.
pub(super) async fn swap(rebuild: &Rebuild, consumers: &[String]) -> Result<bool, ReplayError> {
    for _ in 0..CHASES_MAX {
        let (live, behind) = behind(rebuild, consumers).await?;
        if behind <= BEHIND_MAX {
            break;
        }
        if !rebuild.run_to(&ends(&live)).await? {
            return Ok(false);
        }
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
    let live = positions(&mut session, SCHEMA, consumers, false).await?;
    let own = positions(&mut session, rebuild.shadow.schema, consumers, false).await?;
    let sum = |stored: &[StoredPosition]| {
        stored.iter().fold(0_i64, |sum, it| sum.saturating_add(it.position.next_offset))
    };
    let behind = sum(&live).saturating_sub(sum(&own));
    Ok((live, behind))
}

/// One attempt; the session ends with it, and with it whatever was not committed.
async fn attempt(
    rebuild: &Rebuild,
    consumers: &[String],
    session: &mut AsyncPgConnection,
) -> Result<Attempt, ReplayError> {
    if !locked(session, HOLD_WRITERS).await? {
        return Ok(Attempt::Again);
    }
    let live = positions(session, SCHEMA, consumers, true).await?;
    let mut own = positions(session, rebuild.shadow.schema, consumers, false).await?;
    if own != live {
        if !rebuild.run_to(&ends(&live)).await? {
            return Ok(Attempt::Stopped);
        }
        own = positions(session, rebuild.shadow.schema, consumers, false).await?;
    }
    if own != live || !locked(session, HOLD_READERS).await? {
        return Ok(Attempt::Again);
    }
    session.batch_execute(EXCHANGE).await.map_err(store_error)?;
    session.batch_execute("COMMIT").await.map_err(store_error)?;
    Ok(Attempt::Swapped)
}

/// Takes locks; false when they could not be had in time.
async fn locked(session: &mut AsyncPgConnection, locks: &str) -> Result<bool, StoreError> {
    match session.batch_execute(locks).await {
        Ok(()) => Ok(true),
        Err(error) if error.to_string().contains("lock timeout") => Ok(false),
        Err(error) => Err(store_error(error)),
    }
}
