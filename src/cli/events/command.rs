//! The words of `codepix events`.

use super::topics::ForeignTopics;
use crate::client::KafkaOptions;

/// Events on the log: follow them.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum EventsCommand {
    /// Follow events as they arrive, one line each, until Ctrl-C
    #[command(after_help = "Examples:\n  \
        codepix events tail\n  \
        codepix events tail --type TransferConfirmed --type TransferRejected\n  \
        codepix events tail --topic codepix.bank.00000002 --from-beginning --json\n\n\
        Each type leads to its page in the event catalogue: a link in terminals that know links, \
        and an address where the output is no terminal. `./codepix catalog serve` shows the \
        pages.")]
    Tail(TailEvents),
}

impl EventsCommand {
    /// Where its Kafka is, e.g. to name an embedded one that listens elsewhere.
    pub const fn kafka_mut(&mut self) -> &mut KafkaOptions {
        match self {
            Self::Tail(tail) => &mut tail.kafka,
        }
    }
}

/// Which events to follow.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TailEvents {
    /// Only those on this topic, with or without prefix; may be given more than once
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Only those of this type, short or whole; may be given more than once
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Begin with what is there, and not with what comes
    #[arg(long)]
    pub from_beginning: bool,
    /// End after so many events
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u64>,
    /// Where the event catalogue is served
    #[arg(
        long,
        env = "CODEPIX_CATALOGUE_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:3000"
    )]
    pub catalogue_url: String,
    /// What the topics of others' protocols are called.
    #[command(flatten)]
    pub foreign: ForeignTopics,
    /// Where Kafka is.
    #[command(flatten)]
    pub kafka: KafkaOptions,
}

impl TailEvents {
    /// Whether the events of a topic (name without prefix) are meant.
    pub fn wants_topic(&self, topic: &str) -> bool {
        self.topics.is_empty() || self.topics.iter().any(|named| self.bare(named).contains(&topic))
    }

    /// What a named topic is called without prefix: it may be named with it.
    pub(super) fn bare<'a>(&self, named: &'a str) -> Vec<&'a str> {
        let without = named.strip_prefix(self.kafka.topic_prefix.as_str());
        let without = without.filter(|_| !self.kafka.topic_prefix.is_empty());
        std::iter::once(named).chain(without).collect()
    }

    /// Whether events of a type are meant.
    pub fn wants_type(&self, event_type: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|named| names(named, event_type))
    }
}

/// Whether a type is called that: `TransferConfirmed`, `TransferConfirmed.v1` or all of it.
pub(super) fn names(named: &str, event_type: &str) -> bool {
    let parts: Vec<&str> = event_type.rsplit('.').collect();
    let [version, name, ..] = parts.as_slice() else { return named == event_type };
    let versioned = format!("{name}.{version}");
    [event_type, name, versioned.as_str()].iter().any(|it| named.eq_ignore_ascii_case(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::{help_of, undocumented};

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<EventsCommand>(), Vec::<String>::new());
        assert!(help_of::<EventsCommand>("tail").contains("codepix events tail --type"));
    }

    #[test]
    fn types_are_named_short_or_whole() {
        let of = |types: &[&str]| TailEvents {
            types: types.iter().map(|it| (*it).to_owned()).collect(),
            ..TailEvents::default()
        };
        let confirmed = "codepix.transfers.TransferConfirmed.v1";
        assert!(of(&[]).wants_type(confirmed) && of(&[confirmed]).wants_type(confirmed));
        assert!(of(&["other", "transferconfirmed"]).wants_type(confirmed));
        assert!(of(&["TransferConfirmed.v1"]).wants_type(confirmed));
        assert!(!of(&["TransferConfirmed.v2", "Transfer"]).wants_type(confirmed));
    }

    #[test]
    fn topics_are_named_with_or_without_prefix() {
        let mut tail =
            TailEvents { topics: vec!["t1.codepix.transfers".into()], ..TailEvents::default() };
        assert!(!tail.wants_topic("codepix.transfers"));
        tail.kafka.topic_prefix = "t1.".into();
        assert!(tail.wants_topic("codepix.transfers") && !tail.wants_topic("codepix.pix-keys"));
    }
}
