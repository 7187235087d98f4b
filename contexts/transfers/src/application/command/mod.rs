//! What operators order.

mod enrol_participant;

pub use enrol_participant::{EnrolParticipant, EnrolParticipantHandler};
