//! The whole context as a process of its own, with the hub and the directory played by the test.

use std::time::Duration;

use banking::application::views::TransferView;
use banking::domain::{BankColors, Party};
use banking::infrastructure::grpc::proto;
use banking::infrastructure::grpc::proto::banking_service_server::BankingService;
use banking::infrastructure::{BankingServices, BankingSettings, Running, start};
use shared_kernel::application::log::{InboundRecord, OutboundRecord};
use shared_kernel::application::{Clock, Ids};
use shared_kernel::domain::{AccountId, Ispb};
use shared_kernel::infrastructure::system::{SystemClock, SystemIds};
use shared_kernel::testing::{ForeignEvent, TestContext, TestServers, eventually};
use tonic::{Request, Status};

use crate::directory::Keys;
use crate::world::{cpf, ispb};

/// A running context.
pub(crate) struct Process {
    pub(crate) servers: TestServers,
    pub(crate) keys: Keys,
    pub(crate) running: Running,
    context: TestContext,
}

/// What the hub says, as JSON.
pub(crate) struct Word<'a> {
    pub(crate) name: &'static str,
    pub(crate) id: &'a str,
    pub(crate) payer: &'a Party,
    pub(crate) payee: &'a Party,
    pub(crate) amount: &'a str,
    pub(crate) reason: Option<&'a str>,
}

fn party(party: &Party) -> String {
    format!(
        r#"{{"ispb":"{}","account_id":"{}","owner_name":"{}","owner_tax_id":"{}","more":1}}"#,
        party.ispb,
        party.account_id,
        party.owner_name,
        party.owner_tax_id.as_str()
    )
}

impl Process {
    /// Starts the context for these banks only, or for all.
    pub(crate) async fn start(banks: &[&str]) -> Self {
        Self::on(TestServers::fresh().await, banks).await
    }

    /// Starts the context on these servers.
    pub(crate) async fn on(servers: TestServers, banks: &[&str]) -> Self {
        Self::in_colors(servers, banks, "").await
    }

    /// Starts the context with banks in these colours.
    pub(crate) async fn in_colors(servers: TestServers, banks: &[&str], colors: &str) -> Self {
        let keys = Keys::default();
        let context = servers.context();
        let url = format!("http://{}", keys.serve().await);
        let own = BankingSettings {
            banks: banks.iter().map(|bank| ispb(bank)).collect(),
            colors: BankColors::parse(colors).unwrap(),
            ..BankingSettings::new(url)
        };
        let mut running = start(&context.settings, own).await.unwrap();
        for worker in running.workers.drain(..) {
            tokio::spawn(worker.run);
        }
        Self { servers, keys, running, context }
    }

    /// Asks everything to end.
    pub(crate) fn stop(&self) {
        self.context.stop_work.stop();
        self.context.stop_relays.stop();
    }

    pub(crate) fn services(&self) -> &BankingServices {
        &self.running.services
    }

    /// Enrols participants on their topic.
    pub(crate) fn participant(&self, bank: &str, protocol: &str, version: i64) -> OutboundRecord {
        let payload = format!(
            r#"{{"ispb":"{bank}","code":"{bank}","name":"Bank {bank}","protocol":"{protocol}",
                "position_limit":null,"enrolled_at":"2026-11-20T12:00:00.000000Z"}}"#
        );
        let event = ForeignEvent {
            event_type: "codepix.transfers.ParticipantEnrolled.v1",
            source: "/codepix/transfers",
            subject: bank.to_owned(),
            version,
            payload,
        };
        self.servers.foreign("codepix.transfers.participants", event)
    }

    /// Enrols native banks, makes their topics, and waits until the context hosts them.
    pub(crate) async fn enrol(&self, banks: &[&str]) {
        let topics: Vec<String> = banks.iter().map(|bank| format!("codepix.bank.{bank}")).collect();
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        self.servers.create_topics(&names, 2).await;
        let records: Vec<OutboundRecord> =
            banks.iter().map(|bank| self.participant(bank, "native", 1)).collect();
        self.servers.write(&records).await;
        self.hosts(banks).await;
    }

    /// Waits until exactly these banks are hosted.
    pub(crate) async fn hosts(&self, banks: &[&str]) {
        let wanted: Vec<Ispb> = banks.iter().map(|bank| ispb(bank)).collect();
        eventually(async || {
            let operator = shared_kernel::application::Caller::Operator;
            let listed = self.running.facade.list_banks.execute(operator).await;
            let listed: Vec<Ispb> =
                listed.map_err(|error| error.to_string())?.iter().map(|bank| bank.ispb).collect();
            if listed == wanted { Ok(()) } else { Err(format!("{listed:?}")) }
        })
        .await;
    }

    /// The colours of the banks that are hosted, by ISPB.
    pub(crate) async fn colors(&self) -> Vec<(String, String)> {
        let operator = shared_kernel::application::Caller::Operator;
        let banks = self.running.facade.list_banks.execute(operator).await.unwrap();
        banks.into_iter().map(|bank| (bank.primary_color, bank.secondary_color)).collect()
    }

    /// An account with money, by gRPC; the directory knows `key`.
    pub(crate) async fn account(&self, bank: &str, owner: u32, centavos: i64, key: &str) -> Party {
        let request = proto::OpenAccountRequest {
            idempotency_key: SystemIds.random().to_string(),
            ispb: bank.to_owned(),
            owner_name: format!("Owner {owner}"),
            owner_tax_id: cpf(owner).as_str().to_owned(),
            ..proto::OpenAccountRequest::default()
        };
        let opened = self.services().open_account(Request::new(request)).await.unwrap();
        let account = opened.into_inner().account.unwrap();
        let owner = Party {
            ispb: ispb(bank),
            account_id: account.account_id.parse().unwrap(),
            owner_name: account.owner_name,
            owner_tax_id: cpf(owner),
        };
        if centavos > 0 {
            let request = proto::DepositRequest {
                idempotency_key: SystemIds.random().to_string(),
                account_id: account.account_id,
                amount_centavos: centavos,
            };
            self.services().deposit(Request::new(request)).await.unwrap();
        }
        self.keys.owners.lock().unwrap().insert(key.to_owned(), owner.clone());
        owner
    }

    /// Pays by gRPC.
    pub(crate) async fn try_pay(
        &self,
        from: &Party,
        key: &str,
        centavos: i64,
    ) -> Result<proto::Transfer, Status> {
        let request = proto::RequestTransferRequest {
            idempotency_key: SystemIds.random().to_string(),
            account_id: from.account_id.to_string(),
            payee_key: key.to_owned(),
            amount_centavos: centavos,
            description: "rent".to_owned(),
        };
        let ordered = self.services().request_transfer(Request::new(request)).await?;
        Ok(ordered.into_inner().transfer.unwrap())
    }

    /// Pays by gRPC what must be accepted.
    pub(crate) async fn pay(&self, from: &Party, key: &str, centavos: i64) -> proto::Transfer {
        self.try_pay(from, key, centavos).await.unwrap()
    }

    /// (balance, held) of an account.
    pub(crate) async fn funds(&self, of: &Party) -> (i64, i64) {
        let operator = shared_kernel::application::Caller::Operator;
        let account = self.running.facade.get_account.execute(operator, of.account_id).await;
        let account = account.unwrap();
        (account.balance.centavos(), account.held.centavos())
    }

    /// Waits until an account has that much.
    pub(crate) async fn has(&self, of: &Party, funds: (i64, i64)) {
        eventually(async || {
            let now = self.funds(of).await;
            if now == funds { Ok(()) } else { Err(now) }
        })
        .await;
    }

    /// A record of the hub on a bank's topic.
    pub(crate) fn word(&self, to: &str, word: &Word<'_>) -> OutboundRecord {
        let now = SystemClock.now();
        let deadline = now.saturating_add(Duration::from_secs(40));
        let reason = word.reason.map_or("null".to_owned(), |code| format!("\"{code}\""));
        let payload = format!(
            r#"{{"end_to_end_id":"{}","state":"any","amount":{{"amount":"{}","currency":"BRL"}},
                "payer":{},"payee":{},"payee_key":"k","description":"rent","reason_code":{reason},
                "registered_at":"{now}","deadline":"{deadline}","confirmed_at":null,
                "finished_at":null,"version":1,"payer_reported":false,"payee_reported":false}}"#,
            word.id,
            word.amount,
            party(word.payer),
            party(word.payee),
        );
        let event = ForeignEvent {
            event_type: word.name,
            source: "/codepix/transfers",
            subject: word.id.to_owned(),
            version: 1,
            payload,
        };
        self.servers.foreign(&format!("codepix.bank.{to}"), event)
    }

    /// Waits until the topic holds `count` records, and gives them.
    pub(crate) async fn published(&self, topic: &str, count: usize) -> Vec<InboundRecord> {
        eventually(async || {
            let records = self.servers.read_all(topic).await;
            if records.len() >= count { Ok(records) } else { Err(records.len()) }
        })
        .await
    }

    /// The transfer as the account sees it.
    pub(crate) async fn transfer(&self, id: &str, account_id: AccountId) -> TransferView {
        let operator = shared_kernel::application::Caller::Operator;
        let get = &self.running.facade.get_transfer;
        get.execute(operator, id.parse().unwrap(), account_id).await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
