//! What banks owe or are owed, for many callers in one read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::Ispb;

use crate::application::ports::TransfersReads;
use crate::domain::Position;

/// Reads positions.
#[derive(Clone)]
pub struct GetPositions {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for GetPositions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GetPositions").finish_non_exhaustive()
    }
}

impl GetPositions {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// The positions in the order of `asked`. That of another bank than the caller's, or of one
    /// that does not take part, is none.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(
        &self,
        asked: &[(Caller, Ispb)],
    ) -> Result<Vec<Option<Position>>, ApplicationError> {
        let may_see = |(caller, bank): &(Caller, Ispb)| caller.may_act_for(bank).is_ok();
        let banks: BTreeSet<Ispb> =
            asked.iter().filter(|it| may_see(it)).map(|(_, bank)| *bank).collect();
        let banks: Vec<Ispb> = banks.into_iter().collect();
        let known =
            if banks.is_empty() { Vec::new() } else { self.reads.positions_of(&banks).await? };
        let known: HashMap<Ispb, Position> =
            known.into_iter().map(|position| (position.ispb, position)).collect();
        let seen = |it: &(Caller, Ispb)| known.get(&it.1).filter(|_| may_see(it)).copied();
        Ok(asked.iter().map(seen).collect())
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
        let query = GetPositions::new(Arc::new(store.clone()));
        let (payer, payee) = (ispb(PAYER_BANK), ispb(PAYEE_BANK));
        let asked = [
            (Caller::Bank(payer), payer),
            (Caller::Bank(payer), payee),
            (Caller::Operator, payee),
            (Caller::Operator, ispb("00000009")),
        ];
        let expected = [Some(Position::opening(payer)), None, Some(Position::opening(payee)), None];
        assert_eq!(query.execute(&asked).await.unwrap(), expected);
        assert_eq!(query.execute(&[(Caller::Bank(payer), payee)]).await.unwrap(), [None]);
        assert_eq!(store.tables().calls["positions_of"], 1);
    }
}
