//! `codepix.transfers.v1.TransfersService`, and the client of the directory.

mod convert;
pub(in crate::infrastructure) mod directory;
mod proto;
mod service;

pub use directory::DirectoryClient;
pub use proto::{FILE_DESCRIPTOR_SET, pix_keys, v1};
pub use service::TransfersServices;
