//! `codepix.transfers.v1.TransfersService`.

mod convert;
mod proto;
mod service;

pub use proto::{FILE_DESCRIPTOR_SET, v1};
pub use service::TransfersServices;
