//! The whole directory on a real log: started, told, asked, stopped, started again.

use pix_keys::infrastructure::grpc::proto::pix_keys_service_client::PixKeysServiceClient;
use pix_keys::infrastructure::grpc::proto::{FindKeyRequest, PixKeyKind, RegisterKeyRequest};
use pix_keys::infrastructure::kafka::inbound::{ACCOUNTS_TOPIC, PARTICIPANTS_TOPIC};
use pix_keys::infrastructure::kafka::published;
use pix_keys::infrastructure::{FILE_DESCRIPTOR_SET, PixKeysSettings, start};
use serde_json::{Value, json};
use shared_kernel::application::InboundRecord;
use shared_kernel::infrastructure::Stage;
use shared_kernel::testing::{ForeignEvent, TestContext, TestServers, eventually};
use tonic::service::{Routes, RoutesBuilder};
use tonic::{Code, Status};

use crate::harness::{BBX, MARIA, account_id, person};

/// A process that runs the directory.
struct Process {
    client: PixKeysServiceClient<Routes>,
    stops: TestContext,
    work: Vec<tokio::task::JoinHandle<()>>,
    relays: Vec<tokio::task::JoinHandle<()>>,
}

impl Process {
    async fn begin(servers: &TestServers) -> Self {
        let stops = servers.context();
        let running = start(&stops.settings, PixKeysSettings::default()).await.unwrap();
        let mut routes = RoutesBuilder::default();
        running.services.add_to(&mut routes);
        let (mut work, mut relays) = (Vec::new(), Vec::new());
        for worker in running.workers {
            let stage = match worker.stage {
                Stage::Work => &mut work,
                Stage::Relay => &mut relays,
            };
            stage.push(tokio::spawn(async { worker.run.await.unwrap() }));
        }
        Self { client: PixKeysServiceClient::new(routes.routes()), stops, work, relays }
    }

    async fn end(self) {
        self.stops.stop_work.stop();
        for worker in self.work {
            worker.await.unwrap();
        }
        self.stops.stop_relays.stop();
        for relay in self.relays {
            relay.await.unwrap();
        }
    }

    async fn register(&self, number: u128, text: &str) -> Result<String, Status> {
        let message = RegisterKeyRequest {
            request_id: format!("{number}-{text}"),
            kind: PixKeyKind::Email.into(),
            key: text.into(),
            account_id: account_id(number).to_string(),
        };
        let answer = self.client.clone().register_key(message).await?.into_inner();
        Ok(answer.entry.unwrap().entry_id)
    }

    async fn find(&self, text: &str) -> Result<(String, String), Status> {
        let message =
            FindKeyRequest { key: text.into(), requester_ispb: BBX.into(), ..Default::default() };
        let entry = self.client.clone().find_key(message).await?.into_inner().entry.unwrap();
        Ok((entry.entry_id, entry.account.unwrap().bank_name))
    }
}

fn participant(version: i64, name: &str) -> ForeignEvent {
    ForeignEvent {
        event_type: "codepix.transfers.ParticipantChanged.v1",
        source: "/codepix/transfers",
        subject: BBX.into(),
        version,
        payload: json!({"ispb": BBX, "code": "001", "name": name, "protocol": "native"})
            .to_string(),
    }
}

fn account(event_type: &'static str, number: u128, version: i64, tax_id: &str) -> ForeignEvent {
    let id = account_id(number).to_string();
    let body = json!({
        "account_id": id, "ispb": BBX, "branch": "0001", "number": number.to_string(),
        "owner_name": "Owner", "owner_tax_id": tax_id, "limits": {},
    });
    let payload = body.to_string();
    ForeignEvent { event_type, source: "/codepix/banking", subject: id, version, payload }
}

fn opened(number: u128, tax_id: &str) -> ForeignEvent {
    account("codepix.banking.AccountOpened.v1", number, 1, tax_id)
}

async fn tell(servers: &TestServers, topic: &str, events: Vec<ForeignEvent>) {
    let records: Vec<_> = events.into_iter().map(|event| servers.foreign(topic, event)).collect();
    servers.write(&records).await;
}

/// What the directory has published of one key: type, version and body.
async fn published_of(servers: &TestServers, text: &str) -> Vec<(String, String, Value)> {
    let header = |record: &InboundRecord, name| record.header(name).unwrap().to_owned();
    servers
        .read_all(published::KEYS.address)
        .await
        .into_iter()
        .filter(|record| record.key.as_deref() == Some(text.as_bytes()))
        .map(|record| {
            let body = serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap();
            (header(&record, "ce_type"), header(&record, "ce_aggregateversion"), body)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_comes_gets_keys_and_goes_and_nothing_is_lost_on_the_way() {
    let servers = TestServers::fresh().await;
    let process = Process::begin(&servers).await;
    let mut garbage = opened(9, MARIA);
    garbage.payload = "not JSON".into();
    let participants = vec![participant(2, "BBX"), participant(1, "Old"), participant(2, "BBX")];
    tell(&servers, PARTICIPANTS_TOPIC, participants).await;
    let accounts = vec![garbage, opened(1, MARIA), opened(1, MARIA), opened(2, &person(2))];
    tell(&servers, ACCOUNTS_TOPIC, accounts).await;
    eventually(async || process.register(1, "maria@example.com").await).await;
    eventually(async || process.register(2, "two@example.com").await).await;
    let (first, bank) = process.find("maria@example.com").await.unwrap();
    assert_eq!(bank, "BBX");

    let closed = account("codepix.banking.AccountClosed.v1", 1, 5, MARIA);
    tell(&servers, ACCOUNTS_TOPIC, vec![closed.clone(), opened(1, MARIA), closed]).await;
    eventually(async || match process.find("maria@example.com").await {
        Err(status) if status.code() == Code::NotFound => Ok(()),
        other => Err(other),
    })
    .await;
    process.end().await;

    let told = published_of(&servers, "maria@example.com").await;
    let [registered, removed] = told.as_slice() else { panic!("two events: {told:?}") };
    assert_eq!(registered.0, "codepix.pix_keys.PixKeyRegistered.v1");
    assert_eq!(
        (removed.0.as_str(), removed.1.as_str()),
        ("codepix.pix_keys.PixKeyRemoved.v1", "2")
    );
    assert_eq!(registered.2["entry_id"], first.as_str());
    assert_eq!(
        (&removed.2["entry_id"], &removed.2["reason"]),
        (&json!(first), &json!("ACCOUNT_CLOSURE"))
    );
    let letters = servers.read_all(&format!("{ACCOUNTS_TOPIC}.dlq")).await;
    let [letter] = letters.as_slice() else { panic!("one dead letter: {letters:?}") };
    assert_eq!(letter.header("dlq_code"), Some("payload_json"));
    assert_eq!(letter.payload.as_deref(), Some(b"not JSON".as_slice()));

    // Another process goes on where the first stopped.
    let process = Process::begin(&servers).await;
    process.find("two@example.com").await.unwrap();
    tell(&servers, ACCOUNTS_TOPIC, vec![opened(1, MARIA), opened(3, &person(3))]).await;
    let second = eventually(async || process.register(3, "maria@example.com").await).await;
    assert_ne!(second, first);
    process.end().await;
    assert_eq!(published_of(&servers, "maria@example.com").await.len(), 3);
    assert_eq!(published_of(&servers, "two@example.com").await.len(), 1);
}

#[test]
fn the_protocol_is_there_for_reflection() {
    let text = String::from_utf8_lossy(FILE_DESCRIPTOR_SET);
    assert!(text.contains("codepix.pix_keys.v1") && text.contains("PixKeysService"));
}
