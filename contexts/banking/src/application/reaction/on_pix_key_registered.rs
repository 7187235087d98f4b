//! A key was registered: a payer at the same bank is served without the hub.

use std::collections::BTreeMap;

use shared_kernel::application::StoreError;

use crate::application::ports::{KeyChange, OpenTransaction};

/// Keeps the keys of banks that are hosted here, registrations and removals alike.
#[derive(Clone, Copy, Debug)]
pub struct OnPixKeyRegistered;

impl OnPixKeyRegistered {
    /// Applies the newest of each key.
    ///
    /// # Errors
    /// The store's.
    pub async fn apply(
        transaction: &mut OpenTransaction,
        changes: Vec<KeyChange>,
    ) -> Result<(), StoreError> {
        let mut newest: BTreeMap<String, KeyChange> = BTreeMap::new();
        for change in changes {
            let known = newest.get(&change.key).map(|known| known.version);
            if known.is_none_or(|known| known < change.version) {
                newest.insert(change.key.clone(), change);
            }
        }
        let changes: Vec<KeyChange> = newest.into_values().collect();
        if changes.is_empty() { Ok(()) } else { transaction.save_keys(&changes).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::BankingStore;
    use crate::application::reaction::OnPixKeyRemoved;
    use crate::application::stage::Stage;
    use crate::domain::samples::{BANK_A, account};

    #[tokio::test]
    async fn the_newest_of_a_batch_wins_in_whatever_order() {
        let registered = KeyChange {
            key: "ana@example.com".into(),
            owner: Some(account(BANK_A, 1, 0).party()),
            version: 1,
        };
        let removed = OnPixKeyRemoved::change("ana@example.com".into(), 2);
        for batch in [
            vec![registered.clone(), removed.clone()],
            vec![removed.clone(), registered.clone()],
            vec![removed.clone(), registered, removed.clone()],
        ] {
            let stage = Stage::new().await;
            let mut transaction = stage.memory.begin().await.unwrap();
            OnPixKeyRegistered::apply(&mut *transaction, batch).await.unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(stage.memory.tables().keys["ana@example.com"], removed);
        }
    }
}
