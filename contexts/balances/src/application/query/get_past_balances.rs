//! The balances of certain accounts at past instants.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{AccountId, Timestamp, Violation};

use super::get_balances::{bounded, may_see, unknown};
use crate::application::ports::{BalancesReads, PastState};
use crate::domain::SeenBalance;

/// The use case.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetPastBalances {
    reads: Arc<dyn BalancesReads>,
}

impl GetPastBalances {
    /// The use case over a read side.
    pub fn new(reads: Arc<dyn BalancesReads>) -> Self {
        Self { reads }
    }

    /// One answer per question, in their order: what the account was at that instant by its
    /// bank's clock, or `balance_unknown` (not found; for an account of another bank too) or
    /// `account_not_open_then` (not found). One read.
    ///
    /// # Errors
    /// `too_many_accounts` for more than 1,000; unavailable when the store does not answer.
    pub async fn execute(
        &self,
        caller: Caller,
        wanted: &[(AccountId, Timestamp)],
    ) -> Result<Vec<Result<SeenBalance, Violation>>, ApplicationError> {
        bounded(wanted.len())?;
        let found = self.reads.past_states(wanted).await?;
        let answer = |((account, at), found): (&(AccountId, Timestamp), Option<PastState>)| {
            let past = found.ok_or_else(|| unknown(*account))?;
            may_see(caller, past.ispb).map_err(|_stranger| unknown(*account))?;
            let standing = past.standing.ok_or_else(|| not_open(*account, *at))?;
            let external = past.ispb.is_none();
            Ok(SeenBalance { account_id: *account, standing, external })
        };
        Ok(wanted.iter().zip(found).map(answer).collect())
    }
}

fn not_open(account: AccountId, at: Timestamp) -> Violation {
    let message = format!("account {account} was not open at {at}");
    Violation::not_found("account_not_open_then", "at", message)
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Ispb;

    use super::*;
    use crate::application::ports::MockBalancesReads;
    use crate::domain::Standing;
    use crate::domain::testing::{account, event};

    fn past(number: u128, standing: Option<Standing>) -> PastState {
        let event = event(number, 1);
        PastState { account_id: event.account_id, ispb: Some(event.ispb), standing }
    }

    async fn ask(caller: Caller) -> Vec<Result<Standing, &'static str>> {
        let mut reads = MockBalancesReads::new();
        let found = vec![
            Some(past(1, Some(Standing::Banked(event(1, 1).state)))),
            Some(past(2, None)),
            None,
        ];
        reads.expect_past_states().times(1).return_once(move |_| Ok(found));
        let at = Timestamp::EPOCH;
        let wanted = [(account(1), at), (account(2), at), (account(3), at)];
        let answers = GetPastBalances::new(Arc::new(reads)).execute(caller, &wanted).await.unwrap();
        let shown = |answer: Result<SeenBalance, Violation>| {
            answer.map(|seen| seen.standing).map_err(|broken| broken.code())
        };
        answers.into_iter().map(shown).collect()
    }

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_question() {
        let answers = ask(Caller::Operator).await;
        let wanted = [
            Ok(Standing::Banked(event(1, 1).state)),
            Err("account_not_open_then"),
            Err("balance_unknown"),
        ];
        assert_eq!(answers, wanted);
    }

    #[tokio::test]
    async fn another_bank_learns_nothing() {
        let answers = ask(Caller::Bank(Ispb::parse("99999999").unwrap())).await;
        let denied = Err("balance_unknown");
        assert_eq!(answers, [denied, denied, Err("balance_unknown")]);
    }
}
