//! The ports of each context over the simulated database.

pub(crate) mod balances;
pub(crate) mod banking;
mod banking_reads;
mod outside;
pub(crate) mod pix_keys;
pub(crate) mod transfers;

pub(crate) use banking_reads::transfers_of;
use shared_kernel::application::StoreError;

/// The answer to what no use case of the simulator asks for: a list, page by page.
pub(crate) fn not_listed() -> StoreError {
    StoreError::Rejected("nobody in the simulator asks for lists".into())
}
