//! What a topic must be like, whoever created it.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use shared_kernel::application::log::LogError;
use shared_kernel::infrastructure::kafka::{KafkaSettings, Retention, TopicPlan, ensure_topics};

use crate::world::{TOPIC, World};

#[tokio::test]
async fn a_topic_that_exists_must_have_the_time_of_the_broker() {
    let world = World::fresh().await;
    let kafka = &world.servers.kafka;
    let plan = |name: &str| TopicPlan::new(name, Retention::Forever).partitions(1);
    ensure_topics(kafka, &[plan(TOPIC)]).await.expect("one of ours passes, with its letters");

    let foreign = kafka.named("foreign");
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create().unwrap();
    let topic = NewTopic::new(&foreign, 1, TopicReplication::Fixed(1))
        .set("message.timestamp.type", "CreateTime");
    admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    let refused = ensure_topics(kafka, &[plan(TOPIC), plan("foreign")]).await.unwrap_err();
    let LogError::Fatal(sentence) = refused else { panic!("{refused:?}") };
    assert!(sentence.contains(&foreign) && sentence.contains("CreateTime"), "{sentence}");
    // One of another protocol keeps the time of its senders, whoever made it.
    let others = [plan("foreign").of_others(), plan("others").of_others()];
    ensure_topics(kafka, &others).await.expect("topics of others pass");
    ensure_topics(kafka, &others).await.expect("and again");
    let refused = ensure_topics(kafka, &[plan("others")]).await.unwrap_err();
    assert!(matches!(refused, LogError::Fatal(_)), "{refused:?}");
}

#[tokio::test]
async fn a_kafka_of_one_broker_keeps_one_replica_and_the_sentence_names_the_setting() {
    let world = World::fresh().await;
    let kafka = KafkaSettings { replication: 3, ..world.servers.kafka.clone() };
    let plan = TopicPlan::new("replicated", Retention::Forever).partitions(1);
    let refused = ensure_topics(&kafka, &[plan]).await.unwrap_err();
    let LogError::Unavailable(sentence) = refused else { panic!("{refused:?}") };
    assert!(sentence.contains("CODEPIX_KAFKA_REPLICATION"), "{sentence}");
}
