//! The classic protocol of bank programs that are not ours: JSON on three topics. Nothing of its
//! shapes is known further inside.

pub mod consumer;
pub mod inbound;
pub mod line;
pub mod outbound;
pub mod placement;
pub mod published;
pub mod topics;
