//! The clients and accounts that Wallet Core's course begins with: John and Jane, 1,000.00 each.
//!
//! Written through the use cases, by fixed ids and keys: once, however often the hub starts.

use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::{ApplicationError, Caller, Clock, Ids, StopSignal, TraceParent};
use shared_kernel::domain::{AccountId, Amount, Ispb};

use crate::application::Banking;
use crate::application::account_command::OnAccount;
use crate::application::command::{Deposit, OpenAccount, RegisterClient};
use crate::application::ports::Outcome;
use crate::domain::{ClientId, Email, OwnerName};

/// A client with an account.
struct Fixture {
    client_id: &'static str,
    name: &'static str,
    email: &'static str,
    account_id: &'static str,
}

const FIXTURES: [Fixture; 2] = [
    Fixture {
        client_id: "5f1c2a34-7d0e-4f83-9b61-2c8a4e0d7b11",
        name: "John",
        email: "john@j.com",
        account_id: "912ca3ff-59d4-4640-acd8-76eb1faf0dbe",
    },
    Fixture {
        client_id: "a7e90d52-3b64-4c18-8f2d-90b1c5d3e622",
        name: "Jane",
        email: "jane@j.com",
        account_id: "31fb673a-012a-4cfc-8dc9-7a9ad0219437",
    },
];

/// Opening balance: 1,000.00.
const OPENING_CENTAVOS: i64 = 100_000;
/// Version of an account that was opened and has seen nothing since.
const OPENED: i64 = 1;
/// Pause before the bank is looked for again.
const PAUSE: Duration = Duration::from_millis(200);

/// Writes them once the bank is open.
pub(in super::super) struct Fixtures {
    pub(in super::super) ispb: Ispb,
    pub(in super::super) facade: Arc<Banking>,
    pub(in super::super) clock: Arc<dyn Clock>,
    pub(in super::super) ids: Arc<dyn Ids>,
}

impl Fixtures {
    /// Writes them, then waits for the end of the process.
    pub(in super::super) async fn run(self, mut stop: StopSignal) {
        while !stop.is_stopped() {
            match self.write().await {
                Ok(()) => break,
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "Wallet Core's fixtures could not be written");
                    break;
                }
            }
            tokio::select! {
                () = stop.stopped() => {}
                () = self.clock.sleep(PAUSE) => {}
            }
        }
        stop.stopped().await;
    }

    async fn write(&self) -> Outcome<()> {
        for fixture in FIXTURES {
            self.client(&fixture).await?;
            self.account(&fixture).await?;
        }
        Ok(())
    }

    async fn client(&self, fixture: &Fixture) -> Outcome<()> {
        let command = RegisterClient {
            caller: Caller::Operator,
            idempotency_key: format!("wallet-core-client-{}", fixture.client_id),
            ispb: self.ispb,
            name: OwnerName::parse(fixture.name)?,
            email: Email::parse(fixture.email)?,
            client_id: Some(ClientId::parse(fixture.client_id)?),
        };
        self.facade.register_client.submit(command).await.map(drop)
    }

    async fn account(&self, fixture: &Fixture) -> Outcome<()> {
        let id = ClientId::parse(fixture.client_id)?;
        let client = self.facade.get_client.execute(Caller::Operator, self.ispb, id).await?;
        let trace = TraceParent::begin(&*self.ids);
        let account_id = AccountId::parse(fixture.account_id)?;
        let command = OpenAccount {
            caller: Caller::Operator,
            trace: trace.clone(),
            idempotency_key: format!("wallet-core-open-{account_id}"),
            ispb: self.ispb,
            owner_name: client.name,
            owner_tax_id: client.tax_id,
            branch: None,
            number: None,
            account_id: Some(account_id),
        };
        let account = self.facade.open_account.submit(command).await?;
        // Keys of commands are forgotten one day; an account with a history has its money.
        if account.version > OPENED {
            return Ok(());
        }
        let command = Deposit {
            on: OnAccount { caller: Caller::Operator, trace, ispb: self.ispb, account_id },
            idempotency_key: format!("wallet-core-deposit-{account_id}"),
            amount: Amount::from_centavos(OPENING_CENTAVOS)?,
        };
        self.facade.deposit.submit(command).await.map(drop)
    }
}

/// Whether it is worth another try: the bank hears of its enrolment through the log.
fn is_passing(error: &ApplicationError) -> bool {
    match error {
        ApplicationError::Refused(broken) => broken.code() == "bank_not_hosted",
        ApplicationError::Unavailable(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::Violation;

    use super::*;

    #[test]
    fn every_fixture_is_valid() {
        for Fixture { client_id, name, email, account_id } in FIXTURES {
            ClientId::parse(client_id).unwrap();
            OwnerName::parse(name).unwrap();
            Email::parse(email).unwrap();
            AccountId::parse(account_id).unwrap();
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert!(is_passing(&ApplicationError::Unavailable("down".into())));
        let refused = |code| ApplicationError::from(Violation::not_found(code, "ispb", "no"));
        assert!(is_passing(&refused("bank_not_hosted")));
        assert!(!is_passing(&refused("client_id_taken")));
    }
}
