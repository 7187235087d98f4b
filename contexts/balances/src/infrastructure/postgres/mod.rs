//! The schema `balances`.

mod audit;
mod commits;
mod history_rows;
mod reads;
mod rows;
mod statements;
mod transaction;

use shared_kernel::infrastructure::postgres::Migration;
use shared_kernel::migration;

pub use audit::{AuditedBalance, AuditedGap, BalancesAudit};
pub use commits::CommitFeed;
pub use reads::PgBalancesReads;
pub use statements::SCHEMA;

/// Its migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    migration!("balances", "2026-11-20_account_balance"),
    migration!("balances", "2026-11-21_history"),
];
