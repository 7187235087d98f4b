//! A bank program that is not ours, as it looks from the hub: gRPC under its own package, JSON on
//! three topics, and no idempotency at all.

use std::sync::Arc;
use std::time::Duration;

use codepix::client::{Hub, transfers};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{ClientConfig, Message as _};
use serde_json::{Value, json};
use shared_kernel::application::Ids as _;
use shared_kernel::infrastructure::system::SystemIds;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

use super::log::Raw;
use super::scene::{enrolment, patiently};
use super::{Log, Scene, TestHub, eventually, people};

/// The package that most programs were generated with.
pub(crate) const PACKAGE: &str = "github.com.codeedu.codepix";

/// Their messages: every field is a text.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PixKeyRegistration {
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    #[prost(string, tag = "2")]
    pub(crate) key: String,
    #[prost(string, tag = "3")]
    pub(crate) account_id: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PixKeyCreatedResult {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) status: String,
    #[prost(string, tag = "3")]
    pub(crate) error: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PixKey {
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    #[prost(string, tag = "2")]
    pub(crate) key: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ProgramAccount {
    #[prost(string, tag = "1")]
    pub(crate) account_id: String,
    #[prost(string, tag = "2")]
    pub(crate) account_number: String,
    #[prost(string, tag = "3")]
    pub(crate) bank_id: String,
    #[prost(string, tag = "4")]
    pub(crate) bank_name: String,
    #[prost(string, tag = "5")]
    pub(crate) owner_name: String,
    #[prost(string, tag = "6")]
    pub(crate) created_at: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PixKeyInfo {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) kind: String,
    #[prost(string, tag = "3")]
    pub(crate) key: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) account: Option<ProgramAccount>,
    #[prost(string, tag = "5")]
    pub(crate) created_at: String,
}

/// A call as a program of this package makes it.
pub(crate) async fn call<Q, A>(
    hub: &Hub,
    package: &str,
    method: &str,
    message: Q,
) -> Result<A, Status>
where
    Q: prost::Message + 'static,
    A: prost::Message + Default + 'static,
{
    let mut client = Grpc::new(hub.channel());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path: PathAndQuery = format!("/{package}.PixService/{method}").parse().unwrap();
    let codec = tonic_prost::ProstCodec::<Q, A>::default();
    client.unary(Request::new(message), path, codec).await.map(tonic::Response::into_inner)
}

/// A bank whose books are in its own program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    log: Log,
    hub: Hub,
    code: String,
    /// The account of its one customer.
    pub(crate) account_id: String,
    /// The key of that customer.
    pub(crate) key: String,
}

impl Program {
    /// Enrols the bank and its customer, who registers a key.
    pub(crate) async fn start(hub: &TestHub, code: &str) -> Self {
        let scene = hub.scene();
        let protocol = transfers::ParticipantProtocol::Classic.into();
        let asked = transfers::EnrolParticipantRequest { protocol, ..enrolment(code) };
        let ispb = scene.enrol_with(asked).await;
        let account_id = SystemIds.random().to_string();
        enrol_account(&scene, &ispb, &account_id).await;
        let key = format!("{}@example.com", SystemIds.random());
        let (log, code) = (Log::of(&hub.servers), code.to_owned());
        let program = Self { log, hub: hub.client().clone(), code, account_id, key };
        program.register("email", &program.key).await.unwrap();
        program
    }

    /// The program of a fixture bank: the hub and it have the same fixtures. Its customer registers
    /// this CPF, once the hub has its own.
    pub(crate) async fn of_fixture(
        hub: &TestHub,
        (code, account_id): (&str, &str),
        cpf: &str,
    ) -> Self {
        let (log, code) = (Log::of(&hub.servers), code.to_owned());
        let (account_id, key) = (account_id.to_owned(), cpf.to_owned());
        let program = Self { log, hub: hub.client().clone(), code, account_id, key };
        eventually(async || program.register("cpf", cpf).await).await;
        program
    }

    pub(crate) async fn register(
        &self,
        kind: &str,
        key: &str,
    ) -> Result<PixKeyCreatedResult, Status> {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        let message = PixKeyRegistration { kind, key, account_id: self.account_id.clone() };
        call(&self.hub, PACKAGE, "RegisterPixKey", message).await
    }

    /// Writes an order, its amount digit for digit; answers its id.
    pub(crate) async fn order(&self, amount: &str, key: &str) -> String {
        let id = SystemIds.random().to_string();
        self.order_as(&id, amount, key).await;
        id
    }

    /// Writes an order under an id.
    pub(crate) async fn order_as(&self, id: &str, amount: &str, key: &str) {
        let account = &self.account_id;
        let kind = if key.contains('@') { "email" } else { "cpf" };
        let body = format!(
            r#"{{"id":"{id}","accountId":"{account}","amount":{amount},"pixkeyto":"{key}",
                "pixKeyKindTo":"{kind}"}}"#
        );
        self.write("transactions", body).await;
    }

    /// Says that it has credited (`confirmed`), or that it knows of the end (`completed`).
    pub(crate) async fn confirm(&self, id: &str, status: &str) {
        let body = json!({ "id": id, "status": status });
        self.write("transaction_confirmation", body.to_string()).await;
    }

    pub(crate) async fn write(&self, topic: &str, body: String) {
        let key = Some(SystemIds.random().to_string().into_bytes());
        let payload = Some(body.into_bytes());
        let topic = topic.to_owned();
        self.log.put(&[Raw { topic, partition: None, key, headers: vec![], payload }]).await;
    }

    /// Everything that it was told.
    pub(crate) async fn inbox(&self) -> Vec<Value> {
        let records = self.log.records(&format!("bank{}", self.code)).await;
        let body = |record: &shared_kernel::application::InboundRecord| {
            serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap()
        };
        records.iter().map(body).collect()
    }

    /// Waits until it was told this of an order.
    pub(crate) async fn hears(&self, id: &str, status: &str) -> Value {
        eventually(async || {
            let inbox = self.inbox().await;
            let fits = |it: &&Value| it["id"] == id && it["status"] == status;
            inbox.iter().find(fits).cloned().ok_or_else(|| format!("{inbox:?}"))
        })
        .await
    }

    /// Waits until it was told of a transfer to its customer, from wherever.
    pub(crate) async fn hears_of_credit(&self) -> Value {
        eventually(async || {
            let inbox = self.inbox().await;
            let found = inbox.iter().find(|it| it["status"] == "pending").cloned();
            found.ok_or_else(|| format!("{inbox:?}"))
        })
        .await
    }
}

/// A program's own reader of its bank's topic, which commits what it has read: where it stops, the
/// next one of its group goes on.
pub(crate) struct Reading(Arc<BaseConsumer>);

impl Reading {
    /// Starts to read, as most programs do: from the beginning where nothing was committed.
    pub(crate) fn start(hub: &TestHub, code: &str) -> Self {
        let kafka = &hub.servers.kafka;
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &kafka.brokers)
            .set("group.id", kafka.named(&format!("program-of-{code}")))
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        consumer.subscribe(&[kafka.named(&format!("bank{code}")).as_str()]).unwrap();
        Self(Arc::new(consumer))
    }

    /// The next message, which is committed then.
    pub(crate) async fn next(&self) -> Value {
        eventually(async || {
            let consumer = Arc::clone(&self.0);
            tokio::task::spawn_blocking(move || committed(&consumer)).await.unwrap()
        })
        .await
    }
}

fn committed(consumer: &BaseConsumer) -> Result<Value, String> {
    let polled = consumer.poll(Duration::from_millis(200)).ok_or("nothing yet")?;
    let message = polled.map_err(|error| error.to_string())?;
    let told = serde_json::from_slice(message.payload().unwrap_or_default());
    consumer.commit_message(&message, CommitMode::Sync).map_err(|error| error.to_string())?;
    told.map_err(|error| error.to_string())
}

async fn enrol_account(scene: &Scene, ispb: &str, account_id: &str) {
    let asked = codepix::client::pix_keys::EnrolAccountRequest {
        account_id: account_id.to_owned(),
        ispb: ispb.to_owned(),
        branch: "0001".to_owned(),
        number: "1".to_owned(),
        owner_name: "Cliente".to_owned(),
        owner_tax_id: people::cpf(),
    };
    let ask = async || scene.directory.pix_keys().enrol_account(asked.clone()).await;
    patiently(&["participant_not_found"], ask).await;
}
