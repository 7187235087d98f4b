//! The directory over gRPC: `codepix.pix_keys.v1`.

mod convert;
pub mod proto;
mod service;

pub use service::PixKeysServices;

/// The compiled protocol, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("pix_keys");
