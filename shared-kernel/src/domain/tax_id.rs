//! Tax identifiers of people (CPF) and companies (CNPJ), with their check digits.
//!
//! Both check digits are modulo 11: weights 2, 3, … from the right (to 11 in a CPF; 2 to 9 and
//! again from 2 in a CNPJ), `r = sum mod 11`, digit `0` if `r < 2`, else `11 - r`. A character
//! of a CNPJ counts as its ASCII code less 48, so `A` is 17 (RFB IN 2229/2024: alphanumeric
//! CNPJ, the two check digits stay digits).
//!
//! A CPF is personal: [`Debug`] masks it and there is no `Display`, so that no log line carries
//! a whole one by accident. The whole text takes a deliberate [`TaxId::as_str`].

use std::fmt::{self, Debug, Formatter};

use super::Violation;

const FIELD: &str = "tax_id";

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxIdKind {
    /// A natural person.
    Cpf,
    /// A legal person.
    Cnpj,
}

/// A CPF: 11 digits, the last two being check digits, not all equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpf([u8; 11]);

impl Cpf {
    /// Reads the 11 digits, without punctuation.
    ///
    /// # Errors
    /// `cpf_shape`, `cpf_repeated_digit` (11 equal digits, which the sum alone lets through) or
    /// `cpf_check_digit`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let digits = <[u8; 11]>::try_from(text.as_bytes())
            .ok()
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .ok_or_else(|| {
                let message = "a CPF must be its 11 digits, without punctuation";
                Violation::invalid("cpf_shape", FIELD, message)
            })?;
        if all_equal(&digits) {
            let message = "11 equal digits are no CPF";
            return Err(Violation::invalid("cpf_repeated_digit", FIELD, message));
        }
        if !check_digits_match(&digits, 11) {
            let message = "the last two digits do not match this CPF: look for a typing error";
            return Err(Violation::invalid("cpf_check_digit", FIELD, message));
        }
        Ok(Self(digits))
    }

    /// The 11 digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The form for logs and screens, `***.456.789-**`.
    pub fn masked(&self) -> String {
        let digits = self.as_str();
        let part = |range| digits.get(range).unwrap_or_default();
        format!("***.{}.{}-**", part(3..6), part(6..9))
    }
}

impl Debug for Cpf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Cpf({})", self.masked())
    }
}

crate::text_value!(
    Cpf,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "pattern": "^[0-9]{11}$" },
);

/// A CNPJ: 12 digits or upper-case letters and two check digits, not all equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cnpj([u8; 14]);

impl Cnpj {
    /// Reads the 14 characters, without punctuation and in upper case.
    ///
    /// # Errors
    /// `cnpj_shape`, `cnpj_repeated_digit` (14 equal digits) or `cnpj_check_digit`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let characters = <[u8; 14]>::try_from(text.as_bytes())
            .ok()
            .filter(|[root @ .., first, second]| {
                root.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
                    && first.is_ascii_digit()
                    && second.is_ascii_digit()
            })
            .ok_or_else(|| {
                let message = "a CNPJ must be 12 digits or upper-case letters and 2 check digits, \
                               without punctuation";
                Violation::invalid("cnpj_shape", FIELD, message)
            })?;
        if all_equal(&characters) {
            let message = "14 equal digits are no CNPJ";
            return Err(Violation::invalid("cnpj_repeated_digit", FIELD, message));
        }
        if !check_digits_match(&characters, 9) {
            let message = "the last two digits do not match this CNPJ: look for a typing error";
            return Err(Violation::invalid("cnpj_check_digit", FIELD, message));
        }
        Ok(Self(characters))
    }

    /// The CNPJ that begins with these 12 characters: its check digits are computed.
    ///
    /// # Errors
    /// As [`Cnpj::parse`].
    pub fn with_check_digits(root: &str) -> Result<Self, Violation> {
        let mut text = root.to_owned();
        for _ in 0..2 {
            let fits = |digit: &char| ends_in_check_digit(format!("{text}{digit}").as_bytes(), 9);
            text.extend(('0'..='9').find(fits));
        }
        Self::parse(&text)
    }

    /// The 14 characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Debug for Cnpj {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Cnpj({})", self.as_str())
    }
}

crate::text_value!(
    Cnpj,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "pattern": "^[0-9A-Z]{12}[0-9]{2}$" },
);

/// Tax identifier of an owner: a CPF or a CNPJ; as text, its 11 or 14 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxId {
    /// A natural person's.
    Cpf(Cpf),
    /// A legal person's.
    Cnpj(Cnpj),
}

impl TaxId {
    /// Reads the canonical form; the length tells which of the two it is.
    ///
    /// # Errors
    /// `tax_id_length`, or those of [`Cpf::parse`] and [`Cnpj::parse`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        match text.chars().count() {
            11 => Cpf::parse(text).map(Self::Cpf),
            14 => Cnpj::parse(text).map(Self::Cnpj),
            _ => {
                let message = "a tax id must be a CPF of 11 digits or a CNPJ of 14 characters, \
                               without punctuation";
                Err(Violation::invalid("tax_id_length", FIELD, message))
            }
        }
    }

    /// Reads what people type: drops `.`, `-`, `/` and spaces, takes letters as upper case,
    /// then asks the same as [`TaxId::parse`].
    ///
    /// # Errors
    /// Those of [`TaxId::parse`].
    pub fn lenient(text: &str) -> Result<Self, Violation> {
        let bare = text.chars().filter(|c| !matches!(c, '.' | '-' | '/' | ' '));
        Self::parse(&bare.map(|c| c.to_ascii_uppercase()).collect::<String>())
    }

    /// Which of the two it is.
    pub const fn kind(&self) -> TaxIdKind {
        match self {
            Self::Cpf(_) => TaxIdKind::Cpf,
            Self::Cnpj(_) => TaxIdKind::Cnpj,
        }
    }

    /// The whole canonical text: for rows, events and comparisons, never for a log.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Cpf(cpf) => cpf.as_str(),
            Self::Cnpj(cnpj) => cnpj.as_str(),
        }
    }

    /// The form for logs and screens: `***.456.789-**` for a CPF, a CNPJ (public) as it is.
    pub fn masked(&self) -> String {
        match self {
            Self::Cpf(cpf) => cpf.masked(),
            Self::Cnpj(cnpj) => cnpj.as_str().to_owned(),
        }
    }
}

impl Debug for TaxId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpf(cpf) => Debug::fmt(cpf, f),
            Self::Cnpj(cnpj) => Debug::fmt(cnpj, f),
        }
    }
}

impl From<Cpf> for TaxId {
    fn from(cpf: Cpf) -> Self {
        Self::Cpf(cpf)
    }
}

impl From<Cnpj> for TaxId {
    fn from(cnpj: Cnpj) -> Self {
        Self::Cnpj(cnpj)
    }
}

crate::text_value!(
    TaxId,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "pattern": "^([0-9]{11}|[0-9A-Z]{12}[0-9]{2})$" },
);

fn all_equal(characters: &[u8]) -> bool {
    characters.iter().all(|character| characters.first() == Some(character))
}

/// Whether the last two characters are the check digits of those before them.
fn check_digits_match(characters: &[u8], weight_max: u32) -> bool {
    let [root @ .., _] = characters else {
        return false;
    };
    ends_in_check_digit(root, weight_max) && ends_in_check_digit(characters, weight_max)
}

fn ends_in_check_digit(characters: &[u8], weight_max: u32) -> bool {
    let value = |character: u8| u32::from(character.saturating_sub(b'0'));
    let [root @ .., digit] = characters else {
        return false;
    };
    let weights = (2..=weight_max).cycle();
    let sum = root
        .iter()
        .rev()
        .zip(weights)
        .fold(0_u32, |sum, (c, weight)| sum.saturating_add(value(*c).saturating_mul(weight)));
    let rest = sum % 11;
    value(*digit) == if rest < 2 { 0 } else { 11_u32.saturating_sub(rest) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cnpj_is_made_with_its_check_digits() {
        for whole in ["12ABC34501DE35", "11222333000181"] {
            let (root_and_branch, _) = whole.split_at(12);
            assert_eq!(Cnpj::with_check_digits(root_and_branch), Cnpj::parse(whole), "{whole}");
        }
        assert!(Cnpj::with_check_digits("WALLET010002").is_ok());
        assert_eq!(Cnpj::with_check_digits("SHORT").unwrap_err().code(), "cnpj_shape");
        assert_eq!(Cnpj::with_check_digits("").unwrap_err().code(), "cnpj_shape");
    }

    const CPFS: [&str; 3] = ["12345678909", "11144477735", "52998224725"];
    const CNPJS: [&str; 3] = ["00000000000191", "11222333000181", "12ABC34501DE35"];

    fn code(text: &str) -> &'static str {
        let broken = TaxId::parse(text).unwrap_err();
        assert_eq!(broken.field(), "tax_id");
        assert!(text.is_empty() || !broken.message().contains(text), "a sentence never repeats it");
        broken.code()
    }

    #[test]
    fn reads_the_known_ones() {
        for text in CPFS {
            let id = TaxId::parse(text).unwrap();
            assert_eq!((id.kind(), id.as_str()), (TaxIdKind::Cpf, text));
            assert_eq!(TaxId::from(Cpf::parse(text).unwrap()), id);
        }
        for text in CNPJS {
            let id = TaxId::parse(text).unwrap();
            assert_eq!((id.kind(), id.as_str()), (TaxIdKind::Cnpj, text));
            assert_eq!(TaxId::from(Cnpj::parse(text).unwrap()), id);
        }
    }

    #[test]
    fn refuses_wrong_check_digits() {
        for text in ["12345678901", "11122233300", "52998224752", "52998224720"] {
            assert_eq!(code(text), "cpf_check_digit", "{text}");
        }
        for text in ["11222333000150", "12ABC34501DE53", "21ABC34501DE35", "00000000000101"] {
            assert_eq!(code(text), "cnpj_check_digit", "{text}");
        }
    }

    #[test]
    fn refuses_equal_digits() {
        for digit in '0'..='9' {
            assert_eq!(code(&String::from(digit).repeat(11)), "cpf_repeated_digit");
            assert_eq!(code(&String::from(digit).repeat(14)), "cnpj_repeated_digit");
        }
    }

    #[test]
    fn refuses_what_is_not_canonical() {
        assert_eq!(code(""), "tax_id_length");
        assert_eq!(code("1234567890"), "tax_id_length");
        assert_eq!(code("11.222.333/0001-81"), "tax_id_length");
        assert_eq!(code("123.456.789-09"), "cnpj_shape");
        assert_eq!(code("1234567890a"), "cpf_shape");
        assert_eq!(code("1234567890é"), "cpf_shape");
        assert_eq!(code("١٢٣٤٥٦٧٨٩٠٩"), "cpf_shape");
        assert_eq!(code("12abc34501de35"), "cnpj_shape");
        assert_eq!(code("12ABC34501DEA5"), "cnpj_shape");
    }

    #[test]
    fn the_lenient_reader_strips_and_raises() {
        let same = |text: &str, canonical: &str| {
            assert_eq!(TaxId::lenient(text).unwrap().as_str(), canonical);
        };
        same("123.456.789-09", "12345678909");
        same(" 529 982 247 25 ", "52998224725");
        same("11.222.333/0001-81", "11222333000181");
        same("12.abc.345/01de-35", "12ABC34501DE35");
        assert_eq!(TaxId::lenient("123.456.789-01").unwrap_err().code(), "cpf_check_digit");
        assert_eq!(TaxId::lenient("123_456_789-09").unwrap_err().code(), "tax_id_length");
    }

    #[test]
    fn logs_never_carry_a_whole_cpf() {
        let id = TaxId::parse("12345678909").unwrap();
        assert_eq!(id.masked(), "***.456.789-**");
        assert_eq!(format!("{id:?}"), "Cpf(***.456.789-**)");
        let company = TaxId::parse("12ABC34501DE35").unwrap();
        assert_eq!(company.masked(), "12ABC34501DE35");
        assert_eq!(format!("{company:?}"), "Cnpj(12ABC34501DE35)");
    }

    #[test]
    fn json_is_the_whole_text() {
        for text in CPFS.into_iter().chain(CNPJS) {
            let id = TaxId::parse(text).unwrap();
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<TaxId>(&json).unwrap(), id);
        }
        assert!(serde_json::from_str::<TaxId>("\"12345678901\"").is_err());
    }

    /// Finds the two check digits by trial, so that the test does not repeat the sum.
    fn completions(root: &str) -> Vec<TaxId> {
        (0..100).filter_map(|digits| TaxId::parse(&format!("{root}{digits:02}")).ok()).collect()
    }

    proptest! {
        #[test]
        fn a_cpf_has_exactly_one_pair_of_check_digits(root in "[0-9]{9}") {
            prop_assume!(!all_equal(root.as_bytes()));
            prop_assert_eq!(completions(&root).len(), 1);
        }

        #[test]
        fn a_cnpj_has_exactly_one_pair_of_check_digits(root in "[0-9A-Z]{12}") {
            prop_assume!(!all_equal(root.as_bytes()));
            let found = completions(&root);
            prop_assert_eq!(found.len(), 1);
            let again = TaxId::lenient(&found[0].as_str().to_lowercase()).unwrap();
            prop_assert_eq!(again, found[0]);
        }

        #[test]
        fn one_wrong_digit_of_a_cpf_is_noticed(
            root in "[0-9]{9}",
            at in 0..9_usize,
            digit in proptest::char::range('0', '9'),
        ) {
            prop_assume!(!all_equal(root.as_bytes()));
            let right = completions(&root)[0].as_str().to_owned();
            // A first check digit 0 stands for two remainders, so it may miss one.
            prop_assume!(right.as_bytes()[9] != b'0');
            let wrong: String =
                right.chars().enumerate().map(|(i, c)| if i == at { digit } else { c }).collect();
            prop_assert_eq!(TaxId::parse(&wrong).is_ok(), wrong == right);
        }

        #[test]
        fn any_text_is_read_unchanged_or_refused(text in "\\PC{0,20}") {
            if let Ok(id) = TaxId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
            }
            if let Ok(id) = TaxId::lenient(&text) {
                prop_assert_eq!(TaxId::parse(id.as_str()).unwrap(), id);
            }
        }
    }
}
