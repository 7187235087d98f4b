//! The hub's schema: rows, transactions, reads and the audit.

pub mod audit;
mod columns;
pub mod hand_overs;
mod outside;
mod reads;
mod rows;
mod runs;
mod sql;
mod transaction;
