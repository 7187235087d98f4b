//! The accounts that Wallet Core's course begins with, where this side runs beside the original
//! program: that has them in its tables and never says so.

use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Money, Timestamp, Violation};
use shared_kernel::infrastructure::postgres::session::Sessions;

use crate::application::ports::BalancesStore;
use crate::application::reaction::{ExternalWord, OnExternalBalance};
use crate::domain::{ExternalBalance, RecordPlace};

/// John's account and Jane's.
const ACCOUNTS: [&str; 2] =
    ["912ca3ff-59d4-4640-acd8-76eb1faf0dbe", "31fb673a-012a-4cfc-8dc9-7a9ad0219437"];
/// 1,000.00 each.
const OPENING: Money = Money::from_centavos(100_000);
/// Before every record: whatever is said of them counts more.
const PLACE: RecordPlace = RecordPlace { recorded_at: Timestamp::EPOCH, partition: -1, offset: -1 };

fn words() -> Result<Vec<ExternalWord>, Violation> {
    let word = |id| {
        let said = ExternalBalance::new(AccountId::parse(id)?, OPENING, PLACE)?;
        Ok(ExternalWord::Balance(said))
    };
    ACCOUNTS.into_iter().map(word).collect()
}

/// Writes them, once.
pub(crate) async fn write_fixtures(sessions: &Sessions) -> Result<(), StoreError> {
    let words = words().map_err(|broken| StoreError::Rejected(broken.message().to_owned()))?;
    let mut transaction = BalancesStore::begin(sessions).await?;
    OnExternalBalance::keep(&mut *transaction, &words).await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixtures_are_accounts_with_money() {
        assert_eq!(words().unwrap().len(), 2);
    }
}
