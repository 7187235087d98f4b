//! What the events of other contexts lead to here.

mod on_account_changed;
mod on_participant_changed;

pub use on_account_changed::{Heard, OnAccountChanged};
pub use on_participant_changed::OnParticipantChanged;
