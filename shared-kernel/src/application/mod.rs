//! Ports and the loss-free core: what stands between the domains and the drivers.

pub mod batcher;
pub mod caller;
pub mod clock;
pub mod command;
pub mod consumer;
pub mod dead_letter;
pub mod envelope;
pub mod error;
pub mod ids;
pub mod log;
pub mod observer;
pub mod outbox;
pub mod progress;
pub mod relay;
pub mod retry;
pub mod stop;
pub mod sweeper;
pub mod trace;
pub mod transaction;

pub use batcher::{BatchExecutor, BatchWorker, Batcher};
pub use caller::Caller;
pub use clock::Clock;
pub use command::{BatchCommand, CommandIdentity, CommandRunner};
pub use consumer::{BatchHandler, Consumer, ConsumerSettings, Refusal};
pub use dead_letter::DeadLetter;
pub use envelope::{Envelope, Published, Unreadable};
pub use error::ApplicationError;
pub use ids::Ids;
pub use log::{InboundRecord, LogReader, LogWriter, OutboundRecord, Polled, TopicPartition};
pub use observer::Observer;
pub use progress::Progress;
pub use retry::Backoff;
pub use stop::{StopHandle, StopSignal};
pub use sweeper::Sweep;
pub use trace::TraceParent;
pub use transaction::{Answers, Remembered, StoreError, Transaction};
