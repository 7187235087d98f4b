//! Takes in what the hub tells of participants and the banks of accounts.
//!
//! A repeated or late message changes nothing. Cost per batch: at most five statements without
//! closures, two more with them.

use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::{BatchHandler, Clock, Ids, InboundRecord, Refusal, StoreError};
use shared_kernel::infrastructure::system::SystemIds;

use super::inbound::{self, Inbound};
use crate::application::reaction::{OnAccountChanged, OnParticipantChanged};
use crate::application::{DirectoryStore, DirectoryTransaction};

/// Group and name of the directory's consumer.
pub const CONSUMER: &str = "codepix.pix-keys";

/// What the directory makes of a record.
pub const READER: Reader = Reader {
    context: "pix-keys",
    consumer: CONSUMER,
    channels: &[inbound::PARTICIPANTS_TOPIC, inbound::ACCOUNTS_TOPIC],
    knows: &[
        inbound::PARTICIPANT_ENROLLED,
        inbound::PARTICIPANT_CHANGED,
        inbound::ACCOUNT_OPENED,
        inbound::ACCOUNT_BLOCKED,
        inbound::ACCOUNT_UNBLOCKED,
        inbound::ACCOUNT_CLOSED,
    ],
    read: |record| inbound::read(record, &SystemIds).map(|inbound| inbound.is_some()),
};

/// Handles batches of both topics.
#[expect(missing_debug_implementations, reason = "ports have no form to print")]
pub struct DirectoryConsumer {
    store: Arc<dyn DirectoryStore>,
    on_account_changed: OnAccountChanged,
    ids: Arc<dyn Ids>,
}

impl DirectoryConsumer {
    /// A handler over the store.
    pub fn new(store: Arc<dyn DirectoryStore>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { store, on_account_changed: OnAccountChanged::new(clock), ids }
    }
}

fn refusal(index: usize, code: &str, reason: &str) -> Refusal {
    Refusal { index, code: code.to_owned(), reason: reason.to_owned() }
}

#[async_trait]
impl BatchHandler for DirectoryConsumer {
    type Transaction = dyn DirectoryTransaction;

    async fn begin(&self) -> Result<Box<dyn DirectoryTransaction>, StoreError> {
        self.store.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut Self::Transaction,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let mut refusals = Vec::new();
        let mut participants = Vec::new();
        let (mut places, mut news) = (Vec::new(), Vec::new());
        for (index, record) in batch.iter().enumerate() {
            match inbound::read(record, self.ids.as_ref()) {
                Ok(None) => {}
                Ok(Some(Inbound::Participant(participant))) => participants.push(participant),
                Ok(Some(Inbound::Account(heard))) => {
                    places.push(index);
                    news.push(heard);
                }
                Err(wrong) => refusals.push(refusal(index, wrong.code, &wrong.sentence)),
            }
        }
        OnParticipantChanged.react(transaction, participants).await?;
        let outcomes = self.on_account_changed.react(transaction, news).await?;
        for (index, outcome) in places.into_iter().zip(outcomes) {
            if let Err(broken) = outcome {
                refusals.push(refusal(index, broken.code(), broken.message()));
            }
        }
        Ok(refusals)
    }
}
