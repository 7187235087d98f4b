//! The course of a replay: rebuild, compare, swap.

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use shared_kernel::application::log::LogError;
use shared_kernel::application::{StopSignal, StoreError};
use shared_kernel::domain::Timestamp;
use shared_kernel::infrastructure::kafka::{Extent, KafkaSettings, cluster_id, cut_at, extents};
use shared_kernel::infrastructure::postgres::{Database, DatabaseSettings, store_error};

use super::compare::{Comparison, Summary, compare, summarize};
use super::error::ReplayError;
use super::gauge::{Gauge, Phase};
use super::lead::{lead, leading, resign};
use super::rebuild::{Ends, Rebuild};
use super::shadow::{Shadow, StoredPosition, Unlogged, discard, is_current, positions, take_over};
use super::swap::{chase, ends, swap};
use crate::infrastructure::kafka::inbound::{ACCOUNTS_GROUP, TRANSFERS_GROUP, WALLET_CORE_GROUP};
use crate::infrastructure::kafka::{ACCOUNTS_TOPIC, TRANSFERS_TOPIC};
use crate::infrastructure::postgres::{COMPARED, PAST, SCHEMA, SHADOW};
use crate::infrastructure::wallet_core::WalletCoreTopics;

/// A side that is read waits for the other where that has more to tell, and holds nobody up.
const PATIENT: &str = "SET idle_in_transaction_session_timeout = '5min'";
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
    /// It was not, and nothing was swapped; the rebuild is gone.
    Differs,
    /// It was looked at.
    Past,
    /// It was cut off; the next goes on where it was.
    Stopped,
    /// The look at a past time was cut off; nothing of it is kept.
    Abandoned,
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
            Self::Abandoned => "abandoned",
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
        let report = leading(&mut session, self.course(mode, restart)).await;
        // The server learns of a closed connection later, and the next run may come at once.
        resign(&mut session).await;
        report
    }

    async fn course(&self, mode: Mode, restart: bool) -> Result<Report, ReplayError> {
        match mode {
            Mode::Until(until) => self.look_at(until).await,
            Mode::Compare => self.replace(None, restart).await,
            Mode::Swap { force } => self.replace(Some(force), restart).await,
        }
    }

    async fn look_at(&self, until: Timestamp) -> Result<Report, ReplayError> {
        let live = self.positions(SCHEMA).await?.unwrap_or_default();
        let extents = self.extents(&live).await?;
        self.is_whole(&live, &extents).await?;
        let unlogged = Unlogged { until: Some(until), ..self.unlogged(&extents) };
        discard(&self.database, PAST).await?;
        let rebuild = self.rebuild(PAST, &unlogged).await?;
        let extents = cut_at(&self.kafka, extents, until).await?;
        let ends: Ends = extents.iter().map(|it| (it.at.clone(), it.high)).collect();
        self.expect(&extents, &ends, &[]);
        let mut report = Report { outcome: Outcome::Abandoned, comparison: None, past: None };
        if rebuild.run_to(&ends).await? {
            self.gauge.change(|reading| reading.phase = Phase::Comparing);
            let summary = summarize(self.database.session().await?, PAST, None).await?;
            report = Report { outcome: Outcome::Past, past: Some(summary), ..report };
        }
        discard(&self.database, PAST).await?;
        Ok(report)
    }

    /// Rebuilds, compares and, with `force`, exchanges: it says whether a difference stops that.
    /// What is only compared has a schema of its own, so that it takes nothing from a run that was
    /// cut off before its exchange.
    async fn replace(&self, force: Option<bool>, restart: bool) -> Result<Report, ReplayError> {
        let stopped = Report { outcome: Outcome::Stopped, comparison: None, past: None };
        let schema = if force.is_some() { SHADOW } else { COMPARED };
        let live = self.positions(SCHEMA).await?.ok_or(ReplayError::OtherVersion)?;
        let extents = self.extents(&live).await?;
        self.is_whole(&live, &extents).await?;
        let unlogged = self.unlogged(&extents);
        if restart {
            discard(&self.database, schema).await?;
        }
        let mut rebuild = self.rebuild(schema, &unlogged).await?;
        let mut own = self.positions(schema).await?.unwrap_or_default();
        if is_ahead(&own, &live) {
            // The live side was set back since that run: it would never meet it.
            discard(&self.database, schema).await?;
            rebuild = self.rebuild(schema, &unlogged).await?;
            own.clear();
        }
        let until = ends(&live);
        self.expect(&extents, &until, &own);
        if !rebuild.run_to(&until).await? {
            return Ok(stopped);
        }
        let Some(comparison) = self.compared(&rebuild, &extents).await? else {
            return Ok(stopped);
        };
        let equal = comparison.is_equal();
        let outcome = match force {
            None if equal => Outcome::Equal,
            None | Some(false) if !equal => Outcome::Differs,
            Some(_) | None => {
                self.gauge.change(|reading| reading.phase = Phase::Swapping);
                rebuild.shadow.analyze().await?;
                let swapped = swap(&rebuild, &self.consumers()).await?;
                if swapped { Outcome::Swapped } else { Outcome::Stopped }
            }
        };
        if force.is_none() || outcome == Outcome::Differs {
            // What differed once is never gone on with: the next run reads the log anew.
            discard(&self.database, schema).await?;
        }
        Ok(Report { outcome, comparison: Some(comparison), past: None })
    }

    /// Where a side stands; none where the live one has no tables of this version.
    async fn positions(&self, schema: &str) -> Result<Option<Vec<StoredPosition>>, StoreError> {
        let mut session = self.database.session().await?;
        if !is_current(&mut session).await? {
            return Ok(None);
        }
        positions(&mut session, schema, &self.consumers()).await.map(Some)
    }

    /// Compares the sides at the offsets of a moment of the live side; none when a stop was asked
    /// for. The moment is kept for the few records alone that are left then.
    async fn compared(
        &self,
        rebuild: &Rebuild,
        extents: &[Extent],
    ) -> Result<Option<Comparison>, ReplayError> {
        let (consumers, schema) = (self.consumers(), rebuild.shadow.schema);
        if !chase(rebuild, &consumers).await? {
            return Ok(None);
        }
        let mut live = self.snapshot().await?;
        let at = positions(&mut live, SCHEMA, &consumers).await?;
        let until = ends(&at);
        let own = self.positions(schema).await?.unwrap_or_default();
        self.expect(extents, &until, &own);
        if !rebuild.run_to(&until).await? {
            return Ok(None);
        }
        self.gauge.change(|reading| reading.phase = Phase::Comparing);
        let session = self.snapshot().await?;
        let comparison = compare((live, SCHEMA), (session, schema)).await?;
        Ok(Some(comparison))
    }

    /// A session that sees one moment.
    async fn snapshot(&self) -> Result<AsyncPgConnection, StoreError> {
        let mut session = self.database.session().await?;
        for sql in [PATIENT, SNAPSHOT] {
            session.batch_execute(sql).await.map_err(store_error)?;
        }
        Ok(session)
    }

    async fn rebuild(
        &self,
        schema: &'static str,
        unlogged: &Unlogged,
    ) -> Result<Rebuild, StoreError> {
        let shadow = Shadow::open(&self.database, schema, &self.kafka.topic_prefix).await?;
        take_over(&self.database, schema, unlogged).await?;
        Ok(Rebuild {
            kafka: self.kafka.clone(),
            wallet_core: self.wallet_core.clone(),
            shadow,
            gauge: Arc::clone(&self.gauge),
            stop: self.stop.clone(),
        })
    }

    /// The names of the live side's consumers; a rebuild stores its offsets under the same.
    fn consumers(&self) -> Vec<String> {
        let groups = [ACCOUNTS_GROUP, TRANSFERS_GROUP, WALLET_CORE_GROUP];
        groups.map(|group| self.kafka.named(group)).into()
    }

    /// Our own topics, by their full names.
    fn own_topics(&self) -> [String; 2] {
        [ACCOUNTS_TOPIC, TRANSFERS_TOPIC].map(|topic| self.kafka.named(topic))
    }

    /// What there is of every topic that is read: our own, and those of other programs that the
    /// live side has listened to, under whichever names.
    async fn extents(&self, live: &[StoredPosition]) -> Result<Vec<Extent>, LogError> {
        let own = self.own_topics();
        let read = live.iter().map(|stored| stored.position.at.topic.as_str());
        let others: BTreeSet<&str> =
            read.filter(|topic| own.iter().all(|own| own != topic)).collect();
        let prefix = self.kafka.topic_prefix.as_str();
        let others = others.into_iter().map(|topic| topic.strip_prefix(prefix).unwrap_or(topic));
        let mut all = Vec::new();
        for topic in [ACCOUNTS_TOPIC, TRANSFERS_TOPIC].into_iter().chain(others) {
            all.extend(extents(&self.kafka, topic).await?);
        }
        Ok(all)
    }

    /// Whether the log has everything that the live side has read; of other programs' topics, what
    /// it lost stands in the live side as it was said.
    async fn is_whole(
        &self,
        live: &[StoredPosition],
        extents: &[Extent],
    ) -> Result<(), ReplayError> {
        let cluster_id = cluster_id(&self.kafka).await?;
        if live.iter().any(|stored| stored.cluster_id != cluster_id) {
            return Err(ReplayError::OtherCluster);
        }
        let own = self.own_topics();
        let lost = extents.iter().find(|extent| extent.low > 0 && own.contains(&extent.at.topic));
        lost.map_or(Ok(()), |extent| Err(ReplayError::Truncated(extent.at.topic.clone())))
    }

    /// What of other programs' words the log does not have.
    fn unlogged(&self, extents: &[Extent]) -> Unlogged {
        let own = self.own_topics();
        let [balances, accounts] = self.wallet_core.names().map(|topic| self.kafka.named(topic));
        let mut unlogged = Unlogged::default();
        let lost = extents.iter().filter(|it| it.low > 0 && !own.contains(&it.at.topic));
        for Extent { at, low, .. } in lost {
            // A topic of a former name may have had both.
            unlogged.accounts |= at.topic != balances;
            if at.topic != accounts {
                unlogged.balances.push((at.partition, *low));
            }
        }
        unlogged
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
            let low = extents.iter().find(|it| it.at == position.at).map_or(0, |it| it.low);
            done = done.saturating_add(position.next_offset.saturating_sub(low));
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
