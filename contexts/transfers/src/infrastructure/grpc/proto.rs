//! What was generated of the proto.

/// Messages, server and client of `codepix.transfers.v1`.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated: the proto is the documentation"
)]
pub mod v1 {
    tonic::include_proto!("codepix.transfers.v1");
}

/// The directory's protocol, as generated from `proto/codepix/pix_keys/v1`.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated: the proto is the documentation"
)]
pub mod pix_keys {
    tonic::include_proto!("codepix.pix_keys.v1");
}

/// The proto with all that it imports, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/transfers.bin"));
