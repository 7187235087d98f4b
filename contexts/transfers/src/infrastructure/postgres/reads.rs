//! The read side: plain reads on connections of the pool, one statement for each read.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{EndToEndId, Ispb};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{statement, store_error};

use super::rows::{
    ParticipantRow, PositionRow, ResolutionRow, TransferRow, read, transfer_columns, unreadable,
};
use super::{outside, runs};
use crate::application::outside::KnownOrder;
use crate::application::ports::{ParticipantRun, SavedResolution, TransferRun, TransfersReads};
use crate::domain::{OrderId, Participant, Position, Protocol, Transfer};

const TRANSFERS: &str = concat!(
    "SELECT ",
    transfer_columns!(),
    " FROM transfers.transfer AS t WHERE t.end_to_end_id = ANY($1)"
);

/// The first of each run, along the ids from its place; a run without a limit has all of them.
const PARTICIPANTS: &str = "SELECT asked.list, bank.* \
     FROM unnest($1::text[], $2::text[], $3::bigint[]) \
     WITH ORDINALITY AS asked (place, protocol, rows, list) CROSS JOIN LATERAL \
     (SELECT ispb, code, name, protocol, status, position_limit, enrolled_at, version \
     FROM transfers.participant AS bank WHERE bank.ispb > asked.place \
     AND (asked.protocol = '' OR bank.protocol = asked.protocol) \
     ORDER BY bank.ispb LIMIT asked.rows) AS bank ORDER BY asked.list, bank.ispb";

const PARTICIPANTS_OF: &str = "SELECT ispb, code, name, protocol, status, position_limit, \
     enrolled_at, version FROM transfers.participant WHERE ispb = ANY($1)";

const POSITIONS: &str = "SELECT ispb, amount, reserved FROM transfers.position ORDER BY ispb";

const RESOLUTIONS: &str = "SELECT end_to_end_id, resolution, reason, resolved_at, \
     acknowledgement, acknowledged_at FROM transfers.resolution WHERE end_to_end_id = ANY($1)";

const POSITIONS_OF: &str =
    "SELECT ispb, amount, reserved FROM transfers.position WHERE ispb = ANY($1) ORDER BY ispb";

/// A row of a list of participants.
#[derive(QueryableByName)]
struct ListedRow {
    #[diesel(sql_type = BigInt)]
    list: i64,
    #[diesel(embed)]
    participant: ParticipantRow,
}

fn texts(ispbs: &[Ispb]) -> Vec<&str> {
    ispbs.iter().map(Ispb::as_str).collect()
}

#[async_trait]
impl TransfersReads for Sessions {
    async fn transfers(&self, ids: &[EndToEndId]) -> Result<Vec<Transfer>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(EndToEndId::as_str).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<TransferRow> = statement(TRANSFERS)
            .bind::<Array<Text>, _>(ids)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, TransferRow::transfer)
    }

    async fn runs(&self, runs: &[TransferRun]) -> Result<Vec<Vec<Transfer>>, StoreError> {
        let mut connection = self.database.connection().await?;
        runs::read(&mut connection, runs).await
    }

    async fn participants(
        &self,
        runs: &[ParticipantRun],
    ) -> Result<Vec<Vec<Participant>>, StoreError> {
        let places = runs.iter().map(|run| run.after.as_ref().map(Ispb::as_str));
        let places: Vec<&str> = places.map(Option::unwrap_or_default).collect();
        let protocols = runs.iter().map(|run| run.protocol.map(Protocol::as_str));
        let protocols: Vec<&str> = protocols.map(Option::unwrap_or_default).collect();
        let limits: Vec<Option<i64>> = runs.iter().map(|run| run.rows).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<ListedRow> = statement(PARTICIPANTS)
            .bind::<Array<Text>, _>(places)
            .bind::<Array<Text>, _>(protocols)
            .bind::<Array<Nullable<BigInt>>, _>(limits)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        let mut answers: Vec<Vec<Participant>> = runs.iter().map(|_| Vec::new()).collect();
        for row in rows {
            let list = usize::try_from(row.list).ok().and_then(|list| list.checked_sub(1));
            let Some(answer) = list.and_then(|list| answers.get_mut(list)) else { continue };
            answer.push(row.participant.participant().map_err(|broken| unreadable(&broken))?);
        }
        Ok(answers)
    }

    async fn participants_of(&self, ispbs: &[Ispb]) -> Result<Vec<Participant>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<ParticipantRow> = statement(PARTICIPANTS_OF)
            .bind::<Array<Text>, _>(texts(ispbs))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, ParticipantRow::participant)
    }

    async fn positions(&self) -> Result<Vec<Position>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<PositionRow> =
            statement(POSITIONS).load(&mut connection).await.map_err(store_error)?;
        read(rows, PositionRow::position)
    }

    async fn resolutions(&self, ids: &[EndToEndId]) -> Result<Vec<SavedResolution>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(EndToEndId::as_str).collect();
        let mut connection = self.database.connection().await?;
        let rows: Vec<ResolutionRow> = statement(RESOLUTIONS)
            .bind::<Array<Text>, _>(ids)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, ResolutionRow::resolution)
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<KnownOrder>, StoreError> {
        let mut connection = self.database.connection().await?;
        outside::load_orders(&mut connection, ids).await
    }

    async fn positions_of(&self, ispbs: &[Ispb]) -> Result<Vec<Position>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<PositionRow> = statement(POSITIONS_OF)
            .bind::<Array<Text>, _>(texts(ispbs))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, PositionRow::position)
    }
}
