//! A participant was enrolled or changed: the directory learns what its bank is called.
//!
//! Cost: one write per batch.

use std::collections::BTreeMap;

use shared_kernel::application::StoreError;
use shared_kernel::domain::Ispb;

use crate::application::DirectoryTransaction;
use crate::domain::Participant;

/// Takes participants in; of each, the newest counts, whatever the order.
#[derive(Clone, Copy, Debug)]
pub struct OnParticipantChanged;

impl OnParticipantChanged {
    /// Folds what was told and writes it.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub async fn react(
        self,
        transaction: &mut dyn DirectoryTransaction,
        told: Vec<Participant>,
    ) -> Result<(), StoreError> {
        let mut newest: BTreeMap<Ispb, Participant> = BTreeMap::new();
        for participant in told {
            if participant.is_news_to(newest.get(&participant.ispb)) {
                newest.insert(participant.ispb, participant);
            }
        }
        if newest.is_empty() {
            return Ok(());
        }
        let newest: Vec<Participant> = newest.into_values().collect();
        transaction.save_participants(&newest).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::DirectoryStore;
    use crate::application::memory::{MemoryDirectory, participant};

    async fn react(directory: &MemoryDirectory, told: Vec<Participant>) {
        let mut transaction = directory.begin().await.unwrap();
        OnParticipantChanged.react(transaction.as_mut(), told).await.unwrap();
        transaction.commit().await.unwrap();
    }

    #[tokio::test]
    async fn the_newest_version_stays_whatever_comes_after_it() {
        let directory = MemoryDirectory::with_participants(&[]);
        let version = |directory: &MemoryDirectory| {
            directory.participant("00000001").map(|known| known.version)
        };
        let told = |version| participant("00000001", version);
        react(&directory, vec![told(2), told(3), told(1), told(3)]).await;
        assert_eq!(version(&directory), Some(3));
        react(&directory, vec![told(2)]).await;
        assert_eq!(version(&directory), Some(3));
        react(&directory, vec![told(4), participant("00000002", 1)]).await;
        assert_eq!(version(&directory), Some(4));
        assert!(directory.participant("00000002").is_some());
        react(&directory, vec![]).await;
    }
}
