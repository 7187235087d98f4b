//! Texts that the hub carries for the banks, with their bounds.
//!
//! The hub does not interpret them. It refuses what it could not store and hand on whole: too
//! long, empty where a text must be, or with a NUL character, which no store of ours keeps.

use std::fmt::{self, Debug, Formatter};

use shared_kernel::domain::Violation;

/// Declares a bounded text: `length` in characters, and the code and field of its refusal.
macro_rules! bounded_text {
    (
        $(#[$meta:meta])* $type:ident,
        $least:literal ..= $most:literal, $field:literal, $schema:tt
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Characters of the longest.
            pub const LENGTH_MAX: usize = $most;

            /// Takes a text of the right length.
            ///
            /// # Errors
            #[doc = concat!("`", $field, "_length` outside ", stringify!($least), " to ",
                stringify!($most), " characters or with a NUL.")]
            pub fn parse(text: &str) -> Result<Self, Violation> {
                // More bytes than four for each character need not be counted.
                let counted = if text.len() > Self::LENGTH_MAX.saturating_mul(4) {
                    usize::MAX
                } else {
                    text.chars().count()
                };
                if ($least..=$most).contains(&counted) && !text.contains('\0') {
                    Ok(Self(text.to_owned()))
                } else {
                    let message = concat!($field, " must have ", stringify!($least), " to ",
                        stringify!($most), " characters, none of them NUL");
                    Err(Violation::invalid(concat!($field, "_length"), $field, message))
                }
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        shared_kernel::text_value!($type, text = as_str, parse = parse, schema = $schema);
    };
}

bounded_text! {
    /// Name of the owner of an account.
    OwnerName, 1..=200, "owner_name", { "type": "string", "minLength": 1, "maxLength": 200 }
}

bounded_text! {
    /// The Pix key that was paid to, as the payer's bank resolved it.
    PayeeKey, 1..=77, "payee_key", { "type": "string", "minLength": 1, "maxLength": 77 }
}

bounded_text! {
    /// What the payer wrote; may be empty.
    #[derive(Default)]
    Description, 0..=140, "description", { "type": "string", "maxLength": 140 }
}

/// Name of a bank. Every context shows it, so it is printable and not blank.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParticipantName(String);

impl ParticipantName {
    /// Characters of the longest.
    pub const LENGTH_MAX: usize = 100;

    /// Takes a name, without blanks at its ends.
    ///
    /// # Errors
    /// `name_shape` outside 1 to 100 characters or with one that cannot be printed.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let text = text.trim();
        let is_right_length = (1..=Self::LENGTH_MAX).contains(&text.chars().count());
        if is_right_length && !text.contains(char::is_control) {
            return Ok(Self(text.to_owned()));
        }
        let message = "the name of a bank must have 1 to 100 printable characters";
        Err(Violation::invalid("name_shape", "name", message))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

shared_kernel::text_value!(
    ParticipantName,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "minLength": 1, "maxLength": 100 },
);

/// Personal data: never whole in a log.
impl Debug for OwnerName {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("OwnerName(…)")
    }
}

/// Personal data: never whole in a log.
impl Debug for PayeeKey {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("PayeeKey(…)")
    }
}

/// May hold anything that a customer wrote: never in a log.
impl Debug for Description {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Description(…)")
    }
}

impl Debug for ParticipantName {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "ParticipantName({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_count_characters_not_bytes() {
        assert!(Description::parse(&"é".repeat(140)).is_ok());
        assert!(Description::parse("").is_ok());
        for wrong in ["é".repeat(141), "x".repeat(100_000), "a\0b".into()] {
            let broken = Description::parse(&wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("description_length", "description"));
        }
        assert_eq!(OwnerName::parse("").unwrap_err().code(), "owner_name_length");
        assert_eq!(PayeeKey::parse("").unwrap_err().code(), "payee_key_length");
    }

    #[test]
    fn a_bank_has_a_name_that_can_be_shown() {
        assert_eq!(ParticipantName::parse(" BBX ").unwrap().as_str(), "BBX");
        assert!(ParticipantName::parse(&"é".repeat(100)).is_ok());
        for wrong in [String::new(), "  ".into(), "B\nX".into(), "é".repeat(101)] {
            let broken = ParticipantName::parse(&wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("name_shape", "name"));
        }
    }

    #[test]
    fn what_customers_wrote_stays_out_of_logs() {
        let name = OwnerName::parse("Maria").unwrap();
        let key = PayeeKey::parse("maria@example.com").unwrap();
        let text = Description::parse("rent").unwrap();
        let shown = format!("{name:?} {key:?} {text:?}");
        assert_eq!(shown, "OwnerName(…) PayeeKey(…) Description(…)");
        assert_eq!(format!("{:?}", ParticipantName::parse("BBX").unwrap()), "ParticipantName(BBX)");
    }

    proptest! {
        #[test]
        fn any_text_is_kept_whole_or_refused(text in "\\PC{0,160}") {
            if let Ok(description) = Description::parse(&text) {
                prop_assert_eq!(description.as_str(), text);
            }
        }
    }
}
