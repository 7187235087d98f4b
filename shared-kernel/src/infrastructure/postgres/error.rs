//! Which errors of the database may pass and which never will.

use diesel::result::{DatabaseErrorKind, Error};

use crate::application::StoreError;

/// Messages of errors without a kind of their own that end by themselves: restart, recovery,
/// overload, deadlock, cancelled statements, a full disk. The driver keeps no SQLSTATE beside its
/// kinds; connections ask for English, and a consumer tries a refused record again before it
/// gives up, for servers that answer in another language all the same.
const TRANSIENT: &[&str] = &[
    "terminating connection",
    "shutting down",
    "starting up",
    "recovery mode",
    "not yet accepting connections",
    "too many clients",
    "remaining connection slots",
    "deadlock detected",
    "canceling statement",
    "lock timeout",
    "No space left",
    "could not extend file",
    "out of memory",
    "cached plan must not change",
    "crash of another server process",
    "current transaction is aborted",
];

/// Translates a driver error.
#[expect(clippy::wildcard_enum_match_arm, reason = "the driver's errors are not ours to list")]
pub fn store_error(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) => {
            StoreError::Conflict(information.message().to_owned())
        }
        Error::DatabaseError(
            DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction,
            information,
        ) => StoreError::Unavailable(information.message().to_owned()),
        Error::DatabaseError(_, information) => {
            let message = information.message().to_owned();
            if TRANSIENT.iter().any(|part| message.contains(part)) {
                StoreError::Unavailable(message)
            } else {
                StoreError::Rejected(message)
            }
        }
        error @ (Error::SerializationError(_)
        | Error::DeserializationError(_)
        | Error::QueryBuilderError(_)
        | Error::InvalidCString(_)
        | Error::NotFound) => StoreError::Rejected(error.to_string()),
        // Broken transaction managers and what a later version adds: the connection is at fault.
        error => StoreError::Unavailable(error.to_string()),
    }
}
