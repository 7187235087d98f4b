//! The store: the schema `pix_keys`, and no other.

mod audit;
mod columns;
mod reads;
mod rows;
mod select;
mod transaction;

pub use audit::{Auditor, DirectoryAudit};
pub use reads::PgDirectory;
