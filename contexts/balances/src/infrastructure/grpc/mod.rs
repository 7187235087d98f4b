//! The gRPC service.

mod convert;
mod service;

pub use service::BalancesServices;

/// The protocol, as generated from `proto/codepix/balances/v1`.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::as_conversions,
    reason = "generated code"
)]
pub mod proto {
    tonic::include_proto!("codepix.balances.v1");
}

/// Descriptors of the protocol, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("balances");
