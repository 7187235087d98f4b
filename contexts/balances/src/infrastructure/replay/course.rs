//! The course of a replay: rebuild, compare, swap.

use std::sync::Arc;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use shared_kernel::application::log::LogError;
use shared_kernel::application::{LogReader, StopSignal, StoreError};
use shared_kernel::domain::Timestamp;
use shared_kernel::infrastructure::kafka::{Extent, KafkaScan, KafkaSettings, cut_at, extents};
use shared_kernel::infrastructure::postgres::{Database, DatabaseSettings, store_error};

use super::compare::{Comparison, Summary, compare, summarize};
use super::error::ReplayError;
use super::gauge::{Gauge, Phase};
use super::rebuild::{Ends, Rebuild};
use super::shadow::{Shadow, StoredPosition, discard, is_current, lead, positions, resign};
use super::swap::{ends, swap};
use crate::infrastructure::kafka::inbound::{ACCOUNTS_GROUP, TRANSFERS_GROUP, WALLET_CORE_GROUP};
use crate::infrastructure::kafka::{ACCOUNTS_TOPIC, TRANSFERS_TOPIC};
use crate::infrastructure::postgres::{PAST, SCHEMA, SHADOW};
use crate::infrastructure::wallet_core::WalletCoreTopics;

/// A view of one moment, for as long as the session lives.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// What a replay is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The rebuild takes the live side's place, if it is equal or `force` says so.
    Swap {
        /// Swaps a rebuild that differs too.
        force: bool,
    },
    /// The rebuild is compared and dropped.
    Compare,
    /// The rebuild ends before what the broker took at this time or later, is looked at and
    /// dropped.
    Until(Timestamp),
}

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rebuild is the live side now.
    Swapped,
    /// It was equal.
    Equal,
    /// It was not, and nothing was swapped.
    Differs,
    /// It was looked at.
    Past,
    /// It was cut off; the next goes on where it was.
    Stopped,
}

impl Outcome {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Equal => "equal",
            Self::Differs => "differs",
            Self::Past => "past",
            Self::Stopped => "stopped",
        }
    }
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The two sides, where they were compared.
    pub comparison: Option<Comparison>,
    /// The past side, where it was looked at.
    pub past: Option<Summary>,
}

/// A replay of the read side.
#[derive(Clone, Debug)]
pub struct Replay {
    database: Database,
    kafka: KafkaSettings,
    wallet_core: WalletCoreTopics,
    gauge: Arc<Gauge>,
    stop: StopSignal,
}

impl Replay {
    /// A replay over this database and this log, which `gauge` shows and `stop` cuts off.
    ///
    /// # Errors
    /// When the settings make no pool.
    pub fn new(
        database: &DatabaseSettings,
        kafka: KafkaSettings,
        gauge: Arc<Gauge>,
        stop: StopSignal,
    ) -> Result<Self, StoreError> {
        let (database, wallet_core) = (Database::new(database)?, WalletCoreTopics::default());
        Ok(Self { database, kafka, wallet_core, gauge, stop })
    }

    /// The same where the topics of Wallet Core have other names than the usual.
    #[must_use]
    pub fn with_wallet_core(self, wallet_core: WalletCoreTopics) -> Self {
        Self { wallet_core, ..self }
    }

    /// Replays; `restart` begins anew where another run was cut off.
    ///
    /// # Errors
    /// [`ReplayError`] says what does not answer or does not fit.
    pub async fn run(&self, mode: Mode, restart: bool) -> Result<Report, ReplayError> {
        // A run that dies leads no longer: its session is gone.
        let mut session = self.database.session().await?;
        if !lead(&mut session).await? {
            return Err(ReplayError::Running);
        }
        let report = match mode {
            Mode::Until(until) => self.look_at(&mut session, until).await,
            Mode::Compare => self.replace(&mut session, None, restart).await,
            Mode::Swap { force } => self.replace(&mut session, Some(force), restart).await,
        };
        // The server learns of a closed connection later, and the next run may come at once.
        resign(&mut session).await;
        report
    }

    async fn look_at(
        &self,
        session: &mut AsyncPgConnection,
        until: Timestamp,
    ) -> Result<Report, ReplayError> {
        discard(&self.database, PAST).await?;
        let live = if is_current(session).await? {
            positions(session, SCHEMA, &self.consumers(), false).await?
        } else {
            Vec::new()
        };
        let rebuild = self.rebuild(PAST).await?;
        let extents = cut_at(&self.kafka, self.extents(&live).await?, until).await?;
        let ends: Ends = extents.iter().map(|it| (it.at.clone(), it.high)).collect();
        self.expect(&extents, &ends, &[]);
        let mut report = Report { outcome: Outcome::Stopped, comparison: None, past: None };
        if rebuild.run_to(&ends).await? {
            self.gauge.change(|reading| reading.phase = Phase::Comparing);
            let summary = summarize(self.database.session().await?, PAST, None).await?;
            report = Report { outcome: Outcome::Past, past: Some(summary), ..report };
        }
        discard(&self.database, PAST).await?;
        Ok(report)
    }

    /// Rebuilds, compares and, with `swap`, exchanges; `swap` says whether a difference stops it.
    async fn replace(
        &self,
        session: &mut AsyncPgConnection,
        force: Option<bool>,
        restart: bool,
    ) -> Result<Report, ReplayError> {
        let stopped = Report { outcome: Outcome::Stopped, comparison: None, past: None };
        if !is_current(session).await? {
            return Err(ReplayError::OtherVersion);
        }
        let consumers = self.consumers();
        let live = positions(session, SCHEMA, &consumers, false).await?;
        let extents = self.extents(&live).await?;
        self.is_whole(&live, &extents).await?;
        if restart {
            discard(&self.database, SHADOW).await?;
        }
        let mut rebuild = self.rebuild(SHADOW).await?;
        let mut own = positions(session, SHADOW, &consumers, false).await?;
        if is_ahead(&own, &live) {
            // The live side was set back since that run: it would never meet it.
            discard(&self.database, SHADOW).await?;
            rebuild = self.rebuild(SHADOW).await?;
            own.clear();
        }
        let until = ends(&live);
        self.expect(&extents, &until, &own);
        if !rebuild.run_to(&until).await? {
            return Ok(stopped);
        }
        let Some(comparison) = self.compared(&rebuild, &consumers, &extents).await? else {
            return Ok(stopped);
        };
        let equal = comparison.is_equal();
        let outcome = match force {
            None if equal => Outcome::Equal,
            None | Some(false) if !equal => Outcome::Differs,
            Some(_) | None => {
                self.gauge.change(|reading| reading.phase = Phase::Swapping);
                rebuild.shadow.analyze().await?;
                if swap(&rebuild, &consumers).await? { Outcome::Swapped } else { Outcome::Stopped }
            }
        };
        if force.is_none() {
            discard(&self.database, SHADOW).await?;
        }
        Ok(Report { outcome, comparison: Some(comparison), past: None })
    }

    /// Compares the sides at the offsets of a moment of the live side; none when a stop was asked
    /// for.
    async fn compared(
        &self,
        rebuild: &Rebuild,
        consumers: &[String],
        extents: &[Extent],
    ) -> Result<Option<Comparison>, ReplayError> {
        let mut live = self.database.session().await?;
        live.batch_execute(SNAPSHOT).await.map_err(store_error)?;
        let at = positions(&mut live, SCHEMA, consumers, false).await?;
        let until = ends(&at);
        let mut session = self.database.session().await?;
        let own = positions(&mut session, SHADOW, consumers, false).await?;
        self.expect(extents, &until, &own);
        if !rebuild.run_to(&until).await? {
            return Ok(None);
        }
        self.gauge.change(|reading| reading.phase = Phase::Comparing);
        session.batch_execute(SNAPSHOT).await.map_err(store_error)?;
        let comparison = compare((live, SCHEMA), (session, SHADOW)).await?;
        Ok(Some(comparison))
    }

    async fn rebuild(&self, schema: &'static str) -> Result<Rebuild, StoreError> {
        let prefix = &self.kafka.topic_prefix;
        Ok(Rebuild {
            kafka: self.kafka.clone(),
            wallet_core: self.wallet_core.clone(),
            shadow: Shadow::open(&self.database, schema, prefix).await?,
            gauge: Arc::clone(&self.gauge),
            stop: self.stop.clone(),
        })
    }

    /// The names of the live side's consumers; a rebuild stores its offsets under the same.
    fn consumers(&self) -> Vec<String> {
        let groups = [ACCOUNTS_GROUP, TRANSFERS_GROUP, WALLET_CORE_GROUP];
        groups.map(|group| self.kafka.named(group)).into()
    }

    /// What there is of every topic that is read; those of Wallet Core where the live side has
    /// listened to it.
    async fn extents(&self, live: &[StoredPosition]) -> Result<Vec<Extent>, LogError> {
        let mut all = extents(&self.kafka, ACCOUNTS_TOPIC).await?;
        all.extend(extents(&self.kafka, TRANSFERS_TOPIC).await?);
        for topic in self.wallet_core.names() {
            let named = self.kafka.named(topic);
            if live.iter().any(|stored| stored.position.at.topic == named) {
                all.extend(extents(&self.kafka, topic).await?);
            }
        }
        Ok(all)
    }

    /// Whether the log has everything that the live side has read.
    async fn is_whole(
        &self,
        live: &[StoredPosition],
        extents: &[Extent],
    ) -> Result<(), ReplayError> {
        let cluster_id = KafkaScan::new(&self.kafka, Ends::new())?.cluster_id().await?;
        if live.iter().any(|stored| stored.cluster_id != cluster_id) {
            return Err(ReplayError::OtherCluster);
        }
        let is_lost = |extent: &Extent| extent.low > 0;
        if extents.iter().any(is_lost) {
            return Err(ReplayError::Truncated);
        }
        Ok(())
    }

    /// Sets the gauge to what there is to do.
    fn expect(&self, extents: &[Extent], ends: &Ends, own: &[StoredPosition]) {
        let mut total = 0_i64;
        let mut done = 0_i64;
        for Extent { at, low, .. } in extents {
            let end = ends.get(at).copied().unwrap_or(*low);
            total = total.saturating_add(end.saturating_sub(*low));
        }
        for StoredPosition { position, .. } in own {
            done = done.saturating_add(position.next_offset);
        }
        let (total, done) = (total.try_into().unwrap_or(0), done.try_into().unwrap_or(0));
        self.gauge.change(|reading| {
            if reading.total == 0 {
                reading.resumed = done;
            }
            (reading.total, reading.done) = (total, done);
        });
    }
}

/// Whether one side has read more of some partition than the other.
fn is_ahead(own: &[StoredPosition], live: &[StoredPosition]) -> bool {
    let live = ends(live);
    own.iter().any(|StoredPosition { position, .. }| {
        live.get(&position.at).is_none_or(|end| position.next_offset > *end)
    })
}
