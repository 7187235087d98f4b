//! A process writes: in order per key, and when it fails, any part may have been written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::log::{LogError, OutboundRecord};
use shared_kernel::application::{Clock as _, LogWriter, dead_letter};
use shared_kernel::domain::EndToEndId;

use super::{Log, words};
use crate::executor::NodeId;
use crate::trace::{count, span};

/// The answer of a bank that will credit.
const ACCEPTED: &str = "codepix.banking.TransferAccepted.v1";
/// So long before its deadline an acceptance comes just in time.
const JUST_BEFORE: Duration = Duration::from_millis(100);
/// So long a sender waits at least.
const SENDERS_PATIENCE: Duration = Duration::from_secs(9);

/// A record for the story.
fn told(record: &OutboundRecord) -> String {
    words(&record.headers, record.payload.as_deref())
}

/// The transfer that a record accepts, if it does.
fn accepted(record: &OutboundRecord) -> Option<EndToEndId> {
    let of = |(name, value): &(String, Vec<u8>)| name == "ce_type" && value == ACCEPTED.as_bytes();
    if !record.headers.iter().any(of) {
        return None;
    }
    EndToEndId::parse(std::str::from_utf8(record.key.as_deref()?).ok()?).ok()
}

/// The producer of a process.
pub(crate) struct Writer {
    log: Arc<Log>,
    node: NodeId,
}

impl Writer {
    pub(crate) fn new(log: &Arc<Log>, node: NodeId) -> Self {
        Self { log: Arc::clone(log), node }
    }

    /// Appends one copy; false when the broker did not take it.
    fn append(&self, topic: &str, record: &OutboundRecord) -> bool {
        let world = &self.log.world;
        if self.log.state().is_down {
            return false;
        }
        let finding = world.oracle().published(topic, record);
        world.judge(finding);
        let Some(at) = self.log.append(topic, record) else { return false };
        world.say(self.node, topic, || {
            let what = if topic.ends_with(dead_letter::SUFFIX) { "dead letter of " } else { "" };
            format!("sends {what}{} to {at}", told(record))
        });
        if let Some(id) = accepted(record) {
            let finding = world.oracle().accepts(&id);
            world.judge(finding);
        }
        true
    }

    /// How long before its deadline the log takes an acceptance, if that was decided.
    fn lateness(&self, id: EndToEndId, record: &OutboundRecord) -> Option<Duration> {
        let world = &self.log.world;
        if let Some(known) = self.log.state().tardy.get(&id) {
            return *known;
        }
        let is_tardy = world.unlucky(world.plan.rates.tardy);
        let early = is_tardy.then(|| world.chance.time(Duration::ZERO, JUST_BEFORE));
        self.log.state().tardy.insert(id, early);
        if let Some(early) = early {
            world.reach("the log takes an acceptance just before its deadline");
            world.fault(self.node, || {
                format!("the log takes {} only {} before its deadline", told(record), span(early))
            });
        }
        early
    }

    /// Now and then the log takes an acceptance only just before its deadline. False when its
    /// sender has no such patience.
    async fn takes_late(&self, record: &OutboundRecord) -> bool {
        let world = &self.log.world;
        let deadline = accepted(record).and_then(|id| Some((id, world.oracle().deadline(&id)?)));
        let Some((id, deadline)) = deadline.filter(|_| world.is_faulty()) else { return true };
        let left = deadline.micros() - self.log.clock().now().micros();
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        if left.is_zero() {
            return true;
        }
        let Some(early) = self.lateness(id, record) else { return true };
        let left = left.saturating_sub(early);
        self.log.clock().sleep(left.min(SENDERS_PATIENCE)).await;
        left <= SENDERS_PATIENCE
    }

    /// What became of a write that its sender must take for failed.
    fn tell_failure(&self, fails: bool, sent: usize, wanted: usize) {
        let wanted = || count(wanted, "record", "records");
        if fails {
            return self.log.world.fault(self.node, || {
                format!("a write to the log fails: it has {sent} of {}, unacknowledged", wanted())
            });
        }
        self.log.world.tell(self.node, || {
            format!("cannot write to the log, which is away: it has {sent} of {}", wanted())
        });
    }
}

#[async_trait]
impl LogWriter for Writer {
    async fn write(&self, records: &[OutboundRecord]) -> Result<(), LogError> {
        let world = Arc::clone(&self.log.world);
        world.at(self.node, "before it writes to the log").await;
        let fails = world.unlucky(world.plan.rates.write) || self.log.is_cut_off(self.node);
        if self.log.is_cut_off(self.node) {
            world.executor.sleep(Duration::from_secs(5)).await;
        }
        for record in records {
            if !self.takes_late(record).await {
                self.tell_failure(true, 0, records.len());
                return Err(LogError::Unavailable("message timed out".into()));
            }
        }
        // Requests to different topics are under way together: each gets as far as it gets.
        let mut left: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut is_complete, mut sent) = (true, 0);
        for record in records {
            if self.log.refuses(record, world.plan.rates.refuse) {
                // Refused where it is handed in: nothing behind it is sent, what is before it is.
                world.reach("the log refuses a record");
                world.say(self.node, "refused", || {
                    format!("FAULT: the log refuses {}, as if for ever", told(record))
                });
                return Err(LogError::Fatal("the log never takes this record".into()));
            }
            for topic in &record.topics {
                let most = u64::try_from(records.len()).unwrap_or(1);
                let left = left.entry(topic);
                let left = left
                    .or_insert_with(|| if fails { world.chance.below(most + 1) } else { u64::MAX });
                if *left == 0 || !self.append(topic, record) {
                    is_complete = false;
                    *left = 0;
                    continue;
                }
                *left = left.saturating_sub(1);
                sent += 1;
                if world.chance.below(4) == 0 {
                    world.at(self.node, "in the middle of a write to the log").await;
                }
            }
        }
        world.at(self.node, "before the log's acknowledgement reaches it").await;
        if is_complete && !fails {
            return Ok(());
        }
        let wanted = records.iter().map(|record| record.topics.len()).sum();
        self.tell_failure(fails, sent, wanted);
        Err(LogError::Unavailable("message timed out".into()))
    }
}
