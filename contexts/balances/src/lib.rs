#![doc = include_str!("../README.md")]

pub mod application;
pub mod domain;
#[cfg(feature = "infrastructure")]
pub mod infrastructure;

pub use application::Balances;
