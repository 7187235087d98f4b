//! Lists of many accounts or banks at once: one statement for all, and an index for each.
//!
//! The parts are rows of arrays, numbered by their place among them; each takes its own rows
//! through a lateral join, so that a part costs what it shows, however long its list is.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Money, Timestamp};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error, timestamp};
use uuid::Uuid;

use super::rows::{AccountRow, SideRow, status_word, unreadable, unreadable_value};
use super::select::{account, book, incoming, outgoing};
use crate::application::page::{
    AccountAt, AccountPlace, AccountsOf, Part, PostingDirection, PostingPlace, PostingsOf,
    TransferPlace, TransfersOf,
};
use crate::application::views::{Direction, HoldView, ShownState, StatementLine, TransferView};
use crate::domain::{Account, EntryId, Leg};

/// Later than every transfer.
const AFTER_ALL: &str = "\u{7f}";

#[derive(QueryableByName)]
struct ListedAccountRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(embed)]
    account: AccountRow,
}

#[derive(QueryableByName)]
struct SeenRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = SqlUuid)]
    seen_by: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(embed)]
    side: SideRow,
}

#[derive(QueryableByName)]
struct HoldRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Timestamptz)]
    requested_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    deadline: PgTimestamp,
}

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    leg: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = BigInt)]
    balance_after: i64,
    #[diesel(sql_type = BigInt)]
    account_version: i64,
    #[diesel(sql_type = Timestamptz)]
    posted_at: PgTimestamp,
    #[diesel(sql_type = Text)]
    counterparty_name: String,
    #[diesel(sql_type = Text)]
    description: String,
}

impl SeenRow {
    fn into_view(self) -> Result<TransferView, StoreError> {
        match self.kind.as_str() {
            "outgoing" => Ok(TransferView::from(&self.side.into_outgoing()?.value)),
            "incoming" => Ok(TransferView::from(&self.side.into_incoming()?.value)),
            "book" => {
                let seen_by = AccountId::from_uuid(self.seen_by);
                Ok(TransferView::book(&self.side.into_book()?, seen_by))
            }
            _ => Err(unreadable("kind of transfer")),
        }
    }
}

impl HoldRow {
    fn into_view(self) -> Result<HoldView, StoreError> {
        Ok(HoldView {
            end_to_end_id: EndToEndId::parse(&self.end_to_end_id).map_err(unreadable_value)?,
            amount: Amount::from_centavos(self.amount).map_err(unreadable_value)?,
            since: timestamp(self.requested_at),
            deadline: timestamp(self.deadline),
        })
    }
}

impl LineRow {
    fn into_view(self) -> Result<StatementLine, StoreError> {
        let leg = Leg::parse(&self.leg).ok_or_else(|| unreadable("leg"))?;
        let end_to_end_id = match leg {
            Leg::Payer | Leg::Payee | Leg::Book => {
                Some(EndToEndId::parse(&self.reference).map_err(unreadable_value)?)
            }
            Leg::Deposit | Leg::Withdrawal => None,
        };
        Ok(StatementLine {
            entry_id: EntryId::from_uuid(self.id),
            leg,
            amount: Money::from_centavos(self.amount),
            balance_after: Money::from_centavos(self.balance_after),
            version: self.account_version,
            end_to_end_id,
            counterparty_name: self.counterparty_name,
            description: self.description,
            posted_at: timestamp(self.posted_at),
        })
    }
}

/// The rows of each of `parts`, by the place that each row names (counted from 1).
fn lists<T>(
    parts: usize,
    rows: impl IntoIterator<Item = Result<(i64, T), StoreError>>,
) -> Result<Vec<Vec<T>>, StoreError> {
    let mut lists: Vec<Vec<T>> = std::iter::repeat_with(Vec::new).take(parts).collect();
    for row in rows {
        let (place, row) = row?;
        let index = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
        let list = index.and_then(|index| lists.get_mut(index));
        list.ok_or_else(|| unreadable("place in a list"))?.push(row);
    }
    Ok(lists)
}

/// Parts of lists of transfers, one array per column.
#[derive(Default)]
struct TransferParts<'a> {
    accounts: Vec<Uuid>,
    banks: Vec<&'a str>,
    times: Vec<PgTimestamp>,
    ids: Vec<&'a str>,
    rows: Vec<i64>,
}

impl<'a> TransferParts<'a> {
    fn of<K>(
        parts: &'a [Part<K, TransferPlace>],
        list: impl Fn(&'a K) -> (&'a AccountAt, Option<Timestamp>),
    ) -> Self {
        let mut columns = Self::default();
        for part in parts {
            let (of, until) = list(&part.of);
            let (at, id) = before(part.after.as_ref(), until);
            columns.accounts.push(of.id.uuid());
            columns.banks.push(of.ispb.as_str());
            columns.times.push(instant(at));
            columns.ids.push(id);
            columns.rows.push(part.size.rows_to_read());
        }
        columns
    }
}

/// Before which place the transfers of a part stand: where its period ends, or the place behind
/// which it begins, whichever is older. One bound, so that an old page begins in the index where it
/// stands.
fn before(after: Option<&TransferPlace>, until: Option<Timestamp>) -> (Timestamp, &str) {
    let place = after.map_or((Timestamp::MAX, AFTER_ALL), |it| (it.requested_at, it.id.as_str()));
    // No id is empty: the end of a period comes before every transfer of its instant.
    until.map_or(place, |until| place.min((until, "")))
}

/// What a list is narrowed to, as the statements name it; empty where it is not.
const fn direction(of: Option<Direction>) -> &'static str {
    match of {
        None => "",
        Some(Direction::Outgoing) => "outgoing",
        Some(Direction::Incoming) => "incoming",
        Some(Direction::Book) => "book",
    }
}

const fn state(of: Option<ShownState>) -> &'static str {
    match of {
        None => "",
        Some(ShownState::Requested) => "requested",
        Some(ShownState::Settled) => "settled",
        Some(ShownState::Rejected) => "rejected",
        Some(ShownState::Expired) => "expired",
    }
}

/// The sign of an amount; 0 where both are wanted.
const fn sign(of: Option<PostingDirection>) -> i64 {
    match of {
        None => 0,
        Some(PostingDirection::Credit) => 1,
        Some(PostingDirection::Debit) => -1,
    }
}

/// Accounts of each bank, oldest first.
pub(super) async fn accounts(
    sessions: &Sessions,
    parts: &[Part<AccountsOf, AccountPlace>],
) -> Result<Vec<Vec<Account>>, StoreError> {
    let start = AccountPlace { opened_at: Timestamp::MIN, id: AccountId::from_uuid(Uuid::nil()) };
    let places: Vec<AccountPlace> = parts.iter().map(|part| part.after.unwrap_or(start)).collect();
    let banks: Vec<&str> = parts.iter().map(|part| part.of.ispb.as_str()).collect();
    let status = |of: &AccountsOf| of.status.map(status_word).unwrap_or_default();
    let statuses: Vec<&str> = parts.iter().map(|part| status(&part.of)).collect();
    let sizes: Vec<i64> = parts.iter().map(|part| part.size.rows_to_read()).collect();
    let mut connection = sessions.database.connection().await?;
    let rows: Vec<ListedAccountRow> = statement(concat!(
        "SELECT asked.place, listed.* \
         FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::text[]) \
         WITH ORDINALITY AS asked (ispb, opened_at, id, rows, status, place) CROSS JOIN LATERAL (",
        account!(
            "WHERE account.ispb = asked.ispb \
             AND (asked.status = '' OR account.status = asked.status) \
             AND (account.opened_at, account.id) > (asked.opened_at, asked.id) \
             ORDER BY account.opened_at, account.id LIMIT asked.rows"
        ),
        ") AS listed ORDER BY asked.place, listed.opened_at, listed.id",
    ))
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<Timestamptz>, _>(
        places.iter().map(|place| instant(place.opened_at)).collect::<Vec<_>>(),
    )
    .bind::<Array<SqlUuid>, _>(places.iter().map(|place| place.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(sizes)
    .bind::<Array<Text>, _>(statuses)
    .load(&mut connection)
    .await
    .map_err(store_error)?;
    lists(parts.len(), rows.into_iter().map(|row| Ok((row.place, row.account.into_domain()?))))
}

/// The side of each transfer that an account sees.
pub(super) async fn sides(
    sessions: &Sessions,
    sides: &[(EndToEndId, AccountId)],
) -> Result<Vec<Option<TransferView>>, StoreError> {
    let ids: Vec<&str> = sides.iter().map(|(id, _)| id.as_str()).collect();
    let accounts: Vec<Uuid> = sides.iter().map(|(_, account)| account.uuid()).collect();
    let mut connection = sessions.database.connection().await?;
    let rows: Vec<SeenRow> = statement(concat!(
        "WITH asked AS (SELECT * FROM unnest($1::text[], $2::uuid[]) \
         WITH ORDINALITY AS asked (id, seen_by, place)) \
         SELECT asked.place, asked.seen_by, 'outgoing' AS kind, side.* \
         FROM asked CROSS JOIN LATERAL (",
        outgoing!("WHERE end_to_end_id = asked.id AND payer_account_id = asked.seen_by"),
        ") AS side UNION ALL SELECT asked.place, asked.seen_by, 'incoming', side.* \
         FROM asked CROSS JOIN LATERAL (",
        incoming!("WHERE end_to_end_id = asked.id AND payee_account_id = asked.seen_by"),
        ") AS side UNION ALL SELECT asked.place, asked.seen_by, 'book', side.* \
         FROM asked CROSS JOIN LATERAL (",
        book!(
            "WHERE end_to_end_id = asked.id \
             AND asked.seen_by IN (payer_account_id, payee_account_id)"
        ),
        ") AS side",
    ))
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<SqlUuid>, _>(accounts)
    .load(&mut connection)
    .await
    .map_err(store_error)?;
    let found = lists(sides.len(), rows.into_iter().map(|row| Ok((row.place, row.into_view()?))))?;
    Ok(found.into_iter().map(|views| views.into_iter().next()).collect())
}

/// Transfers of each account, newest first: the newest of each kind, then the newest of these. An
/// account's own history is short enough to look for a state in it.
const TRANSFERS: &str = concat!(
    "WITH asked AS (SELECT * \
     FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[], \
     $6::timestamptz[], $7::text[], $8::text[]) \
     WITH ORDINALITY AS asked (seen_by, bank, at, id, rows, since, way, shown, place)) \
     SELECT asked.place, asked.seen_by, 'outgoing' AS kind, side.* \
     FROM asked CROSS JOIN LATERAL (",
    outgoing!(
        "WHERE asked.way IN ('', 'outgoing') \
         AND payer_account_id = asked.seen_by AND payer_ispb = asked.bank \
         AND (requested_at, end_to_end_id) < (asked.at, asked.id) \
         AND requested_at >= asked.since AND (asked.shown = '' OR state = asked.shown) \
         ORDER BY requested_at DESC, end_to_end_id DESC LIMIT asked.rows"
    ),
    ") AS side UNION ALL SELECT asked.place, asked.seen_by, 'incoming', side.* \
     FROM asked CROSS JOIN LATERAL (",
    incoming!(
        "WHERE asked.way IN ('', 'incoming') \
         AND payee_account_id = asked.seen_by AND payee_ispb = asked.bank \
         AND (registered_at, end_to_end_id) < (asked.at, asked.id) \
         AND registered_at >= asked.since AND (asked.shown = '' OR asked.shown = \
         CASE WHEN state = 'expected' THEN 'requested' WHEN state = 'credited' THEN 'settled' \
         WHEN state = 'cancelled' AND reason_code = 'AB03' THEN 'expired' ELSE 'rejected' END) \
         ORDER BY registered_at DESC, end_to_end_id DESC LIMIT asked.rows"
    ),
    ") AS side UNION ALL SELECT asked.place, asked.seen_by, 'book', side.* \
     FROM asked CROSS JOIN LATERAL (",
    book!(
        "WHERE asked.way IN ('', 'book') AND asked.shown IN ('', 'settled') \
         AND payer_account_id = asked.seen_by AND ispb = asked.bank \
         AND (booked_at, end_to_end_id) < (asked.at, asked.id) AND booked_at >= asked.since \
         ORDER BY booked_at DESC, end_to_end_id DESC LIMIT asked.rows"
    ),
    ") AS side UNION ALL SELECT asked.place, asked.seen_by, 'book', side.* \
     FROM asked CROSS JOIN LATERAL (",
    book!(
        "WHERE asked.way IN ('', 'book') AND asked.shown IN ('', 'settled') \
         AND payee_account_id = asked.seen_by AND ispb = asked.bank \
         AND (booked_at, end_to_end_id) < (asked.at, asked.id) AND booked_at >= asked.since \
         ORDER BY booked_at DESC, end_to_end_id DESC LIMIT asked.rows"
    ),
    ") AS side",
);

/// Transfers of each account, newest first.
pub(super) async fn transfers(
    sessions: &Sessions,
    parts: &[Part<TransfersOf, TransferPlace>],
) -> Result<Vec<Vec<TransferView>>, StoreError> {
    let columns = TransferParts::of(parts, |of| (&of.at, of.period.to));
    let since = |of: &TransfersOf| instant(of.period.from.unwrap_or(Timestamp::MIN));
    let since: Vec<PgTimestamp> = parts.iter().map(|part| since(&part.of)).collect();
    let ways: Vec<&str> = parts.iter().map(|part| direction(part.of.direction)).collect();
    let states: Vec<&str> = parts.iter().map(|part| state(part.of.state)).collect();
    let mut connection = sessions.database.connection().await?;
    let rows: Vec<SeenRow> = statement(TRANSFERS)
        .bind::<Array<SqlUuid>, _>(columns.accounts)
        .bind::<Array<Text>, _>(columns.banks)
        .bind::<Array<Timestamptz>, _>(columns.times)
        .bind::<Array<Text>, _>(columns.ids)
        .bind::<Array<BigInt>, _>(columns.rows)
        .bind::<Array<Timestamptz>, _>(since)
        .bind::<Array<Text>, _>(ways)
        .bind::<Array<Text>, _>(states)
        .load(&mut connection)
        .await
        .map_err(store_error)?;
    let mut found =
        lists(parts.len(), rows.into_iter().map(|row| Ok((row.place, row.into_view()?))))?;
    for (views, part) in found.iter_mut().zip(parts) {
        views.sort_by_key(|view| std::cmp::Reverse(TransferPlace::from(view)));
        views.truncate(usize::try_from(part.size.rows_to_read()).unwrap_or_default());
    }
    Ok(found)
}

/// Open holds of each account, newest first.
pub(super) async fn holds(
    sessions: &Sessions,
    parts: &[Part<AccountAt, TransferPlace>],
) -> Result<Vec<Vec<HoldView>>, StoreError> {
    let columns = TransferParts::of(parts, |of| (of, None));
    let mut connection = sessions.database.connection().await?;
    let rows: Vec<HoldRow> = statement(
        "SELECT asked.place, hold.* \
         FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[]) \
         WITH ORDINALITY AS asked (account_id, bank, at, id, rows, place) CROSS JOIN LATERAL ( \
         SELECT end_to_end_id, amount, requested_at, deadline FROM banking.outgoing_transfer \
         WHERE state = 'requested' AND payer_account_id = asked.account_id \
         AND payer_ispb = asked.bank \
         AND (requested_at, end_to_end_id) < (asked.at, asked.id) \
         ORDER BY requested_at DESC, end_to_end_id DESC LIMIT asked.rows) AS hold \
         ORDER BY asked.place, hold.requested_at DESC, hold.end_to_end_id DESC",
    )
    .bind::<Array<SqlUuid>, _>(columns.accounts)
    .bind::<Array<Text>, _>(columns.banks)
    .bind::<Array<Timestamptz>, _>(columns.times)
    .bind::<Array<Text>, _>(columns.ids)
    .bind::<Array<BigInt>, _>(columns.rows)
    .load(&mut connection)
    .await
    .map_err(store_error)?;
    lists(parts.len(), rows.into_iter().map(|row| Ok((row.place, row.into_view()?))))
}

/// Ledger entries of each account, newest first.
pub(super) async fn statements(
    sessions: &Sessions,
    parts: &[Part<PostingsOf, PostingPlace>],
) -> Result<Vec<Vec<StatementLine>>, StoreError> {
    let accounts: Vec<Uuid> = parts.iter().map(|part| part.of.at.id.uuid()).collect();
    let banks: Vec<&str> = parts.iter().map(|part| part.of.at.ispb.as_str()).collect();
    let signs: Vec<i64> = parts.iter().map(|part| sign(part.of.direction)).collect();
    let last = PostingPlace(i64::MAX);
    let versions: Vec<i64> = parts.iter().map(|part| part.after.unwrap_or(last).0).collect();
    let sizes: Vec<i64> = parts.iter().map(|part| part.size.rows_to_read()).collect();
    let mut connection = sessions.database.connection().await?;
    // Each line looks its transfer up by its id: the limits keep the planner from hashing whole
    // tables for a handful of lines whose number it cannot know.
    let rows: Vec<LineRow> = statement(
        "SELECT asked.place, line.id, line.reference, line.leg, line.amount, line.balance_after, \
         line.account_version, line.posted_at, \
         coalesce(outgoing.payee_name, incoming.payer_name, \
         CASE WHEN line.amount < 0 THEN book.payee_name ELSE book.payer_name END, '') \
         AS counterparty_name, \
         coalesce(outgoing.description, incoming.description, book.description, '') \
         AS description \
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) \
         WITH ORDINALITY AS asked (account_id, bank, version, rows, sign, place) \
         CROSS JOIN LATERAL (SELECT * FROM banking.entry \
         WHERE account_id = asked.account_id AND ispb = asked.bank \
         AND account_version < asked.version AND (asked.sign = 0 OR sign(amount) = asked.sign) \
         ORDER BY account_version DESC LIMIT asked.rows) AS line \
         LEFT JOIN LATERAL (SELECT payee_name, description FROM banking.outgoing_transfer \
         WHERE line.leg = 'payer' AND end_to_end_id = line.reference LIMIT 1) AS outgoing ON true \
         LEFT JOIN LATERAL (SELECT payer_name, description FROM banking.incoming_transfer \
         WHERE line.leg = 'payee' AND end_to_end_id = line.reference LIMIT 1) AS incoming ON true \
         LEFT JOIN LATERAL (SELECT payee_name, payer_name, description \
         FROM banking.book_transfer \
         WHERE line.leg = 'book' AND end_to_end_id = line.reference LIMIT 1) AS book ON true \
         ORDER BY asked.place, line.account_version DESC",
    )
    .bind::<Array<SqlUuid>, _>(accounts)
    .bind::<Array<Text>, _>(banks)
    .bind::<Array<BigInt>, _>(versions)
    .bind::<Array<BigInt>, _>(sizes)
    .bind::<Array<BigInt>, _>(signs)
    .load(&mut connection)
    .await
    .map_err(store_error)?;
    lists(parts.len(), rows.into_iter().map(|row| Ok((row.place, row.into_view()?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_to_the_list_whose_place_they_name() {
        let rows = [Ok((3, 'c')), Ok((1, 'a')), Ok((1, 'b'))];
        assert_eq!(lists(3, rows).unwrap(), [vec!['a', 'b'], vec![], vec!['c']]);
        for place in [0, 2, -1] {
            assert!(lists(1, [Ok((place, 'a'))]).is_err(), "{place}");
        }
    }
}
