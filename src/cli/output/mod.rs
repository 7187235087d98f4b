//! All that the command line prints: text for people, JSON for programs. Nothing else prints.
//!
//! Results go to the standard output, remarks, questions and errors to the standard error, so that
//! a pipe sees results alone. With `--json` each result is one JSON document on one line.

mod failure;
mod paint;
mod printer;
mod table;
mod text;

pub use paint::{Paint, Tone};
pub use printer::{Output, Shown};
pub use table::{Align, Cell, Fields, Table};
pub use text::{age, clock_time, instant, label, moment, money, optional_money, text_or_dash};
