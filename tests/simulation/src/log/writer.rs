//! A process writes: in order per key, and when it fails, any part may have been written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::log::{LogError, OutboundRecord};
use shared_kernel::application::{LogWriter, dead_letter};

use super::{Log, words};
use crate::executor::NodeId;
use crate::trace::count;

/// A record for the story.
fn told(record: &OutboundRecord) -> String {
    words(&record.headers, record.payload.as_deref())
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
        true
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
