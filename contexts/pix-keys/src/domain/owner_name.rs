//! Name of the owner of an account.

use std::fmt::{self, Debug, Formatter};

use shared_kernel::domain::Violation;

/// A name, 1 to 150 characters (DICT API 2.12, `Name`), printable and without blanks at its ends.
///
/// Personal data: no log line carries it by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerName(String);

impl OwnerName {
    /// Characters of the longest name.
    pub const LENGTH_MAX: usize = 150;

    /// Takes a name as the bank writes it.
    ///
    /// # Errors
    /// `owner_name_shape` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let is_right_length = (1..=Self::LENGTH_MAX).contains(&text.chars().count());
        let is_padded = text.trim() != text;
        if is_right_length && !is_padded && !text.chars().any(char::is_control) {
            return Ok(Self(text.to_owned()));
        }
        let message = "the name of an owner must have 1 to 150 printable characters, no blank at \
                       its ends";
        Err(Violation::invalid("owner_name_shape", "owner_name", message))
    }

    /// The name: for rows, events and answers, never for a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Debug for OwnerName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerName(***)")
    }
}

shared_kernel::text_value!(
    OwnerName,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "minLength": 1, "maxLength": 150 },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_and_refuses_what_is_none() {
        for right in ["User BBX 1", "Maria d'Ávila", &"é".repeat(150)] {
            assert_eq!(OwnerName::parse(right).unwrap().as_str(), right);
        }
        for wrong in ["", " ", " a", "a ", "a\nb", "a\0b", &"a".repeat(151)] {
            let broken = OwnerName::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("owner_name_shape", "owner_name"));
        }
    }

    #[test]
    fn stays_out_of_logs() {
        assert_eq!(format!("{:?}", OwnerName::parse("Maria").unwrap()), "OwnerName(***)");
    }
}
