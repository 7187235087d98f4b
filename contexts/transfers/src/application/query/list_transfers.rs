//! Lists of transfers, newest first, page by page: any number of lists in one read.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller, Page, PageSize, Period};
use shared_kernel::domain::Violation;

use crate::application::TransfersOf;
use crate::application::ports::{TransferPlace, TransferRun, TransfersReads};
use crate::domain::{Transfer, TransferState};

/// Lists transfers.
#[derive(Clone)]
pub struct ListTransfers {
    reads: Arc<dyn TransfersReads>,
}

/// One list that somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferList {
    /// Who asks.
    pub caller: Caller,
    /// Whose transfers.
    pub of: TransfersOf,
    /// Only those in this state.
    pub state: Option<TransferState>,
    /// Only those that the hub took in this part of time.
    pub period: Period,
    /// Behind which place; the first page without one.
    pub after: Option<TransferPlace>,
    /// How many.
    pub size: PageSize,
}

impl TransferList {
    /// What to read for it.
    ///
    /// # Errors
    /// Those of [`TransfersOf::shown_to`].
    fn run(&self) -> Result<TransferRun, Violation> {
        let of = self.of.shown_to(self.caller)?;
        let Self { state, period, after, size, .. } = *self;
        Ok(TransferRun { of, state, period, after, rows: size.rows_to_read() })
    }
}

/// A page, or why it is not shown.
pub type Listed = Result<Page<Transfer>, Violation>;

impl std::fmt::Debug for ListTransfers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ListTransfers").finish_non_exhaustive()
    }
}

impl ListTransfers {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// A page of each list, in the order of `lists`: `operator_only` for everyone's transfers,
    /// `caller_may_not_act_for_bank` for another bank's.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(&self, lists: &[TransferList]) -> Result<Vec<Listed>, ApplicationError> {
        let asked: Vec<Result<TransferRun, Violation>> =
            lists.iter().map(TransferList::run).collect();
        let runs: Vec<TransferRun> = asked.iter().flatten().copied().collect();
        let read = if runs.is_empty() { Vec::new() } else { self.reads.runs(&runs).await? };
        let mut read = read.into_iter();
        let page = |(asked, list): (Result<TransferRun, Violation>, &TransferList)| {
            asked.map(|_| Page::cut(read.next().unwrap_or_default(), list.size))
        };
        Ok(asked.into_iter().zip(lists).map(page).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::{PAYER_BANK, ispb, pending};

    fn store() -> MemoryStore {
        let store = MemoryStore::default();
        (1..=5).for_each(|number| store.put_transfer(pending(number)));
        store
    }

    fn list(caller: Caller, of: TransfersOf) -> TransferList {
        let (period, size) = (Period::default(), PageSize::USUAL);
        TransferList { caller, of, state: None, period, after: None, size }
    }

    fn amounts(page: &Page<Transfer>) -> Vec<i64> {
        page.rows.iter().map(|transfer| transfer.order().amount.centavos()).collect()
    }

    #[tokio::test]
    async fn pages_follow_each_other_to_the_end() {
        let query = ListTransfers::new(Arc::new(store()));
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let size = PageSize::asked(2).unwrap();
            let all = list(Caller::Operator, TransfersOf::All);
            let asked = TransferList { after, size, ..all };
            let page = query.execute(&[asked]).await.unwrap().remove(0).unwrap();
            assert!(page.rows.len() <= 2);
            seen.extend(amounts(&page));
            after = page.next(|transfer| TransferPlace::from(transfer));
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [500, 400, 300, 200, 100]);
    }

    #[tokio::test]
    async fn a_list_may_be_of_one_part_of_time() {
        let all = list(Caller::Operator, TransfersOf::All);
        let first = pending(1).terms().registered_at;
        let query = ListTransfers::new(Arc::new(store()));
        let within = async |period| {
            let page = query.execute(&[TransferList { period, ..all }]).await.unwrap().remove(0);
            page.unwrap().rows.len()
        };
        assert_eq!(within(Period { from: Some(first), to: None }).await, 5);
        assert_eq!(within(Period { from: None, to: Some(first) }).await, 0);
    }

    #[tokio::test]
    async fn many_lists_are_one_read_and_each_refusal_spoils_its_own_alone() {
        let store = store();
        let bank = Caller::Bank(ispb(PAYER_BANK));
        let of = |text| TransfersOf::bank(ispb(text));
        let lists = [
            list(bank, TransfersOf::All),
            list(bank, of(PAYER_BANK)),
            list(bank, of("00000009")),
            list(Caller::Operator, of("00000009")),
        ];
        let answers = ListTransfers::new(Arc::new(store.clone())).execute(&lists).await.unwrap();
        let told: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().map(|page| page.rows.len()).map_err(Violation::code))
            .collect();
        let refused = [Err("operator_only"), Ok(5), Err("caller_may_not_act_for_bank"), Ok(0)];
        assert_eq!(told, refused);
        assert_eq!(store.tables().calls["runs"], 1);
    }
}
