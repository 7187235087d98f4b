//! The ports of each context over the simulated database.

pub(crate) mod balances;
pub(crate) mod banking;
mod banking_reads;
mod outside;
pub(crate) mod pix_keys;
pub(crate) mod transfers;

pub(crate) use banking_reads::transfers_of;
use shared_kernel::application::StoreError;
use shared_kernel::domain::{Money, ReasonCode};

/// Why something came to its end, for the story; nothing where there is no reason.
pub(crate) fn because(reason: Option<ReasonCode>) -> String {
    let words = |it: ReasonCode| format!(" ({}: {})", it.code(), it.sentence_en());
    reason.map(words).unwrap_or_default()
}

/// A limit, for the story.
pub(crate) fn at_most(limit: Option<Money>) -> String {
    limit.map_or_else(|| "without limit".to_owned(), |limit| format!("up to {limit}"))
}

/// The answer to what no use case of the simulator asks for: a list, page by page.
pub(crate) fn not_listed() -> StoreError {
    StoreError::Rejected("nobody in the simulator asks for lists".into())
}
