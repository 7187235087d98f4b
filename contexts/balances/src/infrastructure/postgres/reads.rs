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
use crate::domain::KnownBalance;
use crate::infrastructure::postgres::external_rows::{KnownRow, PastRow};
use crate::infrastructure::postgres::history_rows::LineRow;

/// What is read of an account whose balance, which may not be there, is `balance`. The movement of
/// the bank's newest event counts where that is the second: is it the opening balance?
macro_rules! known {
    ($from:literal) => {
        concat!(
            "SELECT wanted.account_id, balance.ispb, balance.owner_name, balance.available, \
             balance.held, balance.version, balance.missing::text, balance.updated_at, \
             CASE WHEN balance.version = 2 THEN \
             (SELECT movement FROM balances.account_history AS second \
             WHERE second.account_id = balance.account_id AND second.version = 2) \
             END AS movement, said.balance AS said_balance, said.recorded_at AS said_at, \
             said.partition AS said_partition, said.record_offset AS said_offset, \
             opened.since AS opened_since FROM ",
            $from
        )
    };
}

/// The newest word of another program of `wanted.account_id`.
macro_rules! newest_word {
    ($until:literal) => {
        concat!(
            " LEFT JOIN LATERAL (SELECT word.balance, recorded_at, partition, record_offset \
             FROM balances.external_balance AS word \
             WHERE word.account_id = wanted.account_id",
            $until,
            " ORDER BY recorded_at DESC, partition DESC, record_offset DESC LIMIT 1) \
             AS said ON true "
        )
    };
}

const BY_ACCOUNT: &str = concat!(
    known!(
        "unnest($1::uuid[]) AS wanted (account_id) \
         LEFT JOIN balances.account_balance AS balance ON balance.account_id = wanted.account_id"
    ),
    newest_word!(""),
    "LEFT JOIN balances.external_account AS opened ON opened.account_id = wanted.account_id \
     WHERE balance.version IS NOT NULL OR said.balance IS NOT NULL OR opened.since IS NOT NULL"
);

const BY_BANK: &str = concat!(
    known!(
        "(SELECT * FROM balances.account_balance \
         WHERE ispb = $1 AND account_id > coalesce($2, '00000000-0000-0000-0000-000000000000') \
         ORDER BY account_id LIMIT $3) AS balance \
         CROSS JOIN LATERAL (SELECT balance.account_id) AS wanted"
    ),
    newest_word!(""),
    "LEFT JOIN balances.external_account AS opened ON opened.account_id = wanted.account_id \
     ORDER BY wanted.account_id"
);

const PAST_STATES: &str = concat!(
    "SELECT wanted.place, wanted.account_id, balance.ispb, past.version, past.occurred_at, \
     past.available, past.held, past.movement, said.balance AS said_balance, \
     said.recorded_at AS said_at, said.partition AS said_partition, \
     said.record_offset AS said_offset, opened.since AS opened_since \
     FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS wanted (account_id, at, place) \
     LEFT JOIN balances.account_balance AS balance ON balance.account_id = wanted.account_id \
     LEFT JOIN LATERAL ( \
     SELECT version, occurred_at, available, held, movement \
     FROM balances.account_history AS entry \
     WHERE entry.account_id = balance.account_id AND entry.occurred_at <= wanted.at \
     ORDER BY occurred_at DESC, version DESC LIMIT 1) AS past ON true",
    newest_word!(" AND word.recorded_at <= wanted.at"),
    "LEFT JOIN balances.external_account AS opened \
     ON opened.account_id = wanted.account_id AND opened.since <= wanted.at \
     WHERE balance.account_id IS NOT NULL OR said.balance IS NOT NULL \
     OR EXISTS (SELECT FROM balances.external_balance AS later \
     WHERE later.account_id = wanted.account_id) \
     OR EXISTS (SELECT FROM balances.external_account AS later \
     WHERE later.account_id = wanted.account_id)"
);

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
    async fn balances(&self, accounts: &[AccountId]) -> Result<Vec<KnownBalance>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<KnownRow> = statement(BY_ACCOUNT)
            .bind::<Array<Uuid>, _>(column(accounts, |account| account.uuid()))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(KnownRow::into_known).collect()
    }

    async fn balances_of_bank(
        &self,
        ispb: Ispb,
        after: Option<AccountId>,
        limit: i64,
    ) -> Result<Vec<KnownBalance>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<KnownRow> = statement(BY_BANK)
            .bind::<Text, _>(ispb.as_str())
            .bind::<Nullable<Uuid>, _>(after.map(AccountId::uuid))
            .bind::<BigInt, _>(limit)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        rows.into_iter().map(KnownRow::into_known).collect()
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
