//! The store: one `PostgreSQL` schema per context, the same tables of the kernel in each.

pub mod answers;
pub mod error;
pub mod instant;
mod lock;
pub mod migrate;
pub mod offsets;
pub mod outbox;
pub mod pool;
pub mod scratch;
pub mod session;
pub mod shards;
mod stall;
pub mod statement;
pub mod tables;

pub use error::store_error;
pub use instant::{instant, timestamp};
pub use migrate::{Migration, migrate};
pub use pool::{Database, DatabaseSettings};
pub use session::PgSession;
pub use stall::IDLE_IN_TRANSACTION_MAX;
pub use statement::{Statement, statement};
pub use tables::Tables;
