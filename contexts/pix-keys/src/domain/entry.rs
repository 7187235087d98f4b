//! An entry: what one key names, from its first registration to the last.
//!
//! The key is the identity: its version grows across removal and new registration, so that readers
//! who compare versions never take an old owner for the new one.
//!
//! ```text
//! vacant --register--> active --remove--> removed --register--> active …
//! ```
//!
//! Registering is decided in this order (DICT API 2.12 names the refusals, not their order):
//!
//! | # | question | refusal |
//! |---|---|---|
//! | 1 | is the key canonical? ([`PixKey::parse`], before any entry is loaded) | its own codes |
//! | 2 | is the account known? | `account_not_found` |
//! | 3 | is it active? | `account_not_active` |
//! | 4 | is a CPF or CNPJ key the owner's own tax id? | `key_of_another_person` |
//! | 5 | has the owner the key already, at this participant? | `key_already_registered` |
//! | 6 | has another person the key? | `key_owned_by_another_person` |
//! | 7 | has the owner the key at another participant? | `key_at_another_participant` |
//! | 8 | has the account as many keys as it may have? | `key_limit_reached` |

use shared_kernel::domain::{AccountId, Ispb, TaxId, TaxIdKind, Timestamp, Violation};

use super::{
    Account, AccountStatus, EntryEvent, EntryId, KeyRegistered, KeyRemoved, PixKey, PixKeyKind,
    RemovalReason, Spelling, error,
};

/// Keys that an account of a natural person may have.
const KEYS_OF_NATURAL_PERSON_MAX: usize = 5;
/// Keys that an account of a legal person may have.
const KEYS_OF_LEGAL_PERSON_MAX: usize = 20;

/// How many keys an account of such an owner may have.
pub const fn key_limit(owner: TaxIdKind) -> usize {
    match owner {
        TaxIdKind::Cpf => KEYS_OF_NATURAL_PERSON_MAX,
        TaxIdKind::Cnpj => KEYS_OF_LEGAL_PERSON_MAX,
    }
}

/// Who has a key, in one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// This registration.
    pub entry_id: EntryId,
    /// The account that the key names.
    pub account_id: AccountId,
    /// Its bank.
    pub ispb: Ispb,
    /// Its owner.
    pub owner_tax_id: TaxId,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Start of the owner's uninterrupted possession.
    pub owned_since: Timestamp,
}

/// State of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// The key was never registered.
    Vacant,
    /// The key names an account.
    Active(Holding),
    /// The key names nothing any more.
    Removed {
        /// Who had it last.
        last: Holding,
        /// Why it was removed.
        reason: RemovalReason,
        /// When.
        removed_at: Timestamp,
    },
}

/// What registering needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// Id of the registration, if it comes to one.
    pub entry_id: EntryId,
    /// The account that wants the key.
    pub account: &'a Account,
    /// How the key was written, if not in canonical form.
    pub spelling: Option<&'a Spelling>,
    /// Keys that the account has now.
    pub keys_held: usize,
    /// The owner and the tax id came with demo data: what is asked of real ones (4 and 8) is not
    /// asked.
    pub owner_is_made_up: bool,
    /// The present.
    pub now: Timestamp,
}

/// One key and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    key: PixKey,
    version: i64,
    state: EntryState,
    spelling: Option<Spelling>,
}

impl Entry {
    /// The entry of a key that was never registered.
    pub const fn vacant(key: PixKey) -> Self {
        Self { key, version: 0, state: EntryState::Vacant, spelling: None }
    }

    /// An entry as it was stored.
    pub const fn stored(key: PixKey, version: i64, state: EntryState) -> Self {
        Self { key, version, state, spelling: None }
    }

    /// The same, written so when it was registered.
    #[must_use]
    pub fn spelled(self, spelling: Option<Spelling>) -> Self {
        Self { spelling, ..self }
    }

    /// Decides whether the account gets the key.
    ///
    /// # Errors
    /// The first refusal of the module's table, from 2 on.
    pub fn register(&self, wanted: &Registration<'_>) -> Result<EntryEvent, Violation> {
        let Registration { entry_id, account, spelling, keys_held, owner_is_made_up, now } =
            *wanted;
        let details = account.details().ok_or_else(error::account_not_found)?;
        match account.status() {
            AccountStatus::Active => {}
            AccountStatus::Blocked | AccountStatus::Closed => {
                return Err(error::account_not_active());
            }
        }
        let owner = &details.owner;
        let must_be_own = match self.key.kind() {
            PixKeyKind::Cpf | PixKeyKind::Cnpj => !owner_is_made_up,
            PixKeyKind::Email | PixKeyKind::Phone | PixKeyKind::Evp => false,
        };
        if must_be_own && self.key.as_str() != owner.tax_id.as_str() {
            return Err(error::key_of_another_person());
        }
        match &self.state {
            EntryState::Vacant | EntryState::Removed { .. } => {}
            EntryState::Active(held) if held.owner_tax_id != owner.tax_id => {
                return Err(error::key_owned_by_another_person());
            }
            EntryState::Active(held) if held.ispb != account.ispb() => {
                return Err(error::key_at_another_participant());
            }
            EntryState::Active(_) => return Err(error::key_already_registered()),
        }
        let limit = key_limit(owner.tax_id.kind());
        if keys_held >= limit && !owner_is_made_up {
            return Err(error::key_limit_reached(limit));
        }
        Ok(EntryEvent::Registered(KeyRegistered {
            entry_id,
            account_id: account.id(),
            ispb: account.ispb(),
            owner: owner.clone(),
            spelling: spelling.cloned(),
            registered_at: now,
            owned_since: now,
        }))
    }

    /// Decides whether the account gives the key up.
    ///
    /// # Errors
    /// `key_not_found` unless the key names this very account.
    pub fn remove(
        &self,
        account_id: AccountId,
        reason: RemovalReason,
        now: Timestamp,
    ) -> Result<EntryEvent, Violation> {
        match &self.state {
            EntryState::Active(held) if held.account_id == account_id => {
                Ok(EntryEvent::Removed(KeyRemoved {
                    entry_id: held.entry_id,
                    account_id,
                    ispb: held.ispb,
                    reason,
                    removed_at: now,
                }))
            }
            EntryState::Active(_) | EntryState::Vacant | EntryState::Removed { .. } => {
                Err(error::key_not_found())
            }
        }
    }

    /// Takes on what happened.
    pub fn apply(&mut self, event: &EntryEvent) {
        self.version = self.version.saturating_add(1);
        if let EntryEvent::Registered(registered) = event {
            self.spelling.clone_from(&registered.spelling);
        }
        self.state = match event {
            EntryEvent::Registered(registered) => EntryState::Active(Holding {
                entry_id: registered.entry_id,
                account_id: registered.account_id,
                ispb: registered.ispb,
                owner_tax_id: registered.owner.tax_id,
                created_at: registered.registered_at,
                owned_since: registered.owned_since,
            }),
            EntryEvent::Removed(removed) => match self.state {
                EntryState::Active(last) | EntryState::Removed { last, .. } => {
                    let KeyRemoved { reason, removed_at, .. } = *removed;
                    EntryState::Removed { last, reason, removed_at }
                }
                EntryState::Vacant => EntryState::Vacant,
            },
        };
    }

    /// The account that has the key writes it so from now on: it registered it again. Nothing
    /// happens that others would hear of; says whether anything changes.
    pub fn respell(&mut self, spelling: Option<&Spelling>) -> bool {
        let changes = self.spelling.as_ref() != spelling;
        if changes {
            self.spelling = spelling.cloned();
        }
        changes
    }

    /// How the key was written when it was registered, if not in canonical form.
    pub const fn spelling(&self) -> Option<&Spelling> {
        self.spelling.as_ref()
    }

    /// The key.
    pub const fn key(&self) -> &PixKey {
        &self.key
    }

    /// How often it changed.
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// Its state.
    pub const fn state(&self) -> &EntryState {
        &self.state
    }

    /// Who has the key now.
    pub const fn holding(&self) -> Option<&Holding> {
        match &self.state {
            EntryState::Active(held) => Some(held),
            EntryState::Vacant | EntryState::Removed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountDetails, AccountFact, AccountNews, Owner, OwnerName};

    const MARIA: &str = "12345678909";
    const ANA: &str = "52998224725";
    const COMPANY: &str = "11222333000181";

    fn key(text: &str) -> PixKey {
        PixKey::infer(text).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second.saturating_mul(1_000)).unwrap()
    }

    fn account(number: u128, ispb: &str, tax_id: &str) -> Account {
        let name = OwnerName::parse("Owner").unwrap();
        let owner = Owner { name, tax_id: TaxId::parse(tax_id).unwrap() };
        let details = AccountDetails { branch: "0001".into(), number: number.to_string(), owner };
        let id = AccountId::from_uuid(Uuid::from_u128(number));
        Account::enrolled(id, Ispb::parse(ispb).unwrap(), details)
    }

    fn wanted(account: &Account, keys_held: usize) -> Registration<'_> {
        let entry_id = EntryId::from_uuid(Uuid::from_u128(7));
        Registration {
            entry_id,
            account,
            spelling: None,
            keys_held,
            owner_is_made_up: false,
            now: at(1),
        }
    }

    #[test]
    fn of_a_made_up_owner_neither_tax_id_nor_number_of_keys_is_asked() {
        let maria = account(1, "00000001", MARIA);
        let vacant = Entry::vacant(key(ANA));
        let code = |wanted: Registration<'_>| vacant.register(&wanted).map_err(|it| it.code());
        assert_eq!(code(wanted(&maria, 0)), Err("key_of_another_person"));
        assert!(code(Registration { owner_is_made_up: true, ..wanted(&maria, 99) }).is_ok());
    }

    #[test]
    fn a_key_keeps_how_it_was_written_until_it_is_registered_otherwise() {
        let maria = account(1, "00000001", MARIA);
        let written = |text| Spelling::of(text, &key(MARIA)).unwrap();
        let (forms, spaced) = (written("123.456.789-09"), written("123 456 789 09"));
        let mut entry = Entry::vacant(key(MARIA));
        let spelled = Registration { spelling: forms.as_ref(), ..wanted(&maria, 0) };
        entry.apply(&entry.register(&spelled).unwrap());
        assert_eq!((entry.spelling(), entry.version()), (forms.as_ref(), 1));
        assert!(!entry.respell(forms.as_ref()) && entry.respell(spaced.as_ref()));
        assert_eq!((entry.spelling(), entry.version()), (spaced.as_ref(), 1));
        entry.apply(&entry.remove(maria.id(), RemovalReason::UserRequested, at(2)).unwrap());
        entry.apply(&entry.register(&wanted(&maria, 0)).unwrap());
        assert_eq!(entry.spelling(), None);
    }

    fn held_by(text: &str, account: &Account) -> Entry {
        let mut entry = Entry::vacant(key(text));
        let event = entry.register(&wanted(account, 0)).unwrap();
        entry.apply(&event);
        entry
    }

    #[track_caller]
    fn refused(entry: &Entry, account: &Account, keys_held: usize) -> &'static str {
        let before = entry.clone();
        let broken = entry.register(&wanted(account, keys_held)).unwrap_err();
        assert_eq!(*entry, before);
        broken.code()
    }

    #[test]
    fn a_vacant_key_goes_to_the_account_that_asks() {
        let maria = account(1, "00000001", MARIA);
        let entry = held_by("maria@example.com", &maria);
        let held = entry.holding().unwrap();
        assert_eq!((held.account_id, held.ispb), (maria.id(), maria.ispb()));
        assert_eq!((held.created_at, held.owned_since), (at(1), at(1)));
        assert_eq!(entry.version(), 1);
    }

    #[test]
    fn a_tax_id_is_a_key_of_its_owner_alone() {
        let maria = account(1, "00000001", MARIA);
        let company = account(2, "00000001", COMPANY);
        assert!(held_by(MARIA, &maria).holding().is_some());
        assert!(held_by(COMPANY, &company).holding().is_some());
        assert_eq!(refused(&Entry::vacant(key(ANA)), &maria, 0), "key_of_another_person");
        assert_eq!(refused(&Entry::vacant(key(COMPANY)), &maria, 0), "key_of_another_person");
        assert_eq!(refused(&Entry::vacant(key(MARIA)), &company, 0), "key_of_another_person");
    }

    #[test]
    fn a_key_that_is_held_is_refused_by_who_holds_it() {
        let entry = held_by("maria@example.com", &account(1, "00000001", MARIA));
        let same_account = account(1, "00000001", MARIA);
        let second_account = account(2, "00000001", MARIA);
        let elsewhere = account(3, "00000002", MARIA);
        assert_eq!(refused(&entry, &same_account, 1), "key_already_registered");
        assert_eq!(refused(&entry, &second_account, 0), "key_already_registered");
        assert_eq!(refused(&entry, &elsewhere, 0), "key_at_another_participant");
        for ispb in ["00000001", "00000002"] {
            let ana = account(4, ispb, ANA);
            assert_eq!(refused(&entry, &ana, 0), "key_owned_by_another_person");
        }
    }

    #[test]
    fn the_limit_is_five_keys_for_a_person_and_twenty_for_a_company() {
        let entry = Entry::vacant(key("maria@example.com"));
        let (maria, company) = (account(1, "00000001", MARIA), account(2, "00000001", COMPANY));
        assert!(entry.register(&wanted(&maria, 4)).is_ok());
        assert_eq!(refused(&entry, &maria, 5), "key_limit_reached");
        assert!(entry.register(&wanted(&company, 19)).is_ok());
        assert_eq!(refused(&entry, &company, 20), "key_limit_reached");
    }

    #[test]
    fn an_account_that_is_not_active_gets_no_key() {
        let news = |fact| AccountNews {
            account_id: AccountId::from_uuid(Uuid::from_u128(1)),
            ispb: Ispb::parse("00000001").unwrap(),
            version: 9,
            fact,
        };
        let entry = Entry::vacant(key("maria@example.com"));
        for fact in [AccountFact::Blocked, AccountFact::Closed] {
            let mut maria = account(1, "00000001", MARIA);
            assert!(maria.hear(news(fact.clone())).unwrap());
            assert_eq!(refused(&entry, &maria, 0), "account_not_active");
            let unopened = Account::first_told(news(fact));
            assert_eq!(refused(&entry, &unopened, 0), "account_not_found");
        }
    }

    #[test]
    fn refusals_come_in_the_order_of_the_table() {
        let news = |fact, version| AccountNews {
            account_id: AccountId::from_uuid(Uuid::from_u128(3)),
            ispb: Ispb::parse("00000002").unwrap(),
            version,
            fact,
        };
        // Each has everything wrong that comes later in the table.
        let mut ana = account(3, "00000002", ANA);
        let entry = held_by(MARIA, &account(1, "00000001", MARIA));
        assert_eq!(refused(&entry, &ana, 99), "key_of_another_person");
        assert!(ana.hear(news(AccountFact::Blocked, 1)).unwrap());
        assert_eq!(refused(&entry, &ana, 99), "account_not_active");
        let unopened = Account::first_told(news(AccountFact::Blocked, 1));
        assert_eq!(refused(&entry, &unopened, 99), "account_not_found");
        let entry = held_by("maria@example.com", &account(1, "00000001", MARIA));
        let ana = account(3, "00000002", ANA);
        assert_eq!(refused(&entry, &ana, 99), "key_owned_by_another_person");
        assert_eq!(refused(&entry, &account(1, "00000001", MARIA), 99), "key_already_registered");
        assert_eq!(
            refused(&entry, &account(5, "00000002", MARIA), 99),
            "key_at_another_participant"
        );
    }

    #[test]
    fn only_the_account_that_holds_a_key_gives_it_up() {
        let maria = account(1, "00000001", MARIA);
        let mut entry = held_by("maria@example.com", &maria);
        let stranger = account(2, "00000001", MARIA);
        let broken = entry.remove(stranger.id(), RemovalReason::UserRequested, at(2)).unwrap_err();
        assert_eq!((broken.code(), broken.message()), ("key_not_found", "no key was found"));
        let event = entry.remove(maria.id(), RemovalReason::Fraud, at(2)).unwrap();
        entry.apply(&event);
        assert_eq!((entry.holding(), entry.version()), (None, 2));
        let again = entry.remove(maria.id(), RemovalReason::Fraud, at(3)).unwrap_err();
        assert_eq!(again.code(), "key_not_found");
        let vacant = Entry::vacant(key("nobody@example.com"));
        assert!(vacant.remove(maria.id(), RemovalReason::UserRequested, at(2)).is_err());
    }

    #[test]
    fn a_removed_key_is_anyones_again_and_its_version_goes_on() {
        let maria = account(1, "00000001", MARIA);
        let mut entry = held_by("maria@example.com", &maria);
        entry.apply(&entry.remove(maria.id(), RemovalReason::UserRequested, at(2)).unwrap());
        let ana = account(2, "00000002", ANA);
        entry.apply(&entry.register(&Registration { now: at(3), ..wanted(&ana, 0) }).unwrap());
        let held = entry.holding().unwrap();
        assert_eq!((held.account_id, held.owned_since, entry.version()), (ana.id(), at(3), 3));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Register(usize),
        Remove(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = (0_usize..4, any::<bool>());
        let named = step.prop_map(
            |(who, register)| {
                if register { Step::Register(who) } else { Step::Remove(who) }
            },
        );
        prop::collection::vec(named, 0..40)
    }

    proptest! {
        #[test]
        fn whatever_is_asked_a_key_names_one_account_and_its_version_counts_the_changes(
            steps in steps(),
        ) {
            let accounts = [
                account(1, "00000001", MARIA),
                account(2, "00000001", MARIA),
                account(3, "00000002", MARIA),
                account(4, "00000002", ANA),
            ];
            let mut entry = Entry::vacant(key("maria@example.com"));
            let mut holder: Option<usize> = None;
            let mut changes = 0_i64;
            for step in steps {
                let decided = match step {
                    Step::Register(who) => {
                        let decided = entry.register(&wanted(&accounts[who], 0));
                        prop_assert_eq!(decided.is_ok(), holder.is_none());
                        holder = holder.or(Some(who));
                        decided
                    }
                    Step::Remove(who) => {
                        let reason = RemovalReason::UserRequested;
                        let decided = entry.remove(accounts[who].id(), reason, at(2));
                        prop_assert_eq!(decided.is_ok(), holder == Some(who));
                        holder = holder.filter(|held| *held != who);
                        decided
                    }
                };
                if let Ok(event) = decided {
                    entry.apply(&event);
                    changes = changes.saturating_add(1);
                }
                let named = entry.holding().map(|held| held.account_id);
                prop_assert_eq!(named, holder.map(|who| accounts[who].id()));
                prop_assert_eq!(entry.version(), changes);
            }
        }
    }
}
