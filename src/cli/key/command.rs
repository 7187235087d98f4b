//! The words of `codepix key`.

use clap::ValueEnum;
use shared_kernel::domain::{AccountId, Ispb};

use crate::client::IdempotencyOptions;
use crate::client::pix_keys::{PixKeyKind, RemovalReason};

/// Pix keys: register them for accounts, find whom they belong to.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum KeyCommand {
    /// Register a key for an account; without a key, the directory makes a random one
    #[command(after_help = "Examples:\n  \
        codepix key register --account <ACCOUNT> ana@example.com\n  \
        codepix key register --account <ACCOUNT> +5511987654321\n  \
        codepix key register --account <ACCOUNT>")]
    Register(RegisterKey),
    /// Find the account, bank and owner of a key
    #[command(after_help = "Example:\n  codepix key find ana@example.com")]
    Find(FindKey),
    /// List the keys of an account, oldest first
    List(ListKeys),
    /// Remove a key from the account that owns it
    #[command(after_help = "Example:\n  \
        codepix key remove ana@example.com --account <ACCOUNT>")]
    Remove(RemoveKey),
}

/// A new key.
#[derive(Clone, Debug, clap::Args)]
pub struct RegisterKey {
    /// CPF, CNPJ, email or phone; left out, the directory makes a random key
    #[arg(value_name = "KEY", required_if_eq_any = [
        ("kind", "cpf"), ("kind", "cnpj"), ("kind", "email"), ("kind", "phone"),
    ])]
    pub key: Option<String>,
    /// Account that the key is for, a UUID
    #[arg(long, value_name = "ACCOUNT")]
    pub account: AccountId,
    /// Kind of the key [default: told from the key]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<KeyKind>,
    /// Key of the command.
    #[command(flatten)]
    pub idempotency: IdempotencyOptions,
}

/// A key to look for.
#[derive(Clone, Debug, clap::Args)]
pub struct FindKey {
    /// The key
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Bank that asks, by its ISPB [default: the token's, else the first of this hub]
    #[arg(long, value_name = "ISPB")]
    pub bank: Option<Ispb>,
}

/// Whose keys to list.
#[derive(Clone, Debug, clap::Args)]
pub struct ListKeys {
    /// Id of the account, a UUID
    #[arg(value_name = "ACCOUNT")]
    pub account: AccountId,
}

/// A key to remove.
#[derive(Clone, Debug, clap::Args)]
pub struct RemoveKey {
    /// The key
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Account that owns the key, a UUID
    #[arg(long, value_name = "ACCOUNT")]
    pub account: AccountId,
    /// Why it is removed
    #[arg(long, value_name = "REASON", default_value = "user-requested")]
    pub reason: Removal,
    /// Key of the command.
    #[command(flatten)]
    pub idempotency: IdempotencyOptions,
}

/// Kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyKind {
    /// Tax id of a person, 11 digits
    Cpf,
    /// Tax id of a company, 14 characters
    Cnpj,
    /// Address, in lower case
    Email,
    /// Number with + and country code
    Phone,
    /// Random key, made by the directory
    Evp,
}

impl KeyKind {
    /// The kind that a text looks like; the directory judges whether it is right.
    pub(super) fn of(text: &str) -> Self {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if text.contains('@') {
            Self::Email
        } else if text.starts_with('+') {
            Self::Phone
        } else if text.len() == 36 {
            Self::Evp
        } else if text.len() == 11 && digits {
            Self::Cpf
        } else {
            Self::Cnpj
        }
    }

    /// The same on the wire.
    pub(super) const fn on_the_wire(self) -> PixKeyKind {
        match self {
            Self::Cpf => PixKeyKind::Cpf,
            Self::Cnpj => PixKeyKind::Cnpj,
            Self::Email => PixKeyKind::Email,
            Self::Phone => PixKeyKind::Phone,
            Self::Evp => PixKeyKind::Evp,
        }
    }
}

/// Why a key is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Removal {
    /// Its owner asked for it
    UserRequested,
    /// The account is being closed
    AccountClosure,
    /// Bank and directory disagreed
    Reconciliation,
    /// It was used for fraud
    Fraud,
}

impl Removal {
    /// The same on the wire.
    pub(super) const fn on_the_wire(self) -> RemovalReason {
        match self {
            Self::UserRequested => RemovalReason::UserRequested,
            Self::AccountClosure => RemovalReason::AccountClosure,
            Self::Reconciliation => RemovalReason::Reconciliation,
            Self::Fraud => RemovalReason::Fraud,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _};

    use super::*;
    use crate::cli::help::undocumented;

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<KeyCommand>(), Vec::<String>::new());
    }

    #[test]
    fn the_kind_is_told_from_the_key() {
        assert_eq!(KeyKind::of("ana@example.com"), KeyKind::Email);
        assert_eq!(KeyKind::of("+5511987654321"), KeyKind::Phone);
        assert_eq!(KeyKind::of("52998224725"), KeyKind::Cpf);
        assert_eq!(KeyKind::of("12ABC34501DE35"), KeyKind::Cnpj);
        assert_eq!(KeyKind::of("6e4635ce-88d1-4e58-9597-d13fc446ee47"), KeyKind::Evp);
    }

    #[test]
    fn only_a_random_key_may_be_left_out() {
        let account = "6e4635ce-88d1-4e58-9597-d13fc446ee47";
        let parsed = |given: &[&str]| {
            let words = ["key", "register", "--account", account].into_iter();
            let words = words.chain(given.iter().copied());
            KeyCommand::augment_subcommands(Command::new("key")).try_get_matches_from(words)
        };
        assert!(parsed(&[]).is_ok());
        assert!(parsed(&["--kind", "evp"]).is_ok());
        assert!(parsed(&["--kind", "email"]).is_err());
        assert!(parsed(&["--kind", "email", "ana@example.com"]).is_ok());
    }
}
