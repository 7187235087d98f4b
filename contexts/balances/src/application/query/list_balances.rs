//! The balances of a bank, page by page, in the order of their account ids.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{AccountId, Ispb, Violation};

use crate::application::ports::BalancesReads;
use crate::domain::AccountBalance;

/// Most balances of a page.
const PAGE_MAX: i32 = 200;
/// Balances of a page when the caller does not say.
const PAGE_USUAL: i32 = 50;

/// Which page is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    size: i64,
    after: Option<AccountId>,
}

impl PageRequest {
    /// Reads a page as it is asked for: 1 to 200 balances, 50 for 0; the token of the page before,
    /// empty for the first.
    ///
    /// # Errors
    /// `page_size_range` or `page_token_shape`.
    pub fn parse(size: i32, token: &str) -> Result<Self, Violation> {
        let size = match size {
            0 => PAGE_USUAL,
            1..=PAGE_MAX => size,
            _ => {
                let message = format!("a page has 1 to {PAGE_MAX} balances, or 0 for {PAGE_USUAL}");
                return Err(Violation::invalid("page_size_range", "page_size", message));
            }
        };
        let after = if token.is_empty() { None } else { Some(read_token(token)?) };
        Ok(Self { size: size.into(), after })
    }
}

fn read_token(token: &str) -> Result<AccountId, Violation> {
    AccountId::parse(token).map_err(|_shape| {
        let message = "send the next_page_token of the page before, or nothing";
        Violation::invalid("page_token_shape", "page_token", message)
    })
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancePage {
    /// Its balances.
    pub balances: Vec<AccountBalance>,
    /// Token of the next page; empty on the last.
    pub next: String,
}

/// The use case.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct ListBalances {
    reads: Arc<dyn BalancesReads>,
}

impl ListBalances {
    /// The use case over a read side.
    pub fn new(reads: Arc<dyn BalancesReads>) -> Self {
        Self { reads }
    }

    /// A page of the balances of a bank. One read.
    ///
    /// # Errors
    /// `caller_may_not_act_for_bank`; unavailable when the store does not answer.
    pub async fn execute(
        &self,
        caller: Caller,
        ispb: Ispb,
        page: PageRequest,
    ) -> Result<BalancePage, ApplicationError> {
        caller.may_act_for(&ispb)?;
        // One more than the page tells whether there is a next.
        let limit = page.size.saturating_add(1);
        let mut balances = self.reads.balances_of_bank(ispb, page.after, limit).await?;
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let more = balances.len() > size;
        balances.truncate(size);
        let last = balances.last().filter(|_| more);
        let next = last.map(|balance| balance.account_id().to_string()).unwrap_or_default();
        Ok(BalancePage { balances, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::MockBalancesReads;
    use crate::application::testing::{account, balance};

    fn list(wanted: (Option<AccountId>, i64), found: &[u128]) -> ListBalances {
        let found: Vec<AccountBalance> = found.iter().map(|number| balance(*number)).collect();
        let mut reads = MockBalancesReads::new();
        reads
            .expect_balances_of_bank()
            .withf(move |_, after, limit| (*after, *limit) == wanted)
            .times(1)
            .return_once(move |_, _, _| Ok(found));
        ListBalances::new(Arc::new(reads))
    }

    #[tokio::test]
    async fn a_page_names_the_next_until_there_is_none() {
        let ispb = balance(1).ispb();
        let first = PageRequest::parse(2, "").unwrap();
        let page = list((None, 3), &[1, 2, 3]).execute(Caller::Operator, ispb, first).await;
        let page = page.unwrap();
        assert_eq!(page.balances, [balance(1), balance(2)]);
        let next = PageRequest::parse(2, &page.next).unwrap();
        let list = list((Some(account(2)), 3), &[3]);
        let page = list.execute(Caller::Bank(ispb), ispb, next).await.unwrap();
        assert_eq!((page.balances, page.next.as_str()), (vec![balance(3)], ""));
    }

    #[tokio::test]
    async fn a_bank_may_not_list_another() {
        let list = ListBalances::new(Arc::new(MockBalancesReads::new()));
        let other = Caller::Bank(Ispb::parse("99999999").unwrap());
        let error = list.execute(other, balance(1).ispb(), PageRequest::default()).await;
        let ApplicationError::Refused(broken) = error.unwrap_err() else { panic!("refused") };
        assert_eq!(broken.code(), "caller_may_not_act_for_bank");
    }

    #[test]
    fn sizes_and_tokens_are_checked() {
        let size = |size| PageRequest::parse(size, "").map(|page| page.size);
        assert_eq!([size(0), size(1), size(200)], [Ok(50), Ok(1), Ok(200)]);
        for wrong in [-1, 201, i32::MIN, i32::MAX] {
            assert_eq!(size(wrong).unwrap_err().code(), "page_size_range");
        }
        let broken = PageRequest::parse(1, "page 2").unwrap_err();
        assert_eq!((broken.code(), broken.field()), ("page_token_shape", "page_token"));
    }
}
