//! The key under which a command may be repeated without a second effect.

use shared_kernel::application::Ids as _;
use shared_kernel::infrastructure::system::SystemIds;

use super::error::ClientError;

/// The key of a command, given or made.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct IdempotencyOptions {
    /// Key of this command: a repeat with the same key has no second effect [default: a new UUID]
    #[arg(long, value_name = "TEXT")]
    pub idempotency_key: Option<String>,
}

impl IdempotencyOptions {
    /// The key that was given, or a new one.
    pub fn key(&self) -> String {
        self.idempotency_key.clone().unwrap_or_else(|| SystemIds.random().to_string())
    }
}

impl ClientError {
    /// Says how to repeat the command safely, where its fate is unknown.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        if !self.may_pass() {
            return self;
        }
        self.hint(format!("repeat it with --idempotency-key {key}: it will have one effect"))
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    #[test]
    fn a_key_is_kept_or_made() {
        let given = IdempotencyOptions { idempotency_key: Some("mine".to_owned()) };
        assert_eq!(given.key(), "mine");
        let made = IdempotencyOptions::default();
        assert_ne!(made.key(), made.key());
    }

    #[test]
    fn only_a_command_of_unknown_fate_is_worth_repeating() {
        let lost = ClientError::of_status("http://hub", &Status::unknown("broken"));
        let advice = lost.with_key("k").advice().map(str::to_owned);
        assert!(advice.unwrap().contains("--idempotency-key k"));
        let refused = ClientError::refused("amount_out_of_range", None, "too much");
        assert_eq!(refused.with_key("k").advice(), None);
    }
}
