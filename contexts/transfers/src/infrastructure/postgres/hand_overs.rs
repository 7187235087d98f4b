//! The table of hand-overs: rows in the order of their ids, one leader per shard.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_kernel::application::StoreError;
use shared_kernel::application::outbox::{Outbox, shard_of as shard_of_key};
use shared_kernel::domain::EndToEndId;
use shared_kernel::infrastructure::postgres::session::Sessions;
use shared_kernel::infrastructure::postgres::statement::Bind;
use shared_kernel::infrastructure::postgres::{statement, store_error};

use super::rows::read;
use crate::application::hand_over::{HandOver, HandOverShard, HandOvers};

/// Shards of the hand-overs, for ever: a row of a shard that no courier has would wait for ever.
/// One courier hands over thousands a second, because a transaction of the log carries hundreds.
pub const SHARDS: u16 = 1;

/// The shard of a transfer.
pub(super) fn shard_of(id: &EndToEndId) -> i16 {
    i16::try_from(shard_of_key(id.as_str().as_bytes(), SHARDS)).unwrap_or(0)
}

const WAITING: &str = "SELECT end_to_end_id, topic, key, payload, trace FROM transfers.hand_over \
     WHERE shard = $1 ORDER BY id LIMIT $2";

const REMOVE: &str = "DELETE FROM transfers.hand_over WHERE end_to_end_id = ANY($1)";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    end_to_end_id: String,
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    payload: String,
    #[diesel(sql_type = Text)]
    trace: String,
}

/// The hand-overs of the hub's schema.
#[derive(Clone, Debug)]
pub struct PgHandOvers(Sessions);

impl PgHandOvers {
    /// Those that these sessions store.
    pub const fn new(sessions: Sessions) -> Self {
        Self(sessions)
    }
}

struct PgShard {
    connection: AsyncPgConnection,
    shard: i16,
}

#[async_trait]
impl HandOvers for PgHandOvers {
    async fn try_lead(&self, shard: u16) -> Result<Option<Box<dyn HandOverShard>>, StoreError> {
        let lock = format!("hand-over/{shard}");
        let led = self.0.try_lead_session(&lock).await?;
        let shard = i16::try_from(shard).unwrap_or(0);
        let boxed =
            |connection| -> Box<dyn HandOverShard> { Box::new(PgShard { connection, shard }) };
        Ok(led.map(boxed))
    }

    async fn appended(&self, wait: Duration) {
        Outbox::appended(&self.0, wait).await;
    }
}

#[async_trait]
impl HandOverShard for PgShard {
    async fn waiting(&mut self, limit: i64) -> Result<Vec<HandOver>, StoreError> {
        let rows: Vec<Row> = statement(WAITING)
            .bind::<SmallInt, _>(self.shard)
            .bind::<BigInt, _>(limit)
            .load(&mut self.connection)
            .await
            .map_err(store_error)?;
        read(rows, |row| {
            let Row { end_to_end_id, topic, key, payload, trace } = row;
            let end_to_end_id = EndToEndId::parse(&end_to_end_id)?;
            Ok(HandOver { end_to_end_id, topic, key, payload, trace })
        })
    }

    async fn remove(&mut self, ids: &[EndToEndId]) -> Result<(), StoreError> {
        let ids: Vec<&str> = ids.iter().map(EndToEndId::as_str).collect();
        statement(REMOVE)
            .bind::<Array<Text>, _>(ids)
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(store_error)
    }
}
