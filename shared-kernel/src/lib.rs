//! What every context of `CodePix` shares.
//!
//! - [`domain`]: values of the field (money, Pix identifiers, time) and the one form of a refusal.
//! - [`application`]: ports (store, log, clock, ids) and the loss-free core above them: relay,
//!   consumer, idempotent commands. It runs without a driver, so a simulator can run it too.
//! - `infrastructure` (feature of the same name): `PostgreSQL`, Kafka and gRPC behind those ports.
//! - `testing` (feature of the same name): what tests of other members need.

pub mod application;
pub mod domain;
#[cfg(feature = "infrastructure")]
pub mod infrastructure;
#[cfg(feature = "testing")]
pub mod testing;
