//! What names a participant: its ISPB, and the short code of the bank that people know.

use std::fmt::{self, Debug, Display, Formatter};

use super::Violation;

/// Identifier of a participant in the payment system (ISPB), 8 characters `^[0-9A-Z]{8}$`.
///
/// Digits today; letters are allowed since API Pix 2.9.0, which follows the alphanumeric CNPJ
/// (RFB IN 2229/2024).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ispb([u8; 8]);

impl Ispb {
    /// Reads an ISPB in its canonical form.
    ///
    /// # Errors
    /// `ispb_shape` unless it is 8 digits or upper-case letters.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        <[u8; 8]>::try_from(text.as_bytes())
            .ok()
            .filter(|bytes| bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()))
            .map(Self)
            .ok_or_else(|| {
                let message = "an ISPB must be 8 digits or upper-case letters, such as 00000001";
                Violation::invalid("ispb_shape", "ispb", message)
            })
    }

    /// Eight bytes that [`Ispb::parse`] would take, as part of an identifier that was checked.
    pub(super) const fn from_checked(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Display for Ispb {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Debug for Ispb {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Ispb({self})")
    }
}

crate::text_value!(
    Ispb,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "pattern": "^[0-9A-Z]{8}$" },
);

/// Short code of a bank, 1 to 10 characters `^[0-9A-Za-z]{1,10}$`, such as `001` or `NLB`.
///
/// Case counts: the code is part of topic names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankCode(String);

impl BankCode {
    /// Characters of the longest code.
    pub const LENGTH_MAX: usize = 10;

    /// Reads a bank code.
    ///
    /// # Errors
    /// `bank_code_shape` unless it is 1 to 10 ASCII digits or letters.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            let message = "a bank code must be 1 to 10 digits or letters, such as 001 or NLB";
            Err(Violation::invalid("bank_code_shape", "bank_code", message))
        }
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for BankCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Debug for BankCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "BankCode({self})")
    }
}

crate::text_value!(
    BankCode,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "pattern": "^[0-9A-Za-z]{1,10}$" },
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_digits_and_capitals() {
        for right in ["00000001", "00038166", "99999A03", "ABCDEFGH"] {
            assert_eq!(Ispb::parse(right).unwrap().to_string(), right);
        }
        for wrong in ["", "0000001", "000000001", "99999a03", "0000000 ", "0000000é", "000000é"] {
            let broken = Ispb::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("ispb_shape", "ispb"), "{wrong}");
        }
    }

    #[test]
    fn reads_bank_codes() {
        for right in ["001", "NLB", "nlb", "A", "0123456789"] {
            assert_eq!(BankCode::parse(right).unwrap().as_str(), right);
        }
        for wrong in ["", "01234567890", "0 1", "bank-1", "é", ".."] {
            let broken = BankCode::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("bank_code_shape", "bank_code"));
        }
    }

    #[test]
    fn json_is_the_text() {
        let ispb = Ispb::parse("99999A03").unwrap();
        assert_eq!(serde_json::to_string(&ispb).unwrap(), "\"99999A03\"");
        assert_eq!(serde_json::from_str::<Ispb>("\"99999A03\"").unwrap(), ispb);
        assert!(serde_json::from_str::<Ispb>("\"99999a03\"").is_err());
        let code = BankCode::parse("NLB").unwrap();
        assert_eq!(serde_json::to_string(&code).unwrap(), "\"NLB\"");
        assert_eq!(serde_json::from_str::<BankCode>("\"NLB\"").unwrap(), code);
        assert!(serde_json::from_str::<BankCode>("\"\"").is_err());
        assert_eq!(format!("{ispb:?} {code:?}"), "Ispb(99999A03) BankCode(NLB)");
    }

    proptest! {
        #[test]
        fn every_ispb_round_trips(text in "[0-9A-Z]{8}") {
            let ispb: Ispb = text.parse().unwrap();
            prop_assert_eq!(ispb.as_str(), text);
        }

        #[test]
        fn any_text_is_read_unchanged_or_refused(text in "\\PC{0,12}") {
            if let Ok(ispb) = Ispb::parse(&text) {
                prop_assert_eq!(ispb.as_str(), &text);
            }
            if let Ok(code) = BankCode::parse(&text) {
                prop_assert_eq!(code.as_str(), &text);
            }
        }
    }
}
