//! A bank takes a customer without a tax id.
//!
//! Cost per batch: one read of the banks, then one transaction: desks and clients loaded once
//! each, one write per table.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use shared_kernel::application::{
    ApplicationError, BatchCommand, Caller, CommandIdentity, StoreError,
};
use shared_kernel::domain::{Ispb, Timestamp, Violation};

use super::identity;
use crate::application::account_command::{admit, not_hosted};
use crate::application::books::Changes;
use crate::application::ports::{BankDesk, BankingPorts, OpenTransaction};
use crate::application::views::ClientView;
use crate::domain::{Client, ClientId, Email, OwnerName, client_tax_id};

/// Registers a client.
#[derive(Clone, Debug)]
pub struct RegisterClient {
    /// Who.
    pub caller: Caller,
    /// A repeat with this key gets the first answer.
    pub idempotency_key: String,
    /// The bank.
    pub ispb: Ispb,
    /// The client's name.
    pub name: OwnerName,
    /// The client's e-mail.
    pub email: Email,
    /// The id; only operators choose one, and the same again is answered as the first time.
    pub client_id: Option<ClientId>,
}

/// Decides [`RegisterClient`].
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct RegisterClientDesk(pub BankingPorts);

/// What a batch knows.
struct Counter {
    now: Timestamp,
    desks: BTreeMap<Ispb, BankDesk>,
    clients: BTreeMap<ClientId, Client>,
    changes: Changes,
}

#[async_trait]
impl BatchCommand for RegisterClientDesk {
    type Command = RegisterClient;
    type Prepared = ();
    type Answer = ClientView;
    type Transaction = OpenTransaction;

    const OPERATION: &'static str = "register_client";

    fn authorize(&self, command: &RegisterClient) -> Result<(), Violation> {
        if command.client_id.is_some() {
            command.caller.must_be_operator()?;
        }
        command.caller.may_act_for(&command.ispb)
    }

    fn identity(&self, command: &RegisterClient) -> Option<CommandIdentity> {
        let id = command.client_id.map(|id| id.to_string()).unwrap_or_default();
        let content: [&[u8]; 3] =
            [command.name.as_str().as_bytes(), command.email.as_str().as_bytes(), id.as_bytes()];
        Some(identity(command.ispb, Self::OPERATION, &command.idempotency_key, &content))
    }

    async fn prepare(&self, commands: &[RegisterClient]) -> Vec<Result<(), ApplicationError>> {
        admit(&self.0, commands.iter().map(|command| command.ispb).collect()).await
    }

    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        self.0.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut OpenTransaction,
        commands: &[(RegisterClient, ())],
    ) -> Result<Vec<Result<ClientView, Violation>>, StoreError> {
        let banks: BTreeSet<Ispb> = commands.iter().map(|(command, ())| command.ispb).collect();
        let banks: Vec<Ispb> = banks.into_iter().collect();
        let desks = transaction.desks(&banks).await?;
        let chosen: BTreeSet<ClientId> =
            commands.iter().filter_map(|(command, ())| command.client_id).collect();
        let chosen: Vec<ClientId> = chosen.into_iter().collect();
        let known =
            if chosen.is_empty() { Vec::new() } else { transaction.clients(&chosen).await? };
        let mut counter = Counter {
            now: self.0.clock.now(),
            desks: desks.into_iter().map(|desk| (desk.ispb, desk)).collect(),
            clients: known.into_iter().map(|client| (client.id, client)).collect(),
            changes: Changes::default(),
        };
        let register = |(command, ()): &(RegisterClient, ())| self.register(&mut counter, command);
        let answers = commands.iter().map(register).collect();
        if !counter.changes.is_empty() {
            transaction.save(counter.changes).await?;
        }
        Ok(answers)
    }
}

impl RegisterClientDesk {
    fn register(
        &self,
        counter: &mut Counter,
        command: &RegisterClient,
    ) -> Result<ClientView, Violation> {
        if let Some(known) = command.client_id.and_then(|id| counter.clients.get(&id)) {
            return same_client(known, command).map(|()| ClientView::from(known));
        }
        let ispb = command.ispb;
        let desk = counter.desks.get_mut(&ispb).filter(|desk| desk.hosted);
        let desk = desk.ok_or_else(|| not_hosted(ispb))?;
        let client = Client {
            id: command.client_id.unwrap_or_else(|| ClientId::from_uuid(self.0.ids.ordered())),
            ispb,
            name: command.name.clone(),
            email: command.email.clone(),
            tax_id: client_tax_id(ispb, desk.next_client)?,
            registered_at: counter.now,
        };
        desk.next_client = desk.next_client.saturating_add(1);
        counter.changes.next_clients.insert(ispb, desk.next_client);
        counter.clients.insert(client.id, client.clone());
        let view = ClientView::from(&client);
        counter.changes.clients.push(client);
        Ok(view)
    }
}

/// The same id means the same client.
fn same_client(known: &Client, command: &RegisterClient) -> Result<(), Violation> {
    let wanted = (command.ispb, &command.name, &command.email);
    if (known.ispb, &known.name, &known.email) == wanted {
        return Ok(());
    }
    let message = "a client of other data has this id";
    Err(Violation::already_exists("client_id_taken", "client_id", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::stage::{Stage, code};
    use crate::domain::samples::{BANK_A, BANK_B, ispb};

    fn command(stage: &Stage, name: &str) -> RegisterClient {
        RegisterClient {
            caller: Caller::Operator,
            idempotency_key: stage.key(),
            ispb: ispb(BANK_A),
            name: OwnerName::parse(name).unwrap(),
            email: Email::parse("john@example.com").unwrap(),
            client_id: None,
        }
    }

    fn desk(stage: &Stage) -> RegisterClientDesk {
        RegisterClientDesk(stage.ports.clone())
    }

    #[tokio::test]
    async fn clients_are_counted_across_batches() {
        let stage = Stage::new().await;
        let both = vec![command(&stage, "John"), command(&stage, "Jane")];
        let mut answers = stage.run(desk(&stage), both).await;
        answers.extend(stage.run(desk(&stage), vec![command(&stage, "John")]).await);
        let numbers: Vec<String> = answers
            .iter()
            .map(|it| it.as_ref().unwrap().tax_id.as_str().chars().skip(8).take(4).collect())
            .collect();
        assert_eq!(numbers, ["0002", "0003", "0004"]);
        assert_eq!(stage.memory.tables().clients.len(), 3);
    }

    #[tokio::test]
    async fn a_chosen_id_is_one_client() {
        let stage = Stage::new().await;
        let id = Some(ClientId::from_uuid(uuid::Uuid::from_u128(7)));
        let chosen = |name| RegisterClient { client_id: id, ..command(&stage, name) };
        let twice = vec![chosen("John"), chosen("John")];
        let answers = stage.run(desk(&stage), twice).await;
        assert_eq!(answers[0], answers[1]);
        let again = stage.run(desk(&stage), vec![chosen("John")]).await;
        assert_eq!(again[0], answers[0]);
        let other = stage.run(desk(&stage), vec![chosen("Jane")]).await.remove(0);
        assert_eq!(code(other), "client_id_taken");
        assert_eq!(stage.memory.tables().clients.len(), 1);
    }

    #[tokio::test]
    async fn a_bank_registers_its_own_and_chooses_no_ids() {
        let stage = Stage::new().await;
        let by = |caller, id| {
            let client_id = id;
            RegisterClient { caller, client_id, ..command(&stage, "John") }
        };
        let (own, other) = (Caller::Bank(ispb(BANK_A)), Caller::Bank(ispb(BANK_B)));
        let id = Some(ClientId::from_uuid(uuid::Uuid::from_u128(7)));
        let wanted = vec![by(own, None), by(other, None), by(own, id)];
        let answers = stage.run(desk(&stage), wanted).await;
        assert!(answers[0].is_ok());
        assert_eq!(code(answers[1].clone()), "caller_may_not_act_for_bank");
        assert_eq!(code(answers[2].clone()), "operator_only");
        stage.enrol(BANK_A, false, 2).await;
        let resting = stage.run(desk(&stage), vec![command(&stage, "John")]).await.remove(0);
        assert_eq!(code(resting), "bank_not_hosted");
    }
}
