//! What clients were told against what happened: every order that was accepted took effect once, as
//! it was asked for, and nothing else did; balances to the centavo.

use std::collections::{BTreeMap, BTreeSet};

use banking::application::views::{AccountView, BookedView, Direction, TransferView};
use banking::domain::{Account, AccountStatus, IncomingStatus, OutgoingStatus, Payment};
use pix_keys::domain::PixKey;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_kernel::domain::{AccountId, EndToEndId};
use transfers::domain::{Transfer, TransferState};

use super::intents::{as_asked, as_named};
use super::quiet::truth;
use super::{Finding, must};
use crate::city::City;
use crate::contexts::banking::BankingTables;
use crate::contexts::transfers_of;
use crate::workload::{KeyWish, Order};

/// What follows from the answers of all accepted orders.
#[derive(Default)]
struct Due {
    balances: BTreeMap<AccountId, i64>,
    sent: BTreeSet<EndToEndId>,
    booked: BTreeSet<EndToEndId>,
    opened: BTreeSet<AccountId>,
    /// How often each account was given each key, and was rid of it.
    registered: BTreeMap<(PixKey, AccountId), usize>,
    removed: BTreeMap<(PixKey, AccountId), usize>,
}

fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, String> {
    serde_json::from_value(answer.clone()).map_err(|error| format!("an unreadable answer: {error}"))
}

impl Due {
    fn add(&mut self, account: AccountId, centavos: i64) {
        *self.balances.entry(account).or_insert(0) += centavos;
    }

    /// An order that was accepted.
    fn accepted(
        &mut self,
        (order, answer): (&Order, &Value),
        hub: &BTreeMap<EndToEndId, Transfer>,
        banks: &BankingTables,
    ) -> Finding {
        match order {
            Order::Deposit(it) => self.add(it.on.account_id, it.amount.centavos()),
            Order::Withdraw(it) => self.add(it.on.account_id, -it.amount.centavos()),
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
                let shown = shown.map(|seen| (seen.state, seen.reason));
                must(shown == truth(hub.get(&id), view.direction), || {
                    format!("the payer of {id} is told {shown:?}")
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
                must(is_right, || format!("{it:?} was accepted, and there is {made:?}"))?;
                self.opened.insert(view.id);
            }
            Order::Register(it) => Self::count(&mut self.registered, it),
            Order::Remove(it, _) => Self::count(&mut self.removed, it),
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
        fn same<T: Ord + Copy + std::fmt::Debug>(
            what: &str,
            made: impl Iterator<Item = T>,
            promised: &BTreeSet<T>,
        ) -> Finding {
            let made: BTreeSet<T> = made.collect();
            must(made == *promised, || {
                let more: Vec<&T> = made.symmetric_difference(promised).collect();
                format!("{what} that were promised and those that were made differ: {more:?}")
            })
        }
        same("transfers", banks.outgoing.keys().copied(), &self.sent)?;
        same("bookings", banks.booked.keys().copied(), &self.booked)?;
        same("accounts", banks.accounts.keys().copied(), &self.opened)
    }
}

/// What clients were told is what happened: no more, no less, to the centavo.
pub(super) fn promises(
    city: &City,
    hub: &BTreeMap<EndToEndId, Transfer>,
    banks: &BankingTables,
) -> Finding {
    let mut due = Due::default();
    for accepted in city.journal().accepted() {
        due.accepted(accepted, hub, banks)?;
    }
    due.made(banks)?;
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
            format!("{id} has {}, and {due} centavos are due to it", funds.balance)
        })?;
    }
    Ok(())
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
        format!("{} sent {sent} centavos that day, and counts {}", state.id, state.spent.amount)
    })
}
