//! Balances over HTTP: a service in the shape of Wallet Core's, and more about each account.

mod balances;
mod conditional;
mod docs;
mod parameters;
mod routes;
mod statement;
mod wire;

pub use docs::openapi;
pub use routes::routes;
