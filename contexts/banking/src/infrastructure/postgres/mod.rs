//! The schema `banking`: rows and domain, transactions, reads, audit.

pub mod audit;
mod clients;
mod columns;
mod ledger;
mod lists;
mod reads;
mod rows;
mod select;
mod transaction;
mod write;

pub use write::paint;

use shared_kernel::infrastructure::postgres::Migration;
use shared_kernel::migration;

/// Name of the schema.
pub const SCHEMA: &str = "banking";

/// The schema's steps, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    migration!("banking", "2026-11-21_banks"),
    migration!("banking", "2026-11-21_holds"),
    migration!("banking", "2026-11-29_clients"),
    migration!("banking", "2026-11-30_changed_at"),
    migration!("banking", "2026-11-30_payee_key_registered_as"),
];
