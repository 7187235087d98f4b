//! The desk: what happens to an order before it may wait in a batch.
//!
//! A registration names an account and no bank, but its idempotency key counts per bank
//! (`<ispb>/register_key`), as request ids are unique per participant. So the desk finds the
//! account first, checks that the caller may act for its bank, and only then makes the command:
//! whoever may not act for the bank never reaches its first answers either. The bank of an account
//! never changes, so the scope of a repeat is that of the first.
//!
//! Accounts and participants reach the directory by events. An order that is faster than they are
//! waits here, for [`PATIENCE`] at most, outside any transaction and any batch.

use std::sync::Arc;
use std::time::Duration;

use shared_kernel::application::{ApplicationError, Caller, Clock, TraceParent};
use shared_kernel::domain::{AccountId, Ispb, Violation};

use super::command::{
    EnrolAccount, EnrolAccountQueue, KeyRemoval, Leniency, RegisterKey, RegisterKeyQueue,
    RemoveKey, RemoveKeyQueue,
};
use super::query::{FindAccount, FindAccountQueue};
use super::view::own_account;
use super::{AccountView, DirectoryReads, EntryView};
use crate::domain::{AccountDetails, PixKey, PixKeyKind, RemovalReason, Spelling, error};

/// How long an order waits for an account or participant that the directory does not know yet.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The key that a registration wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedKey {
    /// This one.
    Given(PixKey),
    /// A random one, made by the directory.
    Random,
}

impl WantedKey {
    /// Reads a key of our own API: canonical, check digits included; empty for a random one.
    ///
    /// # Errors
    /// `evp_key_given`, or those of [`PixKey::parse`].
    pub fn parse(kind: PixKeyKind, text: &str) -> Result<Self, Violation> {
        match (kind, text) {
            (PixKeyKind::Evp, "") => Ok(Self::Random),
            (PixKeyKind::Evp, _) => Err(error::evp_key_given()),
            (PixKeyKind::Cpf | PixKeyKind::Cnpj | PixKeyKind::Email | PixKeyKind::Phone, text) => {
                PixKey::parse(kind, text).map(Self::Given)
            }
        }
    }
}

/// A key is to be registered.
#[derive(Clone, Debug)]
pub struct KeyOrder {
    /// Unique per participant.
    pub request_id: String,
    /// The account that wants it.
    pub account_id: AccountId,
    /// What it wants.
    pub wanted: WantedKey,
}

/// A program that is not ours registers a key.
#[derive(Clone, Debug)]
pub struct ProgramKeyOrder {
    /// The account that wants it.
    pub account_id: AccountId,
    /// The key.
    pub key: PixKey,
    /// How the program wrote it, if not in canonical form.
    pub spelling: Option<Spelling>,
}

/// A key is to be removed.
#[derive(Clone, Debug)]
pub struct RemovalOrder {
    /// Unique per participant.
    pub request_id: String,
    /// The account that has it.
    pub account_id: AccountId,
    /// The key.
    pub key: PixKey,
    /// Why.
    pub reason: RemovalReason,
}

/// An account is to be added whose books are kept outside of this hub.
#[derive(Clone, Debug)]
pub struct EnrolOrder {
    /// Its id everywhere.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Where it is found there, and whose it is.
    pub details: AccountDetails,
}

/// What the desk needs.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct DeskPorts {
    /// What is committed.
    pub reads: Arc<dyn DirectoryReads>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Where accounts are looked up.
    pub find_account: FindAccountQueue,
    /// Where registrations go.
    pub register_key: RegisterKeyQueue,
    /// Where removals go.
    pub remove_key: RemoveKeyQueue,
    /// Where enrolments go.
    pub enrol_account: EnrolAccountQueue,
}

/// Takes orders in; cloned freely.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct Desk {
    ports: DeskPorts,
}

impl Desk {
    /// A desk before these queues.
    pub fn new(ports: DeskPorts) -> Self {
        Self { ports }
    }

    /// Registers a key.
    ///
    /// # Errors
    /// `account_not_found` or `participant_not_found` after [`PATIENCE`]; the former to another
    /// bank's token too; `idempotency_key_shape`, `idempotency_key_reused`; those of
    /// [`Entry::register`](crate::domain::Entry::register).
    pub async fn register_key(
        &self,
        caller: &Caller,
        trace: TraceParent,
        order: KeyOrder,
    ) -> Result<EntryView, ApplicationError> {
        let KeyOrder { request_id, account_id, wanted } = order;
        let ispb = self.awaited_account(caller, account_id).await?.ispb;
        let (leniency, spelling) = (None, None);
        let command =
            RegisterKey { request_id, ispb, account_id, wanted, trace, leniency, spelling };
        self.ports.register_key.submit(command).await
    }

    /// Registers a key for a program that is not ours: without an idempotency key; a repeat for the
    /// same account gets the first entry.
    ///
    /// # Errors
    /// As [`Self::register_key`], but for idempotency keys and `key_already_registered`.
    pub async fn register_for_program(
        &self,
        caller: &Caller,
        trace: TraceParent,
        order: ProgramKeyOrder,
        leniency: Leniency,
    ) -> Result<EntryView, ApplicationError> {
        let ProgramKeyOrder { account_id, key, spelling } = order;
        let ispb = self.awaited_account(caller, account_id).await?.ispb;
        let (request_id, wanted) = (String::new(), WantedKey::Given(key));
        let leniency = Some(leniency);
        let command =
            RegisterKey { request_id, ispb, account_id, wanted, trace, leniency, spelling };
        self.ports.register_key.submit(command).await
    }

    /// Removes a key.
    ///
    /// # Errors
    /// `account_not_found`, to another bank's token too; `key_not_found`;
    /// `idempotency_key_shape`, `idempotency_key_reused`.
    pub async fn remove_key(
        &self,
        caller: &Caller,
        trace: TraceParent,
        order: RemovalOrder,
    ) -> Result<KeyRemoval, ApplicationError> {
        let RemovalOrder { request_id, account_id, key, reason } = order;
        let ispb = self.account(account_id).await?.ispb;
        own_account(caller, ispb)?;
        let command = RemoveKey { request_id, ispb, account_id, key, reason, trace };
        self.ports.remove_key.submit(command).await
    }

    /// Adds an account.
    ///
    /// # Errors
    /// `operator_only`; `participant_not_found` after [`PATIENCE`]; `account_id_taken`.
    pub async fn enrol_account(
        &self,
        caller: &Caller,
        order: EnrolOrder,
    ) -> Result<AccountView, ApplicationError> {
        caller.must_be_operator()?;
        let EnrolOrder { account_id, ispb, details } = order;
        self.await_participant(ispb).await?;
        let command = EnrolAccount { account_id, ispb, details };
        self.ports.enrol_account.submit(command).await
    }

    async fn account(&self, account_id: AccountId) -> Result<AccountView, ApplicationError> {
        self.ports.find_account.submit(FindAccount { account_id }).await
    }

    /// The account, once it and its participant are known.
    async fn awaited_account(
        &self,
        caller: &Caller,
        account_id: AccountId,
    ) -> Result<AccountView, ApplicationError> {
        let deadline = self.ports.clock.now().saturating_add(PATIENCE);
        let unknown = ApplicationError::from(error::account_not_found());
        loop {
            let missing = match self.account(account_id).await {
                Ok(account) => {
                    // First of all: what is still missing of it is not for others to know.
                    own_account(caller, account.ispb)?;
                    if account.bank.is_some() {
                        return Ok(account);
                    }
                    error::participant_not_found().into()
                }
                Err(error) if error == unknown => error,
                Err(error) => return Err(error),
            };
            if self.ports.clock.now() >= deadline {
                return Err(missing);
            }
            self.ports.clock.sleep(PAUSE).await;
        }
    }

    async fn await_participant(&self, ispb: Ispb) -> Result<(), ApplicationError> {
        let deadline = self.ports.clock.now().saturating_add(PATIENCE);
        while !self.ports.reads.has_participant(ispb).await? {
            if self.ports.clock.now() >= deadline {
                return Err(error::participant_not_found().into());
            }
            self.ports.clock.sleep(PAUSE).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use shared_kernel::application::Ids;
    use shared_kernel::application::stop::{StopHandle, stop_pair};
    use shared_kernel::domain::Timestamp;
    use shared_kernel::testing::{CountedIds, FixedClock};

    use super::*;
    use crate::application::command::{EnrolAccountHandler, RegisterKeyHandler, RemoveKeyHandler};
    use crate::application::memory::{
        MemoryDirectory, account_id, codes, details, enrolled, key, queue, runner, trace,
    };
    use crate::application::query::FindAccountExecutor;

    const MARIA: &str = "12345678909";

    /// What happens while someone sleeps.
    type Meanwhile = Box<dyn FnOnce(&MemoryDirectory) + Send>;

    /// A clock on which something happens during the third sleep.
    struct EventfulClock {
        inner: Arc<FixedClock>,
        directory: MemoryDirectory,
        sleeps: Mutex<u32>,
        meanwhile: Mutex<Option<Meanwhile>>,
    }

    #[async_trait]
    impl Clock for EventfulClock {
        fn now(&self) -> Timestamp {
            self.inner.now()
        }

        async fn sleep(&self, duration: Duration) {
            self.inner.sleep(duration).await;
            let mut sleeps = self.sleeps.lock().unwrap();
            *sleeps = sleeps.saturating_add(1);
            let happens = self.meanwhile.lock().unwrap().take_if(|_| *sleeps == 3);
            if let Some(happens) = happens {
                happens(&self.directory);
            }
        }
    }

    struct Setting {
        desk: Desk,
        directory: MemoryDirectory,
        clock: Arc<FixedClock>,
        stop: StopHandle,
    }

    fn setting(directory: MemoryDirectory, meanwhile: Meanwhile) -> Setting {
        let (handle, stop) = stop_pair();
        let clock = Arc::new(EventfulClock {
            inner: directory.clock(),
            directory: directory.clone(),
            sleeps: Mutex::new(0),
            meanwhile: Mutex::new(Some(meanwhile)),
        });
        let store: Arc<dyn crate::application::DirectoryStore> = Arc::new(directory.clone());
        let reads: Arc<dyn DirectoryReads> = Arc::new(directory.clone());
        let ids: Arc<dyn Ids> = Arc::new(CountedIds::default());
        let register = RegisterKeyHandler::new(Arc::clone(&store), clock.clone(), ids);
        let remove = RemoveKeyHandler::new(Arc::clone(&store), clock.clone());
        let desk = Desk::new(DeskPorts {
            find_account: queue(FindAccountExecutor::new(Arc::clone(&reads)), &stop),
            register_key: queue(runner(register, &directory), &stop),
            remove_key: queue(runner(remove, &directory), &stop),
            enrol_account: queue(runner(EnrolAccountHandler::new(store), &directory), &stop),
            reads,
            clock,
        });
        let clock = directory.clock();
        Setting { desk, directory, clock, stop: handle }
    }

    fn quiet(directory: MemoryDirectory) -> Setting {
        setting(directory, Box::new(|_| {}))
    }

    fn wants(number: u128, text: &str) -> KeyOrder {
        KeyOrder {
            request_id: "r".into(),
            account_id: account_id(number),
            wanted: WantedKey::Given(key(text)),
        }
    }

    fn bank(ispb: &str) -> Caller {
        Caller::Bank(Ispb::parse(ispb).unwrap())
    }

    fn enrols(number: u128, ispb: &str) -> EnrolOrder {
        let ispb = Ispb::parse(ispb).unwrap();
        EnrolOrder { account_id: account_id(number), ispb, details: details(MARIA) }
    }

    #[test]
    fn a_wanted_key_is_canonical_and_a_random_one_is_not_chosen() {
        let parse = |kind, text| WantedKey::parse(kind, text).map_err(|broken| broken.code());
        assert_eq!(parse(PixKeyKind::Cpf, MARIA), Ok(WantedKey::Given(key(MARIA))));
        assert_eq!(parse(PixKeyKind::Evp, ""), Ok(WantedKey::Random));
        let chosen = "123e4567-e89b-12d3-a456-426655440000";
        assert_eq!(parse(PixKeyKind::Evp, chosen), Err("evp_key_given"));
        assert_eq!(parse(PixKeyKind::Cpf, "123.456.789-09"), Err("cpf_shape"));
        assert_eq!(parse(PixKeyKind::Cpf, "12345678901"), Err("cpf_check_digit"));
        assert_eq!(parse(PixKeyKind::Email, ""), Err("key_empty"));
    }

    #[tokio::test]
    async fn only_the_accounts_bank_and_the_operator_register_and_remove() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        directory.add(enrolled(1, "00000001", MARIA));
        let Setting { desk, stop: _stop, .. } = quiet(directory);
        let removal = RemovalOrder {
            request_id: "s".into(),
            account_id: account_id(1),
            key: key("m@x"),
            reason: RemovalReason::UserRequested,
        };
        let other = bank("00000002");
        let refused = desk.register_key(&other, trace(), wants(1, "m@x")).await;
        assert_eq!(codes(&[refused]), ["account_not_found"]);
        let first = desk.register_key(&bank("00000001"), trace(), wants(1, "m@x")).await;
        assert_eq!(codes(std::slice::from_ref(&first)), [""]);
        // Not even the answer of an equal request.
        let refused = desk.register_key(&other, trace(), wants(1, "m@x")).await;
        assert_eq!(codes(&[refused]), ["account_not_found"]);
        let again = desk.register_key(&Caller::Operator, trace(), wants(1, "m@x")).await;
        assert_eq!(again, first);
        let refused = desk.remove_key(&other, trace(), removal.clone()).await;
        assert_eq!(codes(&[refused]), ["account_not_found"]);
        let removed = desk.remove_key(&bank("00000001"), trace(), removal).await;
        assert_eq!(removed.unwrap().key, key("m@x"));
    }

    #[tokio::test]
    async fn another_bank_does_not_learn_of_an_account_whose_bank_has_not_come_yet() {
        let directory = MemoryDirectory::with_participants(&[]);
        directory.add(enrolled(1, "00000001", MARIA));
        let Setting { desk, stop: _stop, .. } = quiet(directory);
        let refused = desk.register_key(&bank("00000002"), trace(), wants(1, "m@x")).await;
        assert_eq!(codes(&[refused]), ["account_not_found"]);
        let refused = desk.register_key(&bank("00000001"), trace(), wants(1, "m@x")).await;
        assert_eq!(codes(&[refused]), ["participant_not_found"]);
    }

    #[tokio::test]
    async fn a_registration_waits_for_an_account_that_is_on_its_way() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        let opens = |directory: &MemoryDirectory| directory.add(enrolled(1, "00000001", MARIA));
        let Setting { desk, clock, stop: _stop, .. } = setting(directory, Box::new(opens));
        let before = clock.now();
        let entry = desk.register_key(&Caller::Operator, trace(), wants(1, "m@x")).await.unwrap();
        assert_eq!(entry.account.account_id, account_id(1));
        assert_eq!(clock.now().since(before), PAUSE * 3);
    }

    #[tokio::test]
    async fn a_registration_waits_for_a_participant_that_is_on_its_way() {
        let directory = MemoryDirectory::with_participants(&[]);
        directory.add(enrolled(1, "00000001", MARIA));
        let comes = |directory: &MemoryDirectory| directory.enrol_participants(&["00000001"]);
        let Setting { desk, stop: _stop, .. } = setting(directory, Box::new(comes));
        let entry = desk.register_key(&Caller::Operator, trace(), wants(1, "m@x")).await.unwrap();
        assert_eq!(entry.account.bank.unwrap().code.as_str(), "001");
    }

    #[tokio::test]
    async fn patience_ends_after_two_seconds() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        directory.add(enrolled(2, "00000002", MARIA));
        let Setting { desk, clock, stop: _stop, .. } = quiet(directory);
        for (number, code) in [(1, "account_not_found"), (2, "participant_not_found")] {
            let before = clock.now();
            let refused = desk.register_key(&Caller::Operator, trace(), wants(number, "m@x")).await;
            assert_eq!(codes(&[refused]), [code]);
            assert_eq!(clock.now().since(before), PATIENCE);
        }
        let before = clock.now();
        let refused = desk.enrol_account(&Caller::Operator, enrols(3, "00000003")).await;
        assert_eq!(codes(&[refused]), ["participant_not_found"]);
        assert_eq!(clock.now().since(before), PATIENCE);
    }

    #[tokio::test]
    async fn a_removal_waits_for_nothing() {
        let Setting { desk, clock, stop: _stop, .. } =
            quiet(MemoryDirectory::with_participants(&[]));
        let before = clock.now();
        let removal = RemovalOrder {
            request_id: "s".into(),
            account_id: account_id(1),
            key: key("m@x"),
            reason: RemovalReason::UserRequested,
        };
        let refused = desk.remove_key(&Caller::Operator, trace(), removal).await;
        assert_eq!(codes(&[refused]), ["account_not_found"]);
        assert_eq!(clock.now(), before);
    }

    #[tokio::test]
    async fn only_an_operator_enrols_accounts() {
        let Setting { desk, directory, stop: _stop, .. } =
            quiet(MemoryDirectory::with_participants(&["00000001"]));
        let refused = desk.enrol_account(&bank("00000001"), enrols(1, "00000001")).await;
        assert_eq!(codes(&[refused]), ["operator_only"]);
        assert!(directory.account(1).is_none());
        let account = desk.enrol_account(&Caller::Operator, enrols(1, "00000001")).await.unwrap();
        assert_eq!((account.account_id, account.number.as_str()), (account_id(1), "1111"));
        let again = desk.enrol_account(&Caller::Operator, enrols(1, "00000001")).await.unwrap();
        assert_eq!(again, account);
    }

    #[tokio::test]
    async fn one_request_sent_many_times_at_once_is_one_entry() {
        let directory = MemoryDirectory::with_participants(&["00000001"]);
        directory.add(enrolled(1, "00000001", MARIA));
        let Setting { desk, directory, stop: _stop, .. } = quiet(directory);
        let order = || KeyOrder { wanted: WantedKey::Random, ..wants(1, "m@x") };
        let send = |_| desk.register_key(&Caller::Operator, trace(), order());
        let answers = futures::future::join_all((0..50).map(send)).await;
        let first = answers[0].clone().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref() == Ok(&first)));
        assert_eq!(directory.published().len(), 1);
        let mut other = wants(1, "m@x");
        other.wanted = WantedKey::Given(key("m@x"));
        let refused = desk.register_key(&Caller::Operator, trace(), other).await;
        assert_eq!(codes(&[refused]), ["idempotency_key_reused"]);
    }
}
