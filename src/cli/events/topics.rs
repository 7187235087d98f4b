//! The topics of others' protocols: their names are settings of the hub, and so of whoever reads
//! beside it.

use std::borrow::Cow;

use banking::infrastructure::wallet_core::published as wallet_core;
use shared_kernel::application::catalogue::{Channel, EventEntry, Shape, is_at};
use transfers::infrastructure::classic::published as classic;

/// What the hub calls the topics of others' protocols.
#[derive(Clone, Debug, clap::Args)]
pub struct ForeignTopics {
    /// Topic on which existing bank programs order transfers
    #[arg(
        long,
        env = "CODEPIX_CLASSIC_ORDERS_TOPIC",
        value_name = "TOPIC",
        default_value = "transactions",
        help_heading = "Topics of others' protocols"
    )]
    pub classic_orders_topic: String,
    /// Topic on which they confirm
    #[arg(
        long,
        env = "CODEPIX_CLASSIC_CONFIRMATIONS_TOPIC",
        value_name = "TOPIC",
        default_value = "transaction_confirmation",
        help_heading = "Topics of others' protocols"
    )]
    pub classic_confirmations_topic: String,
    /// What the topic of each program's bank begins with
    #[arg(
        long,
        env = "CODEPIX_CLASSIC_BANK_TOPICS",
        value_name = "BEGINNING",
        default_value = "bank",
        help_heading = "Topics of others' protocols"
    )]
    pub classic_bank_topics: String,
    /// Topic on which Wallet Core's bank tells of transactions
    #[arg(
        long,
        env = "CODEPIX_WALLET_CORE_TRANSACTIONS_TOPIC",
        value_name = "TOPIC",
        default_value = "transactions",
        help_heading = "Topics of others' protocols"
    )]
    pub wallet_core_transactions_topic: String,
    /// Topic on which Wallet Core tells of balances
    #[arg(
        long,
        env = "CODEPIX_WALLET_CORE_BALANCES_TOPIC",
        value_name = "TOPIC",
        default_value = "balances",
        help_heading = "Topics of others' protocols"
    )]
    pub wallet_core_balances_topic: String,
    /// Topic on which Wallet Core tells of accounts
    #[arg(
        long,
        env = "CODEPIX_WALLET_CORE_ACCOUNTS_TOPIC",
        value_name = "TOPIC",
        default_value = "accounts",
        help_heading = "Topics of others' protocols"
    )]
    pub wallet_core_accounts_topic: String,
}

impl Default for ForeignTopics {
    /// The usual names: those of the registry.
    fn default() -> Self {
        Self {
            classic_orders_topic: classic::ORDERS.address.into(),
            classic_confirmations_topic: classic::CONFIRMATIONS.address.into(),
            classic_bank_topics: beginning(&classic::BANK_PROGRAMS).into(),
            wallet_core_transactions_topic: wallet_core::TRANSACTIONS.address.into(),
            wallet_core_balances_topic: wallet_core::BALANCES.address.into(),
            wallet_core_accounts_topic: wallet_core::ACCOUNTS.address.into(),
        }
    }
}

/// What stands before the parameter of a channel.
fn beginning(channel: &Channel) -> &'static str {
    channel.parameter().map_or(channel.address, |(before, _, _)| before)
}

impl ForeignTopics {
    /// Whether a topic (name without prefix) is one of an event's.
    pub(super) fn stands_on(&self, entry: &EventEntry, topic: &str) -> bool {
        entry.channels.iter().any(|channel| is_at(&self.address_of(entry, channel), topic))
    }

    /// The address of an event's channel under this hub's settings.
    pub(super) fn address_of(&self, entry: &EventEntry, channel: &Channel) -> Cow<'static, str> {
        // Two protocols may have a topic of one usual name, and settings of their own for it.
        let named = match entry.shape {
            Shape::Foreign { protocol: "CodePix classic" } => self.of_programs(channel),
            Shape::Foreign { protocol: "Wallet Core" } => self.of_wallet_core(channel),
            Shape::Foreign { .. } | Shape::CloudEvent => None,
        };
        named.map_or(Cow::Borrowed(channel.address), Cow::Owned)
    }

    fn of_programs(&self, channel: &Channel) -> Option<String> {
        if channel.address == classic::ORDERS.address {
            return Some(self.classic_orders_topic.clone());
        }
        if channel.address == classic::CONFIRMATIONS.address {
            return Some(self.classic_confirmations_topic.clone());
        }
        let (_, name, after) = channel.parameter()?;
        Some(format!("{}{{{name}}}{after}", self.classic_bank_topics))
    }

    fn of_wallet_core(&self, channel: &Channel) -> Option<String> {
        let named = [
            (&wallet_core::TRANSACTIONS, &self.wallet_core_transactions_topic),
            (&wallet_core::BALANCES, &self.wallet_core_balances_topic),
            (&wallet_core::ACCOUNTS, &self.wallet_core_accounts_topic),
        ];
        let (_, name) = named.into_iter().find(|(known, _)| known.address == channel.address)?;
        Some(name.clone())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::catalogue;
    use crate::cli::Cli;

    fn renamed() -> ForeignTopics {
        ForeignTopics {
            classic_orders_topic: "their-orders".into(),
            classic_confirmations_topic: "their-confirmations".into(),
            classic_bank_topics: "their-bank-".into(),
            wallet_core_transactions_topic: "their-transactions".into(),
            wallet_core_balances_topic: "their-balances".into(),
            wallet_core_accounts_topic: "their-accounts".into(),
        }
    }

    #[test]
    fn every_topic_of_others_is_found_under_the_name_of_the_settings() {
        let (usual, renamed) = (ForeignTopics::default(), renamed());
        let mut others = 0;
        for entry in catalogue::events() {
            for channel in entry.channels {
                let topic = channel.topic_of("00000002");
                assert!(usual.stands_on(entry, topic.name()), "{}", entry.name);
                let is_ours = channel.address.starts_with("codepix.");
                assert_eq!(renamed.stands_on(entry, topic.name()), is_ours, "{}", entry.name);
                others += u32::from(!is_ours);
                let address = renamed.address_of(entry, channel);
                assert_eq!(address.starts_with("their-"), !is_ours, "{}: {address}", entry.name);
            }
        }
        assert!(others >= 6, "{others}");
    }

    #[test]
    fn one_usual_name_may_be_two_topics() {
        let entry = |name: &str| catalogue::events().find(|entry| entry.name == name).unwrap();
        let (ordered, created) = (entry("BankProgramOrdered"), entry("WalletTransactionCreated"));
        let apart =
            ForeignTopics { classic_orders_topic: "orders".into(), ..ForeignTopics::default() };
        assert!(apart.stands_on(ordered, "orders") && !apart.stands_on(ordered, "transactions"));
        assert!(apart.stands_on(created, "transactions") && !apart.stands_on(created, "orders"));
        assert!(renamed().stands_on(entry("BankProgramTold"), "their-bank-002"));
    }

    #[test]
    fn the_names_are_the_settings_of_the_hub_with_the_same_defaults() {
        let root = Cli::command();
        let command = |name: &str| root.find_subcommand(name).unwrap();
        let tail = command("events").find_subcommand("tail").unwrap();
        let own = tail.get_arguments().filter(|it| it.get_id().as_str().ends_with("_topic"));
        let own: Vec<_> = own
            .chain(tail.get_arguments().filter(|it| it.get_id() == "classic_bank_topics"))
            .collect();
        assert_eq!(own.len(), 6);
        for argument in own {
            let mut settings = command("serve").get_arguments();
            let same = settings.find(|it| it.get_env() == argument.get_env()).unwrap();
            assert_eq!(same.get_default_values(), argument.get_default_values());
        }
    }
}
