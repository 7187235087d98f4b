//! Fingerprint of a content: tells a repeat of an order from another order with its id.

use std::fmt::{self, Debug, Display, Formatter};

use sha2::{Digest as _, Sha256};

use super::Violation;

/// SHA-256 of a list of parts; 32 bytes, 64 lower-case hexadecimal digits as text.
///
/// Each part is hashed behind its own length, so that `["ab", "c"]` and `["a", "bc"]` differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digest of `parts`: SHA-256 over, for each part, its length in bytes (8 bytes, big
    /// endian) and the part. An absent optional part must not be passed as an empty one where
    /// the two differ.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hasher.update(length.to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// SHA-256 of the bytes alone, as every tool prints it.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest that these bytes are, e.g. from a column.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// `digest_shape` unless it is 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        decode(text).map(Self).ok_or_else(|| {
            let message = "a digest must be 64 lower-case hexadecimal digits";
            Violation::invalid("digest_shape", "digest", message)
        })
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    let digits = <[u8; 64]>::try_from(text.as_bytes()).ok()?;
    let (pairs, _) = digits.as_chunks::<2>();
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.saturating_sub(b'0')),
        b'a'..=b'f' => Some(digit.saturating_sub(b'a' - 10)),
        _ => None,
    }
}

impl Display for Digest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Debug for Digest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

crate::text_value!(
    Digest,
    text = to_string,
    parse = parse,
    schema = { "type": "string", "pattern": "^[0-9a-f]{64}$" },
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_part_is_the_digest_of_nothing() {
        // FIPS 180-4: SHA-256 of the empty message.
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(&[]).to_string(), expected);
    }

    #[test]
    fn bytes_alone_have_the_digest_that_every_tool_prints() {
        // FIPS 180-4, example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of_bytes(b"abc").to_string(), expected);
        assert_ne!(Digest::of(&[b"abc"]), Digest::of_bytes(b"abc"));
    }

    #[test]
    fn parts_never_run_into_each_other() {
        let digests = [
            Digest::of(&[]),
            Digest::of(&[b""]),
            Digest::of(&[b"", b""]),
            Digest::of(&[b"abc"]),
            Digest::of(&[b"ab", b"c"]),
            Digest::of(&[b"a", b"bc"]),
            Digest::of(&[b"abc", b""]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "{index}");
        }
    }

    #[test]
    fn refuses_any_other_text() {
        let right = Digest::of(&[b"x"]).to_string();
        for wrong in ["", "ab", &right.to_uppercase(), &format!("{right}0"), &"g".repeat(64)] {
            let broken = Digest::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("digest_shape", "digest"));
        }
    }

    proptest! {
        #[test]
        fn text_and_json_round_trip(bytes: [u8; 32]) {
            let digest = Digest::from_bytes(bytes);
            prop_assert_eq!(Digest::parse(&digest.to_string()).unwrap(), digest);
            let json = serde_json::to_string(&digest).unwrap();
            let again: Digest = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(again.as_bytes(), &bytes);
        }

        #[test]
        fn any_text_is_read_unchanged_or_refused(text in "\\PC*|[0-9a-f]{63,65}") {
            if let Ok(digest) = Digest::parse(&text) {
                prop_assert_eq!(digest.to_string(), text);
            }
        }
    }
}
