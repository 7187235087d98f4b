//! One transfer.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::EndToEndId;

use super::get_transfers::GetTransfers;
use crate::application::desk::transfer_unknown;
use crate::application::ports::TransfersReads;
use crate::domain::Transfer;

/// Reads one transfer.
#[derive(Clone, Debug)]
pub struct GetTransfer {
    transfers: GetTransfers,
}

impl GetTransfer {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { transfers: GetTransfers::new(reads) }
    }

    /// The transfer as it is now.
    ///
    /// # Errors
    /// `transfer_unknown`, also for a transfer of other banks than the caller's.
    pub async fn execute(
        &self,
        caller: Caller,
        id: &EndToEndId,
    ) -> Result<Transfer, ApplicationError> {
        let seen = self.transfers.execute(&[(caller, *id)]).await?.pop().flatten();
        seen.ok_or_else(|| transfer_unknown(id).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::{ispb, pending};

    #[tokio::test]
    async fn what_is_not_there_and_what_is_not_to_be_seen_are_refused_alike() {
        let transfer = pending(1);
        let id = transfer.order().end_to_end_id;
        let store = MemoryStore::default();
        store.put_transfer(transfer.clone());
        let query = GetTransfer::new(Arc::new(store));
        assert_eq!(query.execute(Caller::Operator, &id).await.unwrap(), transfer);
        let stranger = Caller::Bank(ispb("00000009"));
        let refused = query.execute(stranger, &id).await.unwrap_err();
        let unknown = pending(2).order().end_to_end_id;
        let missing = query.execute(Caller::Operator, &unknown).await.unwrap_err();
        for error in [refused, missing] {
            let ApplicationError::Refused(violation) = error else { panic!("{error:?}") };
            assert_eq!(violation.code(), "transfer_unknown");
        }
    }
}
