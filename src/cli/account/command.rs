//! The words of `codepix account`.

use shared_kernel::domain::{AccountId, Amount, Ispb, TaxId};

use super::limits::LimitChange;
use crate::client::IdempotencyOptions;

/// Accounts: open them, look at them, move cash in and out.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum AccountCommand {
    /// Open an account at a bank of this hub
    #[command(after_help = "Example:\n  \
        codepix account open --bank 00000001 --name \"Ana Souza\" --tax-id 529.982.247-25")]
    Open(OpenAccount),
    /// Show an account with its balance and limits
    Show(OneAccount),
    /// List the accounts of one bank, or of all, oldest first
    #[command(after_help = "Example:\n  codepix account list --bank 00000001 --limit 10")]
    List(ListAccounts),
    /// Put cash into an account
    #[command(after_help = "Example:\n  \
        codepix account deposit 6e4635ce-88d1-4e58-9597-d13fc446ee47 250.00")]
    Deposit(MoveCash),
    /// Take cash out of an account
    #[command(after_help = "Example:\n  \
        codepix account withdraw 6e4635ce-88d1-4e58-9597-d13fc446ee47 20.00")]
    Withdraw(MoveCash),
    /// Stop new debits and new incoming transfers of an account
    Block(OneAccount),
    /// Undo a block
    Unblock(OneAccount),
    /// Close an empty account that has no open transfers
    Close(OneAccount),
    /// Show or change the limits of an account
    #[command(after_help = "Examples:\n  \
        codepix account limits <ACCOUNT>\n  \
        codepix account limits <ACCOUNT> --per-transfer 500.00 --per-day 2000.00\n  \
        codepix account limits <ACCOUNT> --per-day none")]
    Limits(SetLimits),
    /// Show the ledger entries of an account with the balance after each, newest first
    Statement(ShowStatement),
    /// Tell the directory of an account whose books are kept outside of this hub
    #[command(after_help = "Example:\n  \
        codepix account enrol 1b4f0e98-9c1e-4f6a-8d8e-3f6f5a2b7c10 --bank 00000003 \
        --name \"Lia Costa\" \\\n      --tax-id 52998224725 --number 7777")]
    Enrol(EnrolAccount),
}

/// An account by its id.
#[derive(Clone, Debug, clap::Args)]
pub struct OneAccount {
    /// Id of the account, a UUID
    #[arg(value_name = "ACCOUNT")]
    pub account: AccountId,
}

/// A new account.
#[derive(Clone, Debug, clap::Args)]
pub struct OpenAccount {
    /// The bank, by its ISPB
    #[arg(long, value_name = "ISPB")]
    pub bank: Ispb,
    /// Name of the owner
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// CPF or CNPJ of the owner, with or without punctuation
    #[arg(long, value_name = "CPF|CNPJ", value_parser = TaxId::lenient)]
    pub tax_id: TaxId,
    /// Account number [default: the bank's next free one]
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// Branch [default: 0001]
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,
    /// Id of the account, a UUID; only operators choose one [default: made by the bank]
    #[arg(long, value_name = "UUID")]
    pub id: Option<AccountId>,
    /// Key of the command.
    #[command(flatten)]
    pub idempotency: IdempotencyOptions,
}

/// Which accounts to list.
#[derive(Clone, Debug, clap::Args)]
pub struct ListAccounts {
    /// Only those of this bank
    #[arg(long, value_name = "ISPB")]
    pub bank: Option<Ispb>,
    /// Most accounts of each bank
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
}

/// Cash in or out.
#[derive(Clone, Debug, clap::Args)]
pub struct MoveCash {
    /// Id of the account, a UUID
    #[arg(value_name = "ACCOUNT")]
    pub account: AccountId,
    /// Amount, such as 250.00
    #[arg(value_name = "AMOUNT", value_parser = Amount::parse)]
    pub amount: Amount,
    /// Key of the command.
    #[command(flatten)]
    pub idempotency: IdempotencyOptions,
}

/// New limits.
#[derive(Clone, Debug, clap::Args)]
pub struct SetLimits {
    /// Id of the account, a UUID
    #[arg(value_name = "ACCOUNT")]
    pub account: AccountId,
    /// Most that one transfer may be, such as 500.00, or none
    #[arg(long, value_name = "AMOUNT|none", value_parser = LimitChange::parse)]
    pub per_transfer: Option<LimitChange>,
    /// Most that may be sent in a calendar day in Brasília, such as 2000.00, or none
    #[arg(long, value_name = "AMOUNT|none", value_parser = LimitChange::parse)]
    pub per_day: Option<LimitChange>,
}

/// A statement.
#[derive(Clone, Debug, clap::Args)]
pub struct ShowStatement {
    /// Id of the account, a UUID
    #[arg(value_name = "ACCOUNT")]
    pub account: AccountId,
    /// Most entries
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
}

/// An account of a bank that keeps its own books.
#[derive(Clone, Debug, clap::Args)]
pub struct EnrolAccount {
    /// Id of the account at its bank, a UUID
    #[arg(value_name = "ACCOUNT")]
    pub account: AccountId,
    /// The bank, by its ISPB
    #[arg(long, value_name = "ISPB")]
    pub bank: Ispb,
    /// Name of the owner
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// CPF or CNPJ of the owner, with or without punctuation
    #[arg(long, value_name = "CPF|CNPJ", value_parser = TaxId::lenient)]
    pub tax_id: TaxId,
    /// Account number at its bank
    #[arg(long, value_name = "NUMBER")]
    pub number: String,
    /// Branch at its bank
    #[arg(long, value_name = "BRANCH", default_value = "0001")]
    pub branch: String,
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _, Subcommand as _};

    use super::*;
    use crate::cli::help::{help_of, undocumented};

    const ID: &str = "6e4635ce-88d1-4e58-9597-d13fc446ee47";

    fn parse(words: &[&str]) -> Result<AccountCommand, String> {
        let command = AccountCommand::augment_subcommands(Command::new("account"));
        let words = std::iter::once("account").chain(words.iter().copied());
        let matches = command.try_get_matches_from(words).map_err(|error| error.to_string())?;
        AccountCommand::from_arg_matches(&matches).map_err(|error| error.to_string())
    }

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<AccountCommand>(), Vec::<String>::new());
        let help = help_of::<AccountCommand>("open");
        assert!(help.contains("Example:\n  codepix account open --bank 00000001"), "{help}");
    }

    #[test]
    fn a_tax_id_is_taken_with_its_punctuation() {
        let open = ["open", "--bank", "00000001", "--name", "A", "--tax-id", "529.982.247-25"];
        let AccountCommand::Open(open) = parse(&open).unwrap() else { panic!("another command") };
        assert_eq!(open.tax_id.as_str(), "52998224725");
    }

    #[test]
    fn a_wrong_input_is_refused_with_the_sentence_of_its_value() {
        let refused = |words: &[&str]| parse(words).unwrap_err();
        assert!(refused(&["show", "1"]).contains("must be a UUID"));
        assert!(refused(&["deposit", ID, "10,00"]).contains("with a point, such as 10.00"));
        assert!(refused(&["deposit", ID, "0"]).contains("from 0.01 to 9999999999.99"));
        assert!(refused(&["list", "--bank", "1"]).contains("8 digits or upper-case letters"));
    }
}
