//! The directory and the read side: a key is one account's, news never goes back.

use balances::domain::AccountBalance;
use pix_keys::domain::{Account, AccountStatus, Entry};

use super::{Finding, Oracle, must};

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
        let owner = |entry: &Entry| entry.holding().map(|held| held.account_id);
        let (was, now) = (before.and_then(owner), owner(after));
        self.changes(after.key(), (was, now));
        must(was.is_none() || now.is_none(), || {
            format!("the key {key} passes from {was:?} to {now:?} without a removal")
        })
    }

    /// An account in the directory is written.
    pub(crate) fn listed(before: Option<&Account>, after: &Account) -> Finding {
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
