//! From a document to steps that can be run, and the memory of those already made.

mod cache;
mod compile;
mod places;
mod prepare;
mod shape;
mod step;

pub(crate) use cache::{Plans, Source};
pub(crate) use places::Places;
pub(crate) use prepare::{PlanFailure, Planning, Prepared, Read};
pub(crate) use shape::{Composite, FieldShape, Item, Kind, Kinds, Selections, Shown, When};
pub(crate) use step::{Change, Entities, Fetch, Hop, Key, Require, Rewrite, Step};
