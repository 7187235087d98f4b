//! What customers, operators and strangers do, and what they were promised.

mod customers;
mod founding;
mod gateway;
mod journal;
mod order;
mod strangers;
mod troubles;

pub(crate) use customers::reconcile;
pub(crate) use founding::{Population, found};
pub(crate) use journal::Journal;
pub(crate) use order::Order;
pub(crate) use strangers::{MARK, redrive};
pub(crate) use troubles::begin;
