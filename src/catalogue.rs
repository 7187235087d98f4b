//! What the whole product publishes and reads: the registries of all contexts, side by side.

use balances::infrastructure as balances;
use banking::infrastructure as banking;
use pix_keys::infrastructure as pix_keys;
use shared_kernel::application::catalogue::{Channel, EventEntry, Reader, Registry};
use shared_kernel::infrastructure::kafka::TopicPlan;
use transfers::infrastructure as transfers;

use crate::config::ContextName;

/// What one context publishes and reads.
#[derive(Debug)]
pub struct ContextCatalogue {
    /// Which.
    pub context: ContextName,
    /// `ce_source` of its events; none for a context that publishes nothing.
    pub source: Option<&'static str>,
    /// Its event types.
    pub events: &'static [EventEntry],
    /// Its consumers.
    pub readers: &'static [Reader],
    /// The topics that it makes sure of when it starts: its own, and those that it reads.
    pub topics: Vec<TopicPlan>,
}

impl ContextCatalogue {
    /// The channels that its events stand on, each once.
    pub fn channels(&self) -> Vec<Channel> {
        let mut channels: Vec<Channel> = Vec::new();
        for channel in self.events.iter().flat_map(|event| event.channels) {
            if !channels.contains(channel) {
                channels.push(*channel);
            }
        }
        channels
    }
}

fn publishing<R: Registry>(
    context: ContextName,
    readers: &'static [Reader],
    topics: Vec<TopicPlan>,
) -> ContextCatalogue {
    ContextCatalogue { context, source: Some(R::SOURCE), events: R::EVENTS, readers, topics }
}

/// The catalogue of a context.
pub fn of(context: ContextName) -> ContextCatalogue {
    match context {
        ContextName::PixKeys => {
            publishing::<pix_keys::Directory>(context, pix_keys::READERS, pix_keys::topics())
        }
        ContextName::Transfers => {
            publishing::<transfers::Hub>(context, transfers::READERS, transfers::topics())
        }
        ContextName::Banking => {
            publishing::<banking::Banks>(context, banking::READERS, banking::topics())
        }
        ContextName::Balances => ContextCatalogue {
            context,
            source: None,
            events: &[],
            readers: balances::READERS,
            topics: balances::topics(),
        },
    }
}

/// The catalogues of all contexts.
pub fn contexts() -> [ContextCatalogue; 4] {
    ContextName::ALL.map(of)
}

/// Every event type of the product.
pub fn events() -> impl Iterator<Item = &'static EventEntry> {
    contexts().into_iter().flat_map(|context| context.events)
}

/// The `OpenAPI` document of a context that serves REST, as JSON.
pub fn openapi(context: ContextName) -> Option<serde_json::Value> {
    match context {
        ContextName::Balances => serde_json::to_value(balances::rest::openapi()).ok(),
        ContextName::Banking => serde_json::to_value(banking::wallet_core::openapi()).ok(),
        ContextName::PixKeys | ContextName::Transfers => None,
    }
}
