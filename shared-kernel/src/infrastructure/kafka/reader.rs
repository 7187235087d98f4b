//! Reads from the log as a member of a group; the caller says from which offsets.
//!
//! The rebalance callback only notes what happened: the consumer loop reads the stored offsets and
//! assigns them itself, so that no database call runs inside librdkafka. Costs two clients: what is
//! asked does not wait with what is read.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::sync::Notify;

use crate::application::log::{LogError, LogReader, Polled, Position, TopicPartition};
use crate::infrastructure::kafka::gathered::Gathered;
use crate::infrastructure::kafka::inbound::inbound;
use crate::infrastructure::kafka::passing::is_passing;
use crate::infrastructure::kafka::questions::{ASK, Questions, cluster_of};
use crate::infrastructure::kafka::settings::KafkaSettings;

/// What the group told this member last. Only the last word counts: each replaces the one before.
#[derive(Default)]
struct Membership {
    word: Mutex<Option<Polled>>,
    told: Notify,
    leaving: AtomicBool,
    /// The group has spoken since partitions were assigned: what was assigned then does not stand.
    disturbed: AtomicBool,
}

impl Membership {
    fn tell(&self, word: Polled) {
        *self.word.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
        self.told.notify_one();
    }

    fn heard(&self) -> Option<Polled> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn has_word(&self) -> bool {
        self.word.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl ClientContext for Membership {}

impl ConsumerContext for Membership {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        self.disturbed.store(true, Ordering::SeqCst);
        let answered = if event != RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.tell(Polled::Revoked);
            consumer.unassign()
        } else if self.leaving.load(Ordering::SeqCst) {
            // librdkafka waits for an answer to every assignment, even of a member that leaves.
            consumer.assign(&TopicPartitionList::new())
        } else {
            // Not assigned here: the loop does it once it knows the offsets.
            self.tell(Polled::Assigned(named(partitions)));
            Ok(())
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "a rebalance could not be answered");
        }
    }
}

fn named(partitions: &TopicPartitionList) -> Vec<TopicPartition> {
    partitions
        .elements()
        .iter()
        .map(|element| TopicPartition {
            topic: element.topic().to_owned(),
            partition: element.partition(),
        })
        .collect()
}

/// What reads, and what asks beside it.
struct Clients {
    member: StreamConsumer<Membership>,
    questions: Questions,
}

/// A member of a consumer group.
pub struct KafkaReader {
    /// `None` once the group is left.
    clients: Option<Arc<Clients>>,
    /// The one topic, where ends are to be told apart: librdkafka names only the partition.
    only_topic: Option<String>,
    /// What was assigned last.
    assigned: BTreeSet<TopicPartition>,
}

impl std::fmt::Debug for KafkaReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("KafkaReader")
            .field("only_topic", &self.only_topic)
            .finish_non_exhaustive()
    }
}

impl KafkaReader {
    /// Joins `group` on `topics` (full names; one that starts with `^` is a pattern).
    ///
    /// # Errors
    /// [`LogError::Fatal`] when librdkafka refuses the settings.
    pub fn join(
        settings: &KafkaSettings,
        group: &str,
        topics: &[String],
    ) -> Result<Self, LogError> {
        let fatal = |error: KafkaError| {
            LogError::Fatal(format!("the Kafka consumer of {group} cannot start: {error}"))
        };
        let member: StreamConsumer<Membership> = settings
            .client(&[
                ("group.id", group),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "error"),
                ("enable.partition.eof", "true"),
                ("partition.assignment.strategy", "range"),
                ("isolation.level", "read_committed"),
                ("topic.metadata.refresh.interval.ms", "2000"),
                // The partitions of a killed member wait this long for the next.
                ("session.timeout.ms", "6000"),
                ("heartbeat.interval.ms", "1000"),
                ("max.poll.interval.ms", "600000"),
                // What comes is answered at once. When nothing comes, every further answer costs
                // the broker work, and a new assignment waits for the last one.
                ("fetch.wait.max.ms", "250"),
                ("fetch.error.backoff.ms", "50"),
                ("queued.min.messages", "20000"),
                // What is fetched ahead, whatever its records are: 16 MiB a member, 8 an answer.
                ("queued.max.messages.kbytes", "16384"),
                ("fetch.max.bytes", "8388608"),
                ("fetch.message.max.bytes", "1048576"),
                ("fetch.queue.backoff.ms", "50"),
            ])
            .create_with_context(Membership::default())
            .map_err(fatal)?;
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        member.subscribe(&names).map_err(fatal)?;
        let only_topic = match topics {
            [topic] if !topic.starts_with('^') => Some(topic.clone()),
            _ => None,
        };
        let clients = Arc::new(Clients { member, questions: Questions::connect(settings)? });
        Ok(Self { clients: Some(clients), only_topic, assigned: BTreeSet::new() })
    }

    fn clients(&self) -> Result<&Arc<Clients>, LogError> {
        let left = || LogError::Unavailable("this member has left its group".into());
        self.clients.as_ref().ok_or_else(left)
    }

    fn member(&self) -> Result<&StreamConsumer<Membership>, LogError> {
        self.clients().map(|clients| &clients.member)
    }

    /// The clients, ready to be dropped: dropping leaves the group, and blocks until it has.
    fn leave(&mut self) -> Option<Arc<Clients>> {
        let clients = self.clients.take()?;
        clients.member.context().leaving.store(true, Ordering::SeqCst);
        // An assignment that was told and not answered would keep librdkafka from leaving.
        if let Err(error) = clients.member.assign(&TopicPartitionList::new()) {
            tracing::debug!(%error, "partitions were not given back");
        }
        Some(clients)
    }

    fn sort(
        &self,
        polled: Result<BorrowedMessage<'_>, KafkaError>,
        gathered: &mut Gathered,
    ) -> Result<(), LogError> {
        match polled {
            Ok(message) => {
                gathered.record(inbound(&message));
                Ok(())
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                if let Some(topic) = &self.only_topic {
                    gathered.end(TopicPartition { topic: topic.clone(), partition });
                }
                Ok(())
            }
            Err(error) => read_error(&error),
        }
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        drop(self.leave());
    }
}

fn unavailable(error: &KafkaError) -> LogError {
    LogError::Unavailable(error.to_string())
}

/// What an error of a poll means for the reader.
fn read_error(error: &KafkaError) -> Result<(), LogError> {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
            Err(LogError::Fatal(format!(
                "a stored offset does not exist in the log any more, and skipping would lose \
                 messages: restore the log, or reset this context's data ({error})"
            )))
        }
        Some(RDKafkaErrorCode::Fatal) => Err(LogError::Fatal(error.to_string())),
        // The group member was slow; it is assigned anew, nothing is lost.
        Some(RDKafkaErrorCode::PollExceeded) => Ok(()),
        _ if is_passing(error) => {
            tracing::info!(%error, "the log is not connected");
            Ok(())
        }
        _ => Err(unavailable(error)),
    }
}

#[async_trait]
impl LogReader for KafkaReader {
    async fn cluster_id(&mut self) -> Result<String, LogError> {
        let clients = Arc::clone(self.clients()?);
        // What is read and what is asked must be of one cluster, also when an address has come to
        // mean another.
        let asked = clients.questions.cluster_id().await?;
        let read = cluster_of(move || clients.member.client().fetch_cluster_id(ASK)).await?;
        if read != asked {
            let reason = format!("one connection leads to the cluster {read}, another to {asked}");
            return Err(LogError::Unavailable(reason));
        }
        Ok(read)
    }

    async fn poll(&mut self, limit: usize, wait: Duration) -> Result<Polled, LogError> {
        let Clients { member, questions } = self.clients()?.as_ref();
        questions.listen();
        if let Some(word) = member.context().heard() {
            return Ok(word);
        }
        let mut stream = member.stream();
        let first = tokio::select! {
            biased;
            first = tokio::time::timeout(wait, stream.next()) => first.ok().flatten(),
            () = member.context().told.notified() => None,
        };
        if let Some(word) = member.context().heard() {
            // A record that came with it belongs to offsets that will be read again.
            return Ok(word);
        }
        let Some(first) = first else { return Ok(Polled::Nothing) };
        let mut gathered = Gathered::default();
        self.sort(first, &mut gathered)?;
        while !gathered.is_full(limit) {
            let Some(Some(next)) = stream.next().now_or_never() else { break };
            if let Err(error) = self.sort(next, &mut gathered) {
                if gathered.is_empty() || matches!(error, LogError::Fatal(_)) {
                    return Err(error);
                }
                tracing::warn!(%error, "the log complained after some records");
                break;
            }
        }
        Ok(gathered.into_polled())
    }

    fn has_word(&self) -> bool {
        self.member().is_ok_and(|member| member.context().has_word())
    }

    async fn beginnings(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        self.clients()?.questions.beginnings(of).await
    }

    async fn ends(&mut self, of: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        self.clients()?.questions.ends(of).await
    }

    async fn assign(&mut self, positions: &[Position]) -> Result<(), LogError> {
        let member = self.member()?;
        let group = member.context();
        // The next poll tells what the group said, and what is assigned follows from that.
        if group.has_word() {
            return Ok(());
        }
        let list = offsets(positions).map_err(|error| unavailable(&error))?;
        let wanted: BTreeSet<TopicPartition> =
            positions.iter().map(|position| position.at.clone()).collect();
        // The same partitions are moved, never assigned anew: librdkafka 2.12 aborts the process
        // when the group takes partitions away that it still stops for an assignment.
        let stands = !group.disturbed.load(Ordering::SeqCst) && wanted == self.assigned;
        let answered = if stands && !wanted.is_empty() {
            member.seek_partitions(list, Duration::ZERO).map(drop)
        } else {
            group.disturbed.store(false, Ordering::SeqCst);
            member.assign(&list)
        };
        self.assigned = wanted;
        answered.map_err(|error| unavailable(&error))
    }

    async fn report(&mut self, positions: &[Position]) {
        let Ok(member) = self.member() else { return };
        let reported = offsets(positions).and_then(|list| member.commit(&list, CommitMode::Async));
        if let Err(error) = reported {
            tracing::debug!(%error, "group offsets were not reported");
        }
    }

    async fn close(&mut self) {
        let clients = self.leave();
        if tokio::task::spawn_blocking(move || drop(clients)).await.is_err() {
            tracing::debug!("the group was left without waiting");
        }
    }
}

fn offsets(positions: &[Position]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for Position { at, next_offset } in positions {
        list.add_partition_offset(&at.topic, at.partition, Offset::Offset(*next_offset))?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_is_no_failure_of_a_poll_and_a_lost_offset_is_fatal() {
        let of = |code| read_error(&KafkaError::MessageConsumption(code));
        for passing in [
            RDKafkaErrorCode::AllBrokersDown,
            RDKafkaErrorCode::BrokerTransportFailure,
            RDKafkaErrorCode::Resolve,
            RDKafkaErrorCode::PollExceeded,
        ] {
            assert!(of(passing).is_ok(), "{passing:?}");
        }
        assert!(matches!(of(RDKafkaErrorCode::AutoOffsetReset), Err(LogError::Fatal(_))));
        let other = of(RDKafkaErrorCode::UnknownTopicOrPartition);
        assert!(matches!(other, Err(LogError::Unavailable(_))));
    }
}
