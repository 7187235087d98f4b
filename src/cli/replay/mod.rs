//! `codepix replay`: what is derived from the log is derived again.

mod command;
mod draw;
mod run;
mod view;

pub use command::ReplayCommand;
pub(super) use draw::watched;
pub use run::run;
