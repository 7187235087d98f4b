//! Orders and confirmations of bank programs that are not ours: they have ids of their own, name a
//! key but not whose it is, and an account but not at which bank.

mod desk;
mod key;
mod message;
mod order;
#[cfg(test)]
mod tests;

pub use desk::{OrderDesk, OrderPorts};
pub use key::{canonical, kind_of};
pub use message::{HeardOutside, OutsideMessage, OutsideOrder};
pub use order::{KnownOrder, OrderOutcome, OrderRefusal};
