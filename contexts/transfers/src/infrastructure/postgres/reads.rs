//! The read side: plain reads on connections of the pool, one statement for each read.

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{EndToEndId, Ispb};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{statement, store_error};

use super::rows::{
    ParticipantRow, PositionRow, ResolutionRow, TransferRow, read, transfer_columns,
};
use super::{outside, runs};
use crate::application::outside::KnownOrder;
use crate::application::ports::{SavedResolution, TransferRun, TransfersReads};
use crate::domain::{OrderId, Participant, Position, Protocol, Transfer};

const TRANSFERS: &str = concat!(
    "SELECT ",
    transfer_columns!(),
    " FROM transfers.transfer AS t WHERE t.end_to_end_id = ANY($1)"
);

/// Without a limit, all of them.
const PARTICIPANTS: &str = "SELECT ispb, code, name, protocol, status, position_limit, \
     enrolled_at, version FROM transfers.participant \
     WHERE ispb > $1 AND ($2 = '' OR protocol = $2) ORDER BY ispb LIMIT $3";

const PARTICIPANTS_OF: &str = "SELECT ispb, code, name, protocol, status, position_limit, \
     enrolled_at, version FROM transfers.participant WHERE ispb = ANY($1)";

const POSITIONS: &str = "SELECT ispb, amount, reserved FROM transfers.position ORDER BY ispb";

const RESOLUTIONS: &str = "SELECT end_to_end_id, resolution, reason, resolved_at, \
     acknowledgement, acknowledged_at FROM transfers.resolution WHERE end_to_end_id = ANY($1)";

const POSITIONS_OF: &str =
    "SELECT ispb, amount, reserved FROM transfers.position WHERE ispb = ANY($1) ORDER BY ispb";

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
        after: Option<Ispb>,
        protocol: Option<Protocol>,
        rows: Option<i64>,
    ) -> Result<Vec<Participant>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<ParticipantRow> = statement(PARTICIPANTS)
            .bind::<Text, _>(after.as_ref().map(Ispb::as_str).unwrap_or_default())
            .bind::<Text, _>(protocol.map(Protocol::as_str).unwrap_or_default())
            .bind::<Nullable<BigInt>, _>(rows)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, ParticipantRow::participant)
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
