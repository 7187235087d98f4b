//! Transfers, newest first, page by page.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::Violation;

use crate::application::ports::{PageKey, TransferFilter, TransfersReads};
use crate::domain::Transfer;

/// Transfers on a page unless the caller says how many.
const PAGE_SIZE: u16 = 50;

/// Most transfers on a page.
const PAGE_SIZE_MAX: u16 = 200;

/// Lists transfers.
#[derive(Clone)]
pub struct ListTransfers {
    reads: Arc<dyn TransfersReads>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferPage {
    /// Its transfers.
    pub transfers: Vec<Transfer>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<PageKey>,
}

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

    /// The page behind `after`, of `size` transfers (0: 50).
    ///
    /// # Errors
    /// `page_size_range`; `operator_only` without a bank; `caller_may_not_act_for_bank`.
    pub async fn execute(
        &self,
        caller: Caller,
        filter: TransferFilter,
        after: Option<PageKey>,
        size: i32,
    ) -> Result<TransferPage, ApplicationError> {
        match filter.bank {
            Some(bank) => caller.may_act_for(&bank)?,
            None => caller.must_be_operator()?,
        }
        let size = page_size(size)?;
        // One more than the page, to know whether there is a next.
        let mut transfers = self.reads.page(filter, after, size.saturating_add(1)).await?;
        let whole = transfers.len() > usize::from(size);
        transfers.truncate(usize::from(size));
        let next = transfers.last().filter(|_| whole).map(|last| PageKey {
            registered_at: last.terms().registered_at,
            end_to_end_id: last.order().end_to_end_id,
        });
        Ok(TransferPage { transfers, next })
    }
}

fn page_size(wanted: i32) -> Result<u16, Violation> {
    match u16::try_from(wanted) {
        Ok(0) => Ok(PAGE_SIZE),
        Ok(size) if size <= PAGE_SIZE_MAX => Ok(size),
        Ok(_) | Err(_) => Err(Violation::invalid(
            "page_size_range",
            "page_size",
            format!("a page has 1 to {PAGE_SIZE_MAX} transfers"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::{PAYER_BANK, ispb, pending};

    fn query() -> ListTransfers {
        let store = MemoryStore::default();
        (1..=5).for_each(|number| store.put_transfer(pending(number)));
        ListTransfers::new(Arc::new(store))
    }

    async fn refusal(caller: Caller, filter: TransferFilter, size: i32) -> &'static str {
        match query().execute(caller, filter, None, size).await.unwrap_err() {
            ApplicationError::Refused(violation) => violation.code(),
            ApplicationError::Unavailable(reason) => panic!("{reason}"),
        }
    }

    #[tokio::test]
    async fn pages_follow_each_other_to_the_end() {
        let query = query();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let filter = TransferFilter::default();
            let page = query.execute(Caller::Operator, filter, after, 2).await.unwrap();
            assert!(page.transfers.len() <= 2);
            seen.extend(page.transfers.iter().map(|transfer| transfer.order().amount.centavos()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [500, 400, 300, 200, 100]);
    }

    #[tokio::test]
    async fn a_full_last_page_has_no_next() {
        let page = query().execute(Caller::Operator, TransferFilter::default(), None, 5).await;
        assert_eq!(page.unwrap().next, None);
    }

    #[tokio::test]
    async fn each_refusal_has_its_code() {
        let all = TransferFilter::default();
        let of = |bank| TransferFilter { bank: Some(ispb(bank)), state: None };
        let bank = Caller::Bank(ispb(PAYER_BANK));
        assert_eq!(refusal(bank, all, 1).await, "operator_only");
        assert_eq!(refusal(bank, of("00000009"), 1).await, "caller_may_not_act_for_bank");
        for size in [-1, 201, i32::MAX] {
            assert_eq!(refusal(bank, of(PAYER_BANK), size).await, "page_size_range");
        }
    }
}
