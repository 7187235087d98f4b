//! `codepix key`: Pix keys in the directory.

mod command;
mod run;
mod view;

pub use command::KeyCommand;
pub(in crate::cli) use run::register_patiently;
pub use run::run;
