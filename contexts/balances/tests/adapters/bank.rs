//! A bank that states what its accounts have, and what the tests ask of the projection.

use std::ops::RangeInclusive;
use std::sync::Arc;

use balances::application::ports::BalancesReads;
use balances::domain::{AccountBalance, KnownBalance};
use balances::infrastructure::kafka::{
    ACCOUNTS_TOPIC, AccountsConsumer, TRANSFERS_TOPIC, TransfersConsumer,
};
use balances::infrastructure::postgres::{MIGRATIONS, PgBalancesReads, SCHEMA};
use balances::infrastructure::wallet_core::WalletCoreConsumer;
use balances::infrastructure::{BalancesAudit, WalletCoreTopics};
use diesel_async::SimpleAsyncConnection as _;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::relay::{Relay, RelayPorts, RelaySettings, Relayed};
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{BatchHandler, InboundRecord, OutboundRecord};
use shared_kernel::domain::{AccountId, Money};
use shared_kernel::infrastructure::kafka::ensure_topics;
use shared_kernel::infrastructure::postgres::DatabaseSettings;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::testing::{ForeignEvent, TestServers};
use uuid::Uuid;

pub(crate) const ISPB: &str = "00000001";
const PARTITIONS: i32 = 8;

/// One test's servers with the schema of this context.
pub(crate) struct World {
    pub(crate) servers: TestServers,
    pub(crate) sessions: Sessions,
    pub(crate) reads: PgBalancesReads,
}

impl World {
    pub(crate) async fn fresh() -> Self {
        let servers = TestServers::fresh().await;
        servers.create_topics(&[ACCOUNTS_TOPIC, TRANSFERS_TOPIC], PARTITIONS).await;
        let wallet_core = WalletCoreTopics::default();
        ensure_topics(&servers.kafka, &wallet_core.plans()).await.unwrap();
        let sessions = servers.sessions(SCHEMA, "/codepix/balances", MIGRATIONS).await;
        let reads = PgBalancesReads::new(sessions.database.clone());
        Self { servers, sessions, reads }
    }

    /// Tampers with what is stored.
    pub(crate) async fn execute(&self, sql: &str) {
        let mut connection = self.sessions.database.session().await.unwrap();
        connection.batch_execute(sql).await.unwrap();
    }

    pub(crate) fn audit(&self) -> BalancesAudit {
        let url = self.servers.database_url.clone();
        BalancesAudit::new(&DatabaseSettings { url, connections_max: 2 }).unwrap()
    }

    /// Consumes both topics until every partition is read to its end, then leaves.
    pub(crate) async fn consume(&self) {
        let store = Arc::new(self.sessions.clone());
        let accounts = Arc::new(AccountsConsumer::new(store.clone()));
        let transfers = Arc::new(TransfersConsumer::new(store));
        tokio::join!(
            self.consume_topic("codepix.balances", ACCOUNTS_TOPIC, accounts),
            self.consume_topic("codepix.balances.transfers", TRANSFERS_TOPIC, transfers),
        );
    }

    /// Consumes Wallet Core's topics until they are read to their ends, then leaves.
    pub(crate) async fn listen(&self) {
        self.listen_to(&WalletCoreTopics::default()).await;
    }

    /// The same under other names.
    pub(crate) async fn listen_to(&self, topics: &WalletCoreTopics) {
        for topic in topics.names() {
            let accounts = self.servers.kafka.named(&topics.accounts);
            let store = Arc::new(self.sessions.clone());
            let handler = Arc::new(WalletCoreConsumer::new(store, accounts));
            let group = "codepix.balances.wallet-core";
            let (mut consumer, progress) =
                self.servers.consumer(group, topic, &self.sessions, handler);
            let (_handle, stop) = stop_pair();
            while progress.at_end().is_empty() {
                consumer.step(&stop).await.unwrap();
            }
        }
    }

    async fn consume_topic<H: BatchHandler>(&self, group: &str, topic: &str, handler: Arc<H>) {
        let (mut consumer, progress) = self.servers.consumer(group, topic, &self.sessions, handler);
        let (_handle, stop) = stop_pair();
        while progress.at_end().len() < 8 {
            consumer.step(&stop).await.unwrap();
        }
    }

    /// What the audit misses: account numbers and versions.
    pub(crate) async fn gaps(&self) -> Vec<(u128, RangeInclusive<i64>)> {
        let gaps = self.audit().gaps(100).await.unwrap();
        gaps.into_iter().map(|gap| (gap.account_id.uuid().as_u128(), gap.versions)).collect()
    }

    /// Sends what the outbox holds and reads the dead-letter topic.
    pub(crate) async fn dead_letters(&self) -> Vec<InboundRecord> {
        self.letters_of(ACCOUNTS_TOPIC).await
    }

    /// The same of any topic.
    pub(crate) async fn letters_of(&self, topic: &str) -> Vec<InboundRecord> {
        let ports = RelayPorts {
            outbox: Arc::new(self.sessions.clone()),
            log: self.servers.writer(),
            clock: Arc::clone(&self.sessions.clock),
            observer: Arc::new(Silent),
        };
        let mut relay = Relay::new(0, ports, RelaySettings::default());
        while relay.step().await != Relayed::Idle {}
        self.servers.read_all(&format!("{topic}.dlq")).await
    }

    pub(crate) async fn known(&self, account: AccountId) -> Option<KnownBalance> {
        self.reads.balances(&[account]).await.unwrap().into_iter().next()
    }

    pub(crate) async fn balance(&self, account: AccountId) -> Option<AccountBalance> {
        self.known(account).await.and_then(|known| known.bank().cloned())
    }

    /// The `version`-th event of an account: the opening, then deposits.
    pub(crate) fn stated(&self, account: AccountId, version: i64) -> OutboundRecord {
        self.stated_by(ISPB, account, version)
    }

    pub(crate) fn stated_by(&self, ispb: &str, account: AccountId, version: i64) -> OutboundRecord {
        let event = statement(account, version);
        let payload = body(ispb, account, version, version == 1);
        self.servers.foreign(ACCOUNTS_TOPIC, ForeignEvent { payload, ..event })
    }
}

/// The envelope of what the bank states, with an empty body.
pub(crate) fn statement(account: AccountId, version: i64) -> ForeignEvent {
    ForeignEvent {
        event_type: match version {
            1 => "codepix.banking.AccountOpened.v1",
            _ => "codepix.banking.AmountDeposited.v1",
        },
        source: "/codepix/banking",
        subject: account.to_string(),
        version,
        payload: String::new(),
    }
}

/// What the bank states: each version has amounts and a time of its own; deposits of 1.01.
pub(crate) fn body(ispb: &str, account: AccountId, version: i64, opening: bool) -> String {
    let money = |centavos| serde_json::to_value(Money::from_centavos(centavos)).unwrap();
    let mut body = serde_json::json!({
        "account_id": account.to_string(),
        "ispb": ispb,
        "available": money(version.saturating_mul(100)),
        "held": money(version),
        "occurred_at": format!("2026-11-20T12:00:{version:02}Z"),
        "amount": money(101),
        "of no interest here": { "deeply": [1, 2, 3] },
    });
    if opening {
        body["owner_name"] = "Ana".into();
    }
    body.to_string()
}

pub(crate) fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}
