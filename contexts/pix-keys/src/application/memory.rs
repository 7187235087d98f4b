//! A directory in memory for tests of use cases: transactions on a copy, committed if nobody else
//! has committed meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shared_kernel::application::batcher::{BatchLimits, batcher};
use shared_kernel::application::command::CommandRunner;
use shared_kernel::application::observer::Silent;
use shared_kernel::application::stop::StopSignal;
use shared_kernel::application::transaction::{AnswerBook, OffsetMove};
use shared_kernel::application::{
    Answers, ApplicationError, BatchCommand, BatchExecutor, Batcher, DeadLetter, Remembered,
    StoreError, TraceParent, Transaction,
};
use shared_kernel::domain::{AccountId, BankCode, Ispb, TaxId, Timestamp};
use shared_kernel::testing::{CountedIds, FixedClock};
use uuid::Uuid;

use super::ports::{EntryChange, ListedAccount};
use super::{
    AccountView, BankView, DirectoryReads, DirectoryStore, DirectoryTransaction, EntryView,
};
use crate::domain::{
    Account, AccountDetails, AccountFact, AccountNews, AccountStatus, Entry, EntryId, Owner,
    OwnerName, Participant, PixKey, Registration,
};

#[derive(Clone, Default)]
struct State {
    revision: u64,
    accounts: BTreeMap<AccountId, Account>,
    entries: BTreeMap<PixKey, Entry>,
    participants: BTreeMap<Ispb, Participant>,
    answers: HashMap<(String, String), Remembered>,
    published: Vec<EntryChange>,
    /// What the next transaction cannot see yet, as if it were committed during it.
    hidden_keys: Vec<PixKey>,
    hidden_accounts: Vec<AccountId>,
    /// The next look into the book of answers sees none, as if they were committed after it.
    is_book_shut: bool,
}

#[derive(Clone)]
pub(crate) struct MemoryDirectory {
    state: Arc<Mutex<State>>,
    clock: Arc<FixedClock>,
    ids: Arc<CountedIds>,
}

impl MemoryDirectory {
    pub(crate) fn with_participants(ispbs: &[&str]) -> Self {
        let directory = Self { state: Arc::default(), clock: Arc::default(), ids: Arc::default() };
        directory.enrol_participants(ispbs);
        directory
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap())
    }

    pub(crate) fn enrol_participants(&self, ispbs: &[&str]) {
        self.with(|state| {
            for ispb in ispbs {
                let participant = participant(ispb, 1);
                state.participants.insert(participant.ispb, participant);
            }
        });
    }

    pub(crate) fn clock(&self) -> Arc<FixedClock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn ids(&self) -> Arc<CountedIds> {
        Arc::clone(&self.ids)
    }

    pub(crate) fn add(&self, account: Account) {
        self.with(|state| state.accounts.insert(account.id(), account));
    }

    pub(crate) fn tell(&self, number: u128, version: i64, fact: AccountFact) {
        self.with(|state| {
            let account = state.accounts.get_mut(&account_id(number)).unwrap();
            let (account_id, ispb) = (account.id(), account.ispb());
            account.hear(AccountNews { account_id, ispb, version, fact }).unwrap();
        });
    }

    pub(crate) fn give(&self, number: u128, text: &str) {
        self.with(|state| {
            let account = &state.accounts[&account_id(number)];
            let mut entry = Entry::vacant(key(text));
            let registrations = u128::try_from(state.published.len()).unwrap();
            let entry_id = EntryId::from_uuid(Uuid::from_u128(registrations.saturating_add(1)));
            let now = Timestamp::EPOCH;
            let wanted = Registration {
                entry_id,
                account,
                spelling: None,
                keys_held: 0,
                owner_is_made_up: false,
                now,
            };
            let event = entry.register(&wanted).unwrap();
            entry.apply(&event);
            state.entries.insert(entry.key().clone(), entry.clone());
            state.published.push(EntryChange { entry, event, trace: trace() });
        });
    }

    pub(crate) fn published(&self) -> Vec<EntryChange> {
        self.with(|state| state.published.clone())
    }

    pub(crate) fn account(&self, number: u128) -> Option<Account> {
        self.with(|state| state.accounts.get(&account_id(number)).cloned())
    }

    pub(crate) fn participant(&self, ispb: &str) -> Option<Participant> {
        self.with(|state| state.participants.get(&Ispb::parse(ispb).unwrap()).cloned())
    }

    pub(crate) fn hide_from_next_transaction(&self, key: &PixKey) {
        self.with(|state| state.hidden_keys.push(key.clone()));
    }

    pub(crate) fn hide_answers_from_next_look(&self) {
        self.with(|state| state.is_book_shut = true);
    }

    pub(crate) fn hide_account_from_next_transaction(&self, id: AccountId) {
        self.with(|state| state.hidden_accounts.push(id));
    }
}

/// A transaction on a copy.
pub(crate) struct MemoryTransaction {
    directory: MemoryDirectory,
    work: State,
    hidden_keys: Vec<PixKey>,
    hidden_accounts: Vec<AccountId>,
}

#[async_trait]
impl DirectoryStore for MemoryDirectory {
    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError> {
        let (hidden_keys, hidden_accounts, work) = self.with(|state| {
            let keys = std::mem::take(&mut state.hidden_keys);
            (keys, std::mem::take(&mut state.hidden_accounts), state.clone())
        });
        let directory = self.clone();
        Ok(Box::new(MemoryTransaction { directory, work, hidden_keys, hidden_accounts }))
    }
}

#[async_trait]
impl Transaction for MemoryTransaction {
    async fn advance(&mut self, _: &str, _: &[OffsetMove]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn dead_letter(&mut self, _: Vec<DeadLetter>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let mut work = self.work;
        self.directory.with(|state| {
            if state.revision != work.revision {
                return Err(StoreError::Conflict("someone else committed".into()));
            }
            work.revision = work.revision.saturating_add(1);
            *state = work;
            Ok(())
        })
    }

    async fn rollback(self: Box<Self>) {}
}

#[async_trait]
impl Answers for MemoryTransaction {
    async fn remember(&mut self, answers: &[Remembered]) -> Result<(), StoreError> {
        for answer in answers {
            let key = (answer.scope.clone(), answer.key.clone());
            if self.work.answers.insert(key, answer.clone()).is_some() {
                return Err(StoreError::Conflict("answered".into()));
            }
        }
        Ok(())
    }
}

impl State {
    fn listed(&self, id: AccountId) -> Option<ListedAccount> {
        let account = self.accounts.get(&id)?.clone();
        let participant = self.participants.get(&account.ispb()).cloned();
        Some(ListedAccount { account, participant })
    }

    fn active(&self) -> impl Iterator<Item = (&Entry, AccountId)> {
        let held = |entry: &Entry| entry.holding().map(|held| held.account_id);
        self.entries.values().filter_map(move |entry| Some((entry, held(entry)?)))
    }

    fn view(&self, entry: &Entry) -> Option<EntryView> {
        EntryView::of(entry, &self.listed(entry.holding()?.account_id)?)
    }
}

#[async_trait]
impl DirectoryTransaction for MemoryTransaction {
    async fn lock_accounts(&mut self, ids: &[AccountId]) -> Result<Vec<ListedAccount>, StoreError> {
        let seen = ids.iter().filter(|id| !self.hidden_accounts.contains(id));
        Ok(seen.filter_map(|id| self.work.listed(*id)).collect())
    }

    async fn lock_entries(&mut self, keys: &[PixKey]) -> Result<Vec<Entry>, StoreError> {
        let seen = keys.iter().filter(|key| !self.hidden_keys.contains(key));
        Ok(seen.filter_map(|key| self.work.entries.get(key).cloned()).collect())
    }

    async fn lock_entries_of(&mut self, accounts: &[AccountId]) -> Result<Vec<Entry>, StoreError> {
        let theirs = self.work.active().filter(|(_, account)| accounts.contains(account));
        Ok(theirs.map(|(entry, _)| entry.clone()).collect())
    }

    async fn keys_held(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, usize)>, StoreError> {
        let count = |id: &AccountId| self.work.active().filter(|(_, it)| it == id).count();
        Ok(accounts.iter().map(|id| (*id, count(id))).collect())
    }

    async fn participants(&mut self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        Ok(ispbs.iter().filter_map(|ispb| self.work.participants.get(ispb).cloned()).collect())
    }

    async fn add_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        for account in accounts {
            if self.work.accounts.insert(account.id(), account.clone()).is_some() {
                return Err(StoreError::Conflict("account exists".into()));
            }
        }
        Ok(())
    }

    async fn update_accounts(&mut self, accounts: &[Account]) -> Result<(), StoreError> {
        for account in accounts {
            let known = self.work.accounts.insert(account.id(), account.clone());
            assert!(known.is_some(), "only what was locked is updated");
        }
        Ok(())
    }

    async fn save_entries(&mut self, changes: &[EntryChange]) -> Result<(), StoreError> {
        for change in changes {
            let entry = change.entry.clone();
            let known = self.work.entries.insert(entry.key().clone(), entry);
            let version = known.map_or(0, |known| known.version());
            if version.saturating_add(1) != change.entry.version() {
                return Err(StoreError::Conflict("key changed".into()));
            }
        }
        self.work.published.extend_from_slice(changes);
        Ok(())
    }

    async fn respell(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        for entry in entries {
            let known = self.work.entries.get_mut(entry.key()).expect("an entry");
            known.respell(entry.spelling());
        }
        Ok(())
    }

    async fn save_participants(&mut self, participants: &[Participant]) -> Result<(), StoreError> {
        for told in participants {
            if told.is_news_to(self.work.participants.get(&told.ispb)) {
                self.work.participants.insert(told.ispb, told.clone());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl DirectoryReads for MemoryDirectory {
    async fn entries(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        Ok(self.with(|state| {
            let known = keys.iter().filter_map(|key| state.entries.get(key));
            known.filter_map(|entry| state.view(entry)).collect()
        }))
    }

    async fn look_up(&self, keys: &[PixKey]) -> Result<Vec<EntryView>, StoreError> {
        self.entries(keys).await
    }

    async fn entries_of(&self, accounts: &[AccountId]) -> Result<Vec<EntryView>, StoreError> {
        Ok(self.with(|state| {
            let theirs = state.active().filter(|(_, id)| accounts.contains(id));
            theirs.filter_map(|(entry, _)| state.view(entry)).collect()
        }))
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<AccountView>, StoreError> {
        Ok(self.with(|state| {
            ids.iter().filter_map(|id| AccountView::of(&state.listed(*id)?)).collect()
        }))
    }

    async fn has_participant(&self, ispb: Ispb) -> Result<bool, StoreError> {
        Ok(self.with(|state| state.participants.contains_key(&ispb)))
    }
}

#[async_trait]
impl AnswerBook for MemoryDirectory {
    async fn remembered(&self, keys: &[(String, String)]) -> Result<Vec<Remembered>, StoreError> {
        Ok(self.with(|state| {
            if std::mem::take(&mut state.is_book_shut) {
                return Vec::new();
            }
            keys.iter().filter_map(|key| state.answers.get(key).cloned()).collect()
        }))
    }
}

/// A runner of the use case over this directory.
pub(crate) fn runner<U: BatchCommand>(
    use_case: U,
    directory: &MemoryDirectory,
) -> CommandRunner<U> {
    CommandRunner::new(Arc::new(use_case), Arc::new(directory.clone()), Arc::new(Silent))
}

/// Runs one batch of commands.
pub(crate) async fn run<U: BatchCommand>(
    use_case: U,
    directory: &MemoryDirectory,
    commands: Vec<U::Command>,
) -> Vec<Result<U::Answer, ApplicationError>> {
    runner(use_case, directory).execute(commands).await
}

/// A queue with one worker that lives as long as the test.
pub(crate) fn queue<E: BatchExecutor>(
    executor: E,
    stop: &StopSignal,
) -> Batcher<E::Request, E::Answer> {
    let (queue, workers) = batcher(Arc::new(executor), BatchLimits::default(), 1);
    for worker in workers {
        tokio::spawn(worker.run(stop.clone()));
    }
    queue
}

/// The codes of the refusals; nothing for an answer.
pub(crate) fn codes<A>(answers: &[Result<A, ApplicationError>]) -> Vec<&'static str> {
    let code = |answer: &Result<A, ApplicationError>| match answer {
        Ok(_) => "",
        Err(ApplicationError::Refused(refused)) => refused.code(),
        Err(ApplicationError::Unavailable(_)) => "unavailable",
    };
    answers.iter().map(code).collect()
}

pub(crate) fn trace() -> TraceParent {
    TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
}

pub(crate) fn key(text: &str) -> PixKey {
    PixKey::infer(text).unwrap()
}

pub(crate) fn account_id(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn details(tax_id: &str) -> AccountDetails {
    let name = OwnerName::parse("Owner").unwrap();
    let owner = Owner { name, tax_id: TaxId::parse(tax_id).unwrap() };
    AccountDetails { branch: "0001".into(), number: "1111".into(), owner }
}

pub(crate) fn enrolled(number: u128, ispb: &str, tax_id: &str) -> Account {
    Account::enrolled(account_id(number), Ispb::parse(ispb).unwrap(), details(tax_id))
}

pub(crate) fn participant(ispb: &str, version: i64) -> Participant {
    let code = BankCode::parse(ispb.get(5..).unwrap()).unwrap();
    Participant {
        ispb: Ispb::parse(ispb).unwrap(),
        name: format!("Bank {code} as of {version}"),
        code,
        version,
    }
}

pub(crate) fn account_view(account_id: AccountId) -> AccountView {
    let details = details("12345678909");
    AccountView {
        account_id,
        ispb: Ispb::parse("00000001").unwrap(),
        bank: Some(BankView { code: BankCode::parse("001").unwrap(), name: "BBX".into() }),
        branch: details.branch,
        number: details.number,
        owner_name: details.owner.name,
        owner_tax_id: details.owner.tax_id,
        status: AccountStatus::Active,
    }
}

pub(crate) fn entry_view(key: &PixKey) -> EntryView {
    EntryView {
        entry_id: EntryId::from_uuid(Uuid::from_u128(1)),
        key: key.clone(),
        account: account_view(account_id(1)),
        created_at: Timestamp::EPOCH,
        owned_since: Timestamp::EPOCH,
        spelling: None,
    }
}
