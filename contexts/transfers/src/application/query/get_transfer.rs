//! One transfer.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{EndToEndId, Violation};

use crate::application::ports::TransfersReads;
use crate::domain::{Side, Transfer};

/// Reads one transfer.
#[derive(Clone)]
pub struct GetTransfer {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for GetTransfer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GetTransfer").finish_non_exhaustive()
    }
}

impl GetTransfer {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
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
        let found = self.reads.transfer(id).await?;
        let seen = found.filter(|transfer| may_see(caller, transfer));
        seen.ok_or_else(|| {
            let message = format!("the hub has no transfer {id}");
            Violation::not_found("transfer_unknown", "end_to_end_id", message).into()
        })
    }
}

fn may_see(caller: Caller, transfer: &Transfer) -> bool {
    let own = |side| caller.may_act_for(&transfer.bank(side)).is_ok();
    own(Side::Payer) || own(Side::Payee)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, ispb, pending};

    #[tokio::test]
    async fn a_bank_sees_its_own_transfers_alone() {
        let transfer = pending(1);
        let id = transfer.order().end_to_end_id;
        let store = MemoryStore::default();
        store.put_transfer(transfer.clone());
        let query = GetTransfer::new(Arc::new(store));
        for caller in
            [Caller::Operator, Caller::Bank(ispb(PAYER_BANK)), Caller::Bank(ispb(PAYEE_BANK))]
        {
            assert_eq!(query.execute(caller, &id).await.unwrap(), transfer);
        }
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
