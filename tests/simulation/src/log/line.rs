//! The line of hand-overs of one process: a transactional producer that may die, stand still, lose
//! its answers, or be given up while its last request is still on its way.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::log::{LogError, OutboundRecord};
use transfers::application::marked_line::{Scan, TransactionalLog};

use super::Log;
use super::committed::CommittedScan;
use crate::executor::{NodeId, WORLD};
use crate::planted::Bug;
use crate::programs;
use crate::trace::span;

/// The name that all couriers share: there is one shard of hand-overs.
const NAME: &str = "codepix.transfers.hand-over-0";

/// What is handed over, or the mark of it, for the story.
fn told(record: &OutboundRecord) -> String {
    let key = record.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    match &record.payload {
        None => format!("a tombstone of {key}"),
        payload => {
            programs::words(payload.as_deref()).unwrap_or_else(|| format!("the mark of {key}"))
        }
    }
}

/// A process's line.
pub(crate) struct HandOverLine {
    log: Arc<Log>,
    node: NodeId,
    /// None until it was taken over, and again after an error.
    epoch: Option<u64>,
}

impl HandOverLine {
    pub(crate) fn new(log: &Arc<Log>, node: NodeId) -> Self {
        Self { log: Arc::clone(log), node, epoch: None }
    }

    /// A request reaches the broker, or does not.
    async fn reach(&self) -> Result<(), LogError> {
        let world = &self.log.world;
        world.delay(self.node, "before the log answers").await;
        if self.log.is_cut_off(self.node) {
            world.executor.sleep(Duration::from_secs(5)).await;
            return Err(LogError::Unavailable("message timed out".into()));
        }
        if self.log.state().is_down {
            return Err(LogError::Unavailable("all brokers are down".into()));
        }
        Ok(())
    }

    async fn send(&self, epoch: u64, topic: &str, record: &OutboundRecord) -> Result<(), LogError> {
        let world = &self.log.world;
        world.at_seldom(self.node, "before it sends a hand-over").await;
        self.reach().await?;
        if self.log.refuses(record, world.plan.rates.withhold) {
            world.reach("the log refuses a hand-over");
            world.say(self.node, "refused", || {
                format!("FAULT: the log refuses a hand-over, {}", told(record))
            });
            return Err(LogError::Unavailable("the record was not taken".into()));
        }
        let finding = world.oracle().sends_in_transaction(topic, record);
        world.judge(finding);
        let at = self.log.append_within((NAME, epoch), topic, record)?;
        world.say(self.node, topic, || format!("sends {} to {at}, in a transaction", told(record)));
        if world.unlucky(world.plan.rates.write) {
            world.fault(self.node, || "does not learn that the log took it".to_owned());
            return Err(LogError::Unavailable("message timed out".into()));
        }
        Ok(())
    }

    async fn transact(&self, epoch: u64, records: &[OutboundRecord]) -> Result<(), LogError> {
        let world = Arc::clone(&self.log.world);
        for record in records {
            for topic in &record.topics {
                self.send(epoch, topic, record).await?;
            }
        }
        world.at_seldom(self.node, "before it commits hand-overs").await;
        self.reach().await?;
        let is_unsaid = world.unlucky(world.plan.rates.write);
        if is_unsaid && world.chance.below(3) > 0 {
            world.fault(self.node, || "gives its commit of hand-overs up".to_owned());
            self.commit_later(epoch);
            return Err(LogError::Unavailable("the answer to the commit was lost".into()));
        }
        self.log.commit(NAME, epoch)?;
        self.log.over(NAME, epoch).await?;
        world.at_seldom(self.node, "after it committed hand-overs").await;
        if is_unsaid {
            world
                .fault(self.node, || "does not learn that its hand-overs are committed".to_owned());
            return Err(LogError::Unavailable("the answer to the commit was lost".into()));
        }
        Ok(())
    }

    /// The producer gives up, and its request is still on its way: it arrives late, or never.
    fn commit_later(&self, epoch: u64) {
        let log = Arc::clone(&self.log);
        if log.world.chance.below(3) == 0 {
            log.world.tell(self.node, || "which never reaches the broker".to_owned());
            return;
        }
        let most = log.world.chance.one_of(&[5, 200, 3_000]).unwrap_or(5);
        let late = log.world.chance.time(Duration::ZERO, Duration::from_millis(most));
        log.world.tell(self.node, || format!("which reaches the broker in {}", span(late)));
        self.log.world.executor.spawn(WORLD, async move {
            log.world.executor.sleep(late).await;
            if log.commit(NAME, epoch).is_err() {
                log.world.say(WORLD, "late", || {
                    "broker: a late commit of a former holder is refused".into()
                });
            }
        });
    }
}

#[async_trait]
impl TransactionalLog for HandOverLine {
    fn named(&self, topic: &str) -> String {
        topic.to_owned()
    }

    async fn take_over(&mut self) -> Result<(), LogError> {
        self.epoch = None;
        let world = Arc::clone(&self.log.world);
        world.at_seldom(self.node, "before it takes the line of hand-overs over").await;
        self.reach().await?;
        let epoch = self.log.next_epoch(NAME);
        world.say(self.node, "line", || format!("takes the line of hand-overs over, as {epoch}"));
        self.log.settled(NAME, epoch).await?;
        world.at_seldom(self.node, "after it took the line of hand-overs over").await;
        if world.unlucky(world.plan.rates.write) {
            world.fault(self.node, || "does not learn that the line is its own".to_owned());
            return Err(LogError::Unavailable("timed out".into()));
        }
        self.epoch = Some(epoch);
        Ok(())
    }

    async fn write(&mut self, records: Vec<OutboundRecord>) -> Result<(), LogError> {
        let Some(epoch) = self.epoch else {
            return Err(LogError::Unavailable("the line was not taken over".into()));
        };
        let written = self.transact(epoch, &records).await;
        if written.is_err() {
            self.epoch = None;
        }
        written
    }

    async fn scan(&mut self, topic: &str) -> Result<Scan, LogError> {
        self.reach().await?;
        let is_blind = self.log.world.has(Bug::MarksUnread);
        let scan = CommittedScan::open(&self.log, self.node, topic, is_blind);
        let partitions = scan.partitions();
        Ok((Box::new(scan), partitions))
    }
}
