//! `codepix transfer`: money from an account to a key.

mod command;
mod life_cycle;
mod run;
mod view;
mod watch;

pub use command::TransferCommand;
pub use run::run;
