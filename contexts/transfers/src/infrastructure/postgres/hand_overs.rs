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

const WAITING: &str = "SELECT end_to_end_id, topic, key, payload, trace, \
     (SELECT extract(epoch FROM now() - oldest.stored_at)::bigint FROM transfers.hand_over \
     AS oldest WHERE oldest.shard = $1 ORDER BY oldest.id LIMIT 1) AS age_seconds \
     FROM transfers.hand_over WHERE shard = $1 AND topic <> ALL($3) ORDER BY id LIMIT $2";

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
    /// Of the oldest of all.
    #[diesel(sql_type = BigInt)]
    age_seconds: i64,
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

/// Shows how long the oldest hand-over has waited.
fn show_age(age: Duration) {
    metrics::gauge!("codepix_hand_over_oldest_seconds").set(age);
}

impl Drop for PgShard {
    fn drop(&mut self) {
        // Who leads the shard now shows it.
        show_age(Duration::ZERO);
    }
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
    async fn waiting(
        &mut self,
        limit: i64,
        without: &[String],
    ) -> Result<Vec<HandOver>, StoreError> {
        let rows: Vec<Row> = statement(WAITING)
            .bind::<SmallInt, _>(self.shard)
            .bind::<BigInt, _>(limit)
            .bind::<Array<Text>, _>(without.to_vec())
            .load(&mut self.connection)
            .await
            .map_err(store_error)?;
        let age = rows.as_slice().first().map(|row| u64::try_from(row.age_seconds).unwrap_or(0));
        // Of those that are left out nothing is known here.
        if age.is_some() || without.is_empty() {
            show_age(Duration::from_secs(age.unwrap_or(0)));
        }
        read(rows, |row| {
            let Row { end_to_end_id, topic, key, payload, trace, .. } = row;
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
