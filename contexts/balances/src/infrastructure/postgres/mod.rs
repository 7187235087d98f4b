//! The schema `balances`.

mod audit;
mod reads;
mod rows;
mod transaction;

use shared_kernel::infrastructure::postgres::Migration;
use shared_kernel::migration;

pub use audit::{AuditedBalance, BalancesAudit};
pub use reads::PgBalancesReads;

/// Name of the schema.
pub const SCHEMA: &str = "balances";

/// Its migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[migration!("balances", "2026-11-20_account_balance")];
