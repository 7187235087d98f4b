//! What an operator decided of a transfer that was overdue, and how they knew.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::EndToEndId;

use crate::application::ports::{SavedResolution, TransfersReads};

/// Reads resolutions.
#[derive(Clone)]
pub struct GetResolution {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for GetResolution {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GetResolution").finish_non_exhaustive()
    }
}

impl GetResolution {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// The resolution of a transfer; none where there is none, and for banks: the words are one
    /// operator's for another, and may tell of a bank what the other is not to know.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(
        &self,
        caller: Caller,
        id: &EndToEndId,
    ) -> Result<Option<SavedResolution>, ApplicationError> {
        Ok(self.batch(&[(caller, *id)]).await?.pop())
    }

    /// The same of many transfers, in any order, by one read.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub(crate) async fn batch(
        &self,
        asked: &[(Caller, EndToEndId)],
    ) -> Result<Vec<SavedResolution>, ApplicationError> {
        let shown = asked.iter().filter(|(caller, _)| caller.must_be_operator().is_ok());
        let ids: Vec<EndToEndId> = shown.map(|(_, id)| *id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.reads.resolutions(&ids).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::Resolution;
    use crate::domain::testing::{at, order};

    #[tokio::test]
    async fn operators_read_it_and_banks_do_not() {
        let (store, order) = (MemoryStore::default(), order(1));
        let kept = SavedResolution {
            end_to_end_id: order.end_to_end_id,
            resolution: Resolution::Credited,
            reason: "seen on their statement".into(),
            at: at(50),
            acknowledged: None,
        };
        store.tables().resolutions.push(kept.clone());
        let query = GetResolution::new(Arc::new(store));
        let id = &order.end_to_end_id;
        assert_eq!(query.execute(Caller::Operator, id).await.unwrap(), Some(kept));
        let bank = Caller::Bank(order.payer.ispb);
        assert_eq!(query.execute(bank, id).await.unwrap(), None);
        let other = crate::domain::testing::order(2).end_to_end_id;
        assert_eq!(query.execute(Caller::Operator, &other).await.unwrap(), None);
    }
}
