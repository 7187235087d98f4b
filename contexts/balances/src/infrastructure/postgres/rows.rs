//! A row of `balances.account_balance` and the balance that it stands for.

use std::ops::RangeInclusive;

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb, Money, Violation};
use shared_kernel::infrastructure::postgres::timestamp;

use crate::domain::{
    AccountBalance, AccountEvent, AccountState, AccountVersion, Funds, MissingVersions,
};

/// One row.
#[derive(QueryableByName)]
pub(crate) struct BalanceRow {
    #[diesel(sql_type = Uuid)]
    account_id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    ispb: String,
    #[diesel(sql_type = Nullable<Text>)]
    owner_name: Option<String>,
    #[diesel(sql_type = BigInt)]
    available: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    missing: String,
    #[diesel(sql_type = Timestamptz)]
    updated_at: PgTimestamp,
    /// The latest time of its events; null where it was not asked for.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    latest_at: Option<PgTimestamp>,
}

impl BalanceRow {
    /// The balance.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a row that this context did not write.
    pub(crate) fn into_balance(self) -> Result<AccountBalance, StoreError> {
        let account_id = AccountId::from_uuid(self.account_id);
        let unreadable = |why: String| {
            StoreError::Rejected(format!(
                "the balance of account {account_id} is unreadable: {why}"
            ))
        };
        let broken = |violation: Violation| unreadable(violation.message().to_owned());
        let missing = read_ranges(&self.missing)
            .ok_or_else(|| unreadable(format!("missing = {:?}", self.missing)))?;
        let newest = AccountEvent {
            account_id,
            ispb: Ispb::parse(&self.ispb).map_err(broken)?,
            owner_name: self.owner_name,
            state: state(self.version, (self.available, self.held), self.updated_at)
                .map_err(broken)?,
            movement: None,
        };
        let latest_at = self.latest_at.map_or(newest.state.occurred_at, timestamp);
        Ok(AccountBalance::restore(&newest, latest_at, missing))
    }
}

/// The columns of a balance that may not be there.
#[derive(QueryableByName)]
pub(super) struct BalanceColumns {
    #[diesel(sql_type = Nullable<Text>)]
    ispb: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    owner_name: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    available: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    held: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    version: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    missing: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    updated_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    latest_at: Option<PgTimestamp>,
}

impl BalanceColumns {
    /// The balance, if the account has one.
    ///
    /// # Errors
    /// As [`BalanceRow::into_balance`].
    pub(super) fn into_balance(
        self,
        account: AccountId,
    ) -> Result<Option<AccountBalance>, StoreError> {
        let Self { ispb, owner_name, available, held, version, missing, updated_at, latest_at } =
            self;
        let row = || {
            Some(BalanceRow {
                account_id: account.uuid(),
                ispb: ispb?,
                owner_name,
                available: available?,
                held: held?,
                version: version?,
                missing: missing?,
                updated_at: updated_at?,
                latest_at,
            })
        };
        row().map(BalanceRow::into_balance).transpose()
    }
}

/// What an account was, as its columns say it; funds are available and held.
///
/// # Errors
/// The codes of values that no account can have.
pub(super) fn state(
    version: i64,
    (available, held): (i64, i64),
    at: PgTimestamp,
) -> Result<AccountState, Violation> {
    Ok(AccountState {
        version: AccountVersion::new(version)?,
        funds: Funds::new(Money::from_centavos(available), Money::from_centavos(held))?,
        occurred_at: timestamp(at),
    })
}

/// Missing versions as a literal of `int8multirange`: `{[2,4],[7,7]}`.
pub(super) fn write_ranges(missing: &MissingVersions) -> String {
    let ranges: Vec<String> =
        missing.ranges().map(|range| format!("[{},{}]", range.start(), range.end())).collect();
    format!("{{{}}}", ranges.join(","))
}

/// The same as the server writes it: `{[2,5),[7,8)}`, each range without its end.
fn read_ranges(literal: &str) -> Option<MissingVersions> {
    let inside = literal.strip_prefix('{')?.strip_suffix('}')?;
    let parts = inside.split_terminator(')').map(|part| read_range(part.trim_start_matches(',')));
    parts.collect::<Option<Vec<_>>>().map(MissingVersions::from_ranges)
}

fn read_range(text: &str) -> Option<RangeInclusive<i64>> {
    let (first, end) = text.strip_prefix('[')?.split_once(',')?;
    let last = end.parse::<i64>().ok()?.checked_sub(1)?;
    Some(first.parse().ok()?..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_closed_and_read_half_open() {
        let missing = MissingVersions::from_ranges([2..=4, 7..=7]);
        assert_eq!(write_ranges(&missing), "{[2,4],[7,7]}");
        assert_eq!(read_ranges("{[2,5),[7,8)}"), Some(missing));
        assert_eq!(write_ranges(&MissingVersions::default()), "{}");
        assert_eq!(read_ranges("{}"), Some(MissingVersions::default()));
    }

    #[test]
    fn other_literals_are_refused() {
        for literal in ["", "{", "{[2,5]}", "{(2,5)}", "{[2)}", "{[,5)}", "{[2,)}", "[2,5)"] {
            assert_eq!(read_ranges(literal), None, "{literal}");
        }
    }
}
