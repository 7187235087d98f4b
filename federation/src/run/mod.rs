//! Runs a plan: asks subgraphs, joins what they answer, and shows what was asked for.

mod absorb;
mod entities;
mod execute;
mod merge;
mod project;
mod represent;
mod rewrite;
mod split;

pub(crate) use execute::{Context, Run};
pub(crate) use merge::merge;
pub(crate) use represent::name_in;
