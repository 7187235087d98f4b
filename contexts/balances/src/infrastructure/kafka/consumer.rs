//! The consumer of `codepix.banking.accounts`: a batch is one load, one upsert, one commit.

use async_trait::async_trait;
use shared_kernel::application::{BatchHandler, InboundRecord, Refusal, StoreError};
use shared_kernel::infrastructure::postgres::PgSession;
use shared_kernel::infrastructure::postgres::session::Sessions;

use crate::application::reaction::OnAccountEvent;
use crate::infrastructure::kafka::inbound;

/// Folds batches of account events.
#[derive(Clone, Debug)]
pub struct AccountsConsumer {
    sessions: Sessions,
}

impl AccountsConsumer {
    /// A consumer that writes through these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

#[async_trait]
impl BatchHandler for AccountsConsumer {
    type Transaction = PgSession;

    async fn begin(&self) -> Result<Box<PgSession>, StoreError> {
        self.sessions.begin().await
    }

    async fn handle(
        &self,
        transaction: &mut PgSession,
        batch: &[InboundRecord],
    ) -> Result<Vec<Refusal>, StoreError> {
        let (mut events, mut places, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
        for (index, record) in batch.iter().enumerate() {
            match inbound::read(record) {
                Ok(event) => {
                    events.push(event);
                    places.push(index);
                }
                Err(unreadable) => refusals.push(Refusal {
                    index,
                    code: unreadable.code.to_owned(),
                    reason: unreadable.sentence,
                }),
            }
        }
        for refused in OnAccountEvent::fold(transaction, &events).await? {
            refusals.extend(places.get(refused.index).map(|index| Refusal {
                index: *index,
                code: refused.violation.code().to_owned(),
                reason: refused.violation.message().to_owned(),
            }));
        }
        Ok(refusals)
    }
}
