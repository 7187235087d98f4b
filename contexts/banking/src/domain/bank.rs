//! A bank that is hosted here, and its customers.

use shared_kernel::domain::{BankCode, Ispb, TaxId};

use super::OwnerName;

/// Colours of a bank, `#rrggbb` each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colors {
    /// Of headers and buttons.
    pub primary: String,
    /// Of accents.
    pub secondary: String,
}

/// Pairs that are told apart at a glance and carry white text.
const PALETTE: [(&str, &str); 8] = [
    ("#0b5fff", "#ffb000"),
    ("#6b21a8", "#22c55e"),
    ("#b45309", "#0ea5e9"),
    ("#047857", "#f97316"),
    ("#be123c", "#14b8a6"),
    ("#1e3a8a", "#facc15"),
    ("#4d7c0f", "#a855f7"),
    ("#0f766e", "#ef4444"),
];

impl Colors {
    /// The colours of a bank without configured ones: by its ISPB, the same in every process.
    pub fn of(ispb: Ispb) -> Self {
        let sum = ispb
            .as_str()
            .bytes()
            .fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let index = sum.checked_rem(PALETTE.len()).unwrap_or_default();
        let (primary, secondary) = PALETTE.get(index).copied().unwrap_or(("#0b5fff", "#ffb000"));
        Self { primary: primary.to_owned(), secondary: secondary.to_owned() }
    }
}

/// A participant whose books are kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bank {
    /// Its ISPB.
    pub ispb: Ispb,
    /// Its short code.
    pub code: BankCode,
    /// Its name.
    pub name: String,
    /// Its colours.
    pub colors: Colors,
    /// False once its books are kept elsewhere (a classic participant): its accounts rest.
    pub hosted: bool,
}

/// A customer of one bank, known there by tax id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The bank.
    pub ispb: Ispb,
    /// The customer's tax id: one customer per bank.
    pub tax_id: TaxId,
    /// The name that the bank knows.
    pub name: OwnerName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_depend_on_the_bank_alone() {
        let colors = |ispb: &str| Colors::of(Ispb::parse(ispb).unwrap());
        assert_eq!(colors("00000001"), colors("00000001"));
        assert_ne!(colors("00000001"), colors("00000002"));
    }
}
