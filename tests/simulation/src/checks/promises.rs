//! What clients were told against what happened: every order that was accepted took effect once, as
//! it was asked for, and nothing else did; balances to the centavo.

use std::collections::{BTreeMap, BTreeSet};

use banking::application::account_command::OnAccount;
use banking::application::views::{AccountView, BookedView, Direction, TransferView};
use banking::domain::{
    Account, AccountState, AccountStatus, IncomingStatus, InternalAccount, OutgoingStatus, Payment,
};
use pix_keys::application::EntryView;
use pix_keys::domain::PixKey;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb};
use transfers::domain::{Transfer, TransferState};

use super::intents::{as_asked, as_named, is_known_as, names_payee};
use super::quiet::truth;
use super::{Finding, must};
use crate::city::City;
use crate::contexts::banking::BankingTables;
use crate::contexts::transfers::TransfersTables;
use crate::contexts::transfers_of;
use crate::words::{Words, money};
use crate::workload::{KeyWish, Order};

/// What follows from the answers of all accepted orders.
#[derive(Default)]
struct Due {
    balances: BTreeMap<AccountId, i64>,
    /// What came over the counter of each bank, less what went.
    cash: BTreeMap<Ispb, i64>,
    sent: BTreeSet<EndToEndId>,
    booked: BTreeSet<EndToEndId>,
    opened: BTreeSet<AccountId>,
    /// How often each account was given each key, and was rid of it.
    registered: BTreeMap<(PixKey, AccountId), usize>,
    removed: BTreeMap<(PixKey, AccountId), usize>,
    /// What operators made notes of.
    acknowledged: BTreeSet<EndToEndId>,
}

pub(super) fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, String> {
    serde_json::from_value(answer.clone()).map_err(|error| format!("an unreadable answer: {error}"))
}

impl Due {
    fn add(&mut self, account: AccountId, centavos: i64) {
        *self.balances.entry(account).or_insert(0) += centavos;
    }

    /// Cash that a customer brought, or took.
    fn counter(&mut self, on: &OnAccount, centavos: i64) {
        self.add(on.account_id, centavos);
        *self.cash.entry(on.ispb).or_insert(0) += centavos;
    }

    /// An order that was accepted.
    fn accepted(
        &mut self,
        (order, answer): (&Order, &Value),
        hub: &BTreeMap<EndToEndId, Transfer>,
        banks: &BankingTables,
    ) -> Finding {
        match order {
            Order::Deposit(it) => self.counter(&it.on, it.amount.centavos()),
            Order::Withdraw(it) => self.counter(&it.on, -it.amount.centavos()),
            Order::Pay(it) => {
                let view: TransferView = read(answer)?;
                let id = view.end_to_end_id;
                let (payee, amount) = as_asked(it, &view, banks)?;
                if view.direction == Direction::Book {
                    self.book(id, (it.on.account_id, payee), amount.centavos());
                } else {
                    self.sent.insert(id);
                }
                let shown = transfers_of(banks, it.on.account_id);
                let shown = shown.into_iter().find(|seen| seen.end_to_end_id == id);
                if let Some(payment) = banks.outgoing.get(&id).map(|(it, _)| &it.state().payment) {
                    shown.as_ref().map_or(Ok(()), |shown| names_payee(shown, payment))?;
                }
                let shown = shown.map(|seen| (seen.state, seen.reason));
                let truth = truth(hub.get(&id), view.direction);
                must(shown == truth, || {
                    let (shown, truth) = (shown.words(), truth.words());
                    format!("the payer of {id} is told {shown}; true is {truth}")
                })?;
            }
            Order::PayAccount(it) => {
                let view: BookedView = read(answer)?;
                as_named(it, &view, banks)?;
                let sides = (it.on.account_id, it.payee_account_id);
                self.book(view.end_to_end_id, sides, it.amount.centavos());
            }
            Order::Open(it) => {
                let view: AccountView = read(answer)?;
                let made = banks.accounts.get(&view.id).map(Account::state);
                let is_right = made.is_some_and(|made| {
                    (made.ispb, made.owner_tax_id) == (it.ispb, it.owner_tax_id)
                        && it.number.as_ref().is_none_or(|number| *number == made.number)
                });
                must(is_right, || {
                    format!("{}: accepted, and there is {}", order.words(), made.map(owned).words())
                })?;
                self.opened.insert(view.id);
            }
            Order::Register(it) => Self::count(&mut self.registered, it),
            Order::Remove(it, _) => Self::count(&mut self.removed, it),
            Order::Make(on, _) => {
                let EntryView { key, .. } = read(answer)?;
                *self.registered.entry((key, on.account_id)).or_insert(0) += 1;
            }
            Order::Acknowledge(it) => drop(self.acknowledged.insert(it.end_to_end_id)),
            Order::Enrol(_)
            | Order::EnrolAccount(..)
            | Order::Resolve(_)
            | Order::Block(_)
            | Order::Unblock(_)
            | Order::Close(_)
            | Order::Limit(_) => {}
        }
        Ok(())
    }

    fn book(&mut self, id: EndToEndId, (payer, payee): (AccountId, AccountId), centavos: i64) {
        self.booked.insert(id);
        self.add(payer, -centavos);
        self.add(payee, centavos);
    }

    fn count(of: &mut BTreeMap<(PixKey, AccountId), usize>, wish: &KeyWish) {
        *of.entry((wish.key.clone(), wish.on.account_id)).or_insert(0) += 1;
    }

    /// Nothing was made that nobody asked for, and nothing is missing.
    fn made(&self, banks: &BankingTables) -> Finding {
        fn same<T: Ord + Copy + Words>(
            what: &str,
            made: impl Iterator<Item = T>,
            promised: &BTreeSet<T>,
        ) -> Finding {
            let made: BTreeSet<T> = made.collect();
            must(made == *promised, || {
                let more: Vec<&T> = made.symmetric_difference(promised).collect();
                let more = more.words();
                format!("{what} that were promised and those that were made differ: {more}")
            })
        }
        same("transfers", banks.outgoing.keys().copied(), &self.sent)?;
        same("bookings", banks.booked.keys().copied(), &self.booked)?;
        same("accounts", banks.accounts.keys().copied(), &self.opened)
    }

    /// The banks' own accounts are what customers and the hub made of them.
    fn ledger(&self, banks: &BankingTables) -> Finding {
        for ispb in banks.banks.keys() {
            let balance = |account: InternalAccount| {
                let kept = banks.internal.get(&account.id(*ispb));
                kept.map_or(0, |(_, _, balance)| balance.centavos())
            };
            let cash = self.cash.get(ispb).copied().unwrap_or(0);
            must(balance(InternalAccount::Cash) == -cash, || {
                let cash = money(cash);
                format!("{cash} came over the counter of bank {ispb}, and its books differ")
            })?;
            let unapplied = banks.incoming.values().map(|(side, _)| side.state());
            let unapplied = unapplied.filter(|it| {
                it.status == IncomingStatus::Unapplied && it.payment.payee.ispb == *ispb
            });
            let unapplied: i64 = unapplied.map(|it| it.payment.amount.centavos()).sum();
            must(balance(InternalAccount::UnappliedCredits) == unapplied, || {
                let unapplied = money(unapplied);
                format!("{unapplied} is unapplied at bank {ispb}, and its books differ")
            })?;
        }
        Ok(())
    }
}

/// An account by its place and its owner.
fn owned(account: &AccountState) -> String {
    let AccountState { id, ispb, branch, number, owner_name, owner_tax_id, .. } = account;
    let (owner, tax_id) = (owner_name.as_str(), owner_tax_id.as_str());
    format!("account {id} at {ispb}, branch {branch}, number {number}, of {owner}, {tax_id}")
}

/// Both sides of a booking are shown it, each with the other.
fn booked(banks: &BankingTables) -> Finding {
    for book in banks.booked.values() {
        let Payment { end_to_end_id: id, payer, payee, .. } = &book.payment;
        is_known_as(&book.payment, banks)?;
        for (own, other) in [(payer, payee), (payee, payer)] {
            let view = TransferView::book(book, own.account_id);
            let shown = (view.counterparty_ispb, view.counterparty_name.as_str());
            must(shown == (other.ispb, other.owner_name.as_str()), || {
                let (own, view, other) = (own.ispb, view.words(), other.words());
                format!("bank {own} shows {view}; the other side of {id} is {other}")
            })?;
        }
    }
    for (side, _) in banks.outgoing.values() {
        is_known_as(&side.state().payment, banks)?;
    }
    Ok(())
}

/// What clients were told is what happened: no more, no less, to the centavo.
pub(super) fn promises(city: &City, tables: &TransfersTables, banks: &BankingTables) -> Finding {
    let hub = &tables.transfers;
    let mut due = Due::default();
    for accepted in city.journal().accepted() {
        due.accepted(accepted, hub, banks)?;
    }
    due.made(banks)?;
    due.ledger(banks)?;
    booked(banks)?;
    acknowledged(tables, &due)?;
    let is_closed = |id: &AccountId| {
        let account = banks.accounts.get(id);
        account.is_some_and(|it| it.state().status == AccountStatus::Closed)
    };
    city.world.oracle().keys_changed((&due.registered, &due.removed), is_closed)?;
    for transfer in hub.values().filter(|it| it.standing().state == TransferState::Completed) {
        let order = transfer.order();
        due.add(order.payer.account_id, -order.amount.centavos());
        let side = banks.incoming.get(&order.end_to_end_id);
        if side.is_some_and(|(side, _)| side.state().status == IncomingStatus::Credited) {
            due.add(order.payee.account_id, order.amount.centavos());
        }
    }
    for (id, account) in &banks.accounts {
        spent_today(account, banks)?;
        let funds = account.state().funds;
        must(funds.held.is_zero(), || format!("{id} still holds {}", funds.held))?;
        let due = due.balances.get(id).copied().unwrap_or(0);
        must(funds.balance.centavos() == due, || {
            format!("account {id} has {}, and {} is due to it", funds.balance, money(due))
        })?;
    }
    Ok(())
}

/// What operators noted is kept; with which words, is looked at when they are.
fn acknowledged(hub: &TransfersTables, due: &Due) -> Finding {
    let is_kept = |id: &&EndToEndId| {
        let kept = hub.resolutions.get(*id);
        kept.is_some_and(|kept| kept.acknowledged.is_some())
    };
    let lost = due.acknowledged.iter().find(|id| !is_kept(id));
    must(lost.is_none(), || format!("operators made a note of {}, and none is kept", lost.words()))
}

/// What counts against the limit of a day is what was sent on it and did not come back.
fn spent_today(account: &Account, banks: &BankingTables) -> Finding {
    let state = account.state();
    let counts = |payment: &Payment| {
        payment.payer.account_id == state.id && payment.ordered_at.brazil_day() == state.spent.day
    };
    let outgoing = banks.outgoing.values().map(|(side, _)| side.state());
    let outgoing = outgoing.filter(|side| side.status == OutgoingStatus::Settled);
    let payments = outgoing.map(|side| &side.payment);
    let payments = payments.chain(banks.booked.values().map(|book| &book.payment));
    let sent: i64 = payments.filter(|it| counts(it)).map(|payment| payment.amount.centavos()).sum();
    must(state.spent.amount.centavos() == sent, || {
        let (id, sent, counts) = (state.id, money(sent), state.spent.amount);
        format!("account {id} sent {sent} that day, and counts {counts}")
    })
}
