//! gRPC: the service of the banks, and the client of the directory.

mod convert;
mod directory;
mod service;

pub use directory::DirectoryClient;
pub use service::BankingServices;

/// The protocol, as generated from `proto/codepix/banking/v1`.
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
    tonic::include_proto!("codepix.banking.v1");
}

/// The directory's protocol, as generated from `proto/codepix/pix_keys/v1`.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::as_conversions,
    reason = "generated code"
)]
pub mod pix_keys {
    tonic::include_proto!("codepix.pix_keys.v1");
}

/// Descriptors of the protocol, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("banking");
