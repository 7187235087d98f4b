//! The words of `codepix dlq`.

use super::address::Address;
use crate::client::KafkaOptions;

/// Dead letters: list, show and redrive them.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum DlqCommand {
    /// List letters that were not redriven yet, newest first
    #[command(after_help = "Examples:\n  \
        codepix dlq list\n  \
        codepix dlq list --topic codepix.transfers --code payload_json")]
    List(ListLetters),
    /// Show one letter whole: reason, headers and payload
    #[command(after_help = "Example:\n  codepix dlq show codepix.transfers.dlq:0:12")]
    Show(ShowLetter),
    /// Write letters back to the topics they came from, once the cause is mended
    #[command(after_help = "Examples:\n  \
        codepix dlq redrive codepix.transfers.dlq:0:12\n  \
        codepix dlq redrive --all --code handling_failed --dry-run\n\n\
        A record that arrives late or twice changes nothing that it should not: consumers compare \
        versions. A letter that fails again is set aside again.")]
    Redrive(RedriveLetters),
}

impl DlqCommand {
    /// Where its Kafka is, e.g. to name an embedded one that listens elsewhere.
    pub const fn kafka_mut(&mut self) -> &mut KafkaOptions {
        match self {
            Self::List(list) => &mut list.kafka,
            Self::Show(show) => &mut show.kafka,
            Self::Redrive(redrive) => &mut redrive.kafka,
        }
    }
}

/// Which letters are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct LetterFilter {
    /// Only those from this topic, with or without prefix and .dlq
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Only those with this code
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
}

/// Which letters to list.
#[derive(Clone, Debug, clap::Args)]
pub struct ListLetters {
    /// Which.
    #[command(flatten)]
    pub filter: LetterFilter,
    /// Redriven ones too
    #[arg(long)]
    pub all: bool,
    /// Most letters
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
    /// Most records that are read of each partition, from its end
    #[arg(long, value_name = "COUNT", default_value_t = 50_000)]
    pub scan_max: u32,
    /// Where Kafka is.
    #[command(flatten)]
    pub kafka: KafkaOptions,
}

/// A letter to show.
#[derive(Clone, Debug, clap::Args)]
pub struct ShowLetter {
    /// The letter, as `codepix dlq list` names it
    #[arg(value_name = "LETTER")]
    pub letter: Address,
    /// Where Kafka is.
    #[command(flatten)]
    pub kafka: KafkaOptions,
}

/// Letters to redrive.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct RedriveLetters {
    /// The letters, as `codepix dlq list` names them
    #[arg(value_name = "LETTER", required_unless_present = "all", conflicts_with_all = ["all",
        "topic", "code"])]
    pub letters: Vec<Address>,
    /// Every letter that was not redriven yet, or those of --topic and --code
    #[arg(long)]
    pub all: bool,
    /// Which of all.
    #[command(flatten)]
    pub filter: LetterFilter,
    /// Redrive the named letters even if they were redriven before
    #[arg(long, conflicts_with = "all")]
    pub again: bool,
    /// Only say what would be redriven
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Most records that are read of each partition, from its end, with --all
    #[arg(long, value_name = "COUNT", default_value_t = 50_000)]
    pub scan_max: u32,
    /// Where Kafka is.
    #[command(flatten)]
    pub kafka: KafkaOptions,
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _};

    use super::*;
    use crate::cli::help::{help_of, undocumented};

    fn parses(words: &[&str]) -> bool {
        let command = DlqCommand::augment_subcommands(Command::new("dlq"));
        command.try_get_matches_from(std::iter::once("dlq").chain(words.iter().copied())).is_ok()
    }

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<DlqCommand>(), Vec::<String>::new());
        assert!(help_of::<DlqCommand>("redrive").contains("codepix dlq redrive --all"));
    }

    #[test]
    fn a_redrive_names_letters_or_all() {
        assert!(parses(&["redrive", "a.dlq:0:1", "a.dlq:0:2"]));
        assert!(parses(&["redrive", "--all", "--code", "payload_json"]));
        assert!(!parses(&["redrive"]));
        assert!(!parses(&["redrive", "a.dlq:0:1", "--all"]));
        assert!(!parses(&["redrive", "a.dlq:0:1", "--code", "payload_json"]));
        assert!(!parses(&["redrive", "--all", "--again"]));
    }
}
