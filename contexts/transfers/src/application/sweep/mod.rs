//! What falls due without a message: deadlines and missing reports.

mod expire_overdue;
mod repeat_confirmations;

pub use expire_overdue::ExpireOverdue;
pub use repeat_confirmations::RepeatConfirmations;
