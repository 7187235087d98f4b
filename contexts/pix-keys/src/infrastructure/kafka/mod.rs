//! Events in and out.

mod consumer;
mod examples;
pub mod inbound;
pub mod published;

pub use consumer::{CONSUMER, DirectoryConsumer, READER};

use shared_kernel::application::catalogue::Reader;

/// Who reads what here.
pub const READERS: &[Reader] = &[READER];
