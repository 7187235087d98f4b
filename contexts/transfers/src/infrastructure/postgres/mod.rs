//! The hub's schema: rows, transactions, reads and the audit.

pub mod audit;
mod columns;
mod reads;
mod rows;
mod sql;
mod transaction;
