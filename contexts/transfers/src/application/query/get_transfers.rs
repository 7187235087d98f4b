//! Transfers by their ids, for many callers in one read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::EndToEndId;

use crate::application::ports::TransfersReads;
use crate::domain::{Side, Transfer};

/// Reads transfers.
#[derive(Clone)]
pub struct GetTransfers {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for GetTransfers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GetTransfers").finish_non_exhaustive()
    }
}

impl GetTransfers {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// The transfers as they are now, in the order of `asked`. One that the hub has not, or that
    /// is of other banks than the caller's, is none.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(
        &self,
        asked: &[(Caller, EndToEndId)],
    ) -> Result<Vec<Option<Transfer>>, ApplicationError> {
        let ids: BTreeSet<EndToEndId> = asked.iter().map(|(_, id)| *id).collect();
        let ids: Vec<EndToEndId> = ids.into_iter().collect();
        let known = self.reads.transfers(&ids).await?;
        let known: HashMap<EndToEndId, Transfer> =
            known.into_iter().map(|transfer| (transfer.order().end_to_end_id, transfer)).collect();
        let seen = |(caller, id): &(Caller, EndToEndId)| {
            known.get(id).filter(|transfer| may_see(*caller, transfer)).cloned()
        };
        Ok(asked.iter().map(seen).collect())
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
    async fn a_bank_sees_its_own_transfers_alone_and_all_of_them_are_one_read() {
        let (first, second) = (pending(1), pending(2));
        let id = |transfer: &Transfer| transfer.order().end_to_end_id;
        let store = MemoryStore::default();
        store.put_transfer(first.clone());
        let query = GetTransfers::new(Arc::new(store.clone()));
        let (payer, payee) = (Caller::Bank(ispb(PAYER_BANK)), Caller::Bank(ispb(PAYEE_BANK)));
        let stranger = Caller::Bank(ispb("00000009"));
        let asked = [
            (Caller::Operator, id(&first)),
            (payer, id(&first)),
            (payee, id(&first)),
            (stranger, id(&first)),
            (Caller::Operator, id(&second)),
        ];
        let seen = Some(first);
        let expected = [seen.clone(), seen.clone(), seen, None, None];
        assert_eq!(query.execute(&asked).await.unwrap(), expected);
        assert_eq!(store.tables().calls["transfers"], 1);
    }
}
