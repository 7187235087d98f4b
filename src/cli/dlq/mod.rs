//! `codepix dlq`: messages that could never succeed, and how they are tried again.
//!
//! A consumer that gives up on a record sets it aside in `<topic>.dlq` with the reason. Here such
//! letters are found, read and, once the cause is mended, written to the topic they came from.
//! Letters are only ever added to: a redriven one gets a marker behind it, so a redrive that is
//! killed between its two writes merely leaves the letter listed. Late or repeated delivery of a
//! record is safe for every consumer of ours.

mod address;
mod command;
mod letter;
mod redrive;
mod run;
mod scan;
mod view;

pub use address::Address;
pub use command::DlqCommand;
pub use run::run;
