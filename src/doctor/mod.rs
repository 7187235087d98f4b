//! `codepix doctor`: asks each context for an audit of its own schema and compares.
//!
//! The contexts answer at slightly different moments, so a difference counts only when it is still
//! there in a second look; what moved in between was money under way. Cost: every transfer and
//! every account is read once per look, in pages.

mod books;
#[cfg(test)]
mod books_tests;
mod collect;
mod report;

pub use books::{Banks, Hub, compare};
pub use collect::Doctor;
pub use report::{Finding, Report};
