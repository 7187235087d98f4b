//! What each bank owes or is owed.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};

use crate::application::ports::TransfersReads;
use crate::domain::Position;

/// Lists positions.
#[derive(Clone)]
pub struct ListPositions {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for ListPositions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ListPositions").finish_non_exhaustive()
    }
}

impl ListPositions {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// All positions for an operator, its own for a bank.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(&self, caller: Caller) -> Result<Vec<Position>, ApplicationError> {
        Ok(match caller {
            Caller::Operator => self.reads.positions().await?,
            Caller::Bank(own) => self.reads.positions_of(&[own]).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, ispb, native};

    #[tokio::test]
    async fn a_bank_sees_its_own_position_alone() {
        let store = MemoryStore::with([native(PAYER_BANK), native(PAYEE_BANK)]);
        let query = ListPositions::new(Arc::new(store));
        assert_eq!(query.execute(Caller::Operator).await.unwrap().len(), 2);
        let own = ispb(PAYEE_BANK);
        let seen = query.execute(Caller::Bank(own)).await.unwrap();
        assert_eq!(seen, [Position::opening(own)]);
    }
}
