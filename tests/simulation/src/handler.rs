//! Between a consumer and its handler: notes which records a transaction is about, and curses some
//! that are sound, so that handling them panics or is refused until an operator redrives them.

use std::panic::resume_unwind;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::{BatchHandler, InboundRecord, Refusal, StoreError};

use crate::executor::NodeId;
use crate::log;
use crate::planted;
use crate::world::World;

/// A record in a few words.
fn words(record: &InboundRecord) -> String {
    let said = log::words(&record.headers, record.payload.as_deref());
    format!("{said} ({}@{})", record.from, record.offset)
}

/// A handler that is watched.
pub(crate) struct Watched<H> {
    world: Arc<World>,
    node: NodeId,
    consumer: String,
    handler: H,
}

impl<H> Watched<H> {
    pub(crate) fn new(world: &Arc<World>, node: NodeId, consumer: &str, handler: H) -> Self {
        Self { world: Arc::clone(world), node, consumer: consumer.to_owned(), handler }
    }

    /// Whether one of the records is cursed, and how.
    fn curse(&self, batch: &[InboundRecord]) -> Option<bool> {
        let (how, cursed) = {
            let mut oracle = self.world.oracle();
            let mut curse =
                |record: &InboundRecord| oracle.curse(&self.world, &self.consumer, record);
            batch.iter().find_map(|record| Some((curse(record)?, record)))?
        };
        self.world.fault(self.node, || {
            let how = if how { "panics" } else { "is refused" };
            format!("handling {} {how}, as it will until it is redriven", words(cursed))
        });
        Some(how)
    }
}

#[async_trait]
impl<H: BatchHandler> BatchHandler for Watched<H> {
    type Transaction = H::Transaction;

    async fn begin(&self) -> Result<Box<H::Transaction>, StoreError> {
        self.world.oracle().take_up(self.node, &self.consumer, &[]);
        self.handler.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut H::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        self.world.oracle().take_up(self.node, &self.consumer, batch);
        self.world.say(self.node, "batch", || {
            let read: Vec<String> = batch.iter().map(words).collect();
            format!("{} reads {}", self.consumer, read.join(", "))
        });
        match self.curse(batch) {
            Some(true) => resume_unwind(Box::new("a cursed record")),
            Some(false) => return Err(StoreError::Rejected("a cursed record".into())),
            None => {}
        }
        let misread = planted::heard(&self.world, batch);
        self.handler.handle(transaction, misread.as_deref().unwrap_or(batch)).await
    }
}
