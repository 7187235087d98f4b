//! A customer pays to another account of the same bank, named by its id.
//!
//! Cost per batch: one read of the banks, then one transaction with one load of accounts and one
//! write per table.

use std::collections::BTreeSet;

use async_trait::async_trait;
use shared_kernel::application::{BatchCommand, CommandIdentity, StoreError};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Violation};

use super::identity;
use crate::application::account_command::{OnAccount, admit, admit_caller, own_account};
use crate::application::books::Books;
use crate::application::ordering::book;
use crate::application::ports::{BankingPorts, OpenTransaction, Outcome};
use crate::application::views::BookedView;
use crate::domain::{Account, Description, Payment};

/// Pays an amount to an account.
#[derive(Clone, Debug)]
pub struct PayAccount {
    /// Who, and from which account.
    pub on: OnAccount,
    /// A repeat with this key gets the first answer.
    pub idempotency_key: String,
    /// Who is paid.
    pub payee_account_id: AccountId,
    /// How much.
    pub amount: Amount,
    /// What the payee will read.
    pub description: Description,
}

/// Decides [`PayAccount`].
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct PayAccountDesk(pub BankingPorts);

#[async_trait]
impl BatchCommand for PayAccountDesk {
    type Command = PayAccount;
    type Prepared = ();
    type Answer = BookedView;
    type Transaction = OpenTransaction;

    const OPERATION: &'static str = "pay_account";

    fn authorize(&self, command: &PayAccount) -> Result<(), Violation> {
        admit_caller(&command.on)
    }

    fn identity(&self, command: &PayAccount) -> Option<CommandIdentity> {
        let PayAccount { on, payee_account_id, amount, description, .. } = command;
        let (payer, payee) = (on.account_id.uuid(), payee_account_id.uuid());
        let amount = amount.centavos().to_be_bytes();
        let content: [&[u8]; 4] =
            [payer.as_bytes(), payee.as_bytes(), &amount, description.as_str().as_bytes()];
        Some(identity(on.ispb, Self::OPERATION, &command.idempotency_key, &content))
    }

    async fn prepare(&self, commands: &[PayAccount]) -> Vec<Outcome<()>> {
        admit(&self.0, commands.iter().map(|command| command.on.ispb).collect()).await
    }

    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        self.0.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut OpenTransaction,
        commands: &[(PayAccount, ())],
    ) -> Result<Vec<Result<BookedView, Violation>>, StoreError> {
        let mut books = Books::by(self.0.clock.clone(), self.0.ids.clone());
        let sides =
            |(command, ()): &(PayAccount, ())| [command.on.account_id, command.payee_account_id];
        let accounts: BTreeSet<AccountId> = commands.iter().flat_map(sides).collect();
        books.load_accounts(transaction, accounts).await?;
        let pay = |(command, ()): &(PayAccount, ())| self.pay(&mut books, command);
        let answers = commands.iter().map(pay).collect();
        let changes = self.0.echoed(books.finish())?;
        if !changes.is_empty() {
            transaction.save(changes).await?;
        }
        Ok(answers)
    }
}

impl PayAccountDesk {
    fn pay(&self, books: &mut Books, command: &PayAccount) -> Result<BookedView, Violation> {
        let payer = own_account(books, &command.on)?;
        let payee = books.account(command.payee_account_id).map(Account::party);
        let payee = payee.filter(|payee| payee.ispb == command.on.ispb).ok_or_else(|| {
            let message = "the bank has no such account to be paid";
            Violation::not_found("payee_account_unknown", "payee_account_id", message)
        })?;
        let now = books.now();
        let payment = Payment {
            end_to_end_id: EndToEndId::new(command.on.ispb, now, self.0.ids.entropy()),
            payer: payer.party(),
            payee,
            // An account was named and no key.
            payee_key: String::new(),
            payee_key_registered_as: None,
            amount: command.amount,
            description: command.description.as_str().to_owned(),
            ordered_at: payer.dated(now),
            deadline: now,
        };
        let (transfer, sides) = book(books, &command.on.trace, &payer, payment)?;
        Ok(BookedView::of(&transfer, sides))
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::Caller;

    use super::*;
    use crate::application::command::{BlockAccount, CloseAccount};
    use crate::application::stage::{Stage, code};
    use crate::domain::samples::{BANK_A, BANK_B, account_id, amount, ispb};

    fn order(stage: &Stage, on: &OnAccount, to: AccountId, centavos: i64) -> PayAccount {
        PayAccount {
            on: on.clone(),
            idempotency_key: stage.key(),
            payee_account_id: to,
            amount: amount(centavos),
            description: Description::parse("").unwrap(),
        }
    }

    async fn pay(
        stage: &Stage,
        on: &OnAccount,
        to: AccountId,
        centavos: i64,
    ) -> Outcome<BookedView> {
        let command = order(stage, on, to, centavos);
        stage.run(PayAccountDesk(stage.ports.clone()), vec![command]).await.remove(0)
    }

    #[tokio::test]
    async fn both_accounts_have_their_entries_at_once() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        let paid = pay(&stage, &ana, bia.account_id, 300).await.unwrap();
        assert_eq!(
            (paid.payer_account_id, paid.payee_account_id),
            (ana.account_id, bia.account_id)
        );
        assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((700, 0), (300, 0)));
        let version = |on: &OnAccount| Some(stage.state(on.account_id).state().version);
        assert_eq!((paid.payer_version, paid.payee_version), (version(&ana), version(&bia)));
        assert_ne!(paid.payer_version, paid.payee_version, "each side has its own");
        let tables = stage.memory.tables();
        assert_eq!(tables.booked.len(), 1);
        assert_eq!(tables.booked[&paid.end_to_end_id].payment.amount, amount(300));
        assert_eq!(stage.told(), [], "the hub has nothing to do with it");
        stage.books_are_right();
    }

    #[tokio::test]
    async fn what_is_not_allowed_is_refused_and_leaves_no_trace() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        let caio = stage.account(BANK_B, 3, 0).await;
        let events = stage.memory.tables().events.len();
        assert_eq!(code(pay(&stage, &ana, bia.account_id, 1_001).await), "insufficient_funds");
        assert_eq!(code(pay(&stage, &ana, ana.account_id, 1).await), "payer_is_payee");
        assert_eq!(code(pay(&stage, &ana, account_id(77), 1).await), "payee_account_unknown");
        let elsewhere = pay(&stage, &ana, caio.account_id, 1).await;
        assert_eq!(code(elsewhere), "payee_account_unknown", "another bank is not reached so");
        let thief = OnAccount { caller: Caller::Bank(ispb(BANK_B)), ..ana.clone() };
        assert_eq!(code(pay(&stage, &thief, bia.account_id, 1).await), "account_not_found");
        let wrong = OnAccount { ispb: ispb(BANK_B), ..ana.clone() };
        assert_eq!(code(pay(&stage, &wrong, bia.account_id, 1).await), "account_not_found");
        assert_eq!(stage.memory.tables().events.len(), events);
        stage.on(BlockAccount { on: bia.clone() }).await.unwrap();
        assert_eq!(code(pay(&stage, &ana, bia.account_id, 1).await), "payee_account_blocked");
        stage.on(CloseAccount { on: bia.clone() }).await.unwrap();
        assert_eq!(code(pay(&stage, &ana, bia.account_id, 1).await), "payee_account_closed");
        assert_eq!(stage.funds(&ana), (1_000, 0));
    }

    #[tokio::test]
    async fn a_batch_is_decided_in_order_and_a_repeat_pays_once() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        let first = order(&stage, &ana, bia.account_id, 600);
        let orders = vec![
            first.clone(),
            order(&stage, &ana, bia.account_id, 600),
            order(&stage, &bia, ana.account_id, 500),
            first.clone(),
        ];
        let answers = stage.run(PayAccountDesk(stage.ports.clone()), orders).await;
        assert_eq!(answers[0], answers[3]);
        assert_eq!(code(answers[1].clone()), "insufficient_funds");
        assert!(answers[2].is_ok(), "money that came in the same batch is there");
        assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((900, 0), (100, 0)));
        let other = PayAccount { amount: amount(1), ..first };
        let reused = stage.run(PayAccountDesk(stage.ports.clone()), vec![other]).await.remove(0);
        assert_eq!(code(reused), "idempotency_key_reused");
        stage.books_are_right();
    }

    #[tokio::test]
    async fn what_is_echoed_goes_with_the_entries_and_a_refusal_echoes_nothing() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        assert!(stage.memory.tables().echoes.is_empty(), "a deposit is no transfer");
        pay(&stage, &ana, bia.account_id, 300).await.unwrap();
        assert_eq!(stage.memory.tables().echoes.len(), 1);
        pay(&stage, &ana, bia.account_id, 9_000).await.unwrap_err();
        assert_eq!(stage.memory.tables().echoes.len(), 1);
    }
}
