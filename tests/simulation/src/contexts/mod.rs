//! The ports of each context over the simulated database.

pub(crate) mod balances;
pub(crate) mod banking;
mod banking_reads;
pub(crate) mod pix_keys;
pub(crate) mod transfers;
pub(crate) use banking_reads::transfers_of;
