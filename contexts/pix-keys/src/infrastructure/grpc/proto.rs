//! Generated from `proto/codepix/pix_keys/v1/pix_keys.proto`.
#![expect(missing_docs, unused_qualifications, reason = "code of the generator")]
#![expect(clippy::pedantic, clippy::as_conversions, reason = "code of the generator")]
#![expect(clippy::allow_attributes, reason = "code of the generator")]
#![expect(clippy::allow_attributes_without_reason, reason = "code of the generator")]

tonic::include_proto!("codepix.pix_keys.v1");
