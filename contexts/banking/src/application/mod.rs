//! What the banks can do, over ports: nothing here knows a driver.

pub mod account_command;
pub mod banks;
pub mod books;
pub mod command;
mod counter;
pub mod directory;
mod facade;
pub mod hub;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "sums that overflow fail the test")]
mod hub_tests;
#[cfg(test)]
pub(crate) mod memory;
mod ordering;
pub mod page;
pub mod ports;
pub mod query;
pub mod reaction;
pub mod reminder;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "sums that overflow fail the test")]
pub(crate) mod stage;
pub mod views;

pub use facade::Banking;
