//! All transfers of a bank or an account, followed: every state that one of them enters, as the
//! log tells it. Nothing is read, so the number of followers costs the store nothing.

use std::sync::Arc;

use futures::Stream;
use futures::stream::try_unfold;
use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::Violation;

use crate::application::ports::{News, NewsFeed, NewsWatch};
use crate::application::{TransferView, TransfersOf};

/// Follows transfers.
#[derive(Clone)]
pub struct FollowTransfers {
    feed: Arc<dyn NewsFeed>,
}

impl std::fmt::Debug for FollowTransfers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FollowTransfers").finish_non_exhaustive()
    }
}

impl FollowTransfers {
    /// A query over news.
    pub fn new(feed: Arc<dyn NewsFeed>) -> Self {
        Self { feed }
    }

    /// The transfers as they change from now on. A state that is told again, after a failure of
    /// the hub, may be seen again.
    ///
    /// # Errors
    /// Those of [`TransfersOf::shown_to`]. Within the stream: `transfer_updates_missed` when it
    /// was too slow or the log was away; unavailable when the process stops.
    pub async fn execute(
        &self,
        caller: Caller,
        of: TransfersOf,
    ) -> Result<
        impl Stream<Item = Result<TransferView, ApplicationError>> + Send + use<>,
        ApplicationError,
    > {
        let of = of.shown_to(caller)?;
        let watch = self.feed.follow().await;
        Ok(try_unfold(watch, move |watch| next(watch, of)))
    }
}

async fn next(
    mut watch: Box<dyn NewsWatch>,
    of: TransfersOf,
) -> Result<Option<(TransferView, Box<dyn NewsWatch>)>, ApplicationError> {
    loop {
        match watch.next().await {
            Some(News::Told(transfer)) if of.holds(&transfer.order) => {
                return Ok(Some((TransferView::clone(&transfer), watch)));
            }
            Some(News::Told(_)) => {}
            Some(News::Missed) => return Err(missed().into()),
            None => return Err(ApplicationError::Unavailable("the hub is stopping".into())),
        }
    }
}

fn missed() -> Violation {
    let message = "updates were missed: follow again, then list the transfers";
    Violation::aborted("transfer_updates_missed", "", message)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use async_trait::async_trait;
    use futures::StreamExt;

    use super::*;
    use crate::domain::testing::{PAYEE_BANK, ispb, pending};

    /// What is told, and then the stop.
    #[derive(Clone)]
    struct Script(VecDeque<News>);

    #[async_trait]
    impl NewsFeed for Script {
        async fn follow(&self) -> Box<dyn NewsWatch> {
            Box::new(self.clone())
        }
    }

    #[async_trait]
    impl NewsWatch for Script {
        async fn next(&mut self) -> Option<News> {
            self.0.pop_front()
        }
    }

    fn told(number: u64) -> News {
        News::Told(Arc::new(TransferView::from(&pending(number))))
    }

    async fn seen(caller: Caller, of: TransfersOf, news: Vec<News>) -> (Vec<i64>, String) {
        let query = FollowTransfers::new(Arc::new(Script(news.into())));
        let mut stream = match query.execute(caller, of).await {
            Ok(stream) => Box::pin(stream),
            Err(error) => return (Vec::new(), error.to_string()),
        };
        let mut seen = Vec::new();
        while let Some(next) = stream.next().await {
            match next {
                Ok(transfer) => seen.push(transfer.order.amount.centavos()),
                Err(ApplicationError::Refused(broken)) => return (seen, broken.code().to_owned()),
                Err(error) => return (seen, error.to_string()),
            }
        }
        (seen, String::new())
    }

    #[tokio::test]
    async fn what_is_theirs_is_told_until_the_process_stops() {
        let (bank, other) = (ispb(PAYEE_BANK), ispb("00000009"));
        let news = vec![told(1), told(2)];
        let stop = "the hub is stopping".to_owned();
        let of_bank = seen(Caller::Bank(bank), TransfersOf::bank(bank), news.clone()).await;
        assert_eq!(of_bank, (vec![100, 200], stop.clone()));
        let of_other = seen(Caller::Operator, TransfersOf::bank(other), news.clone()).await;
        assert_eq!(of_other, (vec![], stop.clone()));
        // An account is shown to its own bank.
        let of = TransfersOf::account(pending(1).order().payee.account_id);
        assert_eq!(seen(Caller::Bank(other), of, news.clone()).await, (vec![], stop.clone()));
        assert_eq!(seen(Caller::Bank(bank), of, news.clone()).await, (vec![100, 200], stop));
        let refused = seen(Caller::Bank(other), TransfersOf::bank(bank), news).await;
        assert_eq!(refused.0, [0_i64; 0]);
        assert!(refused.1.contains("may not act"), "{refused:?}");
    }

    #[tokio::test]
    async fn what_was_missed_is_said_and_ends_it() {
        let news = vec![told(1), News::Missed, told(2)];
        let seen = seen(Caller::Operator, TransfersOf::All, news).await;
        assert_eq!(seen, (vec![100], "transfer_updates_missed".to_owned()));
    }
}
