//! News of transfers for those who follow many: each event of `codepix.transfers` is read once, in
//! whatever number they are, and not at all when there are none.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use shared_kernel::application::StopSignal;
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::envelope::read_payload;
use shared_kernel::domain::{Amount, EndToEndId, ReasonCode, Timestamp};
use shared_kernel::infrastructure::kafka::{TailListener, TailRecord};
use tokio::sync::{broadcast, watch};

use super::inbound::PartyV1;
use super::published::TRANSFERS;
use crate::application::TransferView;
use crate::application::ports::{News, NewsFeed, NewsWatch};
use crate::domain::{Description, Order, OrderId, PayeeKey, Terms, TransferState};
use crate::infrastructure::NAME;

/// News that a follower may lag behind before it is told that it missed some.
const BACKLOG_MAX: usize = 16_384;

/// The body of each event of a transfer.
#[derive(Deserialize)]
struct TransferV1 {
    end_to_end_id: EndToEndId,
    state: TransferState,
    amount: Amount,
    payer: PartyV1,
    payee: PartyV1,
    payee_key: PayeeKey,
    description: Description,
    reason_code: Option<ReasonCode>,
    registered_at: Timestamp,
    deadline: Timestamp,
    confirmed_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    // Not in events of version 1.0.
    #[serde(default)]
    overdue_at: Option<Timestamp>,
    // Nor in those of 1.1.
    #[serde(default)]
    order_id: Option<OrderId>,
    version: i64,
}

/// What those who follow transfers make of a record: every event is whole to them, whatever its
/// type.
pub const READER: Reader = Reader {
    context: NAME,
    consumer: "followers of transfers",
    channels: &[TRANSFERS.address],
    knows: &[],
    read: |record| read_payload::<TransferV1>(record).map(|_told| true),
};

impl From<TransferV1> for TransferView {
    fn from(told: TransferV1) -> Self {
        Self {
            order: Order {
                end_to_end_id: told.end_to_end_id,
                payer: told.payer.into(),
                payee: told.payee.into(),
                payee_key: told.payee_key,
                amount: told.amount,
                description: told.description,
            },
            order_id: told.order_id,
            terms: Terms { registered_at: told.registered_at, deadline: told.deadline },
            state: told.state,
            reason: told.reason_code,
            confirmed_at: told.confirmed_at,
            finished_at: told.finished_at,
            overdue_at: told.overdue_at,
            contradicted_at: None,
            version: told.version,
        }
    }
}

/// The end of the hub's topic as news, until the process stops.
#[derive(Clone, Debug)]
pub struct TailNews {
    news: broadcast::Sender<News>,
    /// Whether the log is listened to.
    listening: watch::Sender<bool>,
    stop: StopSignal,
}

impl TailNews {
    /// News for followers, who end with `stop`.
    pub fn new(stop: StopSignal) -> Self {
        Self { news: broadcast::channel(BACKLOG_MAX).0, listening: watch::Sender::new(false), stop }
    }

    fn tell(&self, news: News) {
        // It fails when nobody follows.
        drop(self.news.send(news));
    }
}

impl TailListener for TailNews {
    fn heard(&self, record: TailRecord<'_>) {
        if self.news.receiver_count() == 0 {
            return;
        }
        match serde_json::from_slice::<TransferV1>(record.body) {
            Ok(told) => self.tell(News::Told(Arc::new(told.into()))),
            Err(error) => {
                tracing::warn!(%error, "an event of the hub is unreadable to those who follow it");
                self.tell(News::Missed);
            }
        }
    }

    fn begins(&self) {
        self.tell(News::Missed);
        self.listening.send_replace(true);
    }
}

#[async_trait]
impl NewsFeed for TailNews {
    async fn follow(&self) -> Box<dyn NewsWatch> {
        let (mut listening, mut stop) = (self.listening.subscribe(), self.stop.clone());
        tokio::select! {
            () = stop.stopped() => {}
            // It fails when nothing listens any more, and then the stop is told.
            _ = listening.wait_for(|is_listening| *is_listening) => {}
        }
        Box::new(Follower { news: self.news.subscribe(), stop })
    }
}

struct Follower {
    news: broadcast::Receiver<News>,
    stop: StopSignal,
}

#[async_trait]
impl NewsWatch for Follower {
    async fn next(&mut self) -> Option<News> {
        let Self { news, stop } = self;
        tokio::select! {
            () = stop.stopped() => None,
            heard = news.recv() => match heard {
                Ok(heard) => Some(heard),
                Err(broadcast::error::RecvError::Lagged(_)) => Some(News::Missed),
                Err(broadcast::error::RecvError::Closed) => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::stop::stop_pair;

    use super::*;
    use crate::application::ports::{Audience, Notice};
    use crate::application::testing::trace;
    use crate::domain::testing::{at, pending, pending_between};
    use crate::domain::{CreditTiming, Transfer, TransferEvent};
    use crate::infrastructure::kafka::published::transfer_event;

    fn told(transfer: &Transfer) -> Vec<u8> {
        let audience = Audience { everyone: true, ..Audience::default() };
        let notice = Notice { standing: *transfer.standing(), audience, trace: trace(1) };
        transfer_event(transfer, &notice).unwrap().payload().to_vec()
    }

    #[tokio::test]
    async fn what_is_published_is_told_whole() {
        let (handle, stop) = stop_pair();
        let feed = TailNews::new(stop);
        feed.begins();
        let mut watch = feed.follow().await;
        let delivery = CreditTiming::OnDelivery;
        let mut transfer = pending_between(1, CreditTiming::OnConfirmation, delivery);
        assert!(transfer.ends().order_id.is_some());
        for event in [
            None,
            Some(TransferEvent::Confirmed { at: at(1) }),
            Some(TransferEvent::CompletedAlone { at: at(2) }),
        ] {
            if let Some(event) = event {
                transfer.apply(event);
            }
            feed.heard(TailRecord { key: "", body: &told(&transfer) });
            let Some(News::Told(heard)) = watch.next().await else { panic!("nothing was told") };
            assert_eq!(*heard, TransferView::from(&transfer));
        }
        handle.stop();
        assert!(watch.next().await.is_none());
        assert!(feed.follow().await.next().await.is_none());
    }

    #[tokio::test]
    async fn what_was_not_heard_is_said() {
        let (_handle, stop) = stop_pair();
        let feed = TailNews::new(stop);
        feed.begins();
        let mut watch = feed.follow().await;
        feed.heard(TailRecord { key: "", body: b"{}" });
        assert!(matches!(watch.next().await, Some(News::Missed)));
        feed.begins();
        assert!(matches!(watch.next().await, Some(News::Missed)));
        let body = told(&pending(1));
        for _ in 0..=BACKLOG_MAX {
            feed.heard(TailRecord { key: "", body: &body });
        }
        assert!(matches!(watch.next().await, Some(News::Missed)));
        assert!(matches!(watch.next().await, Some(News::Told(_))));
    }

    #[tokio::test]
    async fn a_follower_begins_when_the_log_is_listened_to() {
        let (_handle, stop) = stop_pair();
        let feed = TailNews::new(stop);
        let mut follow = feed.follow();
        assert!(futures::poll!(&mut follow).is_pending());
        feed.begins();
        let mut watch = follow.await;
        feed.heard(TailRecord { key: "", body: &told(&pending(1)) });
        assert!(matches!(watch.next().await, Some(News::Told(_))));
    }
}
