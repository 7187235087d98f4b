//! Word of changes for watchers: the live end of `codepix.transfers`.

use async_trait::async_trait;
use shared_kernel::application::StopSignal;
use shared_kernel::domain::EndToEndId;
use shared_kernel::infrastructure::kafka::TailFeed;
use shared_kernel::infrastructure::kafka::tail::TailWatch;

use crate::application::ports::{ChangeFeed, ChangeWatch};

/// The tail of the hub's topic, until the process stops.
#[derive(Clone, Debug)]
pub struct TailChanges {
    feed: TailFeed,
    stop: StopSignal,
}

impl TailChanges {
    /// Changes as `feed` brings them; watchers end with `stop`.
    pub const fn new(feed: TailFeed, stop: StopSignal) -> Self {
        Self { feed, stop }
    }
}

impl ChangeFeed for TailChanges {
    fn watch(&self) -> Box<dyn ChangeWatch> {
        Box::new(TailListener { watch: self.feed.watch(), stop: self.stop.clone() })
    }
}

struct TailListener {
    watch: TailWatch,
    stop: StopSignal,
}

#[async_trait]
impl ChangeWatch for TailListener {
    async fn changed(&mut self, id: &EndToEndId) -> bool {
        let keys = [id.as_str()];
        let changed = self.watch.changed(&keys);
        futures::pin_mut!(changed);
        match futures::future::select(changed, Box::pin(self.stop.stopped())).await {
            futures::future::Either::Left((changed, _)) => changed,
            futures::future::Either::Right(_) => false,
        }
    }
}
