//! Stored offsets, read on assignment.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel_async::RunQueryDsl;

use crate::application::StoreError;
use crate::application::log::{Position, TopicPartition};
use crate::application::transaction::OffsetStore;
use crate::infrastructure::postgres::error::store_error;
use crate::infrastructure::postgres::session::Sessions;
use crate::infrastructure::postgres::statement::{Bind, statement};

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    topic: String,
    #[diesel(sql_type = Integer)]
    partition: i32,
    #[diesel(sql_type = BigInt)]
    next_offset: i64,
    #[diesel(sql_type = Text)]
    cluster_id: String,
}

#[async_trait]
impl OffsetStore for Sessions {
    /// The beginnings are stored only where no offset of this consumer is another cluster's.
    async fn positions(
        &self,
        consumer: &str,
        cluster_id: &str,
        beginnings: &[Position],
    ) -> Result<Vec<Position>, StoreError> {
        let mut connection = self.database.connection().await?;
        let topics: Vec<&str> = beginnings.iter().map(|at| at.at.topic.as_str()).collect();
        let partitions: Vec<i32> = beginnings.iter().map(|at| at.at.partition).collect();
        let offsets: Vec<i64> = beginnings.iter().map(|at| at.next_offset).collect();
        statement(self.tables.begin_offsets)
            .bind::<Text, _>(consumer)
            .bind::<Text, _>(cluster_id)
            .bind::<Array<Text>, _>(&topics)
            .bind::<Array<Integer>, _>(&partitions)
            .bind::<Array<BigInt>, _>(offsets)
            .execute(&mut connection)
            .await
            .map_err(store_error)?;
        let stored: Vec<Stored> = statement(self.tables.read_offsets)
            .bind::<Text, _>(consumer)
            .bind::<Text, _>(cluster_id)
            .bind::<Array<Text>, _>(&topics)
            .bind::<Array<Integer>, _>(&partitions)
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        if let Some(other) = stored.iter().find(|stored| stored.cluster_id != cluster_id) {
            return Err(StoreError::Rejected(format!(
                "the offsets of {consumer} belong to Kafka cluster {}, and this is cluster \
                 {cluster_id}: connect to the former, or reset this context's data",
                other.cluster_id
            )));
        }
        Ok(stored
            .into_iter()
            .map(|Stored { topic, partition, next_offset, .. }| Position {
                at: TopicPartition { topic, partition },
                next_offset,
            })
            .collect())
    }
}
