//! How a key was written when it was registered.
//!
//! Programs that are not ours look their keys up by the very text that they registered, with the
//! punctuation of forms and in whatever case. So the directory keeps that text beside the
//! canonical one. It decides nothing: keys are compared in canonical form alone.

use std::fmt::{self, Debug, Formatter};

use shared_kernel::domain::Violation;

use super::{PixKey, error};

/// A text that stands for a key and is not its canonical one: 1 to 77 characters, as it was given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spelling(String);

impl Spelling {
    /// Characters of the longest: as many as of a key.
    pub const LENGTH_MAX: usize = PixKey::LENGTH_MAX;

    /// Reads a spelling.
    ///
    /// # Errors
    /// `key_spelling_shape` outside 1 to 77 characters, or with a NUL, which no store keeps.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let length = text.chars().count();
        if (1..=Self::LENGTH_MAX).contains(&length) && !text.contains('\0') {
            return Ok(Self(text.to_owned()));
        }
        Err(error::key_spelling_shape())
    }

    /// How `key` was written, if not in its canonical form.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub fn of(text: &str, key: &PixKey) -> Result<Option<Self>, Violation> {
        if text == key.as_str() { Ok(None) } else { Self::parse(text).map(Some) }
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Personal data: never whole in a log.
impl Debug for Spelling {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Spelling(…)")
    }
}

shared_kernel::text_value!(
    Spelling,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "minLength": 1, "maxLength": 77 },
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PixKeyKind;

    #[test]
    fn what_was_given_is_kept_unless_it_is_the_canonical_text() {
        let key = PixKey::lenient(PixKeyKind::Cpf, "529.982.247-25").unwrap();
        let of = |text| Spelling::of(text, &key).unwrap();
        assert_eq!(of("52998224725"), None);
        for given in ["529.982.247-25", " 52998224725"] {
            let spelling = of(given).unwrap();
            assert_eq!((spelling.as_str(), format!("{spelling:?}")), (given, "Spelling(…)".into()));
        }
        for wrong in [String::new(), "5".repeat(78), "529\0".into()] {
            assert_eq!(Spelling::parse(&wrong).unwrap_err().code(), "key_spelling_shape");
        }
        assert!(Spelling::parse(&"é".repeat(77)).is_ok());
    }
}
