//! A directory on a database of the test's own, without Kafka.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use pix_keys::application::command::{EnrolAccountHandler, RegisterKeyHandler, RemoveKeyHandler};
use pix_keys::application::query::{FindAccountExecutor, FindKeyExecutor};
use pix_keys::application::reaction::{Heard, OnAccountChanged, OnParticipantChanged};
use pix_keys::application::{
    AccountView, Desk, DeskPorts, DirectoryReads, DirectoryStore, EnrolOrder, EntryView, KeyOrder,
    PixKeys, RemovalOrder, WantedKey,
};
use pix_keys::domain::{
    AccountDetails, AccountFact, AccountFields, AccountNews, Participant, PixKey, RemovalReason,
};
use pix_keys::infrastructure::kafka::published;
use pix_keys::infrastructure::postgres::{Auditor, PgDirectory};
use pix_keys::infrastructure::{MIGRATIONS, PixKeysServices};
use shared_kernel::application::batcher::{BatchLimits, batcher};
use shared_kernel::application::command::CommandRunner;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::outbox::Outbox;
use shared_kernel::application::stop::{StopHandle, StopSignal, stop_pair};
use shared_kernel::application::{
    ApplicationError, BatchCommand, BatchExecutor, Batcher, Caller, OutboundRecord, StoreError,
    TraceParent,
};
use shared_kernel::domain::{AccountId, BankCode, Ispb, Violation};
use shared_kernel::infrastructure::grpc::Callers;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement;
use shared_kernel::testing::{FixedClock, TestServers};
use uuid::Uuid;

/// Two owners whose tax ids are right.
pub(crate) const MARIA: &str = "12345678909";
pub(crate) const ANA: &str = "52998224725";

/// Two banks.
pub(crate) const BBX: &str = "00000001";
pub(crate) const CTER: &str = "00000002";

pub(crate) fn trace() -> TraceParent {
    TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
}

pub(crate) fn key(text: &str) -> PixKey {
    PixKey::infer(text).unwrap()
}

pub(crate) fn ispb(text: &str) -> Ispb {
    Ispb::parse(text).unwrap()
}

pub(crate) fn account_id(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn details(tax_id: &str) -> AccountDetails {
    let fields =
        AccountFields { branch: "0001", number: "1111", owner_name: "Owner", owner_tax_id: tax_id };
    AccountDetails::parse(fields).unwrap()
}

/// The tax id of the person of that number; its check digits are right.
pub(crate) fn person(number: u32) -> String {
    let root: Vec<u32> = format!("{number:09}").chars().filter_map(|c| c.to_digit(10)).collect();
    let check = |digits: &[u32]| {
        let weighed = digits.iter().rev().zip(2_u32..).map(|(digit, by)| by.saturating_mul(*digit));
        let rest = weighed.sum::<u32>() % 11;
        if rest < 2 { 0 } else { 11_u32.saturating_sub(rest) }
    };
    let first = check(&root);
    let second = check(&[root.as_slice(), &[first]].concat());
    format!("{number:09}{first}{second}")
}

pub(crate) fn heard(number: u128, version: i64, fact: AccountFact) -> Heard {
    let news = AccountNews { account_id: account_id(number), ispb: ispb(BBX), version, fact };
    Heard { news, trace: trace() }
}

pub(crate) fn opened(number: u128, tax_id: &str) -> Heard {
    heard(number, 1, AccountFact::Opened(details(tax_id)))
}

/// Orders of `account` for the key `text`; an empty one is a random key.
pub(crate) fn wants(request_id: &str, account: u128, text: &str) -> KeyOrder {
    let wanted = if text.is_empty() { WantedKey::Random } else { WantedKey::Given(key(text)) };
    KeyOrder { request_id: request_id.into(), account_id: account_id(account), wanted }
}

pub(crate) fn gives_up(request_id: &str, account: u128, text: &str) -> RemovalOrder {
    RemovalOrder {
        request_id: request_id.into(),
        account_id: account_id(account),
        key: key(text),
        reason: RemovalReason::UserRequested,
    }
}

/// The code of a refusal; nothing for an answer.
pub(crate) fn code<A>(answer: &Result<A, ApplicationError>) -> &'static str {
    match answer {
        Ok(_) => "",
        Err(ApplicationError::Refused(refused)) => refused.code(),
        Err(ApplicationError::Unavailable(_)) => "unavailable",
    }
}

/// How many answers have this code.
pub(crate) fn count<A>(answers: &[Result<A, ApplicationError>], wanted: &str) -> usize {
    answers.iter().filter(|answer| code(answer) == wanted).count()
}

/// Reads that count their questions for entries.
struct Counting {
    inner: PgDirectory,
    queries: Arc<AtomicUsize>,
}

#[async_trait]
impl DirectoryReads for Counting {
    async fn entries(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.inner.entries(keys).await
    }

    async fn look_up(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.inner.look_up(keys).await
    }

    async fn entries_of(&self, accounts: &[AccountId]) -> Result<Vec<EntryView>, StoreError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.inner.entries_of(accounts).await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<AccountView>, StoreError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.inner.accounts(ids).await
    }

    async fn has_participant(&self, ispb: Ispb) -> Result<bool, StoreError> {
        self.inner.has_participant(ispb).await
    }
}

/// One directory of one process; several may share a database.
pub(crate) struct Directory {
    pub(crate) pix_keys: PixKeys,
    pub(crate) store: PgDirectory,
    pub(crate) sessions: Sessions,
    pub(crate) queries: Arc<AtomicUsize>,
    stop: StopHandle,
}

fn queue<E: BatchExecutor>(
    executor: E,
    workers: usize,
    stop: &StopSignal,
) -> Batcher<E::Request, E::Answer> {
    let (queue, workers) = batcher(Arc::new(executor), BatchLimits::default(), workers);
    for worker in workers {
        tokio::spawn(worker.run(stop.clone()));
    }
    queue
}

impl Directory {
    /// A directory that knows both banks.
    pub(crate) async fn fresh() -> Self {
        let servers = TestServers::fresh().await;
        let sessions = servers.sessions("pix_keys", published::SOURCE, MIGRATIONS).await;
        let directory = Self::over(sessions, 2);
        directory.enrol_participants(&[BBX, CTER]).await;
        directory
    }

    /// Another process on the same database.
    pub(crate) fn twin(&self) -> Self {
        Self::over(self.sessions.clone(), 2)
    }

    fn over(sessions: Sessions, workers: usize) -> Self {
        let (handle, stop) = stop_pair();
        let store = PgDirectory::new(sessions.clone());
        let queries = Arc::new(AtomicUsize::new(0));
        let reads: Arc<dyn DirectoryReads> =
            Arc::new(Counting { inner: store.clone(), queries: Arc::clone(&queries) });
        let writes: Arc<dyn DirectoryStore> = Arc::new(store.clone());
        let clock = Arc::new(FixedClock::default());
        let ids = Arc::clone(&sessions.ids);
        let find_account = queue(FindAccountExecutor::new(Arc::clone(&reads)), 1, &stop);
        let find_key = queue(FindKeyExecutor::new(Arc::clone(&reads)), 1, &stop);
        let registers = RegisterKeyHandler::new(Arc::clone(&writes), clock.clone(), ids);
        let removes = RemoveKeyHandler::new(Arc::clone(&writes), clock.clone());
        let desk = Desk::new(DeskPorts {
            reads: Arc::clone(&reads),
            clock,
            find_account: find_account.clone(),
            register_key: command(registers, &sessions, workers, &stop),
            remove_key: command(removes, &sessions, workers, &stop),
            enrol_account: command(EnrolAccountHandler::new(writes), &sessions, workers, &stop),
        });
        let pix_keys = PixKeys::new(desk, find_key, find_account, &reads);
        Self { pix_keys, store, sessions, queries, stop: handle }
    }

    pub(crate) fn services(&self, tokens: &str) -> PixKeysServices {
        let callers = Arc::new(Callers::parse(tokens).unwrap());
        PixKeysServices::new(self.pix_keys.clone(), callers, Arc::clone(&self.sessions.ids))
    }

    pub(crate) fn auditor(&self) -> Auditor {
        Auditor::new(self.sessions.database.clone())
    }

    pub(crate) async fn enrol_participants(&self, ispbs: &[&str]) {
        let told = ispbs.iter().map(|text| Participant {
            ispb: ispb(text),
            code: BankCode::parse(text.get(5..).unwrap()).unwrap(),
            name: format!("Bank {text}"),
            version: 1,
        });
        let mut transaction = self.store.begin().await.unwrap();
        OnParticipantChanged.react(transaction.as_mut(), told.collect()).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Takes news in, as the consumer does.
    pub(crate) async fn hear(&self, heard: Vec<Heard>) -> Vec<Result<(), Violation>> {
        let reaction = OnAccountChanged::new(Arc::new(FixedClock::default()));
        let mut transaction = self.store.begin().await.unwrap();
        let outcomes = reaction.react(transaction.as_mut(), heard).await.unwrap();
        transaction.commit().await.unwrap();
        outcomes
    }

    pub(crate) async fn enrol(
        &self,
        number: u128,
        bank: &str,
        tax_id: &str,
    ) -> Result<AccountView, ApplicationError> {
        let order = EnrolOrder {
            account_id: account_id(number),
            ispb: ispb(bank),
            details: details(tax_id),
        };
        self.pix_keys.desk.enrol_account(&Caller::Operator, order).await
    }

    pub(crate) async fn register(
        &self,
        request_id: &str,
        account: u128,
        text: &str,
    ) -> Result<EntryView, ApplicationError> {
        let order = wants(request_id, account, text);
        self.pix_keys.desk.register_key(&Caller::Operator, trace(), order).await
    }

    pub(crate) async fn found(&self, text: &str) -> Option<EntryView> {
        self.store.entries(&[key(text)]).await.unwrap().into_iter().next()
    }

    /// How many of this database's sessions wait for a lock that another holds.
    pub(crate) async fn waits_for_locks(&self) -> i64 {
        #[derive(QueryableByName)]
        struct Waiting {
            #[diesel(sql_type = BigInt)]
            sessions: i64,
        }
        const WAITING: &str = "SELECT count(*) AS sessions FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut connection = self.sessions.database.connection().await.unwrap();
        let rows: Vec<Waiting> = statement(WAITING).load(&mut connection).await.unwrap();
        rows.into_iter().map(|row| row.sessions).sum()
    }

    /// Everything that waits in the outbox, oldest first.
    pub(crate) async fn outbox(&self) -> Vec<OutboundRecord> {
        let mut lead = self.sessions.try_lead(0).await.unwrap().unwrap();
        let rows = lead.pending(10_000).await.unwrap();
        rows.into_iter().flat_map(|row| row.records).collect()
    }

    pub(crate) fn stop(&self) {
        self.stop.stop();
    }
}

fn command<U: BatchCommand>(
    use_case: U,
    sessions: &Sessions,
    workers: usize,
    stop: &StopSignal,
) -> Batcher<U::Command, U::Answer> {
    let book = Arc::new(sessions.clone());
    let runner = CommandRunner::new(Arc::new(use_case), book, Arc::new(Silent));
    queue(runner, workers, stop)
}

/// The header of that name.
pub(crate) fn header<'a>(record: &'a OutboundRecord, name: &str) -> &'a str {
    let (_, value) = record.headers.iter().find(|(known, _)| known == name).unwrap();
    std::str::from_utf8(value).unwrap()
}
