//! The words of `codepix transfer`.

use clap::ValueEnum;
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb};

use crate::client::IdempotencyOptions;
use crate::client::transfers::TransferState;

/// Transfers: send money to a key and follow it.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum TransferCommand {
    /// Send money from an account to a Pix key
    #[command(after_help = "Examples:\n  \
        codepix transfer send --from <ACCOUNT> --key ana@example.com --amount 10.00\n  \
        codepix transfer send --from <ACCOUNT> --key ana@example.com --amount 10.00 --watch\n\n\
        Repeated with the same --idempotency-key, it is paid once. With --watch the exit code is \
        0 only when the money arrived.")]
    Send(SendTransfer),
    /// Show a transfer, with the reason if it failed
    Show(OneTransfer),
    /// List transfers, newest first: the hub's, or those of an account
    #[command(after_help = "Examples:\n  \
        codepix transfer list --state rejected --limit 10\n  \
        codepix transfer list --bank 00000001\n  \
        codepix transfer list --account <ACCOUNT>")]
    List(ListTransfers),
    /// Follow a transfer until it is final
    Watch(OneTransfer),
    /// End an overdue transfer, after asking the payee's bank what it did (operators)
    #[command(after_help = "Examples:\n  \
        codepix transfer resolve <ID> --as credited --reason \"statement of bank 003, line 7\"\n  \
        codepix transfer resolve <ID> --as refused --reason \"bank 003 read it and refused it\"\n\n\
        A transfer is overdue when its payee's bank credits on delivery and has not confirmed in \
        time: it may have credited. Refuse it only when that bank's program has read past this \
        message and did not credit, or will never read it; a program that was down may read it \
        tomorrow, and credits then.")]
    Resolve(ResolveTransfer),
}

/// An overdue transfer to end.
#[derive(Clone, Debug, clap::Args)]
pub struct ResolveTransfer {
    /// Id of the transfer from end to end, 32 characters
    #[arg(value_name = "END_TO_END_ID")]
    pub id: EndToEndId,
    /// What the payee's bank did
    #[arg(long = "as", value_name = "OUTCOME")]
    pub outcome: Outcome,
    /// How you know, up to 500 characters; kept
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// What the payee's bank did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    /// It has credited: the transfer is settled
    Credited,
    /// It has not credited and will not: the payer gets the money back
    Refused,
}

/// A transfer to order.
#[derive(Clone, Debug, clap::Args)]
pub struct SendTransfer {
    /// Account that pays, a UUID
    #[arg(long, value_name = "ACCOUNT")]
    pub from: AccountId,
    /// Pix key of the payee
    #[arg(long, value_name = "KEY")]
    pub key: String,
    /// Amount, such as 10.00
    #[arg(long, value_name = "AMOUNT", value_parser = Amount::parse)]
    pub amount: Amount,
    /// Text that both customers see, up to 140 characters
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub description: String,
    /// Key of the command.
    #[command(flatten)]
    pub idempotency: IdempotencyOptions,
    /// Follow it until it is final
    #[arg(long)]
    pub watch: bool,
}

/// A transfer by its id.
#[derive(Clone, Debug, clap::Args)]
pub struct OneTransfer {
    /// Id of the transfer from end to end, 32 characters
    #[arg(value_name = "END_TO_END_ID")]
    pub id: EndToEndId,
    /// As the bank shows it to the owner of this account, instead of as the hub sees it
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<AccountId>,
}

/// Which transfers to list.
#[derive(Clone, Debug, clap::Args)]
pub struct ListTransfers {
    /// Only those of this account, as its bank shows them
    #[arg(long, value_name = "ACCOUNT", conflicts_with_all = ["bank", "state"])]
    pub account: Option<AccountId>,
    /// Only those with this bank as payer or payee
    #[arg(long, value_name = "ISPB")]
    pub bank: Option<Ispb>,
    /// Only those in this state
    #[arg(long, value_name = "STATE")]
    pub state: Option<HubState>,
    /// Most transfers
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
}

/// States of a transfer at the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HubState {
    /// The payee's bank is asked
    Pending,
    /// Settled; the banks post it
    Confirmed,
    /// Both banks have posted it
    Completed,
    /// Refused by the hub or the payee's bank
    Rejected,
    /// Not accepted in time
    Expired,
}

impl HubState {
    /// The same on the wire.
    pub(super) const fn on_the_wire(self) -> TransferState {
        match self {
            Self::Pending => TransferState::Pending,
            Self::Confirmed => TransferState::Confirmed,
            Self::Completed => TransferState::Completed,
            Self::Rejected => TransferState::Rejected,
            Self::Expired => TransferState::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _};

    use super::*;
    use crate::cli::help::{help_of, undocumented};

    fn parse(words: &[&str]) -> Result<clap::ArgMatches, String> {
        let command = TransferCommand::augment_subcommands(Command::new("transfer"));
        let words = std::iter::once("transfer").chain(words.iter().copied());
        command.try_get_matches_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<TransferCommand>(), Vec::<String>::new());
        assert!(help_of::<TransferCommand>("send").contains("--idempotency-key"));
    }

    #[test]
    fn an_id_that_is_none_is_refused_with_its_sentence() {
        let said = parse(&["show", "E1"]).unwrap_err();
        assert!(said.contains("an EndToEndId must have 32 characters"), "{said}");
    }

    #[test]
    fn an_account_has_no_states_of_the_hub() {
        let account = "6e4635ce-88d1-4e58-9597-d13fc446ee47";
        assert!(parse(&["list", "--account", account]).is_ok());
        assert!(parse(&["list", "--account", account, "--state", "pending"]).is_err());
    }
}
