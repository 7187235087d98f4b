//! The balances of a bank, page by page, in the order of their account ids: any number of lists in
//! one read.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller, Page, PageSize, Place};
use shared_kernel::domain::{AccountId, Ispb, Violation};

use crate::application::ports::{BalanceRun, BalancesReads};
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

/// One list that somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BalanceList {
    /// Who asks.
    pub caller: Caller,
    /// Of which bank.
    pub ispb: Ispb,
    /// Behind which place; the first page without one.
    pub after: Option<BalancePlace>,
    /// How many.
    pub size: PageSize,
}

impl BalanceList {
    /// What to read for it.
    ///
    /// # Errors
    /// `caller_may_not_act_for_bank`.
    fn run(&self) -> Result<BalanceRun, Violation> {
        let Self { caller, ispb, after, size } = *self;
        caller.may_act_for(&ispb)?;
        let after = after.map(|BalancePlace(account)| account);
        Ok(BalanceRun { ispb, after, rows: size.rows_to_read() })
    }
}

/// A page, or why it is not shown.
pub type Listed = Result<Page<KnownBalance>, Violation>;

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

    /// A page of each list, in the order of `lists`, or `caller_may_not_act_for_bank`. One read.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(&self, lists: &[BalanceList]) -> Result<Vec<Listed>, ApplicationError> {
        let asked: Vec<Result<BalanceRun, Violation>> =
            lists.iter().map(BalanceList::run).collect();
        let runs: Vec<BalanceRun> = asked.iter().flatten().copied().collect();
        let read =
            if runs.is_empty() { Vec::new() } else { self.reads.balances_of_banks(&runs).await? };
        let mut read = read.into_iter();
        let page = |(asked, list): (Result<BalanceRun, Violation>, &BalanceList)| {
            asked.map(|_| Page::cut(read.next().unwrap_or_default(), list.size))
        };
        Ok(asked.into_iter().zip(lists).map(page).collect())
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::StoreError;

    use super::*;
    use crate::application::ports::MockBalancesReads;
    use crate::application::testing::known as balance;
    use crate::domain::testing::account;

    /// The bank of the balances.
    fn own() -> Ispb {
        balance(1).ispb().unwrap()
    }

    fn other() -> Ispb {
        Ispb::parse("99999999").unwrap()
    }

    fn list(caller: Caller, ispb: Ispb, after: Option<BalancePlace>) -> BalanceList {
        BalanceList { caller, ispb, after, size: PageSize::asked(2).unwrap() }
    }

    fn run(ispb: Ispb, after: Option<AccountId>) -> BalanceRun {
        BalanceRun { ispb, after, rows: 3 }
    }

    /// A use case that reads these runs at once, and finds these accounts.
    fn over(wanted: Vec<BalanceRun>, found: &[&[u128]]) -> ListBalances {
        let found: Vec<Vec<KnownBalance>> =
            found.iter().map(|run| run.iter().map(|number| balance(*number)).collect()).collect();
        let mut reads = MockBalancesReads::new();
        reads
            .expect_balances_of_banks()
            .withf(move |runs| runs == wanted)
            .times(1)
            .return_once(move |_| Ok(found));
        ListBalances::new(Arc::new(reads))
    }

    #[tokio::test]
    async fn a_page_names_the_next_until_there_is_none() {
        let place = |balance: &KnownBalance| BalancePlace(balance.account_id());
        let first = over(vec![run(own(), None)], &[&[1, 2, 3]]);
        let asked = list(Caller::Operator, own(), None);
        let page = first.execute(&[asked]).await.unwrap().remove(0).unwrap();
        assert_eq!(page.rows, [balance(1), balance(2)]);
        let next = page.next(place);
        let second = over(vec![run(own(), Some(account(2)))], &[&[3]]);
        let asked = list(Caller::Bank(own()), own(), next);
        let page = second.execute(&[asked]).await.unwrap().remove(0).unwrap();
        assert_eq!((page.next(place), page.rows), (None, vec![balance(3)]));
    }

    #[tokio::test]
    async fn many_lists_are_one_read_and_each_refusal_spoils_its_own_alone() {
        let behind = Some(BalancePlace(account(1)));
        let lists = [
            list(Caller::Bank(other()), own(), None),
            list(Caller::Operator, own(), behind),
            list(Caller::Bank(own()), other(), behind),
            list(Caller::Bank(own()), own(), None),
        ];
        let runs = vec![run(own(), Some(account(1))), run(own(), None)];
        let answers = over(runs, &[&[2], &[1, 2, 3]]).execute(&lists).await.unwrap();
        let page = |rows: &[u128], more| {
            Ok(Page { rows: rows.iter().map(|number| balance(*number)).collect(), more })
        };
        let refused = Err("caller_may_not_act_for_bank");
        let told: Vec<_> =
            answers.into_iter().map(|listed| listed.map_err(|broken| broken.code())).collect();
        assert_eq!(told, [refused.clone(), page(&[2], false), refused, page(&[1, 2], true)]);
    }

    #[tokio::test]
    async fn what_nobody_may_see_is_not_read() {
        let query = ListBalances::new(Arc::new(MockBalancesReads::new()));
        let refused = query.execute(&[list(Caller::Bank(other()), own(), None)]).await.unwrap();
        assert_eq!(refused[0].as_ref().unwrap_err().code(), "caller_may_not_act_for_bank");
        assert!(query.execute(&[]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_silent_store_is_unavailable() {
        let mut reads = MockBalancesReads::new();
        let down = || Err(StoreError::Unavailable("down".into()));
        reads.expect_balances_of_banks().return_once(move |_| down());
        let query = ListBalances::new(Arc::new(reads));
        let error = query.execute(&[list(Caller::Operator, own(), None)]).await.unwrap_err();
        assert!(matches!(error, ApplicationError::Unavailable(_)));
    }

    #[test]
    fn a_place_reads_back() {
        let place = BalancePlace(account(7));
        assert_eq!(BalancePlace::of_token(&place.token()), Ok(Some(place)));
        assert_eq!(BalancePlace::of_token("two").unwrap_err().code(), "page_token_shape");
    }
}
