//! What was so at which moment. A customer is answered some time after the question, and meanwhile
//! things change: whatever is said must have been true at one moment in between. A moment is a
//! count of what was committed.

use std::collections::{BTreeMap, BTreeSet};

use banking::application::views::AccountView;
use banking::domain::{AccountEvent, AccountFact, AccountStatus, Funds, Limits, Spent};
use pix_keys::domain::PixKey;
use shared_kernel::domain::{AccountId, EndToEndId, Ispb, TaxId};
use transfers::application::EnrolParticipant;
use transfers::domain::Participant;

use super::{Finding, Oracle, must};
use crate::contexts::banking::BankingTables;
use crate::words::Words;

/// A moment: so much had been noted by then.
pub(crate) type Moment = u64;

/// The values that something had, each since a moment.
#[derive(Clone, Debug)]
pub(super) struct Past<T>(Vec<(Moment, T)>);

impl<T> Default for Past<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Past<T> {
    pub(super) fn note(&mut self, at: Moment, value: T) {
        self.0.push((at, value));
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.0.last().map(|(_, value)| value)
    }

    /// The values of all times.
    pub(super) fn ever(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The value that it had at that moment, and every later one.
    pub(super) fn since(&self, moment: Moment) -> impl Iterator<Item = &T> {
        let later = self.0.partition_point(|(at, _)| *at <= moment);
        self.0.get(later.saturating_sub(1)..).unwrap_or_default().iter().map(|(_, value)| value)
    }

    /// Whether it had no value yet at that moment.
    pub(super) fn begins_after(&self, moment: Moment) -> bool {
        self.0.first().is_none_or(|(at, _)| *at > moment)
    }
}

/// An account after one of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) ispb: Ispb,
    pub(super) version: i64,
    pub(super) status: AccountStatus,
    pub(super) funds: Funds,
    pub(super) limits: Limits,
    pub(super) spent: Spent,
}

impl Words for Seen {
    fn words(&self) -> String {
        let Self { ispb, version, status, funds, limits, spent } = self;
        let (funds, status, limits) = (funds.words(), status.words(), limits.words());
        let spent = format!("{} sent on {}", spent.amount, spent.day);
        format!("{funds}, {status}, {limits}, {spent}, version {version}, at {ispb}")
    }
}

/// What happens to an account, in words.
fn deed(fact: &AccountFact) -> String {
    let deed = match fact {
        AccountFact::Opened { limits, .. } => return format!("opened, {}", limits.words()),
        AccountFact::LimitsChanged(limits) => return format!("limited: {}", limits.words()),
        AccountFact::Blocked => "blocked",
        AccountFact::Unblocked => "unblocked",
        AccountFact::Closed => "closed",
        AccountFact::Deposited { .. } => "given cash",
        AccountFact::Withdrawn { .. } => "relieved of cash",
        AccountFact::Held(_) => "given a hold",
        AccountFact::Released { .. } => "rid of a hold",
        AccountFact::Debited(_) => "debited",
        AccountFact::Credited(_) => "credited",
        AccountFact::Booked(_) => "party to a booking",
    };
    deed.to_owned()
}

/// Who has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) account: AccountId,
    pub(super) ispb: Ispb,
    pub(super) owner: TaxId,
}

impl Words for Holder {
    fn words(&self) -> String {
        let Self { account, ispb, owner } = self;
        format!("account {account} of {} at {ispb}", owner.as_str())
    }
}

/// What was asked of accounts and banks by somebody who may.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) blocked: BTreeSet<AccountId>,
    pub(super) unblocked: BTreeSet<AccountId>,
    pub(super) closed: BTreeSet<AccountId>,
    pub(super) limited: BTreeMap<AccountId, Vec<Limits>>,
    pub(super) enrolled: BTreeMap<Ispb, Vec<EnrolParticipant>>,
    /// The names that accounts were ordered in.
    pub(super) opened: BTreeMap<(Ispb, TaxId), BTreeSet<String>>,
    pub(super) noted: BTreeMap<EndToEndId, Vec<String>>,
}

/// Everything that was noted with its moment.
#[derive(Debug, Default)]
pub(super) struct Pasts {
    moment: Moment,
    pub(super) asked: Asked,
    pub(super) accounts: BTreeMap<AccountId, Past<Seen>>,
    /// How many credits accounts expect.
    pub(super) expected: BTreeMap<AccountId, Past<usize>>,
    /// What happened to accounts, by version.
    pub(super) happened: BTreeMap<(AccountId, i64), AccountEvent>,
    /// By which name banks know their customers, since the opening of which account.
    pub(super) customers: BTreeMap<(Ispb, TaxId), (AccountId, String)>,
    /// Banks as the hub knows them.
    pub(super) participants: BTreeMap<Ispb, Past<Participant>>,
    /// Whom keys name in the directory.
    pub(super) holders: BTreeMap<String, Past<Option<Holder>>>,
    /// Whom keys name as far as the banks know.
    pub(super) known: BTreeMap<String, Past<Option<AccountId>>>,
    /// Accounts as the directory knows them.
    pub(super) listed: BTreeMap<AccountId, Past<pix_keys::domain::AccountStatus>>,
    /// How many keys accounts have.
    pub(super) keys: BTreeMap<AccountId, Past<usize>>,
    /// When payments were made, and for whom.
    pub(super) made: BTreeMap<EndToEndId, (Moment, AccountId)>,
    /// Since when a program has contradicted an operator.
    pub(super) contradicted: BTreeMap<EndToEndId, Moment>,
}

impl Pasts {
    /// A new moment.
    pub(super) fn tick(&mut self) -> Moment {
        self.moment += 1;
        self.moment
    }

    /// Whom a key names, or does not any more.
    pub(super) fn names(&mut self, key: &PixKey, holder: Option<Holder>) {
        let at = self.tick();
        self.holders.entry(key.as_str().to_owned()).or_default().note(at, holder);
    }

    /// An account has one key more or less. Says how many.
    pub(super) fn counts(&mut self, account: AccountId, change: isize) -> usize {
        let at = self.tick();
        let past = self.keys.entry(account).or_default();
        let count = past.last().copied().unwrap_or(0).saturating_add_signed(change);
        past.note(at, count);
        count
    }
}

impl Oracle {
    /// The present moment.
    pub(crate) const fn moment(&self) -> Moment {
        self.past.moment
    }

    /// Notes what happened to accounts, event by event, and compares what is kept of them with it.
    /// Nothing happens to an account that nobody who may has asked for.
    pub(super) fn events(&mut self, own: &BankingTables) -> Finding {
        for event in &own.happened {
            self.event(event)?;
        }
        for (id, account) in &own.accounts {
            let state = account.state();
            let kept = Seen {
                ispb: state.ispb,
                version: state.version,
                status: state.status,
                funds: state.funds,
                limits: state.limits,
                spent: state.spent,
            };
            let told = self.past.accounts.get(id).and_then(Past::last);
            must(told == Some(&kept), || {
                let (kept, told) = (kept.words(), told.words());
                format!("account {id} is kept as {kept}; what happened to it makes it {told}")
            })?;
        }
        Ok(())
    }

    fn event(&mut self, event: &AccountEvent) -> Finding {
        let id = event.account_id;
        let before = self.past.accounts.get(&id).and_then(Past::last).copied();
        let mut seen = Seen {
            ispb: event.ispb,
            version: event.version,
            status: before.map_or(AccountStatus::Active, |it| it.status),
            funds: event.funds,
            limits: before.map(|it| it.limits).unwrap_or_default(),
            spent: event.spent,
        };
        let asked = &self.past.asked;
        let is_asked = match &event.fact {
            AccountFact::Blocked => {
                seen.status = AccountStatus::Blocked;
                asked.blocked.contains(&id)
            }
            AccountFact::Unblocked => {
                seen.status = AccountStatus::Active;
                asked.unblocked.contains(&id)
            }
            AccountFact::Closed => {
                seen.status = AccountStatus::Closed;
                asked.closed.contains(&id)
            }
            AccountFact::LimitsChanged(limits) => {
                seen.limits = *limits;
                asked.limited.get(&id).is_some_and(|them| them.contains(limits))
            }
            AccountFact::Opened { limits, .. } => {
                seen.limits = *limits;
                *limits == Limits::default()
            }
            AccountFact::Deposited { .. }
            | AccountFact::Withdrawn { .. }
            | AccountFact::Held(_)
            | AccountFact::Released { .. }
            | AccountFact::Debited(_)
            | AccountFact::Credited(_)
            | AccountFact::Booked(_) => true,
        };
        must(is_asked, || {
            format!("account {id} is {}, and nobody asked for it", deed(&event.fact))
        })?;
        self.is_welcome(event)?;
        let at = self.past.tick();
        self.past.accounts.entry(id).or_default().note(at, seen);
        self.past.happened.insert((id, event.version), event.clone());
        Ok(())
    }

    /// An account expects one credit more or less.
    pub(super) fn expects(&mut self, account: AccountId, change: isize) {
        let at = self.past.tick();
        let past = self.past.expected.entry(account).or_default();
        let count = past.last().copied().unwrap_or(0).saturating_add_signed(change);
        past.note(at, count);
    }

    /// What a client is shown of an account is what it was in that version.
    pub(super) fn shown(&self, view: &AccountView) -> Finding {
        let past = self.past.accounts.get(&view.id);
        let was = past.and_then(|it| it.ever().rfind(|seen| seen.version == view.version));
        let is_right = was.is_some_and(|was| {
            let Funds { balance, held } = was.funds;
            (view.ispb, view.status, view.limits) == (was.ispb, was.status, was.limits)
                && (view.balance, view.held) == (balance, held)
                && view.available.centavos() == balance.centavos() - held.centavos()
        });
        must(is_right, || {
            let was = was.map_or_else(|| "there is no such version".to_owned(), Words::words);
            format!("a client is shown {}; in truth, {was}", view.words())
        })?;
        self.is_as_opened(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_force_at_a_moment_counts_with_all_that_came_later() {
        let mut past = Past::default();
        for at in [3, 5, 9] {
            past.note(at, at);
        }
        let since = |moment| past.since(moment).copied().collect::<Vec<_>>();
        assert_eq!(since(5), [5, 9]);
        assert_eq!(since(8), [5, 9]);
        assert_eq!(since(9), [9]);
        assert_eq!(since(1), [3, 5, 9]);
        assert!(past.begins_after(2) && !past.begins_after(3));
        assert_eq!(Past::<u8>::default().since(7).count(), 0);
    }
}
