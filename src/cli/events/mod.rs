//! `codepix events`: the log, as people read it.

mod command;
mod follow;
mod run;
mod view;

pub use command::{EventsCommand, TailEvents};
pub use run::run;
