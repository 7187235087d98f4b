//! The projection as it is read: one statement each.

use async_trait::async_trait;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Ispb, Timestamp};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{Database, instant, statement, store_error};

use crate::application::ports::{BalancesReads, PastState, StatementLine, StatementWindow};
use crate::domain::AccountBalance;
use crate::infrastructure::postgres::history_rows::{LineRow, PastRow};
use crate::infrastructure::postgres::rows::BalanceRow;

const BY_ACCOUNT: &str = "\
    SELECT account_id, ispb, owner_name, available, held, version, missing::text, updated_at \
    FROM balances.account_balance WHERE account_id = ANY($1)";

const BY_BANK: &str = "\
    SELECT account_id, ispb, owner_name, available, held, version, missing::text, updated_at \
    FROM balances.account_balance \
    WHERE ispb = $1 AND account_id > coalesce($2, '00000000-0000-0000-0000-000000000000') \
    ORDER BY account_id LIMIT $3";

const PAST_STATES: &str = "\
    SELECT wanted.place, balance.account_id, balance.ispb, \
    past.version, past.occurred_at, past.available, past.held \
    FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS wanted (account_id, at, place) \
    JOIN balances.account_balance AS balance USING (account_id) \
    LEFT JOIN LATERAL ( \
    SELECT version, occurred_at, available, held FROM balances.account_history AS entry \
    WHERE entry.account_id = wanted.account_id AND entry.occurred_at <= wanted.at \
    ORDER BY occurred_at DESC, version DESC LIMIT 1) AS past ON true";

const STATEMENTS: &str = "\
    SELECT wanted.place, line.version, line.occurred_at, line.available, line.held, \
    line.movement, line.amount, line.end_to_end_id, line.counterparty_ispb, \
    line.counterparty_account_id, line.counterparty_name, line.description, \
    transfer.payer_ispb, transfer.payer_account_id, transfer.payer_name, \
    transfer.payee_ispb, transfer.payee_account_id, transfer.payee_name, transfer.payee_key \
    FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], \
    $5::bigint[], $6::bigint[]) WITH ORDINALITY \
    AS wanted (account_id, since, until, after_time, after_version, rows, place) \
    CROSS JOIN LATERAL ( \
    SELECT * FROM balances.account_history AS entry \
    WHERE entry.account_id = wanted.account_id AND entry.movement IS NOT NULL \
    AND entry.occurred_at >= coalesce(wanted.since, '-infinity') \
    AND entry.occurred_at < coalesce(wanted.until, 'infinity') \
    AND (entry.occurred_at, entry.version) < \
    (coalesce(wanted.after_time, 'infinity'), coalesce(wanted.after_version, 0)) \
    ORDER BY occurred_at DESC, version DESC LIMIT wanted.rows) AS line \
    LEFT JOIN balances.transfer AS transfer ON transfer.end_to_end_id = line.end_to_end_id \
    ORDER BY wanted.place, line.occurred_at DESC, line.version DESC";

/// Reads through a pool of its context.
#[derive(Clone, Debug)]
pub struct PgBalancesReads {
    database: Database,
}

impl PgBalancesReads {
    /// Reads from this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

/// A column of one value of each of these.
fn column<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Puts rows where their places, counted from 1, say.
fn placed<T>(rows: Vec<(i64, T)>, places: usize, mut put: impl FnMut(usize, T)) {
    for (place, row) in rows {
        let place = usize::try_from(place.saturating_sub(1)).unwrap_or(places);
        put(place, row);
    }
}

#[async_trait]
impl BalancesReads for PgBalancesReads {
    async fn balances(&self, accounts: &[AccountId]) -> Result<Vec<AccountBalance>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<BalanceRow> = statement(BY_ACCOUNT)
            .bind::<Array<Uuid>, _>(column(accounts, |account| account.uuid()))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(BalanceRow::into_balance).collect()
    }

    async fn balances_of_bank(
        &self,
        ispb: Ispb,
        after: Option<AccountId>,
        limit: i64,
    ) -> Result<Vec<AccountBalance>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<BalanceRow> = statement(BY_BANK)
            .bind::<Text, _>(ispb.as_str())
            .bind::<Nullable<Uuid>, _>(after.map(AccountId::uuid))
            .bind::<BigInt, _>(limit)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(BalanceRow::into_balance).collect()
    }

    async fn past_states(
        &self,
        wanted: &[(AccountId, Timestamp)],
    ) -> Result<Vec<Option<PastState>>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<PastRow> = statement(PAST_STATES)
            .bind::<Array<Uuid>, _>(column(wanted, |(account, _)| account.uuid()))
            .bind::<Array<Timestamptz>, _>(column(wanted, |(_, at)| instant(*at)))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let rows: Result<Vec<_>, _> = rows.into_iter().map(PastRow::into_past).collect();
        let mut answers = vec![None; wanted.len()];
        placed(rows?, wanted.len(), |place, past| {
            if let Some(answer) = answers.get_mut(place) {
                *answer = Some(past);
            }
        });
        Ok(answers)
    }

    async fn statements(
        &self,
        windows: &[StatementWindow],
    ) -> Result<Vec<Vec<StatementLine>>, StoreError> {
        let moment = |of: fn(&StatementWindow) -> Option<Timestamp>| -> Vec<Option<PgTimestamp>> {
            column(windows, |window| of(window).map(instant))
        };
        let mut connection = self.database.connection().await?;
        let rows: Vec<LineRow> = statement(STATEMENTS)
            .bind::<Array<Uuid>, _>(column(windows, |it| it.account_id.uuid()))
            .bind::<Array<Nullable<Timestamptz>>, _>(moment(|it| it.from))
            .bind::<Array<Nullable<Timestamptz>>, _>(moment(|it| it.to))
            .bind::<Array<Nullable<Timestamptz>>, _>(moment(|it| {
                it.after.map(|after| after.occurred_at)
            }))
            .bind::<Array<Nullable<BigInt>>, _>(column(windows, |it| {
                it.after.map(|after| after.version)
            }))
            .bind::<Array<BigInt>, _>(column(windows, |it| it.limit))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let rows: Result<Vec<_>, _> = rows.into_iter().map(LineRow::into_line).collect();
        let mut answers = vec![Vec::new(); windows.len()];
        placed(rows?, windows.len(), |place, line| {
            if let Some(answer) = answers.get_mut(place) {
                answer.push(line);
            }
        });
        Ok(answers)
    }
}
