//! The words of `codepix transfer`.

use std::str::FromStr;

use clap::ValueEnum;
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb};
use transfers::domain::OrderId;

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
    #[command(after_help = "Examples:\n  \
        codepix transfer show E0000000120261120120000000000001\n  \
        codepix transfer show b3b6f0a0-6f1e-4a0e-9a35-6a1f0f6f2f10\n\n\
        The second is the id of an order of an existing bank program.")]
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
    /// Note that what was credited after a refusal is settled between the banks (operators)
    #[command(after_help = "Example:\n  \
        codepix transfer acknowledge <ID> --reason \"bank 003 paid it back on 30 November\"\n\n\
        For a transfer that was resolved as refused and that its payee's bank has credited all the \
        same: `codepix doctor` finds it as credited_after_refusal until it is acknowledged, and \
        notes it afterwards. No money moves.")]
    Acknowledge(AcknowledgeCredit),
}

/// A transfer as it is named: by its own id, or by that of the order of a bank's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferId {
    /// From end to end.
    EndToEnd(EndToEndId),
    /// Of the order.
    Order(OrderId),
}

impl TransferId {
    /// Both fields of a request, one of them empty.
    pub(super) fn on_the_wire(self) -> (String, String) {
        match self {
            Self::EndToEnd(id) => (id.to_string(), String::new()),
            Self::Order(id) => (String::new(), id.to_string()),
        }
    }
}

impl FromStr for TransferId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(order) = OrderId::parse(text) {
            return Ok(Self::Order(order));
        }
        EndToEndId::parse(text)
            .map(Self::EndToEnd)
            .map_err(|broken| format!("{broken}; or give the id of a bank's order, a UUID"))
    }
}

/// What the banks settled between them.
#[derive(Clone, Debug, clap::Args)]
pub struct AcknowledgeCredit {
    /// Id of the transfer from end to end, 32 characters, or of its order, a UUID
    #[arg(value_name = "ID")]
    pub id: TransferId,
    /// How they settled it, up to 500 characters; kept
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// An overdue transfer to end.
#[derive(Clone, Debug, clap::Args)]
pub struct ResolveTransfer {
    /// Id of the transfer from end to end, 32 characters, or of its order, a UUID
    #[arg(value_name = "ID")]
    pub id: TransferId,
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
    /// Id of the transfer from end to end, 32 characters, or of its order, a UUID
    #[arg(value_name = "ID")]
    pub id: TransferId,
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
        assert!(said.contains("a bank's order, a UUID"), "{said}");
    }

    #[test]
    fn a_transfer_is_named_by_its_id_or_by_that_of_its_order() {
        let end_to_end = "E0000000120261120120000000000001";
        let order = "b3b6f0a0-6f1e-4a0e-9a35-6a1f0f6f2f10";
        let wire = |text: &str| text.parse::<TransferId>().unwrap().on_the_wire();
        assert_eq!(wire(end_to_end), (end_to_end.to_owned(), String::new()));
        assert_eq!(wire(order), (String::new(), order.to_owned()));
        for word in [&["show"][..], &["watch"], &["resolve", "--as", "refused", "--reason", "x"]] {
            assert!(parse(&[word, &[order]].concat()).is_ok(), "{word:?}");
        }
        assert!(parse(&["acknowledge", order]).is_err(), "it needs a reason");
    }

    #[test]
    fn an_account_has_no_states_of_the_hub() {
        let account = "6e4635ce-88d1-4e58-9597-d13fc446ee47";
        assert!(parse(&["list", "--account", account]).is_ok());
        assert!(parse(&["list", "--account", account, "--state", "pending"]).is_err());
    }
}
