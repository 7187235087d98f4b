//! The schema `balances`.

mod audit;
mod commits;
mod external_rows;
mod history_rows;
mod reads;
mod rows;
mod statements;
mod transaction;

use shared_kernel::infrastructure::postgres::Migration;
use shared_kernel::migration;

pub use audit::{AuditedBalance, AuditedGap, BalancesAudit};
pub use commits::CommitFeed;
pub(crate) use external_rows::{ExternalAccountRow, ExternalBalanceRow};
pub(crate) use history_rows::{HistoryRow, TransferRow};
pub use reads::PgBalancesReads;
pub(crate) use rows::BalanceRow;
pub use statements::SCHEMA;
pub(crate) use statements::{COMPARED, PAST, SHADOW, Statements, spelled};

/// Its migrations, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    migration!("balances", "2026-11-20_account_balance"),
    migration!("balances", "2026-11-21_history"),
    migration!("balances", "2026-11-29_external_balances"),
    migration!("balances", "2026-11-30_effective_time"),
    migration!("balances", "2026-12-01_statement_lines"),
];
