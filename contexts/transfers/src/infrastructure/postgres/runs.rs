//! Runs along the indexes of transfers, newest first: the pages of any number of lists of one sort
//! in one statement, which goes along the right index for each list.
//!
//! Few transfers are open or fail, and for these there is a table and an index of their own: the
//! statement holds a run of each kind, and a run that is not the list's is never begun.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as Id};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::domain::{Ispb, Timestamp};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error};
use uuid::Uuid;

use super::rows::{TransferRow, transfer_columns, unreadable};
use crate::application::TransfersOf;
use crate::application::ports::TransferRun;
use crate::domain::{Side, Transfer, TransferState};

/// What a list asks for: `$1`, `$2` the places, `$3` the states, `$4` the banks, `$5` the accounts,
/// `$6` the ends (texts that are empty where nothing is asked), `$7` since when, `$8` rows for
/// each.
macro_rules! asked {
    () => {
        "unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], \
         $7::timestamptz[]) \
         WITH ORDINALITY AS asked (time, id, state, bank, account, side, since, list)"
    };
}

/// One run of a list.
macro_rules! run {
    ($from:literal, $state:literal, $of:literal) => {
        concat!(
            "(SELECT ",
            transfer_columns!(),
            " FROM ",
            $from,
            " WHERE (t.registered_at, t.end_to_end_id) < (asked.time, asked.id) \
             AND t.registered_at >= asked.since",
            $state,
            $of,
            " ORDER BY t.registered_at DESC, t.end_to_end_id DESC LIMIT $8)"
        )
    };
}

/// The run of each kind of state.
macro_rules! runs {
    ($of:literal) => {
        concat!(
            run!(
                "transfers.transfer AS t",
                " AND asked.state IN ('', 'completed') \
                 AND (asked.state = '' OR t.state = asked.state)",
                $of
            ),
            " UNION ALL ",
            run!(
                "transfers.open_transfer AS open \
                 JOIN transfers.transfer AS t USING (end_to_end_id)",
                " AND asked.state IN ('pending', 'confirmed') AND t.state = asked.state",
                $of
            ),
            " UNION ALL ",
            run!(
                "transfers.transfer AS t",
                " AND asked.state IN ('rejected', 'expired') AND t.reason IS NOT NULL \
                 AND t.state = asked.state",
                $of
            )
        )
    };
}

/// The first rows of all runs of each list.
macro_rules! pages {
    ($runs:expr) => {
        concat!(
            "SELECT asked.list, t.* FROM ",
            asked!(),
            " CROSS JOIN LATERAL (SELECT * FROM (",
            $runs,
            ") AS t ORDER BY t.registered_at DESC, t.end_to_end_id DESC LIMIT $8) AS t \
             ORDER BY asked.list, t.registered_at DESC, t.end_to_end_id DESC"
        )
    };
}

const OF_ALL: &str = pages!(runs!(""));

const OF_BANKS: &str = pages!(concat!(
    runs!(" AND asked.side <> 'payee' AND t.payer_ispb = asked.bank"),
    " UNION ALL ",
    runs!(
        " AND asked.side <> 'payer' AND t.payee_ispb = asked.bank \
         AND (asked.side <> '' OR t.payer_ispb <> asked.bank)"
    )
));

/// An account's own history is short enough to look for a state in it.
const OF_ACCOUNTS: &str = pages!(concat!(
    run!(
        "transfers.transfer AS t",
        " AND (asked.state = '' OR t.state = asked.state)",
        " AND asked.side <> 'payee' AND t.payer_account_id = asked.account \
         AND (asked.bank = '' OR t.payer_ispb = asked.bank)"
    ),
    " UNION ALL ",
    run!(
        "transfers.transfer AS t",
        " AND (asked.state = '' OR t.state = asked.state)",
        " AND asked.side <> 'payer' AND t.payee_account_id = asked.account \
         AND (asked.bank = '' OR t.payee_ispb = asked.bank) \
         AND (asked.side <> '' OR t.payer_account_id <> asked.account)"
    )
));

/// A text behind every id.
const BEHIND_ALL: &str = "~";

/// A row of a list.
#[derive(QueryableByName)]
struct RunRow {
    #[diesel(sql_type = BigInt)]
    list: i64,
    #[diesel(embed)]
    transfer: TransferRow,
}

/// Lists of one sort as columns.
#[derive(Default)]
struct RunColumns<'a> {
    /// Where each list stands among all that were asked for.
    lists: Vec<usize>,
    times: Vec<PgTimestamp>,
    ids: Vec<&'a str>,
    states: Vec<&'static str>,
    banks: Vec<&'a str>,
    accounts: Vec<Uuid>,
    sides: Vec<&'static str>,
    since: Vec<PgTimestamp>,
    rows: i64,
}

impl<'a> RunColumns<'a> {
    fn push(&mut self, list: usize, run: &'a TransferRun) {
        let (time, id) = before(run);
        let (bank, account, side) = match &run.of {
            TransfersOf::All => ("", Uuid::nil(), ""),
            TransfersOf::Bank { ispb, side } => {
                (ispb.as_str(), Uuid::nil(), side.map(end).unwrap_or_default())
            }
            TransfersOf::Account { account_id, at, side } => {
                let bank = at.as_ref().map(Ispb::as_str).unwrap_or_default();
                (bank, account_id.uuid(), side.map(end).unwrap_or_default())
            }
        };
        self.lists.push(list);
        self.times.push(instant(time));
        self.ids.push(id);
        self.states.push(run.state.map(TransferState::as_str).unwrap_or_default());
        self.banks.push(bank);
        self.accounts.push(account);
        self.sides.push(side);
        self.since.push(instant(run.period.from.unwrap_or(Timestamp::MIN)));
        self.rows = self.rows.max(run.rows);
    }
}

/// Before which place the transfers of a run stand: where its period ends, or the place behind
/// which it begins, whichever is older. One bound, so that an old page begins in the index where it
/// stands.
fn before(run: &TransferRun) -> (Timestamp, &str) {
    let place = match &run.after {
        Some(place) => (place.registered_at, place.end_to_end_id.as_str()),
        None => (Timestamp::MAX, BEHIND_ALL),
    };
    // No id is empty: the end of a period comes before every transfer of its instant.
    run.period.to.map_or(place, |to| place.min((to, "")))
}

const fn end(side: Side) -> &'static str {
    match side {
        Side::Payer => "payer",
        Side::Payee => "payee",
    }
}

/// The transfers of each run, in the order of the runs: one statement for each sort of list.
pub(super) async fn read(
    connection: &mut AsyncPgConnection,
    runs: &[TransferRun],
) -> Result<Vec<Vec<Transfer>>, StoreError> {
    let mut sorts = [OF_ALL, OF_BANKS, OF_ACCOUNTS].map(|text| (text, RunColumns::default()));
    let [(_, of_all), (_, of_banks), (_, of_accounts)] = &mut sorts;
    for (list, run) in runs.iter().enumerate() {
        match run.of {
            TransfersOf::All => of_all.push(list, run),
            TransfersOf::Bank { .. } => of_banks.push(list, run),
            TransfersOf::Account { .. } => of_accounts.push(list, run),
        }
    }
    let mut answers: Vec<Vec<Transfer>> = runs.iter().map(|_| Vec::new()).collect();
    for (text, columns) in sorts {
        if columns.lists.is_empty() {
            continue;
        }
        let lists = columns.lists.clone();
        for row in load(connection, text, columns).await? {
            let list = usize::try_from(row.list).ok().and_then(|list| list.checked_sub(1));
            let asked = list.and_then(|list| lists.get(list)).copied();
            let answer = asked.and_then(|list| Some((runs.get(list)?, answers.get_mut(list)?)));
            let Some((run, answer)) = answer else { continue };
            // Lists of other lengths share the statement.
            if i64::try_from(answer.len()).is_ok_and(|length| length < run.rows) {
                answer.push(row.transfer.transfer().map_err(|broken| unreadable(&broken))?);
            }
        }
    }
    Ok(answers)
}

async fn load(
    connection: &mut AsyncPgConnection,
    text: &'static str,
    columns: RunColumns<'_>,
) -> Result<Vec<RunRow>, StoreError> {
    statement(text)
        .bind::<Array<Timestamptz>, _>(columns.times)
        .bind::<Array<Text>, _>(columns.ids)
        .bind::<Array<Text>, _>(columns.states)
        .bind::<Array<Text>, _>(columns.banks)
        .bind::<Array<Id>, _>(columns.accounts)
        .bind::<Array<Text>, _>(columns.sides)
        .bind::<Array<Timestamptz>, _>(columns.since)
        .bind::<BigInt, _>(columns.rows)
        .load(connection)
        .await
        .map_err(store_error)
}
