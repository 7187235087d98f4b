//! Every rule of the directory that can be broken, in one place: codes are for ever.
//!
//! Sentences name no key, no owner and no other bank: they end up in logs, and a stranger who
//! guesses keys must not learn whose they are.

use shared_kernel::domain::Violation;

/// What every lookup says when there is nothing; programs compare this very text.
pub const NO_KEY_WAS_FOUND: &str = "no key was found";

/// No active entry has this key (or not for this account).
pub fn key_not_found() -> Violation {
    Violation::not_found("key_not_found", "key", NO_KEY_WAS_FOUND)
}

/// The directory does not know this account.
pub fn account_not_found() -> Violation {
    let message = "the directory knows no account with this id";
    Violation::not_found("account_not_found", "account_id", message)
}

/// The directory does not know this participant.
pub fn participant_not_found() -> Violation {
    let message = "no participant with this ISPB is enrolled at the hub";
    Violation::not_found("participant_not_found", "ispb", message)
}

/// The account is blocked or closed.
pub fn account_not_active() -> Violation {
    let message = "the account is blocked or closed, and only an active one can get a key";
    Violation::failed_precondition("account_not_active", "account_id", message)
}

/// A CPF or CNPJ key is not the owner's own.
pub fn key_of_another_person() -> Violation {
    let message = "a CPF or CNPJ key must be the tax id of the account's owner";
    Violation::invalid("key_of_another_person", "key", message)
}

/// The owner has this key already, at this participant.
pub fn key_already_registered() -> Violation {
    let message = "the owner has this key already at this participant";
    Violation::already_exists("key_already_registered", "key", message)
}

/// Another person has this key, at whatever participant.
pub fn key_owned_by_another_person() -> Violation {
    let message = "another person has registered this key";
    Violation::already_exists("key_owned_by_another_person", "key", message)
}

/// The same person has this key at another participant.
pub fn key_at_another_participant() -> Violation {
    let message = "the owner has this key already at another participant: remove it there first";
    Violation::already_exists("key_at_another_participant", "key", message)
}

/// The account has as many keys as it may have.
///
/// A failed precondition and no exhausted resource: waiting does not help, removing a key does,
/// and clients repeat exhausted calls by themselves.
pub fn key_limit_reached(limit: usize) -> Violation {
    let message = format!("the account has {limit} keys, as many as it may have: remove one first");
    Violation::failed_precondition("key_limit_reached", "account_id", message)
}

/// A program wrote a key in more characters than any key has.
pub fn key_spelling_shape() -> Violation {
    let message = "a key must be written in 1 to 77 characters, none of them NUL";
    Violation::invalid("key_spelling_shape", "key", message)
}

/// The text of a random key is not the caller's to choose.
pub fn evp_key_given() -> Violation {
    let message = "leave the key empty: the directory makes random keys itself";
    Violation::invalid("evp_key_given", "key", message)
}

/// The id belongs to an account with other content.
pub fn account_id_taken() -> Violation {
    let message = "an account with this id and other content exists";
    Violation::already_exists("account_id_taken", "account_id", message)
}

/// News of an account names another bank than the one that has it.
pub fn account_of_another_bank() -> Violation {
    let message = "the account is known at another bank than the one that speaks of it";
    Violation::failed_precondition("account_of_another_bank", "ispb", message)
}

/// A lookup must say on whose behalf it is made.
pub fn requester_missing() -> Violation {
    let message = "name the participant that asks: its ISPB, 8 characters";
    Violation::invalid("requester_ispb_missing", "requester_ispb", message)
}
