//! Whose books they are, and how the protocol is spoken.

use shared_kernel::application::catalogue::Channel;
use shared_kernel::domain::{Ispb, Violation};
use shared_kernel::infrastructure::kafka::TopicPlan;

use super::published::{BALANCES, TRANSACTIONS};

/// The bank whose books Wallet Core's are. The letters keep it from every registered bank.
pub const ISPB: &str = "WALLET01";
/// Its short code.
pub const CODE: &str = "WLT";
/// Its name.
pub const BANK_NAME: &str = "Wallet Core";

/// The bank.
///
/// # Errors
/// Never: a test reads it.
pub fn ispb() -> Result<Ispb, Violation> {
    Ispb::parse(ISPB)
}

/// The names of its topics, without prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletCoreTopics {
    /// Transactions that happened.
    pub transactions: String,
    /// What their accounts have since.
    pub balances: String,
}

impl Default for WalletCoreTopics {
    fn default() -> Self {
        Self { transactions: TRANSACTIONS.address.into(), balances: BALANCES.address.into() }
    }
}

impl WalletCoreTopics {
    /// The topics as they are made where nobody has: their records keep their sender's time.
    pub fn plans(&self) -> [TopicPlan; 2] {
        let plan = |name: &str, channel: &Channel| {
            TopicPlan::new(name, channel.retention).partitions(channel.partitions).of_others()
        };
        [plan(&self.transactions, &TRANSACTIONS), plan(&self.balances, &BALANCES)]
    }
}

/// How Wallet Core's protocol is spoken.
#[derive(Clone, Debug, Default)]
pub struct WalletCoreSettings {
    /// Its topics.
    pub topics: WalletCoreTopics,
    /// Begins with the clients and accounts of its course.
    pub fixtures: bool,
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::BankCode;

    use super::*;

    #[test]
    fn the_bank_has_an_ispb_and_a_code() {
        assert_eq!(ispb().unwrap().as_str(), ISPB);
        assert!(BankCode::parse(CODE).is_ok());
    }
}
