//! The words of `codepix bench`.

use shared_kernel::domain::Ispb;

use crate::client::{GraphClient, KafkaOptions};
use crate::config::ServerArguments;

/// Measurements of a running hub.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum BenchCommand {
    /// Transfers between accounts of several banks, from the request to the completion
    #[command(after_help = "Example:\n  codepix bench transfers --rate 1000 --seconds 60\n\n\
        Needs a hub with both demo banks, or --banks, and its Kafka. Accounts, keys and money of \
        its own are made first and used again by the next run.")]
    Transfers(BenchTransfers),
    /// Look-ups of keys in the directory
    #[command(after_help = "Example:\n  \
        codepix bench lookup --rate 10000 --seconds 30 --keys 100000")]
    Lookup(BenchLookup),
    /// Joined queries of the graph over HTTP, each with a hop from Banking to Balances
    #[command(after_help = "Example:\n  codepix bench graph --rate 1000 --seconds 30\n\n\
        Asks for an account with its owner (Banking) and its balance (Balances), an account after \
        the other. An answer counts when both are there. Each query in flight has a connection, \
        which is kept for the next one.")]
    Graph(BenchGraph),
    /// A rebuild of the read side, and questions about its past
    #[command(after_help = "Example:\n  codepix bench replay --events 1000000\n\n\
        Needs PostgreSQL and Kafka, and no hub: it works in a database and under a topic prefix of \
        its own, which are gone afterwards.")]
    Replay(BenchReplay),
}

impl BenchCommand {
    /// Where its Kafka is, if it reads one, e.g. to name an embedded one that listens elsewhere.
    pub const fn kafka_mut(&mut self) -> Option<&mut KafkaOptions> {
        match self {
            Self::Transfers(transfers) => Some(&mut transfers.kafka),
            Self::Lookup(_) | Self::Graph(_) | Self::Replay(_) => None,
        }
    }
}

/// The load of a bench.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Load {
    /// Requests per second
    #[arg(long, value_name = "PER_SECOND", default_value_t = 500,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
    /// Seconds that are measured, after a warm-up of 2 s
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub seconds: u32,
    /// Banks to use, by their ISPB
    #[arg(long, value_name = "ISPB,…", value_delimiter = ',', default_value = "00000001,00000002")]
    pub banks: Vec<Ispb>,
    /// Connections to the hub
    #[arg(long, value_name = "COUNT", default_value_t = 4,
        value_parser = clap::value_parser!(u16).range(1..=256))]
    pub connections: u16,
}

/// `codepix bench transfers`.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchTransfers {
    /// How much.
    #[command(flatten)]
    pub load: Load,
    /// Accounts that send and receive, over all banks
    #[arg(long, value_name = "COUNT", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub accounts: u32,
    /// Most requests that wait for their answers; more are sent late, and the delay counts
    #[arg(long, value_name = "COUNT", default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub in_flight: u32,
    /// Seconds that transfers may take to become final after the last request
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u32,
    /// Where Kafka is.
    #[command(flatten)]
    pub kafka: KafkaOptions,
}

/// `codepix bench lookup`.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchLookup {
    /// How much.
    #[command(flatten)]
    pub load: Load,
    /// Keys to look up
    #[arg(long, value_name = "COUNT", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub keys: u32,
    /// Most look-ups at once; more are sent late, and the delay counts
    #[arg(long, value_name = "COUNT", default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub in_flight: u32,
}

/// `codepix bench graph`.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchGraph {
    /// How much.
    #[command(flatten)]
    pub load: Load,
    /// Where the graph is served
    #[arg(long, value_name = "URL", env = "CODEPIX_GRAPH_URL",
        default_value = GraphClient::GRAPH_DEFAULT)]
    pub graph: String,
    /// Accounts to ask for, over all banks
    #[arg(long, value_name = "COUNT", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub accounts: u32,
    /// Most queries at once; more are sent late, and the delay counts
    #[arg(long, value_name = "COUNT", default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub in_flight: u32,
}

/// `codepix bench replay`.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchReplay {
    /// Where the database and the log are.
    #[command(flatten)]
    pub servers: ServerArguments,
    /// Events of accounts; a third as many of transfers come to them
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub events: u64,
    /// Accounts that they happen to
    #[arg(long, value_name = "COUNT", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub accounts: u32,
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _, Subcommand as _};

    use super::*;
    use crate::cli::help::undocumented;

    fn parse(words: &[&str]) -> Result<BenchCommand, clap::Error> {
        let command = BenchCommand::augment_subcommands(Command::new("bench"));
        let words = std::iter::once("bench").chain(words.iter().copied());
        BenchCommand::from_arg_matches(&command.try_get_matches_from(words)?)
    }

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<BenchCommand>(), Vec::<String>::new());
    }

    #[test]
    fn two_banks_are_the_default_and_others_can_be_named() {
        let BenchCommand::Transfers(bench) = parse(&["transfers"]).unwrap() else {
            panic!("another bench");
        };
        assert_eq!(bench.load.banks.len(), 2);
        let named = parse(&["lookup", "--banks", "00000003,00000004,00000005"]).unwrap();
        let BenchCommand::Lookup(bench) = named else { panic!("another bench") };
        assert_eq!(bench.load.banks.len(), 3);
        assert!(parse(&["lookup", "--banks", "3"]).is_err());
        assert!(parse(&["transfers", "--rate", "0"]).is_err());
    }
}
