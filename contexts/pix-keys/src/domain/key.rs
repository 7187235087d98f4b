//! A Pix key: the text by which a payer names an account.
//!
//! The patterns are those of DICT API 2.12 (section on key types), written as small matchers:
//!
//! ```text
//! cpf    ^[0-9]{11}$
//! cnpj   ^[0-9A-Z]{14}$      (in the directory without regard to case, here in upper case)
//! phone  ^\+[1-9]\d{1,14}$
//! email  ^[a-z0-9.!#$'*+\/=?^_`{|}~-]+@LABEL(?:\.LABEL)*$
//!        LABEL = [a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?
//! evp    ^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$
//! ```
//!
//! They exclude each other, so the text alone tells the kind. No key has more than 77 characters.
//! The directory does not check check digits; [`PixKey::parse`], the reader of our own API, does.

use std::fmt::{self, Debug, Formatter};

use shared_kernel::domain::{TaxId, Violation};
use uuid::Uuid;

use super::PixKeyKind;

const FIELD: &str = "key";

/// A Pix key: its kind and its canonical text, at most 77 characters.
///
/// As text (JSON, rows, record keys) it is the canonical text alone. Keys of people are personal
/// data: [`Debug`] masks them, there is no `Display`, and the whole text takes a deliberate
/// [`PixKey::as_str`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PixKey {
    kind: PixKeyKind,
    text: String,
}

impl PixKey {
    /// Characters of the longest key (DICT API 2.12).
    pub const LENGTH_MAX: usize = 77;

    /// Reads a key of our own API: canonical form only, check digits of a CPF or CNPJ included.
    ///
    /// # Errors
    /// `key_empty`, `key_too_long`; `cpf_shape`, `cpf_repeated_digit`, `cpf_check_digit`;
    /// `cnpj_shape`, `cnpj_repeated_digit`, `cnpj_check_digit`; `phone_shape`;
    /// `email_upper_case`, `email_shape`; `evp_upper_case`, `evp_shape`.
    pub fn parse(kind: PixKeyKind, text: &str) -> Result<Self, Violation> {
        let key = Self::canonical(kind, text)?;
        match kind {
            PixKeyKind::Cpf | PixKeyKind::Cnpj => {
                TaxId::parse(text).map_err(|broken| broken.on(FIELD))?;
            }
            PixKeyKind::Email | PixKeyKind::Phone | PixKeyKind::Evp => {}
        }
        Ok(key)
    }

    /// Reads a key as classic clients write it: drops the punctuation of a CPF, CNPJ or phone,
    /// takes an email or EVP as lower and a CNPJ as upper case, then asks for the pattern only,
    /// no check digits.
    ///
    /// # Errors
    /// Those of [`PixKey::parse`] but for check digits, repeated digits and case.
    pub fn lenient(kind: PixKeyKind, text: &str) -> Result<Self, Violation> {
        let trimmed = text.trim();
        let without = |marks: &[char]| trimmed.replace(marks, "");
        let canonical = match kind {
            PixKeyKind::Cpf => without(&['.', '-', ' ']),
            PixKeyKind::Cnpj => without(&['.', '-', '/', ' ']).to_ascii_uppercase(),
            PixKeyKind::Phone => without(&['(', ')', '-', '.', ' ']),
            PixKeyKind::Email | PixKeyKind::Evp => trimmed.to_ascii_lowercase(),
        };
        Self::canonical(kind, &canonical)
    }

    /// Reads a canonical text and tells its kind from the text alone, pattern only: for
    /// look-ups, rows and events, where the key was accepted before.
    ///
    /// # Errors
    /// `key_empty`, `key_too_long`, those of the kind that the text resembles, or `key_shape`.
    pub fn infer(text: &str) -> Result<Self, Violation> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let kind = match text.len() {
            _ if text.starts_with('+') && !text.contains('@') => PixKeyKind::Phone,
            _ if text.contains('@') => PixKeyKind::Email,
            11 if digits => PixKeyKind::Cpf,
            14 if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => PixKeyKind::Cnpj,
            36 => PixKeyKind::Evp,
            _ => {
                check_length(text)?;
                let message = "a key must be a CPF, a CNPJ, an email, a phone with + and country \
                               code or a random key, without punctuation of its own";
                return Err(Violation::invalid("key_shape", FIELD, message));
            }
        };
        Self::canonical(kind, text)
    }

    /// The random key (EVP) that the directory makes of a random UUID.
    pub fn evp(uuid: Uuid) -> Self {
        Self { kind: PixKeyKind::Evp, text: uuid.hyphenated().to_string() }
    }

    /// Its kind.
    pub const fn kind(&self) -> PixKeyKind {
        self.kind
    }

    /// The whole canonical text: for rows, events and look-ups, never for a log.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form for logs: `***.456.789-**`, `j***@example.com`, `+55***21`; a CNPJ (public) and
    /// an EVP (random) as they are.
    pub fn masked(&self) -> String {
        let part = |range: std::ops::Range<usize>| self.text.get(range).unwrap_or_default();
        match self.kind {
            PixKeyKind::Cpf => format!("***.{}.{}-**", part(3..6), part(6..9)),
            PixKeyKind::Email => {
                let domain = self.text.split_once('@').map_or("", |(_, domain)| domain);
                format!("{}***@{domain}", part(0..1))
            }
            PixKeyKind::Phone => {
                // A number too short to hide anything in shows its `+` alone.
                let length = self.text.len();
                if length < 9 {
                    "+***".to_owned()
                } else {
                    format!("{}***{}", part(0..3), part(length.saturating_sub(2)..length))
                }
            }
            PixKeyKind::Cnpj | PixKeyKind::Evp => self.text.clone(),
        }
    }

    /// Takes a canonical text by the pattern of its kind.
    fn canonical(kind: PixKeyKind, text: &str) -> Result<Self, Violation> {
        check_length(text)?;
        let broken = match kind {
            PixKeyKind::Cpf => cpf(text),
            PixKeyKind::Cnpj => cnpj(text),
            PixKeyKind::Email => email(text),
            PixKeyKind::Phone => phone(text),
            PixKeyKind::Evp => evp(text),
        };
        match broken {
            None => Ok(Self { kind, text: text.to_owned() }),
            Some((code, message)) => Err(Violation::invalid(code, FIELD, message)),
        }
    }
}

impl Debug for PixKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "PixKey({} {})", self.kind, self.masked())
    }
}

shared_kernel::text_value!(
    PixKey,
    text = as_str,
    parse = infer,
    schema = { "type": "string", "minLength": 1, "maxLength": 77 },
);

/// Code and sentence of a broken pattern.
type Broken = Option<(&'static str, &'static str)>;

fn check_length(text: &str) -> Result<(), Violation> {
    if text.is_empty() {
        return Err(Violation::invalid("key_empty", FIELD, "write the key"));
    }
    if text.chars().count() > PixKey::LENGTH_MAX {
        let message = "a key must have at most 77 characters";
        return Err(Violation::invalid("key_too_long", FIELD, message));
    }
    Ok(())
}

fn cpf(text: &str) -> Broken {
    let fits = text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit());
    refuse(fits, "cpf_shape", "a CPF key must be its 11 digits, without punctuation")
}

fn cnpj(text: &str) -> Broken {
    let mut bytes = text.bytes();
    let fits = text.len() == 14 && bytes.all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let sentence = "a CNPJ key must be its 14 digits or upper-case letters, without punctuation";
    refuse(fits, "cnpj_shape", sentence)
}

fn phone(text: &str) -> Broken {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let fits = (2..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    let sentence = "a phone key must be + and 2 to 15 digits that begin with the country code, \
                    such as +5511987654321";
    refuse(fits, "phone_shape", sentence)
}

fn email(text: &str) -> Broken {
    if text.bytes().any(|byte| byte.is_ascii_uppercase())
        && email(&text.to_ascii_lowercase()).is_none()
    {
        return Some(("email_upper_case", "an email key is in lower case: lower-case it"));
    }
    let fits = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.bytes().all(is_email_byte) && domain.split('.').all(is_label)
    });
    refuse(fits, "email_shape", "an email key must be an address such as maria@example.com")
}

fn evp(text: &str) -> Broken {
    let lower = text.to_ascii_lowercase();
    let hyphens = [8, 13, 18, 23];
    let fits = lower.len() == 36
        && lower.bytes().enumerate().all(|(index, byte)| {
            if hyphens.contains(&index) {
                byte == b'-'
            } else {
                matches!(byte, b'0'..=b'9' | b'a'..=b'f')
            }
        });
    if fits && lower != text {
        return Some(("evp_upper_case", "a random key is in lower case: lower-case it"));
    }
    refuse(fits, "evp_shape", "a random key must be a UUID of 36 characters with its four hyphens")
}

fn refuse(fits: bool, code: &'static str, sentence: &'static str) -> Broken {
    (!fits).then_some((code, sentence))
}

fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// A character of the part before `@`.
fn is_email_byte(byte: u8) -> bool {
    is_lower_or_digit(byte) || b".!#$'*+/=?^_`{|}~-".contains(&byte)
}

/// A part of the domain: 1 to 63 lower-case letters, digits and hyphens, no hyphen at its ends.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| is_lower_or_digit(byte) || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PixKeyKind::{Cnpj, Cpf, Email, Evp, Phone};
    use super::*;

    const KEYS: [(PixKeyKind, &str); 12] = [
        (Cpf, "12345678909"),
        (Cnpj, "11222333000181"),
        (Cnpj, "12ABC34501DE35"),
        (Email, "maria@example.com"),
        (Email, "a@b"),
        (Email, "!#$'*+/=?^_`{|}~-.@x-1.y"),
        (Email, "+tag@example.com"),
        (Phone, "+5511987654321"),
        (Phone, "+12"),
        (Phone, "+123456789012345"),
        (Evp, "123e4567-e89b-12d3-a456-426655440000"),
        (Evp, "00000000-0000-0000-0000-000000000000"),
    ];

    fn code(refused: Result<PixKey, Violation>) -> &'static str {
        let broken = refused.unwrap_err();
        assert_eq!(broken.field(), "key");
        broken.code()
    }

    #[test]
    fn reads_canonical_keys_and_infers_their_kind() {
        for (kind, text) in KEYS {
            let key = PixKey::parse(kind, text).unwrap();
            assert_eq!((key.kind(), key.as_str()), (kind, text));
            assert_eq!(PixKey::infer(text).unwrap(), key);
            assert_eq!(PixKey::lenient(kind, text).unwrap(), key);
            for other in PixKeyKind::ALL.iter().filter(|other| **other != kind) {
                assert!(PixKey::lenient(*other, text).is_err(), "{text} is no {other}");
            }
        }
    }

    #[test]
    fn the_strict_reader_asks_for_check_digits() {
        assert_eq!(code(PixKey::parse(Cpf, "12345678901")), "cpf_check_digit");
        assert_eq!(code(PixKey::parse(Cpf, "11111111111")), "cpf_repeated_digit");
        assert_eq!(code(PixKey::parse(Cnpj, "11222333000150")), "cnpj_check_digit");
        assert_eq!(code(PixKey::parse(Cnpj, "12ABC34501DEAB")), "cnpj_shape");
        assert_eq!(code(PixKey::parse(Cnpj, "00000000000000")), "cnpj_repeated_digit");
        for text in ["12345678901", "11111111111", "11222333000150", "12ABC34501DEAB"] {
            assert_eq!(PixKey::infer(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn the_strict_reader_refuses_other_forms() {
        assert_eq!(code(PixKey::parse(Cpf, "123.456.789-09")), "cpf_shape");
        assert_eq!(code(PixKey::parse(Cpf, "1234567890")), "cpf_shape");
        assert_eq!(code(PixKey::parse(Cnpj, "11.222.333/0001-81")), "cnpj_shape");
        assert_eq!(code(PixKey::parse(Cnpj, "12abc34501de35")), "cnpj_shape");
        assert_eq!(code(PixKey::parse(Email, "Maria@example.com")), "email_upper_case");
        assert_eq!(code(PixKey::parse(Evp, &KEYS[10].1.to_uppercase())), "evp_upper_case");
        assert_eq!(code(PixKey::parse(Evp, "123e4567e89b12d3a456426655440000")), "evp_shape");
        assert_eq!(code(PixKey::parse(Evp, "123e4567-e89b-12d3-a456-42665544000g")), "evp_shape");
        assert_eq!(code(PixKey::parse(Evp, "123e4567-e89b-12d3-a4560426655440000")), "evp_shape");
    }

    #[test]
    fn refuses_broken_emails() {
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        for wrong in [
            "maria",
            "@example.com",
            "maria@",
            "a@b@c",
            "a@.b",
            "a@b.",
            "a@b..c",
            "a@-b",
            "a@b-",
            "a b@c",
            "a&b@c",
            "a%b@c",
            "joão@c",
            "a@exämple.com",
            "A&b@c",
            "a@b_c",
            "a,b@c",
            &format!("a@{longer}"),
        ] {
            assert_eq!(code(PixKey::parse(Email, wrong)), "email_shape", "{wrong}");
        }
        assert!(PixKey::parse(Email, &format!("a@{long}")).is_ok());
    }

    #[test]
    fn refuses_broken_phones() {
        for wrong in [
            "5511987654321",
            "+0511987654321",
            "+",
            "+1",
            "+1234567890123456",
            "+55 11 98765-4321",
            "+55119876x4321",
            "++5511987654321",
            "+٥٥",
        ] {
            assert_eq!(code(PixKey::parse(Phone, wrong)), "phone_shape", "{wrong}");
        }
    }

    #[test]
    fn keeps_within_77_characters() {
        let most = format!("{}@example.com", "a".repeat(65));
        assert_eq!(most.len(), PixKey::LENGTH_MAX);
        assert!(PixKey::parse(Email, &most).is_ok());
        for kind in PixKeyKind::ALL {
            assert_eq!(code(PixKey::parse(*kind, &format!("a{most}"))), "key_too_long");
            assert_eq!(code(PixKey::parse(*kind, "")), "key_empty");
            assert_eq!(code(PixKey::lenient(*kind, "  ")), "key_empty");
        }
        assert_eq!(code(PixKey::infer(&format!("a{most}"))), "key_too_long");
        assert_eq!(code(PixKey::infer(&"1".repeat(78))), "key_too_long");
    }

    #[test]
    fn the_lenient_reader_makes_it_canonical() {
        let same = |kind, text: &str, canonical: &str| {
            assert_eq!(PixKey::lenient(kind, text).unwrap().as_str(), canonical);
        };
        same(Cpf, "123.456.789-01", "12345678901");
        same(Cnpj, "12.abc.345/01de-35", "12ABC34501DE35");
        same(Email, " Maria@Example.COM ", "maria@example.com");
        same(Phone, "+55 (11) 98765-4321", "+5511987654321");
        same(Evp, "123E4567-E89B-12D3-A456-426655440000", KEYS[10].1);
        assert_eq!(code(PixKey::lenient(Cpf, "123_456_789_01")), "cpf_shape");
        assert_eq!(code(PixKey::lenient(Phone, "5511987654321")), "phone_shape");
    }

    #[test]
    fn infers_nothing_from_other_texts() {
        assert_eq!(code(PixKey::infer("")), "key_empty");
        assert_eq!(code(PixKey::infer("maria")), "key_shape");
        assert_eq!(code(PixKey::infer("123456789")), "key_shape");
        assert_eq!(code(PixKey::infer("1234567890x")), "key_shape");
        assert_eq!(code(PixKey::infer("123.456.789-09")), "key_shape");
        assert_eq!(code(PixKey::infer("12abc34501de35")), "cnpj_shape");
        assert_eq!(code(PixKey::infer("Maria@example.com")), "email_upper_case");
        assert_eq!(code(PixKey::infer("+0")), "phone_shape");
        assert_eq!(code(PixKey::infer(&KEYS[10].1.to_uppercase())), "evp_upper_case");
    }

    #[test]
    fn makes_random_keys() {
        let uuid = Uuid::from_u128(0x123e_4567_e89b_12d3_a456_4266_5544_0000);
        assert_eq!(PixKey::evp(uuid), PixKey::parse(Evp, KEYS[10].1).unwrap());
    }

    #[test]
    fn logs_never_carry_a_personal_key() {
        let shown = |text| format!("{:?}", PixKey::infer(text).unwrap());
        assert_eq!(shown("12345678909"), "PixKey(cpf ***.456.789-**)");
        assert_eq!(shown("maria@example.com"), "PixKey(email m***@example.com)");
        assert_eq!(shown("+5511987654321"), "PixKey(phone +55***21)");
        assert_eq!(shown("+12345"), "PixKey(phone +***)");
        assert_eq!(shown("12ABC34501DE35"), "PixKey(cnpj 12ABC34501DE35)");
        assert_eq!(shown(KEYS[10].1), format!("PixKey(evp {})", KEYS[10].1));
    }

    #[test]
    fn json_is_the_text() {
        for (_, text) in KEYS {
            let key = PixKey::infer(text).unwrap();
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(json, serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<PixKey>(&json).unwrap(), key);
        }
        assert!(serde_json::from_str::<PixKey>("\"maria\"").is_err());
    }

    proptest! {
        #[test]
        fn every_evp_round_trips(value: u128) {
            let key = PixKey::evp(Uuid::from_u128(value));
            prop_assert_eq!(PixKey::parse(Evp, key.as_str()).unwrap(), key);
        }

        #[test]
        fn every_email_of_the_pattern_is_read(
            local in "[a-z0-9.!#$'*+/=?^_`{|}~-]{1,20}",
            domain in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,9}[a-z])?){0,2}",
        ) {
            let text = format!("{local}@{domain}");
            prop_assert_eq!(PixKey::infer(&text).unwrap().kind(), Email);
            let lowered = PixKey::lenient(Email, &text.to_uppercase()).unwrap();
            prop_assert_eq!(lowered.as_str(), text);
        }

        #[test]
        fn every_phone_of_the_pattern_is_read(text in "\\+[1-9][0-9]{1,14}") {
            prop_assert_eq!(PixKey::parse(Phone, &text).unwrap(), PixKey::infer(&text).unwrap());
        }

        #[test]
        fn a_lenient_key_is_canonical(
            text in "\\PC{0,80}|[0-9./ -]{11,20}|[+0-9() -]{3,20}",
            at in 0..5_usize,
        ) {
            let kind = PixKeyKind::ALL[at];
            if let Ok(key) = PixKey::lenient(kind, &text) {
                prop_assert_eq!(PixKey::infer(key.as_str()).unwrap(), key);
            }
            if let Ok(key) = PixKey::parse(kind, &text) {
                prop_assert_eq!(key.as_str(), &text);
            }
        }

        #[test]
        fn any_text_has_one_kind_at_most(text in "\\PC{0,80}|[0-9A-Z]{14}|[0-9]{11}") {
            let fits = |kind: &&PixKeyKind| PixKey::canonical(**kind, &text).is_ok();
            let kinds: Vec<_> = PixKeyKind::ALL.iter().filter(fits).collect();
            prop_assert!(kinds.len() <= 1);
            let inferred = PixKey::infer(&text).ok().map(|key| key.kind());
            prop_assert_eq!(inferred, kinds.first().map(|kind| **kind));
        }
    }
}
