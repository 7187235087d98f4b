//! A hub on a database of the test's own, without Kafka: records go in, the outbox comes out.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use diesel_async::SimpleAsyncConnection as _;
use serde_json::{Value, json};
use shared_kernel::application::batcher::{BatchLimits, batcher};
use shared_kernel::application::command::CommandRunner;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::outbox::{Outbox, OutboxShard};
use shared_kernel::application::stop::{StopHandle, stop_pair};
use shared_kernel::application::{
    ApplicationError, BatchExecutor, BatchHandler, Caller, Clock, InboundRecord, OutboundRecord,
    StoreError, TopicPartition, TraceParent,
};
use shared_kernel::domain::{AccountId, BankCode, EndToEndId, Ispb, Money, Timestamp};
use shared_kernel::infrastructure::kafka::TailFeed;
use shared_kernel::infrastructure::postgres::DatabaseSettings;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::system::SystemClock;
use shared_kernel::testing::{CountedIds, FixedClock, TestServers};
use tokio::sync::Mutex;
use transfers::application::ports::{BankTopics, TransfersReads, TransfersStore};
use transfers::application::{
    AcknowledgeCreditHandler, Clearing, EnrolParticipant, EnrolParticipantHandler,
    ResolveTransferHandler, Transfers, TransfersSettings,
};
use transfers::domain::{LimitWish, Participant, ParticipantName, Position, Protocol, Transfer};
use transfers::infrastructure::audit::TransfersAudit;
use transfers::infrastructure::kafka::changes::TailChanges;
use transfers::infrastructure::kafka::consumer::BankMessages;
use transfers::infrastructure::kafka::inbound::BANK_MESSAGES;
use transfers::infrastructure::kafka::news::TailNews;
use transfers::infrastructure::{MIGRATIONS, SCHEMA, SOURCE};
use uuid::Uuid;

/// Three native banks.
pub(crate) const BBX: &str = "00000001";
pub(crate) const CTER: &str = "00000002";
pub(crate) const NLB: &str = "00000NLB";

pub(crate) fn ispb(text: &str) -> Ispb {
    Ispb::parse(text).unwrap()
}

pub(crate) fn trace() -> TraceParent {
    TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
}

/// The `EndToEndId` of that number, made by that bank.
pub(crate) fn id_of(bank: &str, number: usize) -> EndToEndId {
    let minute = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    EndToEndId::new(ispb(bank), minute, u128::try_from(number).unwrap())
}

/// The same for what a real log takes: of the present day, which the hub demands.
pub(crate) fn present_id_of(bank: &str, number: usize) -> EndToEndId {
    static BEGAN_AT: LazyLock<Timestamp> = LazyLock::new(|| SystemClock.now());
    EndToEndId::new(ispb(bank), *BEGAN_AT, u128::try_from(number).unwrap())
}

/// An event of Banking.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) id: EndToEndId,
    pub(crate) kind: &'static str,
    pub(crate) body: Value,
}

impl Said {
    fn new(kind: &'static str, id: EndToEndId, sender: &str, more: Value) -> Self {
        let mut body = more;
        body["end_to_end_id"] = json!(id);
        body["ispb"] = json!(sender);
        Self { id, kind, body }
    }

    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let id = Uuid::from_u128(7).to_string();
        let kind = format!("codepix.banking.{}.v1", self.kind);
        let trace = trace();
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", id.as_str()),
            ("ce_type", kind.as_str()),
            ("ce_source", "/codepix/banking"),
            ("ce_time", "2026-11-20T12:00:00Z"),
            ("ce_subject", self.id.as_str()),
            ("ce_aggregateversion", "1"),
            ("traceparent", trace.as_str()),
        ];
        headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec()
    }

    /// The record as it is read, from a partition, at an hour of the broker.
    pub(crate) fn read(&self, partition: i32, broker_time: Timestamp) -> InboundRecord {
        InboundRecord {
            from: TopicPartition { topic: BANK_MESSAGES.into(), partition },
            offset: 0,
            broker_time,
            key: Some(self.id.as_str().as_bytes().to_vec()),
            headers: self.headers(),
            payload: Some(self.body.to_string().into_bytes()),
        }
    }

    /// The record as a bank writes it.
    pub(crate) fn written(&self, prefix: &str) -> OutboundRecord {
        OutboundRecord {
            topics: vec![format!("{prefix}{BANK_MESSAGES}")],
            key: Some(self.id.as_str().as_bytes().to_vec()),
            headers: self.headers(),
            payload: Some(self.body.to_string().into_bytes()),
            time: None,
        }
    }
}

/// An order of so many centavos.
pub(crate) fn requested(id: EndToEndId, payee_bank: &str, centavos: i64) -> Said {
    let payer_bank = id.ispb().to_string();
    let party = |bank: &str, tax_id: &str| {
        json!({
            "ispb": bank, "account_id": account_of(bank), "owner_name": "Alguém",
            "owner_tax_id": tax_id,
        })
    };
    let more = json!({
        "payer": party(&payer_bank, "52998224725"),
        "payee": party(payee_bank, "11144477735"),
        "payee_key": "alguem@example.com",
        "amount": Money::from_centavos(centavos),
        "description": "rent \"of\" November",
        "requested_at": "2026-11-20T12:00:00Z",
    });
    Said::new("TransferRequested", id, &payer_bank, more)
}

pub(crate) fn account_of(bank: &str) -> AccountId {
    let number = bank.bytes().fold(0_u128, |sum, byte| sum.wrapping_mul(256) | u128::from(byte));
    AccountId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn accepted(id: EndToEndId, payee_bank: &str) -> Said {
    Said::new("TransferAccepted", id, payee_bank, json!({ "account_id": account_of(payee_bank) }))
}

pub(crate) fn refused(id: EndToEndId, payee_bank: &str, reason: &str) -> Said {
    Said::new("TransferRefused", id, payee_bank, json!({ "reason_code": reason }))
}

pub(crate) fn settled_by_payee(id: EndToEndId, payee_bank: &str) -> Said {
    Said::new("TransferSettledByPayee", id, payee_bank, json!({ "unapplied": false }))
}

pub(crate) fn settled_by_payer(id: EndToEndId) -> Said {
    Said::new("TransferSettledByPayer", id, &id.ispb().to_string(), json!({}))
}

/// All that honest banks say of one transfer, in order.
pub(crate) fn whole_life(id: EndToEndId, payee_bank: &str, centavos: i64) -> [Said; 4] {
    [
        requested(id, payee_bank, centavos),
        accepted(id, payee_bank),
        settled_by_payee(id, payee_bank),
        settled_by_payer(id),
    ]
}

/// No broker here: topics need none.
pub(crate) struct NoTopics;

#[async_trait]
impl BankTopics for NoTopics {
    async fn ensure(&self, _: &[Participant]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn ensure_outside(&self, _: &[String]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn outside(&self, _: &[String]) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

pub(crate) fn enrolment(code: &str, limit: Option<i64>) -> EnrolParticipant {
    EnrolParticipant {
        caller: Caller::Operator,
        trace: trace(),
        ispb: None,
        code: BankCode::parse(code).unwrap(),
        name: ParticipantName::parse(&format!("Bank {code}")).unwrap(),
        protocol: Some(Protocol::Native),
        position_limit: limit.map(Money::from_centavos).map_or(LimitWish::Without, LimitWish::Most),
    }
}

pub(crate) struct Hub {
    pub(crate) servers: TestServers,
    pub(crate) sessions: Sessions,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) settings: TransfersSettings,
    outbox: Mutex<Box<dyn OutboxShard>>,
}

impl Hub {
    /// A hub with the three banks, and nothing told yet.
    pub(crate) async fn new() -> Self {
        let hub = Self::empty().await;
        for code in ["001", "002", "NLB"] {
            hub.enrol(enrolment(code, None)).await.unwrap();
        }
        hub.sent().await;
        hub
    }

    pub(crate) async fn empty() -> Self {
        let servers = TestServers::fresh().await;
        let clock = Arc::new(FixedClock::default());
        let mut sessions = servers.sessions(SCHEMA, SOURCE, MIGRATIONS).await;
        sessions.clock = Arc::<FixedClock>::clone(&clock);
        let outbox = Mutex::new(sessions.try_lead(0).await.unwrap().unwrap());
        Self { servers, sessions, clock, settings: TransfersSettings::default(), outbox }
    }

    /// An audit of this hub.
    pub(crate) fn audit(&self) -> TransfersAudit {
        let url = self.servers.database_url.clone();
        TransfersAudit::new(&DatabaseSettings { url, connections_max: 2 }).unwrap()
    }

    /// Changes what no use case would.
    pub(crate) async fn sql(&self, text: &str) {
        self.sessions.database.session().await.unwrap().batch_execute(text).await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn store(&self) -> Arc<dyn TransfersStore> {
        Arc::new(self.sessions.clone())
    }

    pub(crate) fn handler(&self) -> BankMessages {
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&self.clock);
        let ids = Arc::new(CountedIds::default());
        BankMessages::new(self.store(), Clearing::new(clock, self.settings), ids)
    }

    pub(crate) async fn enrol(
        &self,
        command: EnrolParticipant,
    ) -> Result<Participant, ApplicationError> {
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&self.clock);
        let handler = EnrolParticipantHandler::new(self.store(), Arc::new(NoTopics), clock);
        let book = Arc::new(self.sessions.clone());
        let runner = CommandRunner::new(Arc::new(handler), book, Arc::new(Silent));
        runner.execute(vec![command]).await.pop().unwrap()
    }

    /// Handles what is said in one transaction; answers index and code of each refusal.
    pub(crate) async fn hear(&self, said: &[Said]) -> Vec<(usize, String)> {
        self.try_hear(said).await.unwrap()
    }

    pub(crate) async fn try_hear(&self, said: &[Said]) -> Result<Vec<(usize, String)>, StoreError> {
        let records: Vec<InboundRecord> =
            said.iter().map(|said| said.read(0, self.now())).collect();
        self.handle(&records).await
    }

    pub(crate) async fn handle(
        &self,
        records: &[InboundRecord],
    ) -> Result<Vec<(usize, String)>, StoreError> {
        let handler = self.handler();
        let mut transaction = handler.begin().await?;
        match handler.handle(&mut *transaction, records).await {
            Ok(refusals) => {
                transaction.commit().await?;
                Ok(refusals.into_iter().map(|refusal| (refusal.index, refusal.code)).collect())
            }
            Err(error) => {
                transaction.rollback().await;
                Err(error)
            }
        }
    }

    /// The use cases over this store, until the handle is dropped. No word of changes comes.
    pub(crate) fn facade(&self) -> (Arc<Transfers>, StopHandle) {
        let (stop, stopped) = stop_pair();
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&self.clock);
        let handler = EnrolParticipantHandler::new(self.store(), Arc::new(NoTopics), clock);
        let book = Arc::new(self.sessions.clone());
        let runner = CommandRunner::new(Arc::new(handler), book, Arc::new(Silent));
        let (enrol, workers) = batcher(Arc::new(runner), BatchLimits::default(), 1);
        for worker in workers {
            tokio::spawn(worker.run(stopped.clone()));
        }
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&self.clock);
        let handler = ResolveTransferHandler::new(self.store(), clock, self.settings);
        let book = Arc::new(self.sessions.clone());
        let runner = CommandRunner::new(Arc::new(handler), book, Arc::new(Silent));
        let (resolve, workers) = batcher(Arc::new(runner), BatchLimits::default(), 1);
        for worker in workers {
            tokio::spawn(worker.run(stopped.clone()));
        }
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&self.clock);
        let handler = AcknowledgeCreditHandler::new(self.store(), clock);
        let book = Arc::new(self.sessions.clone());
        let runner = CommandRunner::new(Arc::new(handler), book, Arc::new(Silent));
        let (acknowledge, workers) = batcher(Arc::new(runner), BatchLimits::default(), 1);
        for worker in workers {
            tokio::spawn(worker.run(stopped.clone()));
        }
        let reads: Arc<dyn TransfersReads> = Arc::new(self.sessions.clone());
        let changes = Arc::new(TailChanges::new(TailFeed::default(), stopped.clone()));
        let news = Arc::new(TailNews::new(stopped));
        (Arc::new(Transfers::new((enrol, resolve, acknowledge), &reads, changes, news)), stop)
    }

    /// Takes what would be sent out of the outbox.
    pub(crate) async fn sent(&self) -> Vec<OutboundRecord> {
        let mut outbox = self.outbox.lock().await;
        let rows = outbox.pending(1_000_000).await.unwrap();
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        outbox.remove(&ids).await.unwrap();
        rows.into_iter().flat_map(|row| row.records).collect()
    }

    pub(crate) async fn transfer(&self, id: EndToEndId) -> Option<Transfer> {
        self.sessions.transfers(&[id]).await.unwrap().pop()
    }

    pub(crate) async fn position(&self, bank: &str) -> Position {
        self.sessions.positions_of(&[ispb(bank)]).await.unwrap().pop().unwrap()
    }
}

/// What a record says: short type, version and topics without their prefix.
pub(crate) fn told(hub: &Hub, record: &OutboundRecord) -> (String, String, Vec<String>) {
    let header = |name: &str| {
        let found = record.headers.iter().find(|(header, _)| header == name);
        String::from_utf8(found.unwrap().1.clone()).unwrap()
    };
    let prefix = hub.servers.kafka.topic_prefix.as_str();
    let topics = record.topics.iter();
    let topics = topics.map(|topic| topic.strip_prefix(prefix).unwrap().to_owned()).collect();
    (header("ce_type"), header("ce_aggregateversion"), topics)
}
