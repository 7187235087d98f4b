//! The command line: every command of users, operators and the hub itself.

pub mod account;
pub mod bank;
pub mod bench;
pub mod demo;
#[cfg(test)]
mod deployment;
pub mod dlq;
pub mod doctor;
#[cfg(test)]
mod documented;
pub mod embedded;
pub mod events;
pub mod health;
#[cfg(test)]
mod help;
pub mod key;
pub mod output;
pub mod position;
pub mod replay;
mod run;
pub mod serve;
pub mod servers;
pub mod transfer;
pub mod up;

pub use run::{Cli, main};
