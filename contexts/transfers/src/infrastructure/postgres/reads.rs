//! The read side: plain reads on connections of the pool.

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{EndToEndId, Ispb, Timestamp};
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{instant, statement, store_error};

use super::rows::{ParticipantRow, PositionRow, TransferRow, read, transfer_columns};
use crate::application::ports::{PageKey, TransferFilter, TransfersReads};
use crate::domain::{Participant, Position, Transfer, TransferState};

const ONE: &str = concat!(
    "SELECT ",
    transfer_columns!(),
    " FROM transfers.transfer AS t WHERE t.end_to_end_id = $1"
);

const PARTICIPANTS: &str = "SELECT ispb, code, name, protocol, status, position_limit, \
     enrolled_at, version FROM transfers.participant ORDER BY ispb";

const POSITIONS: &str = "SELECT ispb, amount, reserved FROM transfers.position \
     WHERE $1::text = '' OR ispb = $1 ORDER BY ispb";

/// One run along an index, newest first: `$1`, `$2` the place, `$3` the limit, `$4` the bank and
/// `$5` the state (each an empty text when not asked for).
macro_rules! run {
    ($from:literal, $($of:literal),+) => {
        concat!(
            "SELECT ",
            transfer_columns!(),
            " FROM ",
            $from,
            " WHERE (t.registered_at, t.end_to_end_id) < ($1, $2)",
            $($of,)+
            " ORDER BY t.registered_at DESC, t.end_to_end_id DESC LIMIT $3"
        )
    };
}

/// The page of all banks and that of one bank, which is payer or payee.
macro_rules! pages {
    ($from:literal, $state:literal) => {
        [
            run!($from, $state, " AND $4::text = ''"),
            concat!(
                "SELECT * FROM ((",
                run!($from, $state, " AND t.payer_ispb = $4"),
                ") UNION ALL (",
                run!($from, $state, " AND t.payee_ispb = $4 AND t.payer_ispb <> $4"),
                ")) AS t ORDER BY t.registered_at DESC, t.end_to_end_id DESC LIMIT $3"
            ),
        ]
    };
}

const ANY: [&str; 2] = pages!("transfers.transfer AS t", " AND $5::text = ''");

/// Few are open, and they have a table of their own.
const OPEN: [&str; 2] = pages!(
    "transfers.open_transfer AS open JOIN transfers.transfer AS t USING (end_to_end_id)",
    " AND t.state = $5"
);

/// Few fail, and they have an index of their own.
const FAILED: [&str; 2] =
    pages!("transfers.transfer AS t", " AND t.reason IS NOT NULL AND t.state = $5");

/// Nearly all complete.
const COMPLETED: [&str; 2] = pages!("transfers.transfer AS t", " AND t.state = $5");

/// A text behind every id.
const BEHIND_ALL: &str = "~";

fn page(filter: TransferFilter) -> &'static str {
    let [all, of_bank] = match filter.state {
        None => ANY,
        Some(TransferState::Pending | TransferState::Confirmed) => OPEN,
        Some(TransferState::Rejected | TransferState::Expired) => FAILED,
        Some(TransferState::Completed) => COMPLETED,
    };
    if filter.bank.is_none() { all } else { of_bank }
}

#[async_trait]
impl TransfersReads for Sessions {
    async fn transfer(&self, id: &EndToEndId) -> Result<Option<Transfer>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<TransferRow> = statement(ONE)
            .bind::<Text, _>(id.as_str())
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(read(rows, TransferRow::transfer)?.pop())
    }

    async fn page(
        &self,
        filter: TransferFilter,
        after: Option<PageKey>,
        limit: u16,
    ) -> Result<Vec<Transfer>, StoreError> {
        let (time, id) = match &after {
            Some(key) => (key.registered_at, key.end_to_end_id.as_str()),
            None => (Timestamp::MAX, BEHIND_ALL),
        };
        let bank = filter.bank.as_ref().map(Ispb::as_str).unwrap_or_default();
        let state = filter.state.map(TransferState::as_str).unwrap_or_default();
        let mut connection = self.database.connection().await?;
        let rows: Vec<TransferRow> = statement(page(filter))
            .bind::<Timestamptz, _>(instant(time))
            .bind::<Text, _>(id)
            .bind::<BigInt, _>(i64::from(limit))
            .bind::<Text, _>(bank)
            .bind::<Text, _>(state)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, TransferRow::transfer)
    }

    async fn participants(&self) -> Result<Vec<Participant>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<ParticipantRow> =
            statement(PARTICIPANTS).load(&mut connection).await.map_err(store_error)?;
        read(rows, ParticipantRow::participant)
    }

    async fn positions(&self, of: Option<Ispb>) -> Result<Vec<Position>, StoreError> {
        let mut connection = self.database.connection().await?;
        let rows: Vec<PositionRow> = statement(POSITIONS)
            .bind::<Text, _>(of.as_ref().map(Ispb::as_str).unwrap_or_default())
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        read(rows, PositionRow::position)
    }
}
