//! What customers, operators and strangers do, and what they were promised.

mod customers;
mod elsewhere;
mod founding;
mod gateway;
mod intruders;
mod journal;
mod order;
mod reconcile;
mod strangers;
mod troubles;
mod variation;

pub(crate) use founding::{Population, found};
pub(crate) use journal::{Journal, Told};
pub(crate) use order::{KeyWish, Order};
pub(crate) use reconcile::reconcile;
pub(crate) use strangers::{MARK, redrive};
pub(crate) use troubles::begin;
