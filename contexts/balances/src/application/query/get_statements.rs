//! Statements: what moved an account's money, newest first, with the balance after each line.

use std::collections::HashMap;
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller, Page, PageSize, Place};
use shared_kernel::domain::{AccountId, Ispb, Timestamp, Violation};

use super::get_balances::{bounded, may_see, unknown};
use crate::application::ports::{BalancesReads, LinePlace, StatementLine, StatementWindow};
use crate::domain::Direction;

impl Place for LinePlace {
    fn write(&self) -> String {
        format!("{}/{}", self.occurred_at.micros(), self.version)
    }

    fn read(text: &str) -> Option<Self> {
        let (micros, version) = text.split_once('/')?;
        let occurred_at = Timestamp::from_micros(micros.parse().ok()?).ok()?;
        Some(Self { occurred_at, version: version.parse().ok()? })
    }
}

/// Which part of which statement is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatementQuestion {
    /// Of which account.
    pub account_id: AccountId,
    /// Not older than this.
    pub from: Option<Timestamp>,
    /// Older than this.
    pub to: Option<Timestamp>,
    /// Only what came, or went.
    pub direction: Option<Direction>,
    /// How many lines.
    pub size: PageSize,
    /// Behind which line; none for the newest.
    pub after: Option<LinePlace>,
}

impl StatementQuestion {
    /// # Errors
    /// `period_order` when the period ends before it begins.
    fn window(&self) -> Result<StatementWindow, Violation> {
        let Self { account_id, from, to, direction, size, after } = *self;
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            let message = "a period must end after it begins";
            return Err(Violation::invalid("period_order", "to", message));
        }
        Ok(StatementWindow { account_id, from, to, direction, after, limit: size.rows_to_read() })
    }
}

/// The use case.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetStatements {
    reads: Arc<dyn BalancesReads>,
}

impl GetStatements {
    /// The use case over a read side.
    pub fn new(reads: Arc<dyn BalancesReads>) -> Self {
        Self { reads }
    }

    /// One answer per question, in their order: a page of lines, or `period_order` (invalid),
    /// `balance_unknown` (not found), for an account of another bank too. Two reads.
    ///
    /// # Errors
    /// `too_many_accounts` for more than 1,000; unavailable when the store does not answer.
    pub async fn execute(
        &self,
        caller: Caller,
        questions: &[StatementQuestion],
    ) -> Result<Vec<Result<Page<StatementLine>, Violation>>, ApplicationError> {
        bounded(questions.len())?;
        let accounts: Vec<AccountId> = questions.iter().map(|it| it.account_id).collect();
        let known = self.reads.balances(&accounts).await?;
        let banks: HashMap<AccountId, Option<Ispb>> =
            known.iter().map(|balance| (balance.account_id(), balance.ispb())).collect();
        let judge = |question: &StatementQuestion| {
            let unknown = || unknown(question.account_id);
            let ispb = banks.get(&question.account_id).ok_or_else(unknown)?;
            may_see(caller, *ispb).map_err(|_stranger| unknown())?;
            question.window()
        };
        let judged: Vec<_> = questions.iter().map(judge).collect();
        let windows: Vec<StatementWindow> =
            judged.iter().filter_map(|window| window.as_ref().ok().copied()).collect();
        let found =
            if windows.is_empty() { Vec::new() } else { self.reads.statements(&windows).await? };
        let mut found = found.into_iter();
        let answers = judged.into_iter().zip(questions).map(|(window, question)| {
            window.map(|_| Page::cut(found.next().unwrap_or_default(), question.size))
        });
        Ok(answers.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::MockBalancesReads;
    use crate::application::testing::known as balance;
    use crate::domain::testing::{account, event, movement};

    fn question(number: u128) -> StatementQuestion {
        let size = PageSize::asked(1).unwrap();
        let (account_id, after) = (account(number), None);
        StatementQuestion { account_id, from: None, to: None, direction: None, size, after }
    }

    fn line(version: i64) -> StatementLine {
        StatementLine { state: event(1, version).state, movement: movement(1), payee_key: None }
    }

    fn reads(statements: usize) -> MockBalancesReads {
        let mut reads = MockBalancesReads::new();
        reads.expect_balances().times(1).return_once(|_| Ok(vec![balance(1), balance(2)]));
        reads.expect_statements().times(statements).returning(|windows| {
            assert!(windows.iter().all(|window| window.limit == 2));
            Ok(windows.iter().map(|_| vec![line(9), line(8)]).collect())
        });
        reads
    }

    #[tokio::test]
    async fn each_question_has_its_own_answer() {
        let at = |micros| Some(Timestamp::from_micros(micros).unwrap());
        let upside_down = StatementQuestion { from: at(2), to: at(1), ..question(2) };
        let questions = [question(3), question(1), upside_down, question(2)];
        let statements = GetStatements::new(Arc::new(reads(1)));
        let answers = statements.execute(Caller::Operator, &questions).await.unwrap();
        let page = Page { rows: vec![line(9)], more: true };
        let codes: Vec<_> = answers.iter().map(|it| it.as_ref().map_err(Violation::code)).collect();
        assert_eq!(codes, [Err("balance_unknown"), Ok(&page), Err("period_order"), Ok(&page)]);
    }

    #[tokio::test]
    async fn another_bank_learns_nothing_and_costs_nothing() {
        let stranger = Caller::Bank(Ispb::parse("99999999").unwrap());
        let statements = GetStatements::new(Arc::new(reads(0)));
        let answers = statements.execute(stranger, &[question(1)]).await.unwrap();
        assert_eq!(answers[0].as_ref().unwrap_err().code(), "balance_unknown");
    }

    #[test]
    fn a_place_reads_back() {
        let place = line(8).place();
        assert_eq!(LinePlace::of_token(&place.token()), Ok(Some(place)));
        assert_eq!(LinePlace::read("1"), None);
    }
}
