//! The rules of the hub: who takes part, how a transfer lives, what each bank owes. Pure: no
//! clock, no ids, no I/O.

mod admission;
#[cfg(test)]
mod delivery_tests;
mod ends;
mod event;
mod order;
mod participant;
mod position;
mod state;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod transfer;
#[cfg(test)]
mod transfer_tests;

pub use admission::{Admission, admit};
pub use ends::{Ends, OrderId, Resolution};
pub use event::{ParticipantEvent, TransferEvent};
pub use order::{Order, Party, Side};
pub use participant::{
    CreditTiming, Enrolment, LimitWish, Participant, ParticipantStatus, Protocol,
};
pub use position::{Position, PositionMove};
pub use state::TransferState;
pub use text::{Description, OwnerName, ParticipantName, PayeeKey};
pub use transfer::{Decision, Standing, Terms, Transfer};
