//! What clients are told, at the moment at which they are: a refusal gives a reason that was true
//! since they asked, and what was accepted is so.

use banking::application::command::{
    CloseAccount, Deposit, PayAccount, RequestTransfer, SetAccountLimits, Withdraw,
};
use banking::application::views::{AccountView, Direction, TransferView};
use banking::domain::{AccountStatus, Limits};
use pix_keys::domain::{PixKey, PixKeyKind};
use serde_json::Value;
use shared_kernel::domain::{AccountId, Amount};

use super::past::{Holder, Moment, Past, Seen};
use super::promises::read;
use super::{Finding, Oracle, must};
use crate::words::Words as _;
use crate::workload::{KeyWish, Order, Told};

/// Keys that an account of a person may have.
pub(super) const KEYS_MAX: usize = 5;

/// What an account holds back: its available amount.
fn available(seen: &Seen) -> i64 {
    seen.funds.balance.centavos() - seen.funds.held.centavos()
}

impl Oracle {
    /// Somebody who may asks for something.
    pub(crate) fn asks(&mut self, order: &Order) {
        let asked = &mut self.past.asked;
        match order {
            Order::Block(it) => drop(asked.blocked.insert(it.on.account_id)),
            Order::Unblock(it) => drop(asked.unblocked.insert(it.on.account_id)),
            Order::Close(it) => drop(asked.closed.insert(it.on.account_id)),
            Order::Limit(it) => {
                asked.limited.entry(it.on.account_id).or_default().push(it.limits);
            }
            Order::Enrol(it) => {
                // Who gives no ISPB is not in this city.
                if let Some(ispb) = it.ispb {
                    asked.enrolled.entry(ispb).or_default().push(it.clone());
                }
            }
            Order::Open(it) => {
                let names = asked.opened.entry((it.ispb, it.owner_tax_id)).or_default();
                names.insert(it.owner_name.as_str().to_owned());
            }
            Order::Acknowledge(it) => {
                asked.noted.entry(it.end_to_end_id).or_default().push(it.reason.clone());
            }
            Order::EnrolAccount(..)
            | Order::Resolve(_)
            | Order::Deposit(_)
            | Order::Withdraw(_)
            | Order::Pay(_)
            | Order::PayAccount(_)
            | Order::Register(_)
            | Order::Make(..)
            | Order::Remove(..) => {}
        }
    }

    /// An order is answered that was given at that moment.
    pub(crate) fn answered(&mut self, order: &Order, told: &Told, asked_at: Moment) -> Finding {
        match told {
            Told::Accepted(answer) => {
                self.owns(order, answer)?;
                self.is_about(order, answer)?;
                self.is_done(order, answer, asked_at)
            }
            Told::Refused(code) => {
                must(self.is_true(order, code, asked_at).unwrap_or(true), || {
                    format!("{}: refused, {code}, and it is not so", order.words())
                })
            }
        }
    }

    /// An account is opened: it is somebody's.
    fn owns(&mut self, order: &Order, answer: &Value) -> Finding {
        if let Order::Open(it) = order {
            let AccountView { id, .. } = read(answer)?;
            self.belongs(id, it.owner_tax_id);
        }
        if let Order::EnrolAccount(_, it) = order {
            self.belongs(it.account_id, it.details.owner.tax_id);
        }
        Ok(())
    }

    /// What was accepted is so, or was for a moment; clients are shown what is.
    fn is_done(&self, order: &Order, answer: &Value, asked_at: Moment) -> Finding {
        let status = match order {
            Order::Block(_) => Some(AccountStatus::Blocked),
            Order::Unblock(_) => Some(AccountStatus::Active),
            Order::Close(_) => Some(AccountStatus::Closed),
            Order::Limit(_) | Order::Open(_) | Order::Deposit(_) | Order::Withdraw(_) => None,
            Order::Enrol(_)
            | Order::EnrolAccount(..)
            | Order::Resolve(_)
            | Order::Acknowledge(_)
            | Order::Pay(_)
            | Order::PayAccount(_)
            | Order::Register(_)
            | Order::Make(..)
            | Order::Remove(..) => return Ok(()),
        };
        let view: AccountView = read(answer)?;
        self.shown(&view)?;
        let wrong = || format!("{}: done, and the client is shown {}", order.words(), view.words());
        must(status.is_none_or(|status| status == view.status), wrong)?;
        let Order::Limit(SetAccountLimits { limits, .. }) = order else {
            let was = |seen: &Seen| status.is_none_or(|status| status == seen.status);
            let is_so = self.account(view.id, asked_at).any(was);
            return must(is_so, || format!("{}: done, and it was never so", order.words()));
        };
        must(view.limits == *limits, wrong)
    }

    /// An account since a moment.
    fn account(&self, id: AccountId, since: Moment) -> impl Iterator<Item = &Seen> {
        self.past.accounts.get(&id).into_iter().flat_map(move |past| past.since(since))
    }

    /// Whether a reason for which an order was refused was true since it was given. None where
    /// somebody else judges that.
    fn is_true(&self, order: &Order, code: &str, since: Moment) -> Option<bool> {
        let states = |id, is: &dyn Fn(&Seen) -> bool| self.account(id, since).any(is);
        let was = |id, status| states(id, &|seen| seen.status == status);
        if let Some((id, sends)) = acts_on(order) {
            let amount = sends.map_or(0, Amount::centavos);
            let truth = match code {
                "account_blocked" => was(id, AccountStatus::Blocked),
                "account_closed" => was(id, AccountStatus::Closed),
                "insufficient_funds" => states(id, &|seen| available(seen) < amount),
                "limit_per_transfer_exceeded" => states(id, &|seen| {
                    seen.limits.per_transfer.is_some_and(|limit| amount > limit.centavos())
                }),
                "limit_per_day_exceeded" => states(id, &|seen| exceeds_day(seen, amount)),
                "account_has_open_transfers" => {
                    let expects = self.past.expected.get(&id);
                    states(id, &|seen| !seen.funds.held.is_zero())
                        || expects.is_some_and(|it| it.since(since).any(|count| *count > 0))
                }
                "account_not_empty" => states(id, &|seen| !seen.funds.balance.is_zero()),
                _ => return self.is_true_of_payee(order, code, since),
            };
            return Some(truth);
        }
        if let Order::Acknowledge(it) = order {
            let known = self.past.contradicted.get(&it.end_to_end_id);
            let is_early = known.is_none_or(|at| *at > since);
            return (code == "transfer_not_contradicted").then_some(is_early);
        }
        self.is_true_of_key(order, code, since)
    }

    /// Reasons that lie with who is to be paid within a bank.
    fn is_true_of_payee(&self, order: &Order, code: &str, since: Moment) -> Option<bool> {
        let (payer, payees) = if let Order::PayAccount(it) = order {
            (&it.on, vec![it.payee_account_id])
        } else if let Order::Pay(it) = order {
            (&it.on, self.names.ever(it.payee_key.as_str()))
        } else {
            return None;
        };
        let was = |status| {
            let mut states = payees.iter().flat_map(|id| self.account(*id, since));
            states.any(|seen| seen.status == status)
        };
        Some(match code {
            "payee_account_blocked" => was(AccountStatus::Blocked),
            "payee_account_closed" => was(AccountStatus::Closed),
            "payer_is_payee" => payees.contains(&payer.account_id),
            // The bank asked the directory about a key of its own, on a bad day.
            "payee_tax_id_differs" => self.names_former_owners,
            "payee_account_unknown" => {
                let is_there = |id: &AccountId| {
                    let past = self.past.accounts.get(id).filter(|it| !it.begins_after(since));
                    past.and_then(Past::last).is_some_and(|seen| seen.ispb == payer.ispb)
                };
                matches!(order, Order::PayAccount(_)) && !payees.iter().all(is_there)
            }
            _ => return None,
        })
    }

    /// Whether a key was so since a moment; `before` it was registered, that is the answer.
    fn key(
        &self,
        key: &str,
        since: Moment,
        is: impl Fn(&Option<Holder>) -> bool,
        before: bool,
    ) -> bool {
        let past = self.past.holders.get(key);
        let began_later = past.is_none_or(|it| it.begins_after(since));
        (began_later && before) || past.is_some_and(|it| it.since(since).any(is))
    }

    /// Reasons for which an account does not get a key, or is not rid of it.
    fn is_true_of_key(&self, order: &Order, code: &str, since: Moment) -> Option<bool> {
        if let Order::Register(KeyWish { on, .. }) | Order::Make(on, _) = order {
            match code {
                "key_limit_reached" => return Some(self.had_all_keys(on.account_id, since)),
                "account_not_active" => return Some(self.was_not_active(on.account_id, since)),
                _ => {}
            }
        }
        if let Order::Remove(KeyWish { on, key, .. }, _) = order {
            let is_other =
                |it: &Option<Holder>| it.as_ref().is_none_or(|it| it.account != on.account_id);
            let is_true = self.key(key.as_str(), since, is_other, true);
            return (code == "key_not_found").then_some(is_true);
        }
        let Order::Register(KeyWish { on, key, .. }) = order else { return None };
        let (owner, bank) = (self.names.owner(&on.account_id)?, on.ispb);
        let held = |is: &dyn Fn(&Holder) -> bool| {
            self.key(key.as_str(), since, |it| it.as_ref().is_some_and(is), false)
        };
        Some(match code {
            "key_already_registered" => held(&|it| it.owner == owner && it.ispb == bank),
            "key_at_another_participant" => held(&|it| it.owner == owner && it.ispb != bank),
            "key_owned_by_another_person" => held(&|it| it.owner != owner),
            "key_of_another_person" => must_be_own(key) && key.as_str() != owner.as_str(),
            _ => return None,
        })
    }

    fn had_all_keys(&self, id: AccountId, since: Moment) -> bool {
        self.past.keys.get(&id).is_some_and(|it| it.since(since).any(|count| *count >= KEYS_MAX))
    }

    fn was_not_active(&self, id: AccountId, since: Moment) -> bool {
        let active = pix_keys::domain::AccountStatus::Active;
        self.past.listed.get(&id).is_some_and(|it| it.since(since).any(|status| *status != active))
    }

    /// Who was paid had the key since the order was given first, in the directory, or as far as
    /// the payer's own bank knows.
    pub(crate) fn paid_whom(&self, order: &Order, told: &Told, given_at: Moment) -> Finding {
        let (Order::Pay(asked), Told::Accepted(answer)) = (order, told) else { return Ok(()) };
        let view: TransferView = read(answer)?;
        let made = self.past.made.get(&view.end_to_end_id);
        let Some((_, payee)) = made.filter(|(at, _)| *at > given_at).copied() else {
            // It was made before, and judged then.
            return Ok(());
        };
        let key = asked.payee_key.as_str();
        let names = |it: &Option<Holder>| it.as_ref().is_some_and(|it| it.account == payee);
        let known = self.past.known.get(key).filter(|_| view.direction == Direction::Book);
        let is_right = self.key(key, given_at, names, false)
            || known.is_some_and(|it| it.since(given_at).any(|it| *it == Some(payee)));
        must(is_right, || {
            let past = self.past.holders.get(key).into_iter().flat_map(|it| it.since(given_at));
            let past: Vec<_> = past.collect();
            let (order, past) = (order.words(), past.words());
            format!("{order}: {payee} was paid, and had not the key by then; {past} had it")
        })
    }
}

/// A key that is a tax id is its owner's alone.
pub(super) fn must_be_own(key: &PixKey) -> bool {
    matches!(key.kind(), PixKeyKind::Cpf | PixKeyKind::Cnpj)
}

/// Whether an amount more is above the limit of the day. What was sent on an earlier day may count
/// as nothing by now.
fn exceeds_day(seen: &Seen, amount: i64) -> bool {
    let Limits { per_day, .. } = seen.limits;
    per_day.is_some_and(|limit| seen.spent.amount.centavos() + amount > limit.centavos())
}

/// The account that an order acts on at its bank, and what is to leave it.
const fn acts_on(order: &Order) -> Option<(AccountId, Option<Amount>)> {
    match order {
        Order::Pay(RequestTransfer { on, amount, .. })
        | Order::PayAccount(PayAccount { on, amount, .. })
        | Order::Withdraw(Withdraw { on, amount, .. }) => Some((on.account_id, Some(*amount))),
        Order::Deposit(Deposit { on, .. })
        | Order::Limit(SetAccountLimits { on, .. })
        | Order::Close(CloseAccount { on }) => Some((on.account_id, None)),
        Order::Block(it) => Some((it.on.account_id, None)),
        Order::Unblock(it) => Some((it.on.account_id, None)),
        Order::Enrol(_)
        | Order::EnrolAccount(..)
        | Order::Resolve(_)
        | Order::Acknowledge(_)
        | Order::Open(_)
        | Order::Register(_)
        | Order::Make(..)
        | Order::Remove(..) => None,
    }
}
