//! One transfer, followed to its end: its present state, then each later one that is seen.
//!
//! The listener is set up before the first read, and each word from the log leads to a read: no
//! change is missed and nothing is polled. States that pass faster than they are read are skipped;
//! the last never is.

use std::sync::Arc;

use futures::Stream;
use futures::stream::try_unfold;
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::EndToEndId;

use super::get_transfer::GetTransfer;
use crate::application::ports::{ChangeFeed, ChangeWatch};
use crate::domain::Transfer;

/// Follows one transfer.
#[derive(Clone)]
pub struct WatchTransfer {
    get: GetTransfer,
    feed: Arc<dyn ChangeFeed>,
}

impl std::fmt::Debug for WatchTransfer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("WatchTransfer").finish_non_exhaustive()
    }
}

/// One watcher on its way.
struct Watching {
    get: GetTransfer,
    watch: Box<dyn ChangeWatch>,
    caller: Caller,
    id: EndToEndId,
    /// Version last seen, and whether nothing follows it.
    seen: Option<(i64, bool)>,
}

impl WatchTransfer {
    /// A query over the read side of `get` and word of changes.
    pub fn new(get: GetTransfer, feed: Arc<dyn ChangeFeed>) -> Self {
        Self { get, feed }
    }

    /// The transfer as it is now, then as it changes, to its final state.
    ///
    /// # Errors
    /// Within the stream: those of [`GetTransfer::execute`]; unavailable when the process stops.
    pub fn execute(
        &self,
        caller: Caller,
        id: EndToEndId,
    ) -> impl Stream<Item = Result<Transfer, ApplicationError>> + Send + 'static {
        let watch = self.feed.watch();
        let watching = Watching { get: self.get.clone(), watch, caller, id, seen: None };
        try_unfold(watching, Watching::next)
    }
}

impl Watching {
    async fn next(mut self) -> Result<Option<(Transfer, Self)>, ApplicationError> {
        loop {
            if self.seen.is_some_and(|(_, last)| last) {
                return Ok(None);
            }
            if self.seen.is_some() && !self.watch.changed(&self.id).await {
                return Err(ApplicationError::Unavailable("the hub is stopping".into()));
            }
            let transfer = self.get.execute(self.caller, &self.id).await?;
            let standing = transfer.standing();
            let now = (standing.version, standing.state.is_final());
            if self.seen.is_none_or(|(version, _)| version != now.0) {
                self.seen = Some(now);
                return Ok(Some((transfer, self)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use futures::StreamExt;

    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::{at, pending};
    use crate::domain::{Side, TransferEvent, TransferState};

    /// Applies the next events to the stored transfer each time that somebody waits, then says
    /// that it changed; stops when there are no more.
    struct Script {
        store: MemoryStore,
        steps: Arc<Mutex<VecDeque<Vec<TransferEvent>>>>,
    }

    impl ChangeFeed for Script {
        fn watch(&self) -> Box<dyn ChangeWatch> {
            Box::new(Self { store: self.store.clone(), steps: Arc::clone(&self.steps) })
        }
    }

    #[async_trait]
    impl ChangeWatch for Script {
        async fn changed(&mut self, id: &EndToEndId) -> bool {
            let Some(events) = self.steps.lock().unwrap().pop_front() else { return false };
            let mut transfer = self.store.stored(id).unwrap();
            for event in events {
                transfer.apply(event);
            }
            self.store.put_transfer(transfer);
            true
        }
    }

    async fn states(
        steps: impl IntoIterator<Item = Vec<TransferEvent>>,
    ) -> (Vec<TransferState>, Option<ApplicationError>) {
        let store = MemoryStore::default();
        store.put_transfer(pending(1));
        let id = pending(1).order().end_to_end_id;
        let steps = Arc::new(Mutex::new(steps.into_iter().collect()));
        let feed = Arc::new(Script { store: store.clone(), steps });
        let query = WatchTransfer::new(GetTransfer::new(Arc::new(store)), feed);
        let mut stream = Box::pin(query.execute(Caller::Operator, id));
        let mut states = Vec::new();
        while let Some(seen) = stream.next().await {
            match seen {
                Ok(transfer) => states.push(transfer.standing().state),
                Err(error) => return (states, Some(error)),
            }
        }
        (states, None)
    }

    #[tokio::test]
    async fn it_ends_after_a_final_state() {
        let seen = states([
            vec![TransferEvent::Confirmed { at: at(1) }],
            vec![],
            vec![TransferEvent::Reported { by: Side::Payer }],
            vec![TransferEvent::Completed { by: Side::Payee, at: at(2) }],
            vec![],
        ]);
        let expected =
            vec![TransferState::Pending, TransferState::Confirmed, TransferState::Completed];
        assert_eq!(seen.await, (expected, None));
    }

    #[tokio::test]
    async fn states_that_pass_at_once_are_seen_as_the_last() {
        let completed = TransferEvent::Completed { by: Side::Payee, at: at(2) };
        let seen = states([vec![TransferEvent::Confirmed { at: at(1) }, completed]]);
        assert_eq!(seen.await, (vec![TransferState::Pending, TransferState::Completed], None));
    }

    #[tokio::test]
    async fn a_stop_of_the_process_is_told() {
        let (seen, error) = states([]).await;
        assert_eq!(seen, [TransferState::Pending]);
        assert!(matches!(error, Some(ApplicationError::Unavailable(_))));
    }
}
