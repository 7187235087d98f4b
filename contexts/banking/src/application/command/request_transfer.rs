//! A customer pays to a key.
//!
//! The key is found first, outside of any transaction: among the keys of the payer's own bank
//! (then both sides are booked here and now, without the hub), or in the directory. Cost per
//! batch: two reads, the lookups side by side, then one transaction with one load of accounts and
//! one write per table.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use shared_kernel::application::{BatchCommand, CommandIdentity, StoreError};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Violation};

use super::identity;
use crate::application::account_command::{OnAccount, account_not_found, admit, admit_caller};
use crate::application::books::Books;
use crate::application::directory::{FoundKey, KeyQuestion};
use crate::application::ordering::order;
use crate::application::ports::{BankingPorts, OpenTransaction, Outcome};
use crate::application::views::TransferView;
use crate::domain::{Account, Description, Party, PayeeKey};

/// Pays an amount to a key.
#[derive(Clone, Debug)]
pub struct RequestTransfer {
    /// Who, and from which account.
    pub on: OnAccount,
    /// A repeat with this key gets the first answer.
    pub idempotency_key: String,
    /// Who is paid.
    pub payee_key: PayeeKey,
    /// How much.
    pub amount: Amount,
    /// What the payee will read.
    pub description: Description,
}

/// What is known before the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedPayee {
    /// Made before the directory was asked, for it asks for it.
    pub end_to_end_id: EndToEndId,
    /// Whose key it is.
    pub payee: Party,
    /// The key as it was registered, where that is otherwise than the payer wrote it.
    pub registered_as: Option<String>,
}

/// Decides [`RequestTransfer`].
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct RequestTransferDesk {
    ports: BankingPorts,
    transfer_deadline: Duration,
}

impl RequestTransferDesk {
    /// A desk over the ports; a hold is over by its own clock after `transfer_deadline`.
    pub fn new(ports: &BankingPorts, transfer_deadline: Duration) -> Self {
        Self { ports: ports.clone(), transfer_deadline }
    }

    /// The payers' accounts, as far as they are needed for the lookup.
    async fn payers(
        &self,
        commands: &[RequestTransfer],
    ) -> Result<HashMap<AccountId, Account>, StoreError> {
        let ids: BTreeSet<AccountId> = commands.iter().map(|it| it.on.account_id).collect();
        let ids: Vec<AccountId> = ids.into_iter().collect();
        let payers = self.ports.reads.accounts(&ids).await?;
        Ok(payers.into_iter().map(|account| (account.state().id, account)).collect())
    }

    /// The keys that belong to the payers' own banks.
    async fn own_keys(
        &self,
        commands: &[RequestTransfer],
    ) -> Result<HashMap<(Ispb, String), Party>, StoreError> {
        let asked: BTreeSet<(Ispb, String)> = commands
            .iter()
            .map(|command| (command.on.ispb, command.payee_key.as_str().to_owned()))
            .collect();
        let asked: Vec<(Ispb, String)> = asked.into_iter().collect();
        let known = self.ports.reads.own_keys(&asked).await?;
        Ok(known.into_iter().map(|(key, owner)| ((owner.ispb, key), owner)).collect())
    }

    async fn resolve(
        &self,
        command: &RequestTransfer,
        payer: Option<&Account>,
        own: Option<&Party>,
    ) -> Outcome<ResolvedPayee> {
        let OnAccount { ispb, .. } = command.on;
        let payer = payer.filter(|payer| payer.state().ispb == ispb);
        let payer = payer.ok_or_else(account_not_found)?;
        let entropy = self.ports.ids.entropy();
        let end_to_end_id = EndToEndId::new(ispb, self.ports.clock.now(), entropy);
        if let Some(payee) = own {
            return Ok(ResolvedPayee { end_to_end_id, payee: payee.clone(), registered_as: None });
        }
        let question = KeyQuestion {
            key: command.payee_key.as_str().to_owned(),
            requester: ispb,
            payer_tax_id: payer.state().owner_tax_id,
            end_to_end_id,
            trace: command.on.trace.clone(),
        };
        let found = self.ports.directory.find(&question).await?.ok_or_else(|| {
            let message = "no account has this key";
            Violation::not_found("key_not_found", "payee_key", message)
        })?;
        let FoundKey { owner: payee, registered_as } = found;
        Ok(ResolvedPayee { end_to_end_id, payee, registered_as })
    }
}

#[async_trait]
impl BatchCommand for RequestTransferDesk {
    type Command = RequestTransfer;
    type Prepared = ResolvedPayee;
    type Answer = TransferView;
    type Transaction = OpenTransaction;

    const OPERATION: &'static str = "request_transfer";

    fn authorize(&self, command: &RequestTransfer) -> Result<(), Violation> {
        admit_caller(&command.on)
    }

    fn identity(&self, command: &RequestTransfer) -> Option<CommandIdentity> {
        let RequestTransfer { on, payee_key, amount, description, .. } = command;
        let account_id = on.account_id.uuid();
        let amount = amount.centavos().to_be_bytes();
        let content: [&[u8]; 4] = [
            account_id.as_bytes(),
            payee_key.as_str().as_bytes(),
            &amount,
            description.as_str().as_bytes(),
        ];
        Some(identity(on.ispb, Self::OPERATION, &command.idempotency_key, &content))
    }

    async fn prepare(&self, commands: &[RequestTransfer]) -> Vec<Outcome<ResolvedPayee>> {
        let banks = commands.iter().map(|command| command.on.ispb).collect();
        let admitted = admit(&self.ports, banks).await;
        let known = async {
            let payers = self.payers(commands).await?;
            Ok::<_, StoreError>((payers, self.own_keys(commands).await?))
        };
        let (payers, own) = match known.await {
            Ok(known) => known,
            Err(error) => return commands.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let resolve = |(command, admitted): (&RequestTransfer, Outcome<()>)| {
            let payer = payers.get(&command.on.account_id);
            let key = (command.on.ispb, command.payee_key.as_str().to_owned());
            let own = own.get(&key);
            let command = command.clone();
            async move {
                admitted?;
                self.resolve(&command, payer, own).await
            }
        };
        join_all(commands.iter().zip(admitted).map(resolve)).await
    }

    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        self.ports.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut OpenTransaction,
        commands: &[(RequestTransfer, ResolvedPayee)],
    ) -> Result<Vec<Result<TransferView, Violation>>, StoreError> {
        let mut books = Books::by(self.ports.clock.clone(), self.ports.ids.clone());
        let payees = commands.iter().filter(|(command, found)| found.payee.ispb == command.on.ispb);
        let accounts = commands
            .iter()
            .map(|(command, _)| command.on.account_id)
            .chain(payees.map(|(_, found)| found.payee.account_id))
            .collect();
        books.load_accounts(transaction, accounts).await?;
        let order =
            |(command, found): &(_, _)| order(&mut books, command, found, self.transfer_deadline);
        let answers = commands.iter().map(order).collect();
        let changes = self.ports.echoed(books.finish())?;
        if !changes.is_empty() {
            transaction.save(changes).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::{ApplicationError, Caller};
    use shared_kernel::domain::Money;

    use super::*;
    use crate::application::command::{BlockAccount, CloseAccount, SetAccountLimits};
    use crate::application::directory::LookupError;
    use crate::application::stage::{Stage, code};
    use crate::application::views::{Direction, ShownState};
    use crate::domain::samples::{BANK_A, BANK_B, amount, ispb};
    use crate::domain::{AccountFact, HubMessage, Limits};

    #[tokio::test]
    async fn the_amount_is_held_and_the_hub_is_told() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_B, 2, 0).await;
        let transfer = stage.pay(&ana, 2, 300).await.unwrap();
        assert_eq!(transfer.direction, Direction::Outgoing);
        assert_eq!(transfer.state, ShownState::Requested);
        assert_eq!(transfer.end_to_end_id.ispb(), ispb(BANK_A));
        assert_eq!(stage.funds(&ana), (1_000, 300));
        let told = stage.told();
        let [HubMessage::Requested(payment)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(payment.payee.account_id, bia.account_id);
        assert_eq!(payment.deadline.since(payment.ordered_at), Duration::from_secs(40));
        let asked = stage.directory.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].end_to_end_id, transfer.end_to_end_id);
        assert_eq!(asked[0].requester, ispb(BANK_A));
        assert_eq!(asked[0].payer_tax_id, payment.payer.owner_tax_id);
        assert!(stage.memory.tables().entries.len() == 2, "a hold is no posting");
        stage.books_are_right();
    }

    #[tokio::test]
    async fn a_payee_of_the_same_bank_is_paid_at_once_without_hub_and_directory() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        let owner = stage.state(bia.account_id).party();
        stage.learn("2@example.com", Some(owner), 1).await;
        let transfer = stage.pay(&ana, 2, 300).await.unwrap();
        assert_eq!(transfer.direction, Direction::Book);
        assert_eq!(transfer.state, ShownState::Settled);
        assert_eq!(transfer.counterparty_account_id, Some(bia.account_id));
        assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((700, 0), (300, 0)));
        assert_eq!(stage.told(), []);
        assert!(stage.directory.asked.lock().unwrap().is_empty());
        let tables = stage.memory.tables();
        let booked =
            tables.events.iter().filter(|event| matches!(event.fact, AccountFact::Booked(_)));
        assert_eq!(booked.count(), 2, "one event for each account");
        stage.books_are_right();
    }

    #[tokio::test]
    async fn a_key_that_the_bank_has_not_learnt_yet_is_booked_all_the_same() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        assert_eq!(stage.pay(&ana, 2, 300).await.unwrap().direction, Direction::Book);
        assert_eq!(stage.funds(&bia), (300, 0));
        assert_eq!(stage.directory.asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_key_of_another_hosted_bank_goes_through_directory_and_hub() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_B, 2, 0).await;
        stage.learn("2@example.com", Some(stage.state(bia.account_id).party()), 1).await;
        assert_eq!(stage.pay(&ana, 2, 300).await.unwrap().direction, Direction::Outgoing);
        assert_eq!(stage.directory.asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_removed_key_is_asked_for_in_the_directory() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        let owner = stage.state(bia.account_id).party();
        stage.learn("3@example.com", Some(owner.clone()), 1).await;
        stage.learn("3@example.com", None, 2).await;
        stage.learn("3@example.com", Some(owner), 1).await;
        assert_eq!(code(stage.pay(&ana, 3, 300).await), "key_not_found");
    }

    #[tokio::test]
    async fn a_payee_of_the_same_bank_that_cannot_take_it_is_refused() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let bia = stage.account(BANK_A, 2, 0).await;
        stage.on(BlockAccount { on: bia.clone() }).await.unwrap();
        let refused = stage.pay(&ana, 2, 300).await;
        assert!(format!("{refused:?}").contains("AC06"), "{refused:?}");
        assert_eq!(code(refused), "payee_account_blocked");
        stage.on(CloseAccount { on: bia }).await.unwrap();
        assert_eq!(code(stage.pay(&ana, 2, 300).await), "payee_account_closed");
        assert_eq!(stage.funds(&ana), (1_000, 0));
    }

    #[tokio::test]
    async fn what_may_not_leave_the_account_is_refused_without_a_trace() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        stage.account(BANK_B, 2, 0).await;
        let events = stage.memory.tables().events.len();
        assert_eq!(code(stage.pay(&ana, 1, 1).await), "payer_is_payee");
        assert_eq!(code(stage.pay(&ana, 2, 1_001).await), "insufficient_funds");
        assert_eq!(code(stage.pay(&ana, 9, 1).await), "key_not_found");
        let tables = stage.memory.tables();
        assert_eq!((tables.events.len(), tables.outgoing.len()), (events, 0));
        assert_eq!(
            tables.answers.keys().filter(|(scope, _)| scope.contains("transfer")).count(),
            0
        );

        let money = |centavos| Some(Money::from_centavos(centavos));
        let limits = Limits::new(money(500), money(800)).unwrap();
        stage.on(SetAccountLimits { on: ana.clone(), limits }).await.unwrap();
        assert_eq!(code(stage.pay(&ana, 2, 501).await), "limit_per_transfer_exceeded");
        stage.pay(&ana, 2, 500).await.unwrap();
        assert_eq!(code(stage.pay(&ana, 2, 301).await), "limit_per_day_exceeded");
        stage.on(BlockAccount { on: ana.clone() }).await.unwrap();
        assert_eq!(code(stage.pay(&ana, 2, 1).await), "account_blocked");
    }

    #[tokio::test]
    async fn who_may_not_act_for_the_bank_learns_nothing() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        let thief = OnAccount { caller: Caller::Bank(ispb(BANK_B)), ..ana.clone() };
        assert_eq!(code(stage.pay(&thief, 2, 1).await), "account_not_found");
        let elsewhere = OnAccount { ispb: ispb(BANK_B), ..ana.clone() };
        assert_eq!(code(stage.pay(&elsewhere, 2, 1).await), "account_not_found");
        stage.enrol(BANK_A, false, 2).await;
        assert_eq!(code(stage.pay(&ana, 2, 1).await), "bank_not_hosted");
        assert!(stage.directory.asked.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_silent_directory_is_no_refusal_and_a_retry_is_judged_anew() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        stage.account(BANK_B, 2, 0).await;
        let answer = stage.directory.keys.lock().unwrap()["2@example.com"].clone();
        let down = Err(LookupError::Unavailable("down".into()));
        stage.directory.keys.lock().unwrap().insert("2@example.com".into(), down);
        let order = stage.order(&ana, 2, 300);
        let failed = stage.run(stage.transfers(), vec![order.clone()]).await.remove(0);
        assert!(matches!(failed, Err(ApplicationError::Unavailable(_))), "{failed:?}");
        assert_eq!(stage.funds(&ana), (1_000, 0));
        stage.directory.keys.lock().unwrap().insert("2@example.com".into(), answer);
        stage.run(stage.transfers(), vec![order]).await.remove(0).unwrap();
        assert_eq!(stage.funds(&ana), (1_000, 300));
    }

    #[tokio::test]
    async fn a_repeat_gets_the_first_answer_and_holds_nothing_more() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        stage.account(BANK_B, 2, 0).await;
        let order = stage.order(&ana, 2, 300);
        let twice = vec![order.clone(), order.clone()];
        let mut answers = stage.run(stage.transfers(), twice).await;
        answers.extend(stage.run(stage.transfers(), vec![order.clone()]).await);
        let first = answers[0].clone().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref() == Ok(&first)), "{answers:?}");
        assert_eq!(stage.funds(&ana), (1_000, 300));
        let other = RequestTransfer { amount: amount(301), ..order };
        let reused = stage.run(stage.transfers(), vec![other]).await.remove(0);
        assert_eq!(code(reused), "idempotency_key_reused");
    }

    #[tokio::test]
    async fn a_batch_is_decided_in_order_and_never_overdraws() {
        let stage = Stage::new().await;
        let ana = stage.account(BANK_A, 1, 1_000).await;
        stage.account(BANK_B, 2, 0).await;
        let orders = (0..5).map(|_| stage.order(&ana, 2, 300)).collect();
        let answers = stage.run(stage.transfers(), orders).await;
        let taken: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        assert_eq!(code(answers[4].clone()), "insufficient_funds");
        assert_eq!(stage.funds(&ana), (1_000, 900));
        stage.books_are_right();
    }
}
