//! Registers keys, a batch in one transaction.
//!
//! The accounts are locked first, so that no account passes its limit however many registrations
//! run at once. Two that race for one new key both find it vacant; the unique key of the store
//! lets one of them in, and the other is decided anew. Cost: two locking reads, one count, and
//! at most one insert, two updates and one outbox row per batch.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{
    ApplicationError, BatchCommand, Batcher, Clock, CommandIdentity, Ids, StoreError, TraceParent,
};
use shared_kernel::domain::{AccountId, Digest, Ispb, Timestamp, Violation};

use crate::application::desk::WantedKey;
use crate::application::ports::{EntryChange, ListedAccount};
use crate::application::{DirectoryStore, DirectoryTransaction, EntryView};
use crate::domain::{Entry, EntryId, PixKey, Registration, Spelling, error};

/// Where registrations are handed in.
pub type RegisterKeyQueue = Batcher<RegisterKey, EntryView>;

/// A registration. The desk makes it, after it has found the account's bank and checked that the
/// caller may act for that bank.
#[derive(Clone, Debug)]
pub struct RegisterKey {
    pub(in crate::application) request_id: String,
    pub(in crate::application) ispb: Ispb,
    pub(in crate::application) account_id: AccountId,
    pub(in crate::application) wanted: WantedKey,
    pub(in crate::application) trace: TraceParent,
    pub(in crate::application) leniency: Option<Leniency>,
    pub(in crate::application) spelling: Option<Spelling>,
}

/// What is not asked of a program that is not ours: it has no idempotency keys, and repeats its
/// registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leniency {
    /// The account's owner came with demo data.
    pub owner_is_made_up: bool,
}

/// Decides registrations.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct RegisterKeyHandler {
    store: Arc<dyn DirectoryStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl RegisterKeyHandler {
    /// A handler over the store.
    pub fn new(store: Arc<dyn DirectoryStore>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { store, clock, ids }
    }
}

/// The directory as this batch knows it, changed command by command.
struct Worksheet {
    accounts: HashMap<AccountId, ListedAccount>,
    entries: HashMap<PixKey, Entry>,
    held: HashMap<AccountId, usize>,
    changes: Vec<EntryChange>,
    respelled: BTreeMap<PixKey, Entry>,
}

impl Worksheet {
    async fn load(
        transaction: &mut dyn DirectoryTransaction,
        commands: &[(RegisterKey, PixKey)],
    ) -> Result<Self, StoreError> {
        let ids: BTreeSet<AccountId> =
            commands.iter().map(|(command, _)| command.account_id).collect();
        let ids: Vec<AccountId> = ids.into_iter().collect();
        let keys: BTreeSet<&PixKey> = commands.iter().map(|(_, key)| key).collect();
        let keys: Vec<PixKey> = keys.into_iter().cloned().collect();
        let accounts = transaction.lock_accounts(&ids).await?;
        let entries = transaction.lock_entries(&keys).await?;
        let held = transaction.keys_held(&ids).await?;
        Ok(Self {
            accounts: accounts.into_iter().map(|listed| (listed.account.id(), listed)).collect(),
            entries: entries.into_iter().map(|entry| (entry.key().clone(), entry)).collect(),
            held: held.into_iter().collect(),
            changes: Vec::new(),
            respelled: BTreeMap::new(),
        })
    }

    fn register(
        &mut self,
        (command, key): &(RegisterKey, PixKey),
        entry_id: EntryId,
        now: Timestamp,
    ) -> Result<EntryView, Violation> {
        let listed = self.accounts.get(&command.account_id).ok_or_else(error::account_not_found)?;
        if listed.participant.is_none() {
            return Err(error::participant_not_found());
        }
        let held = self.held.entry(command.account_id).or_default();
        let account = &listed.account;
        let owner_is_made_up = command.leniency.is_some_and(|it| it.owner_is_made_up);
        let wanted = Registration {
            entry_id,
            account,
            spelling: command.spelling.as_ref(),
            keys_held: *held,
            owner_is_made_up,
            now,
        };
        let known = self.entries.get(key).cloned();
        let is_repeat = |entry: &Entry| {
            let holder = entry.holding().map(|held| held.account_id);
            command.leniency.is_some() && holder == Some(command.account_id)
        };
        if let Some(mut first) = known.clone().filter(is_repeat) {
            // What its program wrote last is what it looks the key up by.
            if first.respell(command.spelling.as_ref()) {
                self.entries.insert(key.clone(), first.clone());
                self.respelled.insert(key.clone(), first.clone());
            }
            return EntryView::of(&first, listed).ok_or_else(error::account_not_found);
        }
        let mut entry = known.unwrap_or_else(|| Entry::vacant(key.clone()));
        let event = entry.register(&wanted)?;
        entry.apply(&event);
        let view = EntryView::of(&entry, listed).ok_or_else(error::account_not_found)?;
        *held = held.saturating_add(1);
        self.entries.insert(key.clone(), entry.clone());
        self.changes.push(EntryChange { entry, event, trace: command.trace.clone() });
        Ok(view)
    }
}

#[async_trait]
impl BatchCommand for RegisterKeyHandler {
    type Command = RegisterKey;
    type Prepared = PixKey;
    type Answer = EntryView;
    type Transaction = dyn DirectoryTransaction;

    const OPERATION: &'static str = "register_key";

    fn identity(&self, command: &RegisterKey) -> Option<CommandIdentity> {
        if command.leniency.is_some() {
            return None;
        }
        let key = match &command.wanted {
            WantedKey::Given(key) => key.as_str(),
            WantedKey::Random => "",
        };
        Some(CommandIdentity {
            scope: format!("{}/{}", command.ispb, Self::OPERATION),
            key: command.request_id.clone(),
            digest: Digest::of(&[command.account_id.uuid().as_bytes(), key.as_bytes()]),
        })
    }

    async fn prepare(&self, commands: &[RegisterKey]) -> Vec<Result<PixKey, ApplicationError>> {
        let key = |command: &RegisterKey| match &command.wanted {
            WantedKey::Given(key) => key.clone(),
            WantedKey::Random => PixKey::evp(self.ids.random()),
        };
        commands.iter().map(|command| Ok(key(command))).collect()
    }

    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn decide(
        &self,
        transaction: &mut Self::Transaction,
        commands: &[(RegisterKey, PixKey)],
    ) -> Result<Vec<Result<EntryView, Violation>>, StoreError> {
        let mut worksheet = Worksheet::load(transaction, commands).await?;
        let now = self.clock.now();
        let answers = commands
            .iter()
            .map(|command| worksheet.register(command, EntryId::from_uuid(self.ids.ordered()), now))
            .collect();
        if !worksheet.changes.is_empty() {
            transaction.save_entries(&worksheet.changes).await?;
        }
        if !worksheet.respelled.is_empty() {
            let respelled: Vec<Entry> = worksheet.respelled.into_values().collect();
            transaction.respell(&respelled).await?;
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::DirectoryReads as _;
    use crate::application::memory::{
        MemoryDirectory, account_id, codes, enrolled, key, run, trace,
    };
    use crate::domain::{AccountFact, EntryEvent, PixKeyKind};

    const MARIA: &str = "12345678909";
    const ANA: &str = "52998224725";

    fn handler(directory: &MemoryDirectory) -> RegisterKeyHandler {
        let store = Arc::new(directory.clone());
        RegisterKeyHandler::new(store, directory.clock(), directory.ids())
    }

    fn asked(request_id: &str, account: u128, text: &str) -> RegisterKey {
        RegisterKey {
            request_id: request_id.into(),
            ispb: Ispb::parse("00000001").unwrap(),
            account_id: account_id(account),
            wanted: if text.is_empty() { WantedKey::Random } else { WantedKey::Given(key(text)) },
            trace: trace(),
            leniency: None,
            spelling: None,
        }
    }

    #[tokio::test]
    async fn a_program_that_repeats_gets_its_first_entry_and_nobody_elses() {
        let directory = directory();
        let lenient = |account, text| RegisterKey {
            leniency: Some(Leniency { owner_is_made_up: false }),
            ..asked("", account, text)
        };
        let batch = vec![lenient(1, "m@x"), lenient(1, "m@x")];
        let answers = run(handler(&directory), &directory, batch).await;
        let again = run(handler(&directory), &directory, vec![lenient(1, "m@x")]).await;
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], again[0]);
        assert_eq!(directory.published().len(), 1);
        let others = vec![lenient(2, "m@x"), lenient(1, ANA)];
        let codes = codes(&run(handler(&directory), &directory, others).await);
        assert_eq!(codes, ["key_owned_by_another_person", "key_of_another_person"]);
    }

    #[tokio::test]
    async fn a_key_keeps_how_its_program_wrote_it_last_and_is_the_same_key() {
        let directory = directory();
        let written = |text: &str| RegisterKey {
            leniency: Some(Leniency { owner_is_made_up: false }),
            spelling: Spelling::of(text, &key(MARIA)).unwrap(),
            ..asked("", 1, MARIA)
        };
        let batch = vec![written("123.456.789-09"), written(MARIA), written("123 456 789 09")];
        let answers = run(handler(&directory), &directory, batch).await;
        let views: Vec<EntryView> = answers.into_iter().map(Result::unwrap).collect();
        assert!(views.iter().all(|view| view.entry_id == views[0].entry_id));
        let registered_as: Vec<&str> = views.iter().map(EntryView::registered_as).collect();
        assert_eq!(registered_as, ["123.456.789-09", MARIA, "123 456 789 09"]);
        let stored = async || directory.entries(&[key(MARIA)]).await.unwrap().remove(0);
        assert_eq!(stored().await.registered_as(), "123 456 789 09");
        run(handler(&directory), &directory, vec![written("123.456.789-09")]).await;
        assert_eq!(stored().await.registered_as(), "123.456.789-09");
        assert_eq!(directory.published().len(), 1);
    }

    fn directory() -> MemoryDirectory {
        let directory = MemoryDirectory::with_participants(&["00000001", "00000002"]);
        directory.add(enrolled(1, "00000001", MARIA));
        directory.add(enrolled(2, "00000001", ANA));
        directory
    }

    #[tokio::test]
    async fn a_key_is_registered_saved_and_published_once() {
        let directory = directory();
        let answers = run(handler(&directory), &directory, vec![asked("r", 1, "m@x")]).await;
        let entry = answers.into_iter().next().unwrap().unwrap();
        assert_eq!((entry.key.as_str(), entry.account.account_id), ("m@x", account_id(1)));
        assert_eq!(entry.account.bank.unwrap().code.as_str(), "001");
        assert_eq!(entry.created_at, directory.clock().now());
        let published = directory.published();
        assert_eq!(published.len(), 1);
        assert_eq!(published[0].trace, trace());
        assert!(matches!(published[0].event, EntryEvent::Registered(_)));
    }

    #[tokio::test]
    async fn the_directory_makes_random_keys_one_for_each_request() {
        let directory = directory();
        let batch = vec![asked("a", 1, ""), asked("b", 1, ""), asked("a", 1, "")];
        let answers = run(handler(&directory), &directory, batch).await;
        let keys: Vec<PixKey> = answers.into_iter().map(|answer| answer.unwrap().key).collect();
        assert!(keys.iter().all(|key| key.kind() == PixKeyKind::Evp));
        assert_ne!(keys[0], keys[1]);
        assert_eq!(keys[0], keys[2]);
        assert_eq!(directory.published().len(), 2);
    }

    #[tokio::test]
    async fn a_repeat_gets_the_first_answer_and_other_content_is_refused() {
        let directory = directory();
        let first = run(handler(&directory), &directory, vec![asked("r", 1, "m@x")]).await;
        let batch = vec![asked("r", 1, "m@x"), asked("r", 1, "n@x"), asked("r", 2, "m@x")];
        let again = run(handler(&directory), &directory, batch).await;
        assert_eq!(again[0], first[0]);
        assert_eq!(codes(&again), ["", "idempotency_key_reused", "idempotency_key_reused"]);
        assert_eq!(directory.published().len(), 1);
    }

    #[tokio::test]
    async fn a_repeat_that_overtakes_the_first_answer_is_not_refused_for_its_own_effect() {
        for text in ["m@x", ""] {
            let directory = directory();
            let first = run(handler(&directory), &directory, vec![asked("r", 1, text)]).await;
            directory.hide_answers_from_next_look();
            let batch = vec![asked("r", 1, text), asked("s", 1, text)];
            let again = run(handler(&directory), &directory, batch).await;
            assert_eq!(again[0], first[0]);
            let second = if text.is_empty() { "" } else { "key_already_registered" };
            assert_eq!(codes(&again), ["", second]);
        }
    }

    #[tokio::test]
    async fn of_two_in_one_batch_the_first_gets_the_key() {
        let directory = directory();
        let batch = vec![asked("a", 1, "m@x"), asked("b", 2, "m@x"), asked("c", 1, "m@x")];
        let answers = run(handler(&directory), &directory, batch).await;
        let expected = ["", "key_owned_by_another_person", "key_already_registered"];
        assert_eq!(codes(&answers), expected);
    }

    #[tokio::test]
    async fn the_limit_holds_within_one_batch() {
        let directory = directory();
        let batch = (0..7).map(|n| asked(&format!("r{n}"), 1, &format!("m{n}@x"))).collect();
        let answers = run(handler(&directory), &directory, batch).await;
        let limit = "key_limit_reached";
        assert_eq!(codes(&answers), ["", "", "", "", "", limit, limit]);
        assert_eq!(directory.published().len(), 5);
    }

    #[tokio::test]
    async fn refusals_leave_no_trace_and_are_judged_anew() {
        let directory = directory();
        directory.add(enrolled(3, "99999999", ANA));
        directory.tell(2, 1, AccountFact::Blocked);
        let batch = vec![
            asked("a", 9, "a@x"),
            asked("b", 2, "b@x"),
            asked("c", 3, "c@x"),
            asked("d", 1, ANA),
        ];
        let answers = run(handler(&directory), &directory, batch).await;
        let expected = [
            "account_not_found",
            "account_not_active",
            "participant_not_found",
            "key_of_another_person",
        ];
        assert_eq!(codes(&answers), expected);
        assert!(directory.published().is_empty());
        directory.tell(2, 2, AccountFact::Unblocked);
        let again = run(handler(&directory), &directory, vec![asked("b", 2, "b@x")]).await;
        assert_eq!(codes(&again), [""]);
    }

    #[tokio::test]
    async fn a_key_that_another_took_meanwhile_is_decided_anew() {
        let directory = directory();
        let rival = run(handler(&directory), &directory, vec![asked("a", 2, "m@x")]).await;
        assert_eq!(codes(&rival), [""]);
        directory.hide_from_next_transaction(&key("m@x"));
        let answers = run(handler(&directory), &directory, vec![asked("b", 1, "m@x")]).await;
        assert_eq!(codes(&answers), ["key_owned_by_another_person"]);
        assert_eq!(directory.published().len(), 1);
    }
}
