//! What clients are told in an answer is about what they ordered: their account with the cash that
//! they brought, their key, the name that they gave.

use banking::application::account_command::OnAccount;
use banking::application::command::OpenAccount;
use banking::application::views::AccountView;
use banking::domain::{AccountEvent, AccountFact, AccountNumber, Branch};
use pix_keys::application::EntryView;
use pix_keys::domain::{PixKey, PixKeyKind};
use serde_json::Value;
use shared_kernel::domain::{Amount, Ispb, TaxId};

use super::promises::read;
use super::{Finding, Oracle, must};
use crate::words::Words as _;
use crate::workload::Order;

/// The branch of an account that none was named for.
const MAIN_BRANCH: &str = "0001";

/// Cash, and which way it goes.
#[derive(Clone, Copy)]
enum Cash {
    In(Amount),
    Out(Amount),
}

impl Cash {
    const fn centavos(self) -> i64 {
        match self {
            Self::In(amount) => amount.centavos(),
            Self::Out(amount) => -amount.centavos(),
        }
    }

    fn is_fact(self, fact: &AccountFact) -> bool {
        match (self, fact) {
            (Self::In(wanted), AccountFact::Deposited { amount, .. })
            | (Self::Out(wanted), AccountFact::Withdrawn { amount, .. }) => wanted == *amount,
            _ => false,
        }
    }
}

/// An account of the order's is shown.
fn own(on: &OnAccount, answer: &Value) -> Result<AccountView, String> {
    let view: AccountView = read(answer)?;
    must((view.id, view.ispb) == (on.account_id, on.ispb), || {
        format!("account {} of {} was meant, and shown is {}", on.account_id, on.ispb, view.words())
    })?;
    Ok(view)
}

impl Oracle {
    /// The account, the key or the bank that an accepted order is about is in its answer.
    pub(super) fn is_about(&self, order: &Order, answer: &Value) -> Finding {
        match order {
            Order::Deposit(it) => self.has_moved(&it.on, Cash::In(it.amount), answer),
            Order::Withdraw(it) => self.has_moved(&it.on, Cash::Out(it.amount), answer),
            Order::Block(it) => own(&it.on, answer).map(|_| ()),
            Order::Unblock(it) => own(&it.on, answer).map(|_| ()),
            Order::Close(it) => own(&it.on, answer).map(|_| ()),
            Order::Limit(it) => own(&it.on, answer).map(|_| ()),
            Order::Open(it) => self.is_opened(it, &read(answer)?),
            Order::Register(it) => self.is_registered(&it.on, Some(&it.key), &read(answer)?),
            Order::Make(on, _) => self.is_registered(on, None, &read(answer)?),
            Order::Remove(it, _) => {
                let told = answer.get("key").and_then(Value::as_str);
                must(told == Some(it.key.as_str()), || {
                    let (key, told) = (it.key.as_str(), told.words());
                    format!("{key} is removed, and its client is told of {told}")
                })
            }
            Order::EnrolAccount(_, it) => {
                let told = answer.get("account_id").and_then(Value::as_str);
                must(told == Some(it.account_id.to_string().as_str()), || {
                    let (id, told) = (it.account_id, told.words());
                    format!("account {id} is enrolled, and its client is told of {told}")
                })
            }
            Order::Enrol(it) => self.is_enrolled(it, &read(answer)?),
            Order::Resolve(_) | Order::Acknowledge(_) | Order::Pay(_) | Order::PayAccount(_) => {
                Ok(())
            }
        }
    }

    /// The version that is shown is the one that the cash has made.
    fn has_moved(&self, on: &OnAccount, cash: Cash, answer: &Value) -> Finding {
        let view = own(on, answer)?;
        let event = |version| self.past.happened.get(&(view.id, version));
        let balance = |it: Option<&AccountEvent>| it.map_or(0, |it| it.funds.balance.centavos());
        let (was, now) = (event(view.version - 1), event(view.version));
        let moved = balance(now) - balance(was);
        let is_right = now.is_some_and(|it| cash.is_fact(&it.fact)) && moved == cash.centavos();
        must(is_right, || {
            let cash = crate::words::money(cash.centavos());
            format!("{cash} is booked, and its client is shown {}, when it was not", view.words())
        })
    }

    /// An account is opened as it was ordered. The bank knows its owner by another name if it had
    /// an account of that owner before.
    fn is_opened(&self, order: &OpenAccount, view: &AccountView) -> Finding {
        let owner = (order.ispb, order.owner_tax_id);
        let wanted = order.owner_name.as_str();
        let name = match self.past.customers.get(&owner) {
            Some((first, _)) if *first == view.id => Some(wanted),
            Some((_, name)) => Some(name.as_str()),
            None => None,
        };
        let branch = order.branch.as_ref().map_or(MAIN_BRANCH, Branch::as_str);
        let number = order.number.as_ref().map(AccountNumber::as_str);
        let is_right = (view.ispb, view.owner_tax_id) == owner
            && name == Some(view.owner_name.as_str())
            && view.branch == branch
            && number.is_none_or(|number| number == view.number);
        must(is_right, || {
            let (place, name) = (number.unwrap_or("any"), name.words());
            let AccountView { branch: shown, number, owner_name, .. } = view;
            format!(
                "account {} is ordered at {branch}, {place}, for {wanted}, whom the bank knows as \
                 {name}; it is shown at {shown}, {number}, of {owner_name}",
                view.id
            )
        })
    }

    /// A key is registered for the account that wanted it; a random one if none was named.
    fn is_registered(&self, on: &OnAccount, key: Option<&PixKey>, view: &EntryView) -> Finding {
        let account = &view.account;
        let owner = self.names.owner(&on.account_id);
        let is_wanted = key.map_or(view.key.kind() == PixKeyKind::Evp, |key| *key == view.key);
        let is_right = is_wanted
            && (account.account_id, account.ispb) == (on.account_id, on.ispb)
            && owner.is_none_or(|owner| owner == account.owner_tax_id);
        must(is_right, || {
            let (wanted, told) = (key.map_or("a random key", PixKey::as_str), view.key.as_str());
            let (id, ispb) = (account.account_id, account.ispb);
            let (bank, of) = (on.ispb, account.owner_tax_id.as_str());
            format!(
                "{wanted} is registered for account {} at {bank}, and its client is told of {told} \
                 for {id} of {of} at {ispb}",
                on.account_id
            )
        })
    }

    /// An account that is shown is at the place, and of the owner, that it was opened with.
    pub(super) fn is_as_opened(&self, view: &AccountView) -> Finding {
        let opened = self.past.happened.get(&(view.id, 1));
        let is_right = opened.is_some_and(|opened| {
            let AccountFact::Opened { branch, number, owner_name, owner_tax_id, .. } = &opened.fact
            else {
                return false;
            };
            view.branch == branch.as_str()
                && view.number == number.as_str()
                && view.owner_name == owner_name.as_str()
                && view.owner_tax_id == *owner_tax_id
                && view.opened_at == opened.occurred_at
        });
        must(is_right, || {
            let AccountView { branch, number, owner_name, owner_tax_id, .. } = view;
            format!(
                "account {} was opened otherwise than it is shown: at {branch}, {number}, of \
                 {owner_name}, {}",
                view.id,
                owner_tax_id.as_str()
            )
        })
    }

    /// An account is opened: its owner has the name under which the bank knows the tax id, or one
    /// that somebody has given.
    pub(super) fn is_welcome(&mut self, event: &AccountEvent) -> Finding {
        let AccountFact::Opened { owner_name, owner_tax_id, .. } = &event.fact else {
            return Ok(());
        };
        let (owner, name) = ((event.ispb, *owner_tax_id), owner_name.as_str());
        let asked = self.past.asked.opened.get(&owner);
        let is_asked = asked.is_some_and(|names| names.contains(name));
        let known = self.past.customers.entry(owner);
        let (first, known) =
            known.or_insert_with(|| (event.account_id, owner_name.as_str().to_owned()));
        let is_right = if *first == event.account_id { is_asked } else { known == name };
        must(is_right, || {
            let (ispb, tax_id): (Ispb, TaxId) = owner;
            let (id, tax_id) = (event.account_id, tax_id.as_str());
            format!("account {id} is opened for {name}, and bank {ispb} knows {tax_id} as {known}")
        })
    }
}
