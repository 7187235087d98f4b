//! A store in memory for tests: the same promises as the tables, checks and unique keys included.
//! Transactions are for one at a time; dropping one without commit undoes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use shared_kernel::application::transaction::{AnswerBook, OffsetMove};
use shared_kernel::application::{
    Answers, DeadLetter, PageSize, Published, Remembered, StoreError, TraceParent, Transaction,
};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Money, TaxId, Timestamp};

use super::books::Changes;
use super::page::{
    AccountAt, AccountPlace, AccountsOf, Part, PostingPlace, PostingsOf, TransferPlace, TransfersOf,
};
use super::ports::{
    BankChange, BankDesk, BankingReads, BankingStore, BankingTransaction, KeyChange,
    NumberedAccount, OpenTransaction, SideIds, Traced,
};
use super::views::{BankView, HoldView, StatementLine, TransferView};
use crate::domain::{
    Account, AccountEvent, Bank, BookTransfer, CLIENT_NUMBER_FIRST, Client, ClientId, Customer,
    HubMessage, IncomingStatus, IncomingTransfer, Leg, OutgoingStatus, OutgoingTransfer, OwnerName,
    Party,
};

/// An entry by its unique key.
pub(crate) type EntryKey = (String, Leg, AccountId);

#[derive(Clone, Default)]
pub(crate) struct Tables {
    pub(crate) banks: BTreeMap<Ispb, (Bank, i64, i64)>,
    pub(crate) next_clients: BTreeMap<Ispb, i64>,
    pub(crate) clients: BTreeMap<ClientId, Client>,
    pub(crate) customers: BTreeMap<(Ispb, TaxId), OwnerName>,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) internal: BTreeMap<AccountId, Money>,
    pub(crate) entries: BTreeMap<EntryKey, (Ispb, Money)>,
    pub(crate) outgoing: BTreeMap<EndToEndId, (OutgoingTransfer, TraceParent)>,
    pub(crate) incoming: BTreeMap<EndToEndId, (IncomingTransfer, TraceParent)>,
    pub(crate) booked: BTreeMap<EndToEndId, BookTransfer>,
    pub(crate) keys: BTreeMap<String, KeyChange>,
    pub(crate) answers: BTreeMap<(String, String), Remembered>,
    pub(crate) events: Vec<AccountEvent>,
    pub(crate) messages: Vec<HubMessage>,
    pub(crate) echoes: Vec<Published>,
}

/// The store; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    tables: Arc<Mutex<Tables>>,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

pub(crate) struct MemoryTransaction {
    home: Memory,
    tables: Tables,
}

impl Memory {
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Tables) -> T) -> T {
        act(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The reads since the last time this was asked, by name and in order of it.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort_unstable();
        asked
    }

    /// What a read looks at.
    fn read(&self, name: &'static str) -> Tables {
        self.asked.lock().unwrap().push(name);
        self.tables()
    }

    pub(crate) fn tables(&self) -> Tables {
        self.with(|tables| tables.clone())
    }
}

fn conflict(what: &str) -> StoreError {
    StoreError::Conflict(what.to_owned())
}

impl Tables {
    /// Every transfer of an account, as it sees it.
    fn seen_by(&self, account_id: AccountId) -> Vec<TransferView> {
        let outgoing = self.outgoing.values().map(|(value, _)| value);
        let outgoing = outgoing.filter(|it| it.state().payment.payer.account_id == account_id);
        let incoming = self.incoming.values().map(|(value, _)| value);
        let incoming = incoming.filter(|it| it.state().payment.payee.account_id == account_id);
        let sides = |it: &&BookTransfer| {
            [it.payment.payer.account_id, it.payment.payee.account_id].contains(&account_id)
        };
        let booked = self.booked.values().filter(sides);
        outgoing
            .map(TransferView::from)
            .chain(incoming.map(TransferView::from))
            .chain(booked.map(|it| TransferView::book(it, account_id)))
            .collect()
    }

    fn post(&mut self, changes: &Changes) -> Result<(), StoreError> {
        for posting in &changes.postings {
            let head = posting.head();
            for entry in posting.entries() {
                let account = entry.account.id(head.ispb);
                let key = (head.reference.clone(), head.leg, account);
                if self.entries.insert(key, (head.ispb, entry.amount)).is_some() {
                    return Err(conflict("posted twice"));
                }
                if !self.accounts.contains_key(&account) {
                    let balance = self.internal.entry(account).or_default();
                    *balance = balance.checked_add(entry.amount).unwrap();
                }
            }
        }
        Ok(())
    }

    fn save(&mut self, changes: Changes) -> Result<(), StoreError> {
        for client in changes.clients.clone() {
            if self.clients.insert(client.id, client).is_some() {
                return Err(conflict("client"));
            }
        }
        self.next_clients.extend(changes.next_clients.clone());
        for Customer { ispb, tax_id, name } in changes.customers.clone() {
            if self.customers.insert((ispb, tax_id), name).is_some() {
                return Err(conflict("customer"));
            }
        }
        for account in &changes.opened {
            if self.accounts.insert(account.state().id, account.clone()).is_some() {
                return Err(conflict("account"));
            }
        }
        for account in &changes.accounts {
            let funds = account.state().funds;
            if funds.held.is_negative() || funds.available().is_negative() {
                return Err(StoreError::Rejected("account_available_not_negative".into()));
            }
            let known = self.accounts.insert(account.state().id, account.clone()).unwrap();
            assert!(known.state().version < account.state().version);
        }
        for (ispb, number) in &changes.next_numbers {
            self.banks.get_mut(ispb).unwrap().2 = *number;
        }
        self.post(&changes)?;
        for Traced { value, trace } in changes.ordered {
            let id = value.state().payment.end_to_end_id;
            if self.outgoing.insert(id, (value, trace)).is_some() {
                return Err(conflict("outgoing"));
            }
        }
        for value in changes.outgoing {
            let known = self.outgoing.get_mut(&value.state().payment.end_to_end_id).unwrap();
            assert_eq!(known.0.state().status, OutgoingStatus::Requested);
            known.0 = value;
        }
        for Traced { value, trace } in changes.received {
            let id = value.state().payment.end_to_end_id;
            if self.incoming.insert(id, (value, trace)).is_some() {
                return Err(conflict("incoming"));
            }
        }
        for value in changes.incoming {
            let known = self.incoming.get_mut(&value.state().payment.end_to_end_id).unwrap();
            known.0 = value;
        }
        for value in changes.booked {
            self.booked.insert(value.payment.end_to_end_id, value);
        }
        self.events.extend(changes.account_events.into_iter().map(|it| it.value));
        self.messages.extend(changes.messages.into_iter().map(|it| it.value));
        self.echoes.extend(changes.echoes);
        Ok(())
    }
}

#[async_trait]
impl BankingStore for Memory {
    async fn begin(&self) -> Result<Box<OpenTransaction>, StoreError> {
        Ok(Box::new(MemoryTransaction { home: self.clone(), tables: self.tables() }))
    }
}

#[async_trait]
impl Transaction for MemoryTransaction {
    async fn advance(&mut self, _consumer: &str, _moves: &[OffsetMove]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn dead_letter(&mut self, _letters: Vec<DeadLetter>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { home, tables } = *self;
        home.with(|known| *known = tables);
        Ok(())
    }

    async fn rollback(self: Box<Self>) {}
}

#[async_trait]
impl Answers for MemoryTransaction {
    async fn remember(&mut self, answers: &[Remembered]) -> Result<(), StoreError> {
        for answer in answers {
            let key = (answer.scope.clone(), answer.key.clone());
            if self.tables.answers.insert(key, answer.clone()).is_some() {
                return Err(conflict("answer"));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl AnswerBook for Memory {
    async fn remembered(&self, keys: &[(String, String)]) -> Result<Vec<Remembered>, StoreError> {
        let found = |tables: &mut Tables| {
            keys.iter().filter_map(|key| tables.answers.get(key).cloned()).collect()
        };
        Ok(self.with(found))
    }
}

fn among<K: Ord + Copy, V: Clone>(map: &BTreeMap<K, V>, ids: &[K]) -> Vec<V> {
    let ids: BTreeSet<K> = ids.iter().copied().collect();
    ids.iter().filter_map(|id| map.get(id).cloned()).collect()
}

#[async_trait]
impl BankingTransaction for MemoryTransaction {
    async fn settled(&mut self, sides: &SideIds) -> Result<SideIds, StoreError> {
        let Tables { outgoing, incoming, .. } = &self.tables;
        let debited = |id: &&EndToEndId| {
            let side = outgoing.get(id).map(|(side, _)| side.state().status);
            side == Some(OutgoingStatus::Settled)
        };
        let credited =
            |id: &&EndToEndId| incoming.get(id).is_some_and(|(side, _)| side.is_posted());
        Ok(SideIds {
            outgoing: sides.outgoing.iter().filter(debited).copied().collect(),
            incoming: sides.incoming.iter().filter(credited).copied().collect(),
        })
    }

    async fn outgoing(&mut self, ids: &[EndToEndId]) -> Result<Vec<OutgoingTransfer>, StoreError> {
        Ok(among(&self.tables.outgoing, ids).into_iter().map(|(value, _)| value).collect())
    }

    async fn incoming(&mut self, ids: &[EndToEndId]) -> Result<Vec<IncomingTransfer>, StoreError> {
        Ok(among(&self.tables.incoming, ids).into_iter().map(|(value, _)| value).collect())
    }

    async fn due_outgoing(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<OutgoingTransfer>>, StoreError> {
        let due = self.tables.outgoing.values().filter(|(value, _)| {
            value.state().status == OutgoingStatus::Requested && value.state().resend_at <= now
        });
        let traced = |(value, trace): &(_, _)| Traced {
            value: Clone::clone(value),
            trace: Clone::clone(trace),
        };
        Ok(due.take(usize::try_from(limit).unwrap()).map(traced).collect())
    }

    async fn due_incoming(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<IncomingTransfer>>, StoreError> {
        let due = self.tables.incoming.values().filter(|(value, _)| {
            value.state().status == IncomingStatus::Expected && value.state().resend_at <= now
        });
        let traced = |(value, trace): &(_, _)| Traced {
            value: Clone::clone(value),
            trace: Clone::clone(trace),
        };
        Ok(due.take(usize::try_from(limit).unwrap()).map(traced).collect())
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        Ok(among(&self.tables.accounts, ids))
    }

    async fn expected_credits(
        &mut self,
        ids: &[AccountId],
    ) -> Result<Vec<(AccountId, i64)>, StoreError> {
        let expected = |id: &AccountId| {
            let of = self.tables.incoming.values().filter(|(value, _)| {
                value.state().status == IncomingStatus::Expected
                    && value.state().payment.payee.account_id == *id
            });
            (*id, i64::try_from(of.count()).unwrap())
        };
        Ok(ids.iter().map(expected).collect())
    }

    async fn desks(&mut self, banks: &[Ispb]) -> Result<Vec<BankDesk>, StoreError> {
        let next_clients = &self.tables.next_clients;
        let desk = |(bank, _, next_number): (Bank, i64, i64)| BankDesk {
            ispb: bank.ispb,
            hosted: bank.hosted,
            next_number,
            next_client: next_clients.get(&bank.ispb).copied().unwrap_or(CLIENT_NUMBER_FIRST),
        };
        Ok(among(&self.tables.banks, banks).into_iter().map(desk).collect())
    }

    async fn customers(&mut self, ids: &[(Ispb, TaxId)]) -> Result<Vec<Customer>, StoreError> {
        let known = ids.iter().filter_map(|(ispb, tax_id)| {
            let name = self.tables.customers.get(&(*ispb, *tax_id))?.clone();
            Some(Customer { ispb: *ispb, tax_id: *tax_id, name })
        });
        Ok(known.collect())
    }

    async fn clients(&mut self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        Ok(among(&self.tables.clients, ids))
    }

    async fn taken_numbers(
        &mut self,
        places: &[NumberedAccount],
    ) -> Result<Vec<NumberedAccount>, StoreError> {
        let taken = self.tables.accounts.values().map(|account| {
            let state = account.state();
            (state.ispb, state.branch.clone(), state.number.clone())
        });
        let taken: BTreeSet<NumberedAccount> = taken.collect();
        Ok(places.iter().filter(|place| taken.contains(place)).cloned().collect())
    }

    async fn save(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.tables.save(changes)
    }

    async fn save_banks(&mut self, changes: &[BankChange]) -> Result<(), StoreError> {
        for BankChange { bank, version } in changes {
            let known = self.tables.banks.get(&bank.ispb);
            let (old, next) = known.map_or((0, 10_001), |(_, version, next)| (*version, *next));
            if old < *version {
                self.tables.banks.insert(bank.ispb, (bank.clone(), *version, next));
            }
        }
        Ok(())
    }

    async fn save_keys(&mut self, changes: &[KeyChange]) -> Result<(), StoreError> {
        for change in changes {
            let known = self.tables.keys.get(&change.key).map_or(0, |known| known.version);
            if known < change.version {
                self.tables.keys.insert(change.key.clone(), change.clone());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl BankingReads for Memory {
    async fn banks(&self) -> Result<Vec<BankView>, StoreError> {
        let view = |bank: Bank| BankView {
            ispb: bank.ispb,
            code: bank.code,
            name: bank.name,
            primary_color: bank.colors.primary,
            secondary_color: bank.colors.secondary,
        };
        let banks = self.read("banks").banks.into_values().map(|(bank, _, _)| bank);
        Ok(banks.filter(|bank| bank.hosted).map(view).collect())
    }

    async fn banks_among(&self, banks: &[Ispb]) -> Result<Vec<BankView>, StoreError> {
        let hosted = self.banks().await?;
        Ok(hosted.into_iter().filter(|bank| banks.contains(&bank.ispb)).collect())
    }

    async fn hosted(&self, banks: &[Ispb]) -> Result<Vec<Ispb>, StoreError> {
        let known = self.read("hosted").banks;
        let hosted = |ispb: &&Ispb| known.get(ispb).is_some_and(|(bank, _, _)| bank.hosted);
        Ok(banks.iter().filter(hosted).copied().collect())
    }

    async fn clients(&self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        Ok(among(&self.read("clients").clients, ids))
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        Ok(among(&self.read("accounts").accounts, ids))
    }

    async fn accounts_of(
        &self,
        parts: &[Part<AccountsOf, AccountPlace>],
    ) -> Result<Vec<Vec<Account>>, StoreError> {
        let place = |account: &Account| AccountPlace {
            opened_at: account.state().opened_at,
            id: account.state().id,
        };
        let tables = self.read("accounts_of");
        let list = |part: &Part<AccountsOf, AccountPlace>| {
            let mut accounts: Vec<Account> = tables.accounts.values().cloned().collect();
            accounts.retain(|it| {
                let state = it.state();
                state.ispb == part.of.ispb
                    && part.of.status.is_none_or(|status| status == state.status)
                    && part.after.is_none_or(|after| place(it) > after)
            });
            accounts.sort_by_key(place);
            first(accounts, part.size)
        };
        Ok(parts.iter().map(list).collect())
    }

    async fn own_keys(
        &self,
        wanted: &[(Ispb, String)],
    ) -> Result<Vec<(String, Party)>, StoreError> {
        let keys = self.read("own_keys").keys;
        let own = |(ispb, key): &(Ispb, String)| {
            let owner = keys.get(key)?.owner.clone()?;
            (owner.ispb == *ispb).then(|| (key.clone(), owner))
        };
        Ok(wanted.iter().filter_map(own).collect())
    }

    async fn transfers(
        &self,
        sides: &[(EndToEndId, AccountId)],
    ) -> Result<Vec<Option<TransferView>>, StoreError> {
        let tables = self.read("transfers");
        let side = |(id, account): &(EndToEndId, AccountId)| {
            tables.seen_by(*account).into_iter().find(|view| view.end_to_end_id == *id)
        };
        Ok(sides.iter().map(side).collect())
    }

    async fn transfers_of(
        &self,
        parts: &[Part<TransfersOf, TransferPlace>],
    ) -> Result<Vec<Vec<TransferView>>, StoreError> {
        let tables = self.read("transfers_of");
        let list = |part: &Part<TransfersOf, TransferPlace>| {
            let mut views = tables.seen_by(part.of.at.id);
            views.retain(|view| part.of.holds(view));
            newest(views, part)
        };
        Ok(parts.iter().map(list).collect())
    }

    async fn holds_of(
        &self,
        parts: &[Part<AccountAt, TransferPlace>],
    ) -> Result<Vec<Vec<HoldView>>, StoreError> {
        let tables = self.read("holds_of");
        let list = |part: &Part<AccountAt, TransferPlace>| {
            let open = tables.outgoing.values().map(|(value, _)| value.state());
            let open = open.filter(|it| it.status == OutgoingStatus::Requested);
            let own = open.filter(|it| it.payment.payer.account_id == part.of.id);
            newest(own.map(|it| HoldView::from(&it.payment)).collect(), part)
        };
        Ok(parts.iter().map(list).collect())
    }

    async fn statements(
        &self,
        parts: &[Part<PostingsOf, PostingPlace>],
    ) -> Result<Vec<Vec<StatementLine>>, StoreError> {
        self.read("statements");
        Ok(parts.iter().map(|_| Vec::new()).collect())
    }
}

fn first<T>(mut rows: Vec<T>, size: PageSize) -> Vec<T> {
    rows.truncate(usize::try_from(size.rows_to_read()).unwrap());
    rows
}

/// The newest rows behind the place where a part begins.
fn newest<K, T>(mut rows: Vec<T>, part: &Part<K, TransferPlace>) -> Vec<T>
where
    for<'a> TransferPlace: From<&'a T>,
{
    let place = |row: &T| TransferPlace::from(row);
    rows.retain(|row| part.after.is_none_or(|after| place(row) < after));
    rows.sort_by_key(|row| std::cmp::Reverse(place(row)));
    first(rows, part.size)
}
