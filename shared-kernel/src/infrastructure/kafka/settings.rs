//! Where the brokers are and what our topics are called.

use rdkafka::ClientConfig;

/// Settings of every Kafka client of a process.
#[derive(Clone, Debug)]
pub struct KafkaSettings {
    /// `host:port,host:port`.
    pub brokers: String,
    /// Put before every topic and group name; empty by default.
    pub topic_prefix: String,
    /// Replicas of topics that we create: 1 embedded, otherwise 3.
    pub replication: i32,
    /// Further librdkafka properties (`security.protocol`, …), applied last.
    pub properties: Vec<(String, String)>,
}

impl KafkaSettings {
    /// Settings for one broker without a prefix.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic_prefix: String::new(),
            replication: 1,
            properties: Vec::new(),
        }
    }

    /// The full name of a topic or group.
    pub fn named(&self, name: &str) -> String {
        format!("{}{name}", self.topic_prefix)
    }

    /// A client configuration with `own` properties below the operator's.
    pub(crate) fn client(&self, own: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "codepix");
        // A broker that restarts is found again within a second, not after the default ten.
        config.set("reconnect.backoff.max.ms", "1000");
        for (name, value) in own {
            config.set(*name, *value);
        }
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }
}
