//! The directory as existing bank programs call it: one service under the packages of many
//! programs.

mod package;
mod proto;
mod service;

pub use package::ClassicPackage;
pub use service::ClassicService;
