//! Two sides, account by account: what differs, and the digest of each.
//!
//! Both sides are read at the same time in the order of their ids, page by page, and folded into
//! digests on the way; memory is constant, whatever they hold.

use std::cmp::Ordering;

use diesel::sql_types::{BigInt, Nullable, Text, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Digest, Money};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{statement, store_error, timestamp};
use tokio::sync::mpsc;

use super::external::take_external;
use crate::domain::{AccountBalance, AccountDigester, SideDigester};
use crate::infrastructure::postgres::{BalanceRow, HistoryRow, Statements, TransferRow};

/// Rows read together.
pub(super) const PAGE: i64 = 10_000;
/// Accounts that one side may be ahead of the other.
const AHEAD_MAX: usize = 4_096;
/// Differing accounts that are named.
const NAMED_MAX: usize = 20;

/// What a side holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its digest: equal where the content is.
    pub digest: Digest,
    /// Accounts.
    pub accounts: u64,
    /// Entries of their histories.
    pub entries: u64,
    /// Transfers whose sides are known.
    pub transfers: u64,
    /// Words of programs beside the hub.
    pub external: u64,
    /// What all owners may spend.
    pub available: Money,
    /// What all transfers under way have set aside.
    pub held: Money,
}

/// The live side and its rebuild at the same offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The live side.
    pub live: Summary,
    /// The rebuild.
    pub rebuilt: Summary,
    /// Accounts that are not the same on both.
    pub differing: u64,
    /// The first of them.
    pub named: Vec<AccountId>,
}

impl Comparison {
    /// Whether the rebuild has the same content.
    pub fn is_equal(&self) -> bool {
        self.live.digest == self.rebuilt.digest
    }
}

/// An account with its digest.
type Digested = (AccountId, Digest);

/// Reads both sides, each on a task and a connection of its own, and compares them. Each
/// connection stands in a snapshot.
pub(super) async fn compare(
    (live, live_schema): (AsyncPgConnection, &'static str),
    (rebuilt, rebuilt_schema): (AsyncPgConnection, &'static str),
) -> Result<Comparison, StoreError> {
    let (to_left, mut left) = mpsc::channel(AHEAD_MAX);
    let (to_right, mut right) = mpsc::channel(AHEAD_MAX);
    let live = tokio::spawn(summarize(live, live_schema, Some(to_left)));
    let rebuilt = tokio::spawn(summarize(rebuilt, rebuilt_schema, Some(to_right)));
    let (differing, named) = differences(&mut left, &mut right).await;
    let cut_off = |panic: tokio::task::JoinError| StoreError::Rejected(panic.to_string());
    let (live, rebuilt) = (live.await.map_err(cut_off)??, rebuilt.await.map_err(cut_off)??);
    Ok(Comparison { live, rebuilt, differing, named })
}

/// Merges two lists in the order of ids; counts what is not in both, and equal.
async fn differences(
    left: &mut mpsc::Receiver<Digested>,
    right: &mut mpsc::Receiver<Digested>,
) -> (u64, Vec<AccountId>) {
    let (mut count, mut named) = (0_u64, Vec::new());
    let (mut one, mut other) = (left.recv().await, right.recv().await);
    loop {
        let (order, account) = match (&one, &other) {
            (None, None) => return (count, named),
            (Some((account, _)), None) => (Ordering::Less, *account),
            (None, Some((account, _))) => (Ordering::Greater, *account),
            (Some((account, _)), Some((second, _))) => (account.cmp(second), *account.min(second)),
        };
        if order != Ordering::Equal || one != other {
            count = count.saturating_add(1);
            if named.len() < NAMED_MAX {
                named.push(account);
            }
        }
        if order != Ordering::Greater {
            one = left.recv().await;
        }
        if order != Ordering::Less {
            other = right.recv().await;
        }
    }
}

/// Reads a whole side.
pub(super) async fn summarize(
    mut connection: AsyncPgConnection,
    schema: &'static str,
    mut accounts: Option<mpsc::Sender<Digested>>,
) -> Result<Summary, StoreError> {
    let (connection, statements) = (&mut connection, Statements::of(schema));
    let mut side = Side::default();
    let mut entries =
        Entries { after: (uuid::Uuid::nil(), 0), page: Vec::new().into_iter(), last: None };
    let mut after: Option<uuid::Uuid> = None;
    loop {
        let page: Vec<BalanceRow> = statement(statements.balances_page)
            .bind::<Nullable<Uuid>, _>(after)
            .bind::<BigInt, _>(PAGE)
            .load(connection)
            .await
            .map_err(store_error)?;
        if page.is_empty() {
            break;
        }
        for row in page {
            let balance = row.into_balance()?;
            let account = balance.account_id();
            after = Some(account.uuid());
            let mut digester = AccountDigester::new(account);
            while let Some(row) = entries.next_of(account, connection, statements).await? {
                let effective_at = timestamp(row.effective_at);
                let (state, movement) = row.entry.into_entry()?;
                digester.take(&state, effective_at, movement.as_ref());
                side.entries = side.entries.saturating_add(1);
            }
            let digest = digester.close(&balance);
            side.take(&balance, &digest)?;
            let told = match &accounts {
                Some(listener) => listener.send((account, digest)).await.is_ok(),
                None => false,
            };
            if !told {
                // Nobody compares, or the other side has failed.
                accounts = None;
            }
        }
    }
    drop(accounts);
    side.transfers(connection, statements).await
}

/// The histories of all accounts in their order.
struct Entries {
    after: (uuid::Uuid, i64),
    page: std::vec::IntoIter<HistoryRow>,
    last: Option<HistoryRow>,
}

impl Entries {
    /// The next entry of that account; none once the next is another's. Entries of accounts
    /// without a balance are passed over.
    async fn next_of(
        &mut self,
        account: AccountId,
        connection: &mut AsyncPgConnection,
        statements: &Statements,
    ) -> Result<Option<HistoryRow>, StoreError> {
        loop {
            if self.last.is_none() {
                self.last = self.next(connection, statements).await?;
            }
            let order = self.last.as_ref().map(|row| row.account_id.cmp(&account.uuid()));
            match order {
                None | Some(Ordering::Greater) => return Ok(None),
                Some(Ordering::Equal) => return Ok(self.last.take()),
                Some(Ordering::Less) => self.last = None,
            }
        }
    }

    async fn next(
        &mut self,
        connection: &mut AsyncPgConnection,
        statements: &Statements,
    ) -> Result<Option<HistoryRow>, StoreError> {
        if let Some(row) = self.page.next() {
            return Ok(Some(row));
        }
        let page: Vec<HistoryRow> = statement(statements.history_page)
            .bind::<Uuid, _>(self.after.0)
            .bind::<BigInt, _>(self.after.1)
            .bind::<BigInt, _>(PAGE)
            .load(connection)
            .await
            .map_err(store_error)?;
        if let Some(last) = page.last() {
            self.after = (last.account_id, last.entry.version());
        }
        self.page = page.into_iter();
        Ok(self.page.next())
    }
}

/// A side that is being read.
#[derive(Default)]
struct Side {
    digester: SideDigester,
    accounts: u64,
    entries: u64,
    available: i64,
    held: i64,
}

impl Side {
    fn take(&mut self, balance: &AccountBalance, digest: &Digest) -> Result<(), StoreError> {
        let overflow = || StoreError::Rejected("the balances sum to more than there can be".into());
        let funds = balance.funds();
        self.accounts = self.accounts.saturating_add(1);
        self.available =
            self.available.checked_add(funds.available().centavos()).ok_or_else(overflow)?;
        self.held = self.held.checked_add(funds.held().centavos()).ok_or_else(overflow)?;
        self.digester.account(balance.account_id(), digest);
        Ok(())
    }

    async fn transfers(
        mut self,
        connection: &mut AsyncPgConnection,
        statements: &Statements,
    ) -> Result<Summary, StoreError> {
        let (mut after, mut transfers) = (String::new(), 0_u64);
        loop {
            let page: Vec<TransferRow> = statement(statements.transfers_page)
                .bind::<Text, _>(&after)
                .bind::<BigInt, _>(PAGE)
                .load(connection)
                .await
                .map_err(store_error)?;
            if page.is_empty() {
                break;
            }
            for row in page {
                let parties = row.into_parties()?;
                self.digester.transfer(&parties);
                transfers = transfers.saturating_add(1);
                after = parties.end_to_end_id.to_string();
            }
        }
        let external = take_external(&mut self.digester, connection, statements).await?;
        Ok(Summary {
            digest: self.digester.digest(),
            accounts: self.accounts,
            entries: self.entries,
            transfers,
            external,
            available: Money::from_centavos(self.available),
            held: Money::from_centavos(self.held),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::account;

    async fn differing(left: &[(u128, u8)], right: &[(u128, u8)]) -> (u64, Vec<AccountId>) {
        let side = |digested: &[(u128, u8)]| {
            let (sender, receiver) = mpsc::channel(16);
            for (number, content) in digested {
                sender.try_send((account(*number), Digest::of(&[&[*content]]))).unwrap();
            }
            receiver
        };
        differences(&mut side(left), &mut side(right)).await
    }

    #[tokio::test]
    async fn what_is_on_one_side_alone_or_not_the_same_differs() {
        let all = [(1, 1), (2, 2), (3, 3)];
        assert_eq!(differing(&all, &all).await, (0, vec![]));
        assert_eq!(differing(&all, &[]).await, (3, vec![account(1), account(2), account(3)]));
        assert_eq!(differing(&[(2, 2)], &all).await, (2, vec![account(1), account(3)]));
        let changed = [(1, 1), (2, 9), (4, 4)];
        assert_eq!(differing(&all, &changed).await.1, [account(2), account(3), account(4)]);
    }
}
