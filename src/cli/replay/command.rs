//! The words of `codepix replay`.

use shared_kernel::domain::Timestamp;

use crate::config::ServerArguments;

/// Read sides that can be rebuilt.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ReplayCommand {
    /// Rebuilds balances, histories and statements from the beginning of the log
    #[command(after_help = "Examples:\n  \
        codepix replay balances\n  \
        codepix replay balances --dry-run\n  \
        codepix replay balances --until 2026-11-20T12:00:00Z\n\n\
        The rebuild grows beside the live side, which is read and written all the while, and takes \
        its place in one transaction. Ctrl-C cuts it off; the next run goes on where it was.")]
    Balances(ReplayBalances),
}

/// `codepix replay balances`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayBalances {
    /// Where the database and the log are.
    #[command(flatten)]
    pub servers: ServerArguments,
    /// Only shows the side as of this time, RFC 3339: the broker's, and of Wallet Core's topics
    /// their senders'; nothing is swapped
    #[arg(long, value_name = "TIME", value_parser = moment,
        conflicts_with_all = ["dry_run", "force"])]
    pub until: Option<Timestamp>,
    /// Only compares the rebuild with the live side
    #[arg(long, conflicts_with = "force")]
    pub dry_run: bool,
    /// Swaps a rebuild that differs from the live side too
    #[arg(long)]
    pub force: bool,
    /// Begins anew where a run before was cut off
    #[arg(long)]
    pub restart: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|refusal| refusal.to_string())
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _};

    use super::*;
    use crate::cli::help::{help_of, undocumented};

    fn parses(words: &[&str]) -> bool {
        let command = ReplayCommand::augment_subcommands(Command::new("replay"));
        let words = ["replay", "balances"].into_iter().chain(words.iter().copied());
        command.try_get_matches_from(words).is_ok()
    }

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<ReplayCommand>(), Vec::<String>::new());
        assert!(help_of::<ReplayCommand>("balances").contains("--until 2026-11-20T12:00:00Z"));
    }

    #[test]
    fn what_only_looks_never_swaps() {
        assert!(parses(&[]) && parses(&["--force", "--restart"]) && parses(&["--dry-run"]));
        assert!(parses(&["--until", "2026-11-20T12:00:00Z"]));
        assert!(!parses(&["--until", "noon"]));
        assert!(!parses(&["--dry-run", "--force"]));
        assert!(!parses(&["--until", "2026-11-20T12:00:00Z", "--force"]));
    }
}
