//! The events that this context reads; it publishes none.

mod consumer;
pub(crate) mod inbound;
pub(crate) mod live;

pub use consumer::{AccountsConsumer, TransfersConsumer};
pub use inbound::{
    ACCOUNTS_TOPIC, AccountStated, BookTransferPosted, CashMoved, READERS, TRANSFERS_TOPIC,
    TransferPosted, TransferStated,
};
pub use live::{AccountFeed, AccountWatch, Seen};
