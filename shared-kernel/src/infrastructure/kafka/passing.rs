//! Which errors of a poll are no failures of it.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Whether librdkafka only says that it is not connected: it connects again by itself and reads on
/// where it was. It says so at every attempt, and what it said in vain is still queued when the
/// broker is back, so to pause for each of these words would keep a reader from its records for
/// minutes.
pub fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
        )
    )
}
