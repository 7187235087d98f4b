//! The balances of certain accounts.

use std::collections::HashMap;
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{AccountId, Ispb, Violation};

use crate::application::ports::BalancesReads;
use crate::domain::KnownBalance;

/// Most accounts of one question.
const ACCOUNTS_MAX: usize = 1_000;

/// The use case.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetBalances {
    reads: Arc<dyn BalancesReads>,
}

impl GetBalances {
    /// The use case over a read side.
    pub fn new(reads: Arc<dyn BalancesReads>) -> Self {
        Self { reads }
    }

    /// One answer per account, in their order: the balance, or `balance_unknown` (not found), for
    /// an account of another bank too. One read.
    ///
    /// # Errors
    /// `too_many_accounts` for more than 1,000; unavailable when the store does not answer.
    pub async fn execute(
        &self,
        caller: Caller,
        accounts: &[AccountId],
    ) -> Result<Vec<Result<KnownBalance, Violation>>, ApplicationError> {
        bounded(accounts.len())?;
        let known: HashMap<AccountId, KnownBalance> = self
            .reads
            .balances(accounts)
            .await?
            .into_iter()
            .map(|balance| (balance.account_id(), balance))
            .collect();
        let answer = |account: &AccountId| {
            let balance = known.get(account).ok_or_else(|| unknown(*account))?;
            // To a stranger it is as if it were not there.
            may_see(caller, balance.ispb()).map_err(|_stranger| unknown(*account))?;
            Ok(balance.clone())
        };
        Ok(accounts.iter().map(answer).collect())
    }
}

/// Refuses a question about too many accounts.
///
/// # Errors
/// `too_many_accounts` for more than 1,000.
pub(super) fn bounded(accounts: usize) -> Result<(), Violation> {
    if accounts > ACCOUNTS_MAX {
        let message = format!("ask for {ACCOUNTS_MAX} accounts at most");
        return Err(Violation::invalid("too_many_accounts", "account_id", message));
    }
    Ok(())
}

/// The rule that a bank sees its own accounts. An account of no bank is the operator's to see.
pub(super) fn may_see(caller: Caller, ispb: Option<Ispb>) -> Result<(), Violation> {
    ispb.map_or_else(|| caller.must_be_operator(), |ispb| caller.may_act_for(&ispb))
}

/// What is said of an account that has not been heard of.
pub(crate) fn unknown(account: AccountId) -> Violation {
    let message = format!(
        "no event of account {account} has arrived: a new account appears after a moment, one \
         whose bank keeps its books outside of this hub never does"
    );
    Violation::not_found("balance_unknown", "account_id", message)
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::StoreError;
    use shared_kernel::domain::{Kind, Money, Timestamp};

    use super::*;
    use crate::application::ports::MockBalancesReads;
    use crate::application::testing::known as balance;
    use crate::domain::ExternalState;
    use crate::domain::testing::account;

    fn reads(answer: Result<Vec<KnownBalance>, StoreError>) -> GetBalances {
        let mut reads = MockBalancesReads::new();
        reads.expect_balances().times(1).return_once(move |_| answer);
        GetBalances::new(Arc::new(reads))
    }

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_question() {
        let get = reads(Ok(vec![balance(1), balance(2)]));
        let answers = get.execute(Caller::Operator, &[account(2), account(3), account(1)]).await;
        let answers = answers.unwrap();
        assert_eq!(answers[0], Ok(balance(2)));
        let missing = answers[1].as_ref().unwrap_err();
        assert_eq!((missing.kind(), missing.code()), (Kind::NotFound, "balance_unknown"));
        assert_eq!(answers[2], Ok(balance(1)));
    }

    #[tokio::test]
    async fn a_bank_sees_its_own_accounts_only() {
        let get = reads(Ok(vec![balance(1)]));
        let own = Caller::Bank(balance(1).ispb().unwrap());
        assert_eq!(get.execute(own, &[account(1)]).await.unwrap(), [Ok(balance(1))]);
        let get = reads(Ok(vec![balance(1)]));
        let other = Caller::Bank(Ispb::parse("99999999").unwrap());
        let answers = get.execute(other, &[account(1)]).await.unwrap();
        assert_eq!(answers[0].as_ref().unwrap_err().code(), "balance_unknown");
    }

    #[tokio::test]
    async fn an_account_of_no_bank_is_for_operators() {
        let said = ExternalState { balance: Money::ZERO, said_at: Timestamp::EPOCH, place: None };
        let external = KnownBalance::of(account(1), None, Some(said)).unwrap();
        let ask = async |caller| {
            let answers = reads(Ok(vec![external.clone()])).execute(caller, &[account(1)]).await;
            answers.unwrap().remove(0).map_err(|broken| broken.code())
        };
        assert_eq!(ask(Caller::Operator).await, Ok(external.clone()));
        let bank = Caller::Bank(Ispb::parse("00000001").unwrap());
        assert_eq!(ask(bank).await, Err("balance_unknown"));
    }

    #[tokio::test]
    async fn too_many_accounts_are_refused_without_a_read() {
        let get = GetBalances::new(Arc::new(MockBalancesReads::new()));
        let error = get.execute(Caller::Operator, &vec![account(1); ACCOUNTS_MAX + 1]).await;
        let ApplicationError::Refused(broken) = error.unwrap_err() else { panic!("refused") };
        assert_eq!(broken.code(), "too_many_accounts");
    }

    #[tokio::test]
    async fn a_silent_store_is_unavailable() {
        let get = reads(Err(StoreError::Unavailable("down".into())));
        let error = get.execute(Caller::Operator, &[account(1)]).await.unwrap_err();
        assert!(matches!(error, ApplicationError::Unavailable(_)));
    }
}
