//! What is read outside transactions: first answers, and where consumers stand.

use async_trait::async_trait;
use shared_kernel::application::log::Position;
use shared_kernel::application::transaction::{AnswerBook, OffsetStore};
use shared_kernel::application::{Remembered, StoreError};

use super::{Session, Tables};

#[async_trait]
impl<T: Tables> AnswerBook for Session<T> {
    async fn remembered(&self, keys: &[(String, String)]) -> Result<Vec<Remembered>, StoreError> {
        self.reach().await?;
        let durable = self.database.durable();
        Ok(keys.iter().filter_map(|key| durable.kernel.answers.get(key).cloned()).collect())
    }
}

#[async_trait]
impl<T: Tables> OffsetStore for Session<T> {
    async fn positions(
        &self,
        consumer: &str,
        cluster_id: &str,
        beginnings: &[Position],
    ) -> Result<Vec<Position>, StoreError> {
        self.reach().await?;
        {
            let kernel = &mut self.database.durable().kernel;
            let known = kernel.clusters.entry(consumer.to_owned());
            if known.or_insert_with(|| cluster_id.to_owned()) != cluster_id {
                return Err(StoreError::Rejected("the offsets of another cluster".into()));
            }
            for Position { at, next_offset } in beginnings {
                let key = (consumer.to_owned(), at.clone());
                kernel.offsets.entry(key).or_insert(*next_offset);
            }
        }
        self.reach().await?;
        let durable = self.database.durable();
        let stored = |Position { at, .. }: &Position| {
            let next_offset = *durable.kernel.offsets.get(&(consumer.to_owned(), at.clone()))?;
            Some(Position { at: at.clone(), next_offset })
        };
        Ok(beginnings.iter().filter_map(stored).collect())
    }
}
