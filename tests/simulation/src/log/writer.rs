//! A process writes: in order per key, and when it fails, any part may have been written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::log::{LogError, OutboundRecord};
use shared_kernel::application::{LogWriter, dead_letter};

use super::Log;
use crate::executor::NodeId;
use crate::programs;

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
            let header = |name: &str| {
                let found = record.headers.iter().find(|(header, _)| header == name);
                found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            };
            let said = || programs::words(record.payload.as_deref());
            let event = header("ce_type").or_else(said).unwrap_or_else(|| "a record".into());
            let event = event
                .strip_suffix(".v1")
                .map_or(&*event, |it| it.rsplit('.').next().unwrap_or_default());
            let what = if topic.ends_with(dead_letter::SUFFIX) { "dead letter of " } else { "" };
            let subject = header("ce_subject").unwrap_or_default();
            format!("sends {what}{event} {subject} to {at}")
        });
        true
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
        let mut is_complete = true;
        for record in records {
            if self.log.refuses(record, world.plan.rates.refuse) {
                // Refused where it is handed in: nothing behind it is sent, what is before it is.
                world.reach("the log refuses a record");
                world.say(self.node, "refused", || "FAULT: the log refuses a record".to_owned());
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
                if world.chance.below(4) == 0 {
                    world.at(self.node, "in the middle of a write to the log").await;
                }
            }
        }
        world.at(self.node, "before the log's acknowledgement reaches it").await;
        if is_complete && !fails {
            return Ok(());
        }
        Err(LogError::Unavailable("message timed out".into()))
    }
}
