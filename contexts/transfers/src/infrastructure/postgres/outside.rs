//! Orders and hand-overs of banks that credit on delivery: one statement for each port.

use diesel::QueryableByName;
use diesel::pg::data_types::PgTimestamp;
use diesel::sql_types::{Array, Binary, SmallInt, Text, Timestamptz, Uuid as Id};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{EndToEndId, Ispb};
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{PgSession, instant, statement, store_error};
use uuid::Uuid;

use super::rows::{OrderRow, read};
use super::sql;
use super::transaction::{all_of, texts};
use crate::application::hand_over::HandOver;
use crate::application::outside::{KnownOrder, OrderRefusal};
use crate::application::ports::{SavedAcknowledgement, SavedResolution, SavedTransfer, Word};
use crate::domain::OrderId;
use crate::infrastructure::classic::outbound;
use crate::infrastructure::postgres::hand_overs::shard_of;

#[derive(QueryableByName)]
struct BankRow {
    #[diesel(sql_type = Text)]
    ispb: String,
}

#[derive(QueryableByName)]
struct WaitingRow {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
}

/// Writes the letters of these transfers: hand-overs to their own table, the rest to the outbox.
pub(super) async fn write(
    session: &mut PgSession,
    saved: &[SavedTransfer],
) -> Result<(), StoreError> {
    let mut hand_overs = Vec::new();
    let mut told = Vec::new();
    for saved in saved {
        for letter in &saved.letters {
            match letter.word {
                Word::Credit => hand_overs.push(outbound::hand_over(&saved.transfer, letter)?),
                Word::Settled | Word::Failed => {
                    told.push(outbound::letter(&saved.transfer, letter)?);
                }
            }
        }
    }
    session.publish(told);
    if hand_overs.is_empty() { Ok(()) } else { store(session, &hand_overs).await }
}

async fn store(session: &mut PgSession, hand_overs: &[HandOver]) -> Result<(), StoreError> {
    let column = |of: fn(&HandOver) -> &str| -> Vec<&str> { hand_overs.iter().map(of).collect() };
    let shards: Vec<i16> = hand_overs.iter().map(|it| shard_of(&it.end_to_end_id)).collect();
    statement(sql::HAND_OVER)
        .bind::<Array<SmallInt>, _>(shards)
        .bind::<Array<Text>, _>(column(|it| it.end_to_end_id.as_str()))
        .bind::<Array<Text>, _>(column(|it| &it.topic))
        .bind::<Array<Text>, _>(column(|it| &it.key))
        .bind::<Array<Text>, _>(column(|it| &it.payload))
        .bind::<Array<Text>, _>(column(|it| &it.trace))
        .execute(session.connection())
        .await
        .map(drop)
        .map_err(store_error)
}

pub(super) async fn with_open_transfers(
    session: &mut PgSession,
    ispbs: &[Ispb],
) -> Result<Vec<Ispb>, StoreError> {
    let rows: Vec<BankRow> = statement(sql::WITH_OPEN)
        .bind::<Array<Text>, _>(texts(ispbs))
        .load(session.connection())
        .await
        .map_err(store_error)?;
    read(rows, |row| Ispb::parse(&row.ispb))
}

pub(super) async fn waiting_hand_overs(
    session: &mut PgSession,
    ids: &[EndToEndId],
) -> Result<Vec<EndToEndId>, StoreError> {
    let ids: Vec<&str> = ids.iter().map(EndToEndId::as_str).collect();
    let rows: Vec<WaitingRow> = statement(sql::WAITING_HAND_OVERS)
        .bind::<Array<Text>, _>(ids)
        .load(session.connection())
        .await
        .map_err(store_error)?;
    read(rows, |row| EndToEndId::parse(&row.end_to_end_id))
}

pub(super) async fn load_orders(
    connection: &mut AsyncPgConnection,
    ids: &[OrderId],
) -> Result<Vec<KnownOrder>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<OrderRow> = statement(sql::LOAD_ORDERS)
        .bind::<Array<Id>, _>(ids)
        .load(connection)
        .await
        .map_err(store_error)?;
    read(rows, OrderRow::order)
}

pub(super) async fn refuse_orders(
    session: &mut PgSession,
    refusals: &[OrderRefusal],
) -> Result<(), StoreError> {
    let told: Result<Vec<Published>, StoreError> = refusals.iter().map(outbound::refusal).collect();
    session.publish(told?);
    let kept: Vec<&OrderRefusal> = refusals.iter().filter(|refusal| refusal.remember).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let orders = || kept.iter().map(|refusal| &refusal.order);
    let contents: Vec<Vec<u8>> =
        orders().map(|order| order.content().as_bytes().to_vec()).collect();
    statement(sql::REFUSE_ORDERS)
        .bind::<Array<Id>, _>(orders().map(|order| order.order_id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(kept.iter().map(|it| it.bank.as_str()).collect::<Vec<_>>())
        .bind::<Array<Id>, _>(orders().map(|order| order.account_id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(contents)
        .bind::<Array<Text>, _>(kept.iter().map(|it| it.sentence.as_str()).collect::<Vec<_>>())
        .execute(session.connection())
        .await
        .map(drop)
        .map_err(store_error)
}

pub(super) async fn save_acknowledgements(
    session: &mut PgSession,
    saved: &[SavedAcknowledgement],
) -> Result<(), StoreError> {
    let times: Vec<PgTimestamp> = saved.iter().map(|it| instant(it.acknowledgement.at)).collect();
    let ids: Vec<&str> = saved.iter().map(|it| it.end_to_end_id.as_str()).collect();
    let reasons: Vec<&str> = saved.iter().map(|it| it.acknowledgement.reason.as_str()).collect();
    let noted = statement(sql::ACKNOWLEDGE)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<Text>, _>(reasons)
        .bind::<Array<Timestamptz>, _>(times)
        .execute(session.connection())
        .await
        .map_err(store_error)?;
    all_of(noted, saved.len(), "a resolution")
}

pub(super) async fn save_resolutions(
    session: &mut PgSession,
    saved: &[SavedResolution],
) -> Result<(), StoreError> {
    let times: Vec<PgTimestamp> = saved.iter().map(|it| instant(it.at)).collect();
    let column = |of: fn(&SavedResolution) -> &str| -> Vec<&str> { saved.iter().map(of).collect() };
    statement(sql::RESOLVE)
        .bind::<Array<Text>, _>(column(|it| it.end_to_end_id.as_str()))
        .bind::<Array<Text>, _>(column(|it| it.resolution.as_str()))
        .bind::<Array<Text>, _>(column(|it| &it.reason))
        .bind::<Array<Timestamptz>, _>(times)
        .execute(session.connection())
        .await
        .map(drop)
        .map_err(store_error)
}
