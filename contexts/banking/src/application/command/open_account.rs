//! A customer gets an account.
//!
//! Cost per batch: one read of the banks, then one transaction: desks, accounts, customers and
//! numbers loaded once each, one write per table.

use async_trait::async_trait;
use shared_kernel::application::{
    ApplicationError, BatchCommand, Caller, CommandIdentity, StoreError, TraceParent,
};
use shared_kernel::domain::{AccountId, Ispb, TaxId, Violation};

use super::identity;
use crate::application::account_command::admit;
use crate::application::books::Books;
use crate::application::counter::Counter;
use crate::application::ports::{BankingPorts, OpenTransaction};
use crate::application::views::AccountView;
use crate::domain::{Account, AccountNumber, Branch, Opening, OwnerName};

/// Opens an account; the customer is known by tax id, or created. A known customer keeps the name
/// that the bank knows.
#[derive(Clone, Debug)]
pub struct OpenAccount {
    /// Who.
    pub caller: Caller,
    /// The trace of the request.
    pub trace: TraceParent,
    /// A repeat with this key gets the first answer. May be empty when the id is chosen.
    pub idempotency_key: String,
    /// The bank.
    pub ispb: Ispb,
    /// The owner.
    pub owner_name: OwnerName,
    /// The owner's tax id.
    pub owner_tax_id: TaxId,
    /// The branch; the bank's first when absent.
    pub branch: Option<Branch>,
    /// The number; the bank's next free one when absent.
    pub number: Option<AccountNumber>,
    /// The id; only operators choose one, and the same again is answered as the first time.
    pub account_id: Option<AccountId>,
}

/// Decides [`OpenAccount`].
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct OpenAccountDesk(pub BankingPorts);

#[async_trait]
impl BatchCommand for OpenAccountDesk {
    type Command = OpenAccount;
    type Prepared = ();
    type Answer = AccountView;
    type Transaction = OpenTransaction;

    const OPERATION: &'static str = "open_account";

    fn authorize(&self, command: &OpenAccount) -> Result<(), Violation> {
        if command.account_id.is_some() {
            command.caller.must_be_operator()?;
        }
        command.caller.may_act_for(&command.ispb)
    }

    fn identity(&self, command: &OpenAccount) -> Option<CommandIdentity> {
        let key = &command.idempotency_key;
        if key.is_empty() && command.account_id.is_some() {
            return None;
        }
        let text = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_vec();
        let id = command.account_id.map(|id| id.to_string());
        let content = [
            text(Some(command.owner_name.as_str())),
            text(Some(command.owner_tax_id.as_str())),
            text(command.branch.as_ref().map(Branch::as_str)),
            text(command.number.as_ref().map(AccountNumber::as_str)),
            text(id.as_deref()),
        ];
        let content: Vec<&[u8]> = content.iter().map(Vec::as_slice).collect();
        Some(identity(command.ispb, Self::OPERATION, key, &content))
    }

    async fn prepare(&self, commands: &[OpenAccount]) -> Vec<Result<(), ApplicationError>> {
        admit(&self.0, commands.iter().map(|command| command.ispb).collect()).await
    }

    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        self.0.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut OpenTransaction,
        commands: &[(OpenAccount, ())],
    ) -> Result<Vec<Result<AccountView, Violation>>, StoreError> {
        let mut books = Books::by(self.0.clock.clone(), self.0.ids.clone());
        let mut counter = Counter::load(transaction, commands).await?;
        let chosen = commands.iter().filter_map(|(command, ())| command.account_id).collect();
        books.load_accounts(transaction, chosen).await?;
        let mut answers = Vec::with_capacity(commands.len());
        for (command, ()) in commands {
            answers.push(self.open(&mut books, &mut counter, command));
        }
        counter.close(&mut books);
        let changes = books.finish();
        if !changes.is_empty() {
            transaction.save(changes).await?;
        }
        Ok(answers)
    }
}

impl OpenAccountDesk {
    fn open(
        &self,
        books: &mut Books,
        counter: &mut Counter,
        command: &OpenAccount,
    ) -> Result<AccountView, Violation> {
        if let Some(known) = command.account_id.and_then(|id| counter.account(books, id)) {
            return same_account(known, command).map(|()| AccountView::from(known));
        }
        let id = command.account_id.unwrap_or_else(|| AccountId::from_uuid(self.0.ids.ordered()));
        let (branch, number) = counter.place(command)?;
        let owner_name = counter.customer(books, command);
        let OpenAccount { ispb, owner_tax_id, .. } = *command;
        let opening = Opening { id, ispb, branch, number, owner_name, owner_tax_id };
        let (account, event) = Account::open(opening, books.now());
        let view = AccountView::from(&account);
        counter.opened(account.clone());
        books.open(account, event, &command.trace);
        Ok(view)
    }
}

/// The same id means the same account: bank, owner and, where it was chosen, number.
fn same_account(known: &Account, command: &OpenAccount) -> Result<(), Violation> {
    let state = known.state();
    let same = state.ispb == command.ispb
        && state.owner_tax_id == command.owner_tax_id
        && command.number.as_ref().is_none_or(|number| *number == state.number)
        && command.branch.as_ref().is_none_or(|branch| *branch == state.branch);
    if same {
        return Ok(());
    }
    let message = "an account of another owner, bank or number has this id";
    Err(Violation::already_exists("account_id_taken", "account_id", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::stage::{Stage, code};
    use crate::domain::samples::{BANK_A, BANK_B, account_id, cpf, ispb};

    async fn one(stage: &Stage, command: OpenAccount) -> Result<AccountView, ApplicationError> {
        stage.open(vec![command]).await.remove(0)
    }

    #[tokio::test]
    async fn each_bank_counts_its_own_numbers() {
        let stage = Stage::new().await;
        let commands =
            vec![stage.opening(BANK_A, 1), stage.opening(BANK_A, 2), stage.opening(BANK_B, 3)];
        let opened = stage.open(commands).await;
        let numbers: Vec<String> = opened.into_iter().map(|it| it.unwrap().number).collect();
        assert_eq!(numbers, ["10001", "10002", "10001"]);
        assert_eq!(one(&stage, stage.opening(BANK_A, 4)).await.unwrap().number, "10003");
    }

    #[tokio::test]
    async fn a_chosen_number_is_free_or_refused_and_is_skipped_by_the_count() {
        let stage = Stage::new().await;
        let chosen = |number: &str| OpenAccount {
            number: Some(AccountNumber::parse(number).unwrap()),
            ..stage.opening(BANK_A, 1)
        };
        assert_eq!(one(&stage, chosen("10001")).await.unwrap().number, "10001");
        assert_eq!(code(one(&stage, chosen("10001")).await), "account_number_taken");
        let both = stage.open(vec![chosen("10002"), chosen("10002")]).await;
        assert_eq!(code(both[1].clone()), "account_number_taken");
        assert_eq!(one(&stage, stage.opening(BANK_A, 2)).await.unwrap().number, "10003");
    }

    #[tokio::test]
    async fn a_customer_is_known_by_tax_id_and_keeps_the_name_the_bank_knows() {
        let stage = Stage::new().await;
        one(&stage, stage.opening(BANK_A, 1)).await.unwrap();
        let renamed = OpenAccount {
            owner_name: OwnerName::parse("Someone Else").unwrap(),
            ..stage.opening(BANK_A, 1)
        };
        assert_eq!(one(&stage, renamed).await.unwrap().owner_name, "Owner 1");
        assert_eq!(stage.memory.tables().customers.len(), 1);
        one(&stage, stage.opening(BANK_B, 1)).await.unwrap();
        assert_eq!(stage.memory.tables().customers.len(), 2);
    }

    #[tokio::test]
    async fn a_chosen_id_is_for_operators_and_idempotent() {
        let stage = Stage::new().await;
        let chosen = OpenAccount {
            account_id: Some(account_id(7)),
            idempotency_key: String::new(),
            ..stage.opening(BANK_A, 1)
        };
        let bank = OpenAccount { caller: Caller::Bank(ispb(BANK_A)), ..chosen.clone() };
        assert_eq!(code(one(&stage, bank).await), "operator_only");
        let opened = stage.open(vec![chosen.clone(), chosen.clone()]).await;
        assert_eq!(opened[0], opened[1]);
        assert_eq!(one(&stage, chosen.clone()).await, opened[0]);
        assert_eq!(stage.memory.tables().accounts.len(), 1);
        let other = OpenAccount { owner_tax_id: cpf(2), ..chosen };
        assert_eq!(code(one(&stage, other).await), "account_id_taken");
    }

    #[tokio::test]
    async fn a_repeat_opens_nothing_more() {
        let stage = Stage::new().await;
        let opening = stage.opening(BANK_A, 1);
        let first = one(&stage, opening.clone()).await;
        assert_eq!(one(&stage, opening.clone()).await, first);
        assert_eq!(stage.memory.tables().accounts.len(), 1);
        let nameless = OpenAccount { idempotency_key: String::new(), ..opening };
        assert_eq!(code(one(&stage, nameless).await), "idempotency_key_shape");
    }

    #[tokio::test]
    async fn a_bank_that_is_not_hosted_opens_nothing() {
        let stage = Stage::new().await;
        assert_eq!(code(one(&stage, stage.opening("00000009", 1)).await), "bank_not_hosted");
        stage.enrol(BANK_B, false, 2).await;
        assert_eq!(code(one(&stage, stage.opening(BANK_B, 1)).await), "bank_not_hosted");
        stage.enrol(BANK_B, true, 1).await;
        assert_eq!(
            code(one(&stage, stage.opening(BANK_B, 1)).await),
            "bank_not_hosted",
            "an older event changes nothing"
        );
        let stranger =
            OpenAccount { caller: Caller::Bank(ispb(BANK_B)), ..stage.opening(BANK_A, 1) };
        assert_eq!(code(one(&stage, stranger).await), "caller_may_not_act_for_bank");
    }
}
