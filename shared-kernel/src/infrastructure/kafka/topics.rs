//! Topics are created by the contexts that own them, never by accident.

use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
    TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

pub use crate::application::catalogue::Retention;
use crate::application::catalogue::{Channel, Registry, Shape};
use crate::application::dead_letter::SUFFIX;
use crate::application::log::LogError;
use crate::infrastructure::kafka::settings::KafkaSettings;

/// A topic as its owner wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPlan {
    /// Name without prefix.
    pub name: String,
    /// Partitions, fixed at creation.
    pub partitions: i32,
    /// Retention.
    pub retention: Retention,
    /// Whether `<name>.dlq` is created beside it.
    pub dead_letters: bool,
    /// Whether its records have the time of their senders: a topic of another protocol, which
    /// others may have created with settings of their own.
    pub keeps_senders_time: bool,
}

impl TopicPlan {
    /// A topic of ours with 8 partitions and a dead-letter topic beside it.
    pub fn new(name: impl Into<String>, retention: Retention) -> Self {
        let (dead_letters, keeps_senders_time) = (true, false);
        Self { name: name.into(), partitions: 8, retention, dead_letters, keeps_senders_time }
    }

    /// The same as a topic of another protocol.
    #[must_use]
    pub fn of_others(self) -> Self {
        Self { keeps_senders_time: true, ..self }
    }

    /// The topic of a channel without parameter.
    pub fn of(channel: &Channel) -> Self {
        Self::new(channel.address, channel.retention).partitions(channel.partitions)
    }

    /// The topics of what a context publishes in its own words; those with a parameter are made as
    /// their owners come, those of others' protocols under the names that settings give them.
    pub fn all_of<R: Registry>() -> Vec<Self> {
        let mut plans: Vec<Self> = Vec::new();
        let own = R::EVENTS.iter().filter(|event| event.shape == Shape::CloudEvent);
        let channels = own.flat_map(|event| event.channels);
        for channel in channels.filter(|channel| channel.parameter().is_none()) {
            if !plans.iter().any(|plan| plan.name == channel.address) {
                plans.push(Self::of(channel));
            }
        }
        plans
    }

    /// The same with another number of partitions.
    #[must_use]
    pub fn partitions(self, partitions: i32) -> Self {
        Self { partitions, ..self }
    }
}

/// Milliseconds of 30 days, as Kafka wants them.
const DAYS_30_MS: &str = "2592000000";

/// Bytes of the largest batch of records that a topic of ours takes: the producer may send more,
/// and a dead letter is cut far below.
const BATCH_BYTES_MAX: &str = "1048588";

/// How often a broker is asked to create topics: it may be busy, and each time waits 40 s.
const ATTEMPTS_MAX: u32 = 3;

/// What a broker gets that is not ready.
const PAUSE: Duration = Duration::from_secs(3);

/// Creates the topics that are missing; one that exists is left as it is, but must keep time as
/// ours do.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer or refuses, [`LogError::Fatal`] for
/// a topic whose records have their senders' time.
pub async fn ensure_topics(settings: &KafkaSettings, plans: &[TopicPlan]) -> Result<(), LogError> {
    let unavailable = |error: rdkafka::error::KafkaError| LogError::Unavailable(error.to_string());
    let admin: AdminClient<DefaultClientContext> =
        settings.client(&[]).create().map_err(unavailable)?;
    let names: Vec<(String, &TopicPlan, bool)> = plans
        .iter()
        .flat_map(|plan| {
            let own = (settings.named(&plan.name), plan, false);
            let letters = (format!("{}{SUFFIX}", own.0), plan, true);
            std::iter::once(own).chain(plan.dead_letters.then_some(letters))
        })
        .collect();
    let topics: Vec<NewTopic<'_>> = names
        .iter()
        .map(|(name, plan, letters)| {
            let kept = if *letters { Retention::Days30 } else { plan.retention };
            let partitions = if *letters { 1 } else { plan.partitions };
            let senders_time = *letters || plan.keeps_senders_time;
            let topic =
                NewTopic::new(name, partitions, TopicReplication::Fixed(settings.replication))
                    .set("retention.bytes", "-1")
                    .set("max.message.bytes", BATCH_BYTES_MAX)
                    // The broker unpacks what a sender has packed, and measures it unpacked: a
                    // batch that it takes is never larger when it is read.
                    .set("compression.type", "uncompressed")
                    .set(
                        "message.timestamp.type",
                        if senders_time { "CreateTime" } else { BROKER_TIME },
                    );
            let topic = keep(topic, kept);
            if settings.replication > 1 { topic.set("min.insync.replicas", "2") } else { topic }
        })
        .collect();
    let options = AdminOptions::new()
        .operation_timeout(Some(Duration::from_secs(30)))
        .request_timeout(Some(Duration::from_secs(40)));
    let mut found = Vec::new();
    for outcome in created(&admin, &topics, &options).await? {
        match outcome {
            Ok(_) => {}
            Err((topic, RDKafkaErrorCode::TopicAlreadyExists)) => found.push(topic),
            Err((topic, RDKafkaErrorCode::InvalidReplicationFactor)) => {
                return Err(LogError::Unavailable(format!(
                    "Kafka cannot keep {} replicas of topic {topic}: it has fewer brokers; set \
                     CODEPIX_KAFKA_REPLICATION to 1 where it is one",
                    settings.replication
                )));
            }
            Err((topic, code)) => {
                return Err(LogError::Unavailable(format!("topic {topic}: {code}")));
            }
        }
    }
    let of_others = |topic: &String| {
        names.iter().any(|(name, plan, _)| name == topic && plan.keeps_senders_time)
    };
    found.retain(|topic| !topic.ends_with(SUFFIX) && !of_others(topic));
    verify(&admin, &found, &options).await
}

/// Asks for the topics, and again when a busy broker takes its time: what it has made by then is
/// there already.
async fn created(
    admin: &AdminClient<DefaultClientContext>,
    topics: &[NewTopic<'_>],
    options: &AdminOptions,
) -> Result<Vec<TopicResult>, LogError> {
    let mut attempt = 1;
    loop {
        match admin.create_topics(topics, options).await {
            Ok(outcomes) if attempt < ATTEMPTS_MAX && outcomes.iter().any(may_pass) => {
                tracing::warn!(attempt, "topics are asked for again: the broker is not ready");
                tokio::time::sleep(PAUSE).await;
                attempt = attempt.saturating_add(1);
            }
            Ok(outcomes) => return Ok(outcomes),
            Err(error) if attempt < ATTEMPTS_MAX => {
                tracing::warn!(%error, attempt, "topics are asked for again");
                attempt = attempt.saturating_add(1);
            }
            Err(error) => return Err(LogError::Unavailable(error.to_string())),
        }
    }
}

/// A broker that was shut out for a moment, or looks for its controller.
fn may_pass(outcome: &TopicResult) -> bool {
    matches!(
        outcome,
        Err((
            _,
            RDKafkaErrorCode::InvalidReplicationFactor
                | RDKafkaErrorCode::NotController
                | RDKafkaErrorCode::RequestTimedOut
        ))
    )
}

/// Sets how long records are kept.
fn keep(topic: NewTopic<'_>, retention: Retention) -> NewTopic<'_> {
    match retention {
        Retention::Forever => topic.set("cleanup.policy", "delete").set("retention.ms", "-1"),
        Retention::Days30 => topic.set("cleanup.policy", "delete").set("retention.ms", DAYS_30_MS),
        // What is read from the beginning is cleaned soon.
        Retention::LastOfEachKey => topic
            .set("cleanup.policy", "compact")
            .set("segment.ms", "600000")
            .set("min.cleanable.dirty.ratio", "0.1")
            .set("delete.retention.ms", "60000"),
    }
}

/// The setting that says whose time a record has.
const TIME: &str = "message.timestamp.type";
/// The broker's own, stamped when it took the record.
const BROKER_TIME: &str = "LogAppendTime";

/// Whether an acceptance was in time is told by the time of its record: on a topic that somebody
/// else created, that might be the word of the sender.
async fn verify(
    admin: &AdminClient<DefaultClientContext>,
    topics: &[String],
    options: &AdminOptions,
) -> Result<(), LogError> {
    if topics.is_empty() {
        return Ok(());
    }
    let asked: Vec<ResourceSpecifier<'_>> =
        topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let described = admin.describe_configs(&asked, options).await;
    let described = described.map_err(|error| LogError::Unavailable(error.to_string()))?;
    for (topic, described) in topics.iter().zip(described) {
        match described {
            Ok(config) => keeps_broker_time(topic, &config)?,
            // Created just now by another process of ours, and not known everywhere yet.
            Err(RDKafkaErrorCode::UnknownTopicOrPartition) => {}
            Err(code) => {
                let sentence = format!("the settings of topic {topic} cannot be read: {code}");
                return Err(LogError::Unavailable(sentence));
            }
        }
    }
    Ok(())
}

fn keeps_broker_time(topic: &str, config: &ConfigResource) -> Result<(), LogError> {
    // Of a topic that another process of ours created just now, a broker may know no setting yet.
    let Some(time) = config.get(TIME).and_then(|entry| entry.value.as_deref()) else {
        return Ok(());
    };
    if time == BROKER_TIME {
        return Ok(());
    }
    Err(LogError::Fatal(format!(
        "topic {topic} has {TIME}={time}, so its senders would say themselves whether they were in \
         time: set it to {BROKER_TIME}"
    )))
}

/// Deletes topics that were made under a prefix of one's own, with their dead-letter topics.
///
/// # Errors
/// [`LogError::Unavailable`] when the broker does not answer, [`LogError::Fatal`] without a prefix:
/// those topics are everyone's.
pub async fn delete_topics(settings: &KafkaSettings, plans: &[TopicPlan]) -> Result<(), LogError> {
    if settings.topic_prefix.is_empty() {
        return Err(LogError::Fatal("topics without a prefix are never deleted".into()));
    }
    let unavailable = |error: rdkafka::error::KafkaError| LogError::Unavailable(error.to_string());
    let admin: AdminClient<DefaultClientContext> =
        settings.client(&[]).create().map_err(unavailable)?;
    let own = plans.iter().map(|plan| settings.named(&plan.name));
    let names: Vec<String> = own.flat_map(|name| [format!("{name}{SUFFIX}"), name]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(40)));
    admin.delete_topics(&names, &options).await.map(drop).map_err(unavailable)
}
