//! The events that this context reads; it publishes none.

mod consumer;
pub(crate) mod inbound;

pub use consumer::{AccountsConsumer, TransfersConsumer};
pub use inbound::{
    ACCOUNTS_TOPIC, AccountStated, BookTransferPosted, CashMoved, TRANSFERS_TOPIC, TransferPosted,
    TransferStated,
};
