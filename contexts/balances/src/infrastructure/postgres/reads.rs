//! The projection as it is read: one statement each.

use async_trait::async_trait;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Timestamp};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{Database, instant, statement, store_error};

use crate::application::ports::{
    BalanceRun, BalancesReads, LinePlace, PastState, StatementLine, StatementWindow,
};
use crate::domain::{KnownBalance, MovementKind};
use crate::infrastructure::postgres::external_rows::{KnownRow, ListedRow, PastRow};
use crate::infrastructure::postgres::history_rows::LineRow;

/// What is read of an account whose balance, which may not be there, is `balance`; before it the
/// column of its place, where it has one. The movement of the bank's newest event counts where that
/// is the second: is it the opening balance?
macro_rules! known {
    ($place:literal, $from:literal) => {
        concat!(
            "SELECT ",
            $place,
            "wanted.account_id, balance.ispb, balance.owner_name, balance.available, \
             balance.held, balance.version, balance.missing::text, balance.updated_at, \
             (SELECT coalesce(raised_at, occurred_at) FROM balances.account_history AS newest \
             WHERE newest.account_id = balance.account_id AND newest.version = balance.version) \
             AS latest_at, CASE WHEN balance.version = 2 THEN \
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
        "",
        "unnest($1::uuid[]) AS wanted (account_id) \
         LEFT JOIN balances.account_balance AS balance ON balance.account_id = wanted.account_id"
    ),
    newest_word!(""),
    "LEFT JOIN balances.external_account AS opened ON opened.account_id = wanted.account_id \
     WHERE balance.version IS NOT NULL OR said.balance IS NOT NULL OR opened.since IS NOT NULL"
);

/// The first balances of each run, along the ids of its bank. All runs have the limit of the
/// longest, a number that the planner knows: of a column it would expect a tenth of the bank.
const BY_BANK: &str = concat!(
    known!(
        "asked.place, ",
        "unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS asked (ispb, behind, place) \
         CROSS JOIN LATERAL (SELECT * FROM balances.account_balance AS own \
         WHERE own.ispb = asked.ispb \
         AND own.account_id > coalesce(asked.behind, '00000000-0000-0000-0000-000000000000') \
         ORDER BY own.account_id LIMIT $3) AS balance \
         CROSS JOIN LATERAL (SELECT balance.account_id) AS wanted"
    ),
    newest_word!(""),
    "LEFT JOIN balances.external_account AS opened ON opened.account_id = wanted.account_id \
     ORDER BY asked.place, wanted.account_id"
);

const PAST_STATES: &str = concat!(
    "SELECT wanted.place, wanted.account_id, balance.ispb, past.version, past.effective_at, \
     past.available, past.held, past.movement, said.balance AS said_balance, \
     said.recorded_at AS said_at, said.partition AS said_partition, \
     said.record_offset AS said_offset, opened.since AS opened_since \
     FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS wanted (account_id, at, place) \
     LEFT JOIN balances.account_balance AS balance ON balance.account_id = wanted.account_id \
     LEFT JOIN LATERAL ( \
     SELECT version, coalesce(raised_at, occurred_at) AS effective_at, available, held, movement \
     FROM balances.account_history AS entry WHERE entry.account_id = balance.account_id \
     AND coalesce(entry.raised_at, entry.occurred_at) <= wanted.at \
     ORDER BY coalesce(entry.raised_at, entry.occurred_at) DESC, entry.version DESC LIMIT 1) \
     AS past ON true",
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
    SELECT wanted.place, line.version, line.effective_at AS occurred_at, line.available, \
    line.held, line.movement, line.amount, line.end_to_end_id, line.counterparty_ispb, \
    line.counterparty_account_id, line.counterparty_name, line.description, \
    transfer.payer_ispb, transfer.payer_account_id, transfer.payer_name, \
    transfer.payee_ispb, transfer.payee_account_id, transfer.payee_name, transfer.payee_key \
    FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], \
    $6::text[]) WITH ORDINALITY \
    AS wanted (account_id, since, before_time, before_version, rows, movements, place) \
    CROSS JOIN LATERAL ( \
    SELECT entry.*, coalesce(entry.raised_at, entry.occurred_at) AS effective_at \
    FROM balances.account_history AS entry \
    WHERE entry.account_id = wanted.account_id \
    AND entry.movement = ANY (string_to_array(wanted.movements, ' ')) \
    AND coalesce(entry.raised_at, entry.occurred_at) >= coalesce(wanted.since, '-infinity') \
    AND (coalesce(entry.raised_at, entry.occurred_at), entry.version) \
    < (coalesce(wanted.before_time, 'infinity'), coalesce(wanted.before_version, 0)) \
    ORDER BY coalesce(entry.raised_at, entry.occurred_at) DESC, entry.version DESC \
    LIMIT wanted.rows) AS line \
    LEFT JOIN balances.transfer AS transfer ON transfer.end_to_end_id = line.end_to_end_id \
    ORDER BY wanted.place, line.effective_at DESC, line.version DESC";

/// Before which place the lines of a window stand: where the period ends, or the cursor, whichever
/// is older. One bound, so that an old page begins in the index where it stands.
fn before(window: &StatementWindow) -> Option<LinePlace> {
    // No version is 0: the end of a period comes before every line of its instant.
    let end = window.to.map(|occurred_at| LinePlace { occurred_at, version: 0 });
    [end, window.after].into_iter().flatten().min_by_key(|it| (it.occurred_at, it.version))
}

/// The movements of a window's lines, with spaces in between.
fn movements(window: &StatementWindow) -> String {
    let is_wanted = |kind: &&MovementKind| window.direction.is_none_or(|it| it == kind.direction());
    let words: Vec<&str> =
        MovementKind::ALL.iter().filter(is_wanted).map(|kind| kind.as_str()).collect();
    words.join(" ")
}

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

    async fn balances_of_banks(
        &self,
        runs: &[BalanceRun],
    ) -> Result<Vec<Vec<KnownBalance>>, StoreError> {
        let banks: Vec<&str> = runs.iter().map(|run| run.ispb.as_str()).collect();
        let longest = runs.iter().map(|run| run.rows).max().unwrap_or_default();
        let mut connection = self.database.connection().await?;
        let rows: Vec<ListedRow> = statement(BY_BANK)
            .bind::<Array<Text>, _>(banks)
            .bind::<Array<Nullable<Uuid>>, _>(column(runs, |run| run.after.map(AccountId::uuid)))
            .bind::<BigInt, _>(longest)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let rows: Result<Vec<_>, _> = rows.into_iter().map(ListedRow::into_known).collect();
        let mut answers = vec![Vec::new(); runs.len()];
        placed(rows?, runs.len(), |place, known| {
            let Some((run, answer)) = runs.get(place).zip(answers.get_mut(place)) else { return };
            if i64::try_from(answer.len()).is_ok_and(|length| length < run.rows) {
                answer.push(known);
            }
        });
        Ok(answers)
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
        let since = column(windows, |it| it.from.map(instant));
        let bounds = column(windows, before);
        let times: Vec<Option<PgTimestamp>> =
            column(&bounds, |it| it.map(|it| instant(it.occurred_at)));
        let mut connection = self.database.connection().await?;
        let rows: Vec<LineRow> = statement(STATEMENTS)
            .bind::<Array<Uuid>, _>(column(windows, |it| it.account_id.uuid()))
            .bind::<Array<Nullable<Timestamptz>>, _>(since)
            .bind::<Array<Nullable<Timestamptz>>, _>(times)
            .bind::<Array<Nullable<BigInt>>, _>(column(&bounds, |it| it.map(|it| it.version)))
            .bind::<Array<BigInt>, _>(column(windows, |it| it.limit))
            .bind::<Array<Text>, _>(column(windows, movements))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_before_the_older_of_cursor_and_end() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let place = |micros, version| LinePlace { occurred_at: at(micros), version };
        let bound = |to: Option<i64>, after| {
            let account_id = AccountId::from_uuid(uuid::Uuid::nil());
            let (to, direction) = (to.map(at), None);
            before(&StatementWindow { account_id, from: None, to, direction, after, limit: 1 })
        };
        assert_eq!(bound(None, None), None);
        assert_eq!(bound(Some(7), None), Some(place(7, 0)));
        assert_eq!(bound(Some(7), Some(place(6, 4))), Some(place(6, 4)));
        assert_eq!(bound(Some(7), Some(place(7, 4))), Some(place(7, 0)));
        assert_eq!(bound(Some(7), Some(place(9, 4))), Some(place(7, 0)));
    }
}
