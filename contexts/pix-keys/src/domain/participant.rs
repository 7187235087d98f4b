//! A participant as the directory knows it: what to call the bank of an account.

use shared_kernel::domain::{BankCode, Ispb};

/// Copy of a participant of the hub; newer versions replace older ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Identifier in the payment system.
    pub ispb: Ispb,
    /// Short code that people know.
    pub code: BankCode,
    /// Name of the bank.
    pub name: String,
    /// Version of what was told; a higher one is newer.
    pub version: i64,
}

impl Participant {
    /// Whether this replaces what is `known`.
    pub fn is_news_to(&self, known: Option<&Self>) -> bool {
        known.is_none_or(|known| self.version > known.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(version: i64) -> Participant {
        Participant {
            ispb: Ispb::parse("00000001").unwrap(),
            code: BankCode::parse("001").unwrap(),
            name: format!("BBX {version}"),
            version,
        }
    }

    #[test]
    fn only_a_higher_version_is_news() {
        assert!(told(1).is_news_to(None));
        assert!(told(2).is_news_to(Some(&told(1))));
        assert!(!told(1).is_news_to(Some(&told(1))));
        assert!(!told(1).is_news_to(Some(&told(2))));
    }
}
