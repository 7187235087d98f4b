//! Generated client stubs, one module per protocol.

#![expect(
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    missing_docs,
    unused_qualifications,
    reason = "the generator writes this code; its documentation is that of the .proto files"
)]

/// The banks: customers, accounts and their money.
pub mod banking {
    tonic::include_proto!("codepix.banking.v1");
}

/// The directory of Pix keys.
pub mod pix_keys {
    tonic::include_proto!("codepix.pix_keys.v1");
}

/// The hub: participants, transfers and positions.
pub mod transfers {
    tonic::include_proto!("codepix.transfers.v1");
}
