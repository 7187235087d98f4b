//! The balances of a bank, page by page, in the order of their account ids.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller, Page, PageSize, Place};
use shared_kernel::domain::{AccountId, Ispb};

use crate::application::ports::BalancesReads;
use crate::domain::KnownBalance;

/// Behind which account a page of balances begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BalancePlace(pub AccountId);

impl Place for BalancePlace {
    fn write(&self) -> String {
        self.0.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        AccountId::parse(text).ok().map(Self)
    }
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
        size: PageSize,
        after: Option<BalancePlace>,
    ) -> Result<Page<KnownBalance>, ApplicationError> {
        caller.may_act_for(&ispb)?;
        let after = after.map(|BalancePlace(account)| account);
        let rows = self.reads.balances_of_bank(ispb, after, size.rows_to_read()).await?;
        Ok(Page::cut(rows, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::MockBalancesReads;
    use crate::application::testing::known as balance;
    use crate::domain::testing::account;

    fn list(wanted: (Option<AccountId>, i64), found: &[u128]) -> ListBalances {
        let found: Vec<KnownBalance> = found.iter().map(|number| balance(*number)).collect();
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
        let ispb = balance(1).ispb().unwrap();
        let size = PageSize::asked(2).unwrap();
        let place = |balance: &KnownBalance| BalancePlace(balance.account_id());
        let list_one = list((None, 3), &[1, 2, 3]);
        let page = list_one.execute(Caller::Operator, ispb, size, None).await.unwrap();
        assert_eq!(page.rows, [balance(1), balance(2)]);
        let next = page.next(place);
        let list_two = list((Some(account(2)), 3), &[3]);
        let page = list_two.execute(Caller::Bank(ispb), ispb, size, next).await.unwrap();
        assert_eq!((page.next(place), page.rows), (None, vec![balance(3)]));
    }

    #[tokio::test]
    async fn a_bank_may_not_list_another() {
        let list = ListBalances::new(Arc::new(MockBalancesReads::new()));
        let other = Caller::Bank(Ispb::parse("99999999").unwrap());
        let error = list.execute(other, balance(1).ispb().unwrap(), PageSize::USUAL, None).await;
        let ApplicationError::Refused(broken) = error.unwrap_err() else { panic!("refused") };
        assert_eq!(broken.code(), "caller_may_not_act_for_bank");
    }

    #[test]
    fn a_place_reads_back() {
        let place = BalancePlace(account(7));
        assert_eq!(BalancePlace::of_token(&place.token()), Ok(Some(place)));
        assert_eq!(BalancePlace::of_token("two").unwrap_err().code(), "page_token_shape");
    }
}
