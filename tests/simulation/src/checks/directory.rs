//! The directory and the read side: a key is one account's, news never goes back.

use balances::domain::AccountBalance;
use pix_keys::domain::{Account, AccountStatus, Entry};

use super::answers::{KEYS_MAX, must_be_own};
use super::past::Holder;
use super::{Finding, Oracle, must};
use crate::words::Words as _;

impl Oracle {
    /// An entry of the directory is written.
    pub(crate) fn entry(&mut self, before: Option<&Entry>, after: &Entry) -> Finding {
        let key = after.key().as_str();
        let version = before.map_or(0, Entry::version);
        let is_same = |it: &Entry| it.version() == after.version() && it.state() == after.state();
        if before.is_some_and(is_same) {
            // Its program writes it otherwise.
            return Ok(());
        }
        must(after.version() == version + 1, || {
            format!("the key {key} goes from version {version} to {}", after.version())
        })?;
        let holder = |entry: &Entry| {
            let held = entry.holding()?;
            Some(Holder { account: held.account_id, ispb: held.ispb, owner: held.owner_tax_id })
        };
        let (was, now) = (before.and_then(holder), holder(after));
        self.changes(after.key(), (was, now));
        must(was.is_none() || now.is_none(), || {
            let (was, now) = (was.words(), now.words());
            format!("the key {key} passes from {was} to {now} without a removal")
        })?;
        if let Some(was) = was {
            self.past.counts(was.account, -1);
        }
        now.map_or(Ok(()), |now| self.is_given(after, now))
    }

    /// An account is given a key: its owner may have it, and it has not too many.
    fn is_given(&mut self, entry: &Entry, holder: Holder) -> Finding {
        let (key, id) = (entry.key().as_str(), holder.account);
        let count = self.past.counts(id, 1);
        must(count <= KEYS_MAX, || format!("{id} is given {key}, its key number {count}"))?;
        let owner = self.names.owner(&id);
        must(owner.is_none_or(|owner| owner == holder.owner), || {
            let owner = owner.map_or_else(|| "nobody".to_owned(), |it| it.as_str().to_owned());
            format!("{key} is registered for {}, and the account is {owner}'s", holder.words())
        })?;
        must(!must_be_own(entry.key()) || key == holder.owner.as_str(), || {
            format!("{key} is registered for {}, whose tax id it is not", holder.words())
        })?;
        let listed = self.past.listed.get(&id).and_then(|it| it.last());
        must(listed == Some(&AccountStatus::Active), || {
            format!("{id} is given {key}, and is {} in the directory", listed.words())
        })
    }

    /// An account in the directory is written.
    pub(crate) fn listed(&mut self, before: Option<&Account>, after: &Account) -> Finding {
        let at = self.past.tick();
        self.past.listed.entry(after.id()).or_default().note(at, after.status());
        let Some(before) = before else { return Ok(()) };
        let id = after.id();
        must(after.version() >= before.version(), || {
            format!("the directory forgets news of account {id}")
        })?;
        let reopened =
            before.status() == AccountStatus::Closed && after.status() != AccountStatus::Closed;
        must(!reopened, || format!("the directory opens the closed account {id} again"))
    }

    /// A balance of the read side is written.
    pub(crate) fn balance(before: Option<&AccountBalance>, after: &AccountBalance) -> Finding {
        must(before.is_none_or(|before| before.version() <= after.version()), || {
            format!("the balance of {} goes back to an older version", after.account_id())
        })
    }
}
