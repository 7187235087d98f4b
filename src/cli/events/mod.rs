//! `codepix events`: the log, as people read it.

mod command;
mod follow;
mod known;
mod looks;
mod names;
mod run;
mod topics;
mod view;

pub use command::{EventsCommand, TailEvents};
pub use run::run;
pub use topics::ForeignTopics;
