//! The store of the banks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use banking::application::books::Changes;
use banking::application::ports::{
    BankChange, BankDesk, BankingStore, BankingTransaction, KeyChange, NumberedAccount, SideIds,
    Traced,
};
use banking::domain::{
    Account, AccountEvent, AccountState, Bank, BookTransfer, CLIENT_NUMBER_FIRST, Client, ClientId,
    Customer, EntryAccount, IncomingStatus, IncomingTransfer, InternalAccount, Leg, OutgoingStatus,
    OutgoingTransfer, Posting,
};
use banking::infrastructure::kafka::publish;
use shared_kernel::application::{StoreError, TraceParent};
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, Money, TaxId, Timestamp};

use super::{at_most, because};
use crate::checks::Oracle;
use crate::planted::{self, Bug};
use crate::store::{OpenTransaction, Row, Session, Tables, all, find};
use crate::words::Words;

/// An entry's unique key.
pub(crate) type EntryKey = (String, Leg, AccountId);

/// A bank with the version of its participant and the number that it gives next.
pub(crate) type BankRow = (Bank, i64, i64);

/// A side of a transfer with the trace of its order.
pub(crate) type SideRow<T> = (T, TraceParent);

/// The banks' rows.
#[derive(Default)]
pub(crate) struct BankingTables {
    pub(crate) banks: BTreeMap<Ispb, BankRow>,
    customers: BTreeMap<(Ispb, TaxId), Customer>,
    next_clients: BTreeMap<Ispb, i64>,
    pub(crate) clients: BTreeMap<ClientId, Client>,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    numbers: BTreeMap<NumberedAccount, AccountId>,
    pub(crate) internal: BTreeMap<AccountId, (Ispb, InternalAccount, Money)>,
    pub(crate) entries: BTreeMap<EntryKey, (Ispb, Money)>,
    pub(crate) outgoing: BTreeMap<EndToEndId, SideRow<OutgoingTransfer>>,
    pub(crate) incoming: BTreeMap<EndToEndId, SideRow<IncomingTransfer>>,
    pub(crate) booked: BTreeMap<EndToEndId, BookTransfer>,
    pub(crate) keys: BTreeMap<String, KeyChange>,
    /// What happened to accounts in a transaction, in order.
    pub(crate) happened: Vec<AccountEvent>,
}

/// What is new of an account, then its money.
fn told(before: Option<&AccountState>, after: &AccountState) -> String {
    let AccountState { ispb, id, funds, status, limits, .. } = after;
    let mut news = Vec::new();
    match before {
        None => news.push("is opened".to_owned()),
        Some(before) => {
            if before.status != after.status {
                news.push(format!("is {} from now on", status.words()));
            }
            if before.limits != after.limits {
                let (once, day) = (at_most(limits.per_transfer), at_most(limits.per_day));
                news.push(format!("is limited from now on: a transfer {once}, a day {day}"));
            }
        }
    }
    news.push(format!("has {}", funds.words()));
    format!("bank {ispb}: account {id} {}", news.join("; it "))
}

/// How a side of a transfer stands: as it stood before, it asks the hub once more.
fn stands<S: PartialEq + Words>(before: Option<S>, now: &S, asked: u32) -> String {
    match before {
        Some(before) if before == *now && asked > 0 => {
            format!("is still {}, and asks the hub again: reminder {asked}", now.words())
        }
        Some(_) | None => format!("is {}", now.words()),
    }
}

impl Tables for BankingTables {
    const SCHEMA: &'static str = "banking";

    fn examine(&self, own: &Self, oracle: &mut Oracle) -> Result<(), String> {
        oracle.books(self, own)
    }

    fn absorb(&mut self, own: Self) {
        self.banks.extend(own.banks);
        self.customers.extend(own.customers);
        self.next_clients.extend(own.next_clients);
        self.clients.extend(own.clients);
        self.accounts.extend(own.accounts);
        self.numbers.extend(own.numbers);
        self.internal.extend(own.internal);
        self.entries.extend(own.entries);
        self.outgoing.extend(own.outgoing);
        self.incoming.extend(own.incoming);
        self.booked.extend(own.booked);
        self.keys.extend(own.keys);
    }

    fn marks(&self) -> usize {
        self.outgoing.len() + self.incoming.len() + self.booked.len() + self.accounts.len()
    }

    fn tell(&self, own: &Self) -> Vec<String> {
        let payer = own.outgoing.iter().map(|(id, (side, _))| {
            let (side, bank) = (side.state(), side.state().payment.payer.ispb);
            let before = self.outgoing.get(id).map(|(before, _)| before.state().status);
            let state = stands(before, &side.status, side.resends);
            format!("bank {bank}: the payer's side of {id} {state}{}", because(side.reason))
        });
        let payee = own.incoming.iter().map(|(id, (side, _))| {
            let (side, bank) = (side.state(), side.state().payment.payee.ispb);
            let before = self.incoming.get(id).map(|(before, _)| before.state().status);
            let state = stands(before, &side.status, side.resends);
            format!("bank {bank}: the payee's side of {id} {state}{}", because(side.reason))
        });
        let accounts = own.accounts.values().map(|after| {
            let before = self.accounts.get(&after.state().id).map(Account::state);
            told(before, after.state())
        });
        let booked = own.booked.values().map(|BookTransfer { payment, .. }| {
            let (id, amount, payer) = (payment.end_to_end_id, payment.amount, payment.payer.ispb);
            let (from, to) = (payment.payer.account_id, payment.payee.account_id);
            format!("bank {payer}: {id} is booked within the bank, {amount} from {from} to {to}")
        });
        payer.chain(payee).chain(booked).chain(accounts).collect()
    }
}

type Banks = OpenTransaction<BankingTables>;

#[async_trait]
impl BankingStore for Session<BankingTables> {
    async fn begin(&self) -> Result<Box<dyn BankingTransaction>, StoreError> {
        Ok(self.open().await?)
    }
}

impl Banks {
    /// New customers and accounts, and how far the banks have counted.
    async fn openings(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.statement().await?;
        let customers =
            changes.customers.iter().map(|it| ((it.ispb, it.tax_id), it.clone())).collect();
        self.insert_rows("customer", customers, |it| &it.customers, |it| &mut it.customers).await?;
        for (ispb, next) in &changes.next_numbers {
            self.write(|committed, own| {
                if let Some((bank, version, _)) = find(&committed.banks, &own.banks, ispb).cloned()
                {
                    own.banks.insert(*ispb, (bank, version, *next));
                }
            });
        }
        let opened = || changes.opened.iter().map(|account| (account.state().id, account.clone()));
        self.insert_rows("account", opened().collect(), |it| &it.accounts, |it| &mut it.accounts)
            .await?;
        let place = |(id, account): (AccountId, Account)| {
            let state = account.state();
            ((state.ispb, state.branch.clone(), state.number.clone()), id)
        };
        let numbers = opened().map(place).collect();
        self.insert_rows("account_number", numbers, |it| &it.numbers, |it| &mut it.numbers).await
    }

    async fn sides(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let id = |it: &OutgoingTransfer| it.state().payment.end_to_end_id;
        let row =
            |it: &Traced<OutgoingTransfer>| (id(&it.value), (it.value.clone(), it.trace.clone()));
        let ordered = changes.ordered.iter().map(row).collect();
        self.insert_rows("outgoing", ordered, |it| &it.outgoing, |it| &mut it.outgoing).await?;
        for side in &changes.outgoing {
            self.write(|committed, own| {
                let known = find(&committed.outgoing, &own.outgoing, &id(side));
                let trace = known.map(|(_, trace)| trace.clone());
                own.outgoing.extend(trace.map(|trace| (id(side), (side.clone(), trace))));
            });
        }
        let id = |it: &IncomingTransfer| it.state().payment.end_to_end_id;
        let row =
            |it: &Traced<IncomingTransfer>| (id(&it.value), (it.value.clone(), it.trace.clone()));
        let received = changes.received.iter().map(row).collect();
        self.insert_rows("incoming", received, |it| &it.incoming, |it| &mut it.incoming).await?;
        for side in &changes.incoming {
            self.write(|committed, own| {
                let known = find(&committed.incoming, &own.incoming, &id(side));
                let trace = known.map(|(_, trace)| trace.clone());
                own.incoming.extend(trace.map(|trace| (id(side), (side.clone(), trace))));
            });
        }
        Ok(())
    }

    async fn post(&mut self, postings: &[Posting]) -> Result<(), StoreError> {
        self.statement().await?;
        let mut entries = Vec::new();
        let mut gained: BTreeMap<AccountId, (Ispb, InternalAccount, Money)> = BTreeMap::new();
        for posting in postings {
            let head = posting.head();
            for entry in posting.entries() {
                let id = entry.account.id(head.ispb);
                let key = (head.reference.clone(), head.leg, id);
                entries.push((key, (head.ispb, entry.amount)));
                if let EntryAccount::Internal(account) = entry.account {
                    let sum = gained.entry(id).or_insert((head.ispb, account, Money::ZERO));
                    sum.2 = sum.2.checked_add(entry.amount).unwrap_or(sum.2);
                }
            }
        }
        self.insert_rows("entry", entries, |it| &it.entries, |it| &mut it.entries).await?;
        self.statement().await?;
        for (id, (ispb, account, sum)) in gained {
            self.lock([Row::of("ledger_account", &id)]).await?;
            self.write(|committed, own| {
                let known = find(&committed.internal, &own.internal, &id);
                let balance = known.map_or(Money::ZERO, |(_, _, balance)| *balance);
                let balance = balance.checked_add(sum).unwrap_or(balance);
                own.internal.insert(id, (ispb, account, balance));
            });
        }
        Ok(())
    }

    fn accounts_changed(&mut self, changes: &Changes) -> Result<(), StoreError> {
        for account in &changes.accounts {
            let funds = account.state().funds;
            if funds.held.is_negative() || funds.available().is_negative() {
                let refused = StoreError::Rejected("account_available_not_negative".into());
                return Err(self.abort(refused));
            }
            self.write(|_, own| own.accounts.insert(account.state().id, account.clone()));
        }
        Ok(())
    }

    /// Due sides, by id, without those that others hold.
    async fn due<S: Clone + Send>(
        &mut self,
        (table, limit): (&'static str, i64),
        of: fn(&BankingTables) -> &BTreeMap<EndToEndId, SideRow<S>>,
        is_due: impl Fn(&S) -> bool + Send,
    ) -> Result<Vec<Traced<S>>, StoreError> {
        self.statement().await?;
        if self.session.world().has(Bug::NoReminders) {
            return Ok(Vec::new());
        }
        let mut due: Vec<EndToEndId> = self.see(|committed, own| {
            let due = all(of(committed), of(own)).filter(|(_, (side, _))| is_due(side));
            due.map(|(id, _)| *id).collect()
        });
        due.sort();
        due.retain(|id| self.grab(Row::of(table, id)));
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(self.see(|committed, own| {
            let rows = due.iter().filter_map(|id| find(of(committed), of(own), id));
            let traced =
                |(value, trace): &SideRow<S>| Traced { value: value.clone(), trace: trace.clone() };
            rows.filter(|(side, _)| is_due(side)).map(traced).collect()
        }))
    }
}

#[async_trait]
impl BankingTransaction for Banks {
    async fn settled(&mut self, sides: &SideIds) -> Result<SideIds, StoreError> {
        self.statement().await?;
        Ok(self.see(|committed, own| {
            let debited = |id: &&EndToEndId| {
                let side = find(&committed.outgoing, &own.outgoing, id);
                side.is_some_and(|(side, _)| side.state().status == OutgoingStatus::Settled)
            };
            let credited = |id: &&EndToEndId| {
                find(&committed.incoming, &own.incoming, id).is_some_and(|(it, _)| it.is_posted())
            };
            SideIds {
                outgoing: sides.outgoing.iter().filter(debited).copied().collect(),
                incoming: sides.incoming.iter().filter(credited).copied().collect(),
            }
        }))
    }

    async fn outgoing(&mut self, ids: &[EndToEndId]) -> Result<Vec<OutgoingTransfer>, StoreError> {
        let found = self.lock_rows("outgoing", ids, |it| &it.outgoing).await?;
        Ok(found.into_iter().map(|(side, _)| side).collect())
    }

    async fn incoming(&mut self, ids: &[EndToEndId]) -> Result<Vec<IncomingTransfer>, StoreError> {
        let found = self.lock_rows("incoming", ids, |it| &it.incoming).await?;
        Ok(found.into_iter().map(|(side, _)| side).collect())
    }

    async fn due_outgoing(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<OutgoingTransfer>>, StoreError> {
        self.due(
            ("outgoing", limit),
            |it| &it.outgoing,
            |side| {
                side.state().status == OutgoingStatus::Requested && side.state().resend_at <= now
            },
        )
        .await
    }

    async fn due_incoming(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Traced<IncomingTransfer>>, StoreError> {
        self.due(
            ("incoming", limit),
            |it| &it.incoming,
            |side| side.state().status == IncomingStatus::Expected && side.state().resend_at <= now,
        )
        .await
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let found = self.lock_rows("account", ids, |it| &it.accounts).await?;
        Ok(planted::loaded_accounts(self.session.world(), found))
    }

    async fn expected_credits(
        &mut self,
        ids: &[AccountId],
    ) -> Result<Vec<(AccountId, i64)>, StoreError> {
        self.statement().await?;
        Ok(self.see(|committed, own| {
            let expected = |id: &AccountId| {
                let sides = all(&committed.incoming, &own.incoming).filter(|(_, (side, _))| {
                    side.state().status == IncomingStatus::Expected
                        && side.state().payment.payee.account_id == *id
                });
                (*id, i64::try_from(sides.count()).unwrap_or(i64::MAX))
            };
            ids.iter().map(expected).collect()
        }))
    }

    async fn desks(&mut self, banks: &[Ispb]) -> Result<Vec<BankDesk>, StoreError> {
        let found = self.lock_rows("bank", banks, |it| &it.banks).await?;
        Ok(self.see(|committed, own| {
            let desk = |(bank, _, next_number): BankRow| {
                let next = find(&committed.next_clients, &own.next_clients, &bank.ispb);
                let next_client = next.copied().unwrap_or(CLIENT_NUMBER_FIRST);
                BankDesk { ispb: bank.ispb, hosted: bank.hosted, next_number, next_client }
            };
            found.into_iter().map(desk).collect()
        }))
    }

    async fn customers(&mut self, ids: &[(Ispb, TaxId)]) -> Result<Vec<Customer>, StoreError> {
        self.statement().await?;
        Ok(self.see(|committed, own| {
            let known = |id| find(&committed.customers, &own.customers, id).cloned();
            ids.iter().filter_map(known).collect()
        }))
    }

    async fn clients(&mut self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        self.statement().await?;
        Ok(self.see(|committed, own| {
            ids.iter()
                .filter_map(|id| find(&committed.clients, &own.clients, id).cloned())
                .collect()
        }))
    }

    async fn taken_numbers(
        &mut self,
        places: &[NumberedAccount],
    ) -> Result<Vec<NumberedAccount>, StoreError> {
        self.statement().await?;
        Ok(self.see(|committed, own| {
            let is_taken =
                |place: &&NumberedAccount| find(&committed.numbers, &own.numbers, place).is_some();
            places.iter().filter(is_taken).cloned().collect()
        }))
    }

    async fn save(&mut self, changes: Changes) -> Result<(), StoreError> {
        let mut changes = planted::changes(self.session.world(), changes);
        let happened = changes.account_events.iter().map(|event| event.value.clone());
        self.write(|_, own| own.happened.extend(happened));
        if !changes.clients.is_empty() {
            self.statement().await?;
            let clients = changes.clients.iter().map(|it| (it.id, it.clone())).collect();
            self.insert_rows("client", clients, |it| &it.clients, |it| &mut it.clients).await?;
            self.write(|_, own| own.next_clients.extend(changes.next_clients.clone()));
        }
        if !changes.opened.is_empty() {
            self.openings(&changes).await?;
        }
        self.statement().await?;
        self.sides(&changes).await?;
        let booked = changes.booked.iter().map(|it| (it.payment.end_to_end_id, it.clone()));
        self.insert_rows("book", booked.collect(), |it| &it.booked, |it| &mut it.booked).await?;
        self.accounts_changed(&changes)?;
        if !changes.postings.is_empty() {
            self.post(&changes.postings).await?;
        }
        self.publish(std::mem::take(&mut changes.echoes));
        self.publish(publish::events(changes)?);
        Ok(())
    }

    async fn save_banks(&mut self, changes: &[BankChange]) -> Result<(), StoreError> {
        self.statement().await?;
        for BankChange { bank, version } in changes {
            self.lock([Row::of("bank", &bank.ispb)]).await?;
            self.write(|committed, own| {
                let known = find(&committed.banks, &own.banks, &bank.ispb);
                // A bank that was never hosted here is none of ours.
                let is_ours = known.is_some() || bank.hosted;
                let (old, next) = known.map_or((0, 10_001), |(_, version, next)| (*version, *next));
                if is_ours && old < *version {
                    own.banks.insert(bank.ispb, (bank.clone(), *version, next));
                }
            });
        }
        Ok(())
    }

    async fn save_keys(&mut self, changes: &[KeyChange]) -> Result<(), StoreError> {
        self.statement().await?;
        for change in changes {
            self.lock([Row::of("pix_key", &change.key)]).await?;
            self.write(|committed, own| {
                let known = find(&committed.keys, &own.keys, &change.key);
                if known.is_none_or(|known| known.version < change.version) {
                    own.keys.insert(change.key.clone(), change.clone());
                }
            });
        }
        Ok(())
    }
}
