//! Kinds of Pix keys.

use std::fmt::{self, Display, Formatter};

use shared_kernel::domain::Violation;

/// Kind of a Pix key; the set is open, the central bank may add to it (DICT API 2.12, key types).
///
/// Its text is in lower case: `cpf`, `cnpj`, `email`, `phone`, `evp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PixKeyKind {
    /// Tax identifier of a natural person.
    Cpf,
    /// Tax identifier of a legal person.
    Cnpj,
    /// Electronic mail address.
    Email,
    /// Telephone number, E.164.
    Phone,
    /// Random key that the directory makes ("endereço virtual de pagamento").
    Evp,
}

impl PixKeyKind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Cpf, Self::Cnpj, Self::Email, Self::Phone, Self::Evp];

    /// Reads the lower-case text.
    ///
    /// # Errors
    /// `key_kind_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(unknown)
    }

    /// Reads the text in any case, for clients that write `CPF` or `Email`.
    ///
    /// # Errors
    /// `key_kind_unknown` for any other text.
    pub fn lenient(text: &str) -> Result<Self, Violation> {
        let same = |kind: &Self| kind.as_str().eq_ignore_ascii_case(text);
        Self::ALL.iter().copied().find(same).ok_or_else(unknown)
    }

    /// The lower-case text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpf => "cpf",
            Self::Cnpj => "cnpj",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Evp => "evp",
        }
    }
}

fn unknown() -> Violation {
    let message = "the kind of a key must be cpf, cnpj, email, phone or evp";
    Violation::invalid("key_kind_unknown", "key_kind", message)
}

impl Display for PixKeyKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

shared_kernel::text_value!(
    PixKeyKind,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "enum": ["cpf", "cnpj", "email", "phone", "evp"] },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back() {
        for kind in PixKeyKind::ALL {
            assert_eq!(kind.to_string().parse::<PixKeyKind>().unwrap(), *kind);
            assert_eq!(PixKeyKind::lenient(&kind.as_str().to_uppercase()).unwrap(), *kind);
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(serde_json::from_str::<PixKeyKind>(&json).unwrap(), *kind);
        }
        let schema = serde_json::to_value(schemars::schema_for!(PixKeyKind)).unwrap();
        let texts: Vec<_> = PixKeyKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(schema["enum"], serde_json::json!(texts));
    }

    #[test]
    fn refuses_any_other_text() {
        for wrong in ["", "CPF", "e-mail", "evp ", "random"] {
            let broken = PixKeyKind::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("key_kind_unknown", "key_kind"));
        }
        assert_eq!(PixKeyKind::lenient("e-mail").unwrap_err().code(), "key_kind_unknown");
    }
}
