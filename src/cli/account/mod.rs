//! `codepix account`: customers' accounts at the banks of this hub.

mod command;
mod limits;
mod run;
mod statement;
mod view;

pub use command::AccountCommand;
pub use run::run;
