//! A client of a bank.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::{Ispb, Violation};

use crate::application::ports::{BankingReads, Outcome};
use crate::domain::{Client, ClientId};

/// Finds a client at a bank.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct GetClient(pub Arc<dyn BankingReads>);

impl GetClient {
    /// The client.
    ///
    /// # Errors
    /// `client_not_found`, for a client of another bank too; `caller_may_not_act_for_bank`.
    pub async fn execute(&self, caller: Caller, ispb: Ispb, id: ClientId) -> Outcome<Client> {
        caller.may_act_for(&ispb)?;
        let found = self.0.clients(&[id]).await?.into_iter().find(|client| client.ispb == ispb);
        Ok(found.ok_or_else(|| {
            Violation::not_found("client_not_found", "client_id", "there is no such client")
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::command::{RegisterClient, RegisterClientDesk};
    use crate::application::stage::{Stage, code};
    use crate::domain::samples::{BANK_A, BANK_B, ispb};
    use crate::domain::{Email, OwnerName};

    #[tokio::test]
    async fn a_client_is_found_at_its_own_bank_alone() {
        let stage = Stage::new().await;
        let command = RegisterClient {
            caller: Caller::Operator,
            idempotency_key: stage.key(),
            ispb: ispb(BANK_A),
            name: OwnerName::parse("John").unwrap(),
            email: Email::parse("john@example.com").unwrap(),
            client_id: None,
        };
        let desk = RegisterClientDesk(stage.ports.clone());
        let client = stage.run(desk, vec![command]).await.remove(0).unwrap();
        let get = GetClient(stage.ports.reads.clone());
        let found = get.execute(Caller::Operator, ispb(BANK_A), client.id).await.unwrap();
        assert_eq!(found.tax_id, client.tax_id);
        let elsewhere = get.execute(Caller::Operator, ispb(BANK_B), client.id).await;
        assert_eq!(code(elsewhere), "client_not_found");
        let stranger = get.execute(Caller::Bank(ispb(BANK_B)), ispb(BANK_A), client.id).await;
        assert_eq!(code(stranger), "caller_may_not_act_for_bank");
    }
}
