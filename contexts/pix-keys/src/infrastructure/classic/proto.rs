//! Generated from `proto/codepix_classic/pix_service.proto`.
#![expect(unreachable_pub, unused_qualifications, reason = "code of the generator")]
#![expect(clippy::pedantic, clippy::as_conversions, reason = "code of the generator")]
#![expect(clippy::allow_attributes, reason = "code of the generator")]
#![expect(clippy::allow_attributes_without_reason, reason = "code of the generator")]

tonic::include_proto!("codepix_classic");

/// The proto under its own name of a package.
pub(super) const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/classic.bin"));
