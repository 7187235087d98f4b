//! Where the log is, for the commands that read it themselves.

use rdkafka::ClientConfig;
use shared_kernel::infrastructure::kafka::KafkaSettings;

/// Where the log is.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct KafkaOptions {
    /// Kafka brokers, host:port,host:port [default: 127.0.0.1:9092]
    #[arg(
        long = "kafka-brokers",
        env = "KAFKA_BROKERS",
        value_name = "ADDRESSES",
        help_heading = "Connection"
    )]
    pub brokers: Option<String>,
    /// Prefix of every topic of the hub
    #[arg(
        long,
        env = "CODEPIX_TOPIC_PREFIX",
        value_name = "PREFIX",
        default_value = "",
        hide_default_value = true,
        help_heading = "Connection"
    )]
    pub topic_prefix: String,
    /// Further librdkafka properties, such as security.protocol=ssl
    #[arg(
        long = "kafka-property",
        env = "CODEPIX_KAFKA_PROPERTIES",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "NAME=VALUE",
        value_parser = property,
        help_heading = "Connection"
    )]
    pub properties: Vec<(String, String)>,
}

impl KafkaOptions {
    /// Where Kafka listens by default.
    pub const BROKERS_DEFAULT: &str = "127.0.0.1:9092";

    /// The brokers that are asked.
    pub fn addresses(&self) -> &str {
        let named = self.brokers.as_deref().filter(|brokers| !brokers.trim().is_empty());
        named.unwrap_or(Self::BROKERS_DEFAULT)
    }

    /// The same as the settings of a writer.
    pub fn settings(&self) -> KafkaSettings {
        let mut settings = KafkaSettings::new(self.addresses());
        settings.topic_prefix.clone_from(&self.topic_prefix);
        settings.properties.clone_from(&self.properties);
        settings
    }

    /// A reader that belongs to no group and stores no offsets.
    pub fn reader(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.addresses());
        config.set("client.id", "codepix-cli");
        // librdkafka wants a name; nothing joins it and nothing is committed to it.
        config.set("group.id", format!("{}codepix.cli", self.topic_prefix));
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("isolation.level", "read_committed");
        config.set("auto.offset.reset", "earliest");
        config.set("fetch.wait.max.ms", "50");
        config.set("log_level", "3");
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }
}

/// Reads `name=value`.
fn property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a property is written name=value, such as security.protocol=ssl".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_a_name_and_a_value() {
        let (name, value) = property("sasl.password=a=b").unwrap();
        assert_eq!((name.as_str(), value.as_str()), ("sasl.password", "a=b"));
        assert!(property("=x").is_err());
        assert!(property("ssl").is_err());
    }

    #[test]
    fn brokers_of_the_embedded_kafka_are_the_default() {
        assert_eq!(KafkaOptions::default().addresses(), "127.0.0.1:9092");
        let own = KafkaOptions { brokers: Some("kafka:1".into()), ..KafkaOptions::default() };
        assert_eq!(own.settings().brokers, "kafka:1");
    }
}
