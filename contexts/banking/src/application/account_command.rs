//! What all commands on one account have in common: who may give them, one load, one save.
//!
//! Cost per batch: one read of the banks, then one transaction with one load of accounts and one
//! write per table.

use std::collections::BTreeSet;

use async_trait::async_trait;
use shared_kernel::application::{
    ApplicationError, BatchCommand, Caller, CommandIdentity, StoreError, TraceParent,
};
use shared_kernel::domain::{AccountId, Ispb, Violation};

use super::books::Books;
use super::ports::{BankingPorts, OpenTransaction, Outcome};
use super::views::AccountView;
use crate::domain::Account;

/// Who gives a command, on which account.
///
/// The bank is found before the command is judged ([`super::banks::AccountBanks`]): it is part of
/// the scope of the idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnAccount {
    /// Who.
    pub caller: Caller,
    /// The trace of the request.
    pub trace: TraceParent,
    /// The account's bank.
    pub ispb: Ispb,
    /// The account.
    pub account_id: AccountId,
}

/// A command on one account.
pub trait AccountCommand: Clone + Send + Sync + 'static {
    /// Name in metrics and in the scope of the idempotency key.
    const OPERATION: &'static str;
    /// Whether the decision needs to know how many credits the account expects.
    const COUNTS_EXPECTED_CREDITS: bool = false;

    /// Who gives it, on which account.
    fn on(&self) -> &OnAccount;

    /// Its identity; `None` for one that is idempotent by nature.
    fn identity(&self) -> Option<CommandIdentity>;

    /// Decides over the account and records what follows.
    ///
    /// # Errors
    /// The broken rule; then nothing was recorded.
    fn decide(&self, books: &mut Books, account: &Account) -> Result<(), Violation>;
}

/// Runs the commands of one kind.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct AccountDesk<C> {
    ports: BankingPorts,
    kind: std::marker::PhantomData<fn() -> C>,
}

impl<C> AccountDesk<C> {
    /// A desk over the ports.
    pub fn new(ports: &BankingPorts) -> Self {
        Self { ports: ports.clone(), kind: std::marker::PhantomData }
    }
}

/// Checks for each of these banks that its books are kept here, by this process.
pub(crate) async fn admit(ports: &BankingPorts, banks: Vec<Ispb>) -> Vec<Outcome<()>> {
    let served = |ispb: &Ispb| ports.banks.is_empty() || ports.banks.contains(ispb);
    let asked: BTreeSet<Ispb> = banks.iter().copied().filter(served).collect();
    let asked: Vec<Ispb> = asked.into_iter().collect();
    let hosted = match ports.reads.hosted(&asked).await {
        Ok(hosted) => hosted,
        Err(error) => return banks.iter().map(|_| Err(error.clone().into())).collect(),
    };
    let judge = |ispb: Ispb| {
        if hosted.contains(&ispb) { Ok(()) } else { Err(not_hosted(ispb).into()) }
    };
    banks.into_iter().map(judge).collect()
}

/// The rule that only hosted banks keep their books here.
pub(crate) fn not_hosted(ispb: Ispb) -> Violation {
    let message = format!("bank {ispb} does not keep its books here");
    Violation::not_found("bank_not_hosted", "ispb", message)
}

/// The rule that an account exists, at the bank that was named.
pub(crate) fn account_not_found() -> Violation {
    Violation::not_found("account_not_found", "account_id", "there is no such account")
}

/// The rule that an account is there for its own bank and for operators: a stranger learns no
/// more than of one that does not exist.
pub(crate) fn admit_caller(on: &OnAccount) -> Result<(), Violation> {
    on.caller.may_act_for(&on.ispb).map_err(|_stranger| account_not_found())
}

/// The loaded account of a command.
///
/// # Errors
/// `account_not_found`.
pub(crate) fn own_account(books: &Books, on: &OnAccount) -> Result<Account, Violation> {
    books
        .account(on.account_id)
        .filter(|account| account.state().ispb == on.ispb)
        .cloned()
        .ok_or_else(account_not_found)
}

#[async_trait]
impl<C: AccountCommand> BatchCommand for AccountDesk<C> {
    type Command = C;
    type Prepared = ();
    type Answer = AccountView;
    type Transaction = OpenTransaction;

    const OPERATION: &'static str = C::OPERATION;

    fn authorize(&self, command: &C) -> Result<(), Violation> {
        admit_caller(command.on())
    }

    fn identity(&self, command: &C) -> Option<CommandIdentity> {
        command.identity()
    }

    async fn prepare(&self, commands: &[C]) -> Vec<Result<(), ApplicationError>> {
        admit(&self.ports, commands.iter().map(|command| command.on().ispb).collect()).await
    }

    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        self.ports.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut OpenTransaction,
        commands: &[(C, ())],
    ) -> Result<Vec<Result<AccountView, Violation>>, StoreError> {
        let mut books = Books::by(self.ports.clock.clone(), self.ports.ids.clone());
        let ids = commands.iter().map(|(command, ())| command.on().account_id).collect();
        books.load_accounts(transaction, ids).await?;
        if C::COUNTS_EXPECTED_CREDITS {
            books.count_expected_credits(transaction).await?;
        }
        let decide = |(command, ()): &(C, ())| {
            let account = own_account(&books, command.on())?;
            command.decide(&mut books, &account)?;
            let after = books.account(command.on().account_id);
            Ok(AccountView::from(after.unwrap_or(&account)))
        };
        let answers = commands.iter().map(decide).collect();
        let changes = books.finish();
        if !changes.is_empty() {
            transaction.save(changes).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::command::{
        BlockAccount, Deposit, SetAccountLimits, UnblockAccount, Withdraw,
    };
    use crate::application::stage::{Stage, code};
    use crate::domain::samples::{BANK_A, BANK_B, account_id, amount, ispb};
    use crate::domain::{AccountStatus, InternalAccount, Limits};
    use shared_kernel::domain::Money;

    #[tokio::test]
    async fn cash_moves_against_the_cash_account_of_the_bank() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let out = Withdraw { on: ana.clone(), idempotency_key: "w".into(), amount: amount(400) };
        assert_eq!(stage.on(out.clone()).await.unwrap().balance.centavos(), 600);
        assert_eq!(stage.on(out).await.unwrap().balance.centavos(), 600, "a repeat");
        let cash = InternalAccount::Cash.id(ispb(BANK_A));
        assert_eq!(stage.memory.tables().internal[&cash], Money::from_centavos(-600));
        let more = Withdraw { on: ana.clone(), idempotency_key: "x".into(), amount: amount(601) };
        assert_eq!(code(stage.on(more).await), "insufficient_funds");
        assert_eq!(stage.funds(&ana), (600, 0));
        stage.books_are_right();
    }

    #[tokio::test]
    async fn a_deposit_in_a_batch_is_folded_by_its_key() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 0).await;
        let deposit =
            |key: &str| Deposit { on: ana.clone(), idempotency_key: key.into(), amount: amount(5) };
        let commands = vec![deposit("a"), deposit("a"), deposit("b")];
        let answers = stage.run(AccountDesk::<Deposit>::new(&stage.ports), commands).await;
        assert_eq!(answers[0], answers[1]);
        assert_eq!(stage.funds(&ana), (10, 0));
        let other = Deposit { amount: amount(6), ..deposit("a") };
        assert_eq!(code(stage.on(other).await), "idempotency_key_reused");
    }

    #[tokio::test]
    async fn blocking_and_limits_are_idempotent_by_nature() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 0).await;
        let blocked = stage.on(BlockAccount { on: ana.clone() }).await.unwrap();
        assert_eq!(blocked.status, AccountStatus::Blocked);
        assert_eq!(stage.on(BlockAccount { on: ana.clone() }).await.unwrap(), blocked);
        assert_eq!(code(stage.deposit(&ana, 1).await), "account_blocked");
        stage.on(UnblockAccount { on: ana.clone() }).await.unwrap();
        let limits = Limits::new(Some(Money::from_centavos(7)), None).unwrap();
        let limited = SetAccountLimits { on: ana.clone(), limits };
        let version = stage.on(limited.clone()).await.unwrap().version;
        assert_eq!(stage.on(limited).await.unwrap().version, version);
    }

    #[tokio::test]
    async fn only_the_account_s_own_bank_and_operators_may_act() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 0).await;
        let on = |caller, ispb| OnAccount { caller, ispb, ..ana.clone() };
        let (own, other) = (Caller::Bank(ispb(BANK_A)), Caller::Bank(ispb(BANK_B)));
        stage.deposit(&on(own, ispb(BANK_A)), 1).await.unwrap();
        let stranger = stage.deposit(&on(other, ispb(BANK_A)), 1).await;
        assert_eq!(code(stranger), "account_not_found");
        let pretender = stage.deposit(&on(other, ispb(BANK_B)), 1).await;
        assert_eq!(code(pretender), "account_not_found");
        let nobody = OnAccount { account_id: account_id(99), ..ana.clone() };
        assert_eq!(code(stage.deposit(&nobody, 1).await), "account_not_found");
        stage.enrol(BANK_A, false, 2).await;
        assert_eq!(code(stage.deposit(&ana, 1).await), "bank_not_hosted");
    }

    #[tokio::test]
    async fn a_process_for_one_bank_keeps_no_other_bank_s_books() {
        let mut stage = Stage::new().await;
        let (ana, bia) = (stage.account(BANK_A, 1, 0).await, stage.account(BANK_B, 2, 0).await);
        stage.ports.banks = [ispb(BANK_A)].into();
        stage.deposit(&ana, 1).await.unwrap();
        assert_eq!(code(stage.deposit(&bia, 1).await), "bank_not_hosted");
    }
}
