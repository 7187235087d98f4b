//! A bank that is hosted here, and its customers.

use std::collections::BTreeMap;

use shared_kernel::domain::{BankCode, Ispb, TaxId, Violation};

use super::OwnerName;

/// Colours of a bank, `#rrggbb` each, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colors {
    /// Of headers and buttons.
    pub primary: String,
    /// Of accents.
    pub secondary: String,
}

/// The colours that banks are shown in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BankColors(BTreeMap<Ispb, Colors>);

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
    /// Reads `#rrggbb/#rrggbb`: the first and the second.
    ///
    /// # Errors
    /// `colors_malformed` with the form, when it is another.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let color = |text: &str| {
            let digits = text.strip_prefix('#')?;
            let well = digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit());
            well.then(|| text.to_ascii_lowercase())
        };
        text.split_once('/')
            .and_then(|(first, second)| Some((color(first)?, color(second)?)))
            .map(|(primary, secondary)| Self { primary, secondary })
            .ok_or_else(|| {
                let message = format!("{text:?} is no pair of colours: write #0b5fff/#ffb000");
                Violation::invalid("colors_malformed", "colors", message)
            })
    }

    /// The colours of a bank that nobody chose colours for: by its ISPB, the same in every process.
    fn of(ispb: Ispb) -> Self {
        let sum = ispb
            .as_str()
            .bytes()
            .fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let index = sum.checked_rem(PALETTE.len()).unwrap_or_default();
        let (primary, secondary) = PALETTE.get(index).copied().unwrap_or(("#0b5fff", "#ffb000"));
        Self { primary: primary.to_owned(), secondary: secondary.to_owned() }
    }
}

impl BankColors {
    /// Reads `ispb=#rrggbb/#rrggbb` of each bank, with commas between; nothing is no choice.
    ///
    /// # Errors
    /// A sentence of what is wrong and how it is written.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let mut chosen = BTreeMap::new();
        for choice in text.split(',').map(str::trim).filter(|choice| !choice.is_empty()) {
            let (bank, colors) = choice.split_once('=').ok_or_else(|| {
                let message = format!("{choice:?} names no bank: write 00000001=#0b5fff/#ffb000");
                Violation::invalid("colors_malformed", "colors", message)
            })?;
            let bank = Ispb::parse(bank.trim())?;
            if chosen.insert(bank, Colors::parse(colors.trim())?).is_some() {
                let message = format!("{bank} is there twice: give each bank one pair of colours");
                return Err(Violation::invalid("colors_twice", "colors", message));
            }
        }
        Ok(Self(chosen))
    }

    /// What was chosen for this bank, or the bank's own from a palette.
    pub fn of(&self, ispb: Ispb) -> Colors {
        self.0.get(&ispb).cloned().unwrap_or_else(|| Colors::of(ispb))
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

    const BANK: &str = "00000001";

    fn bank(ispb: &str) -> Ispb {
        Ispb::parse(ispb).unwrap()
    }

    #[test]
    fn colours_that_nobody_chose_depend_on_the_bank_alone() {
        let none = BankColors::parse(" , ").unwrap();
        assert_eq!(none, BankColors::default());
        assert_eq!(none.of(bank(BANK)), none.of(bank(BANK)));
        assert_ne!(none.of(bank(BANK)), none.of(bank("00000002")));
    }

    #[test]
    fn chosen_colours_are_those_of_their_bank() {
        let chosen =
            BankColors::parse("00000001=#0A0b0c/#FFffff, 00000003=#000000/#111111").unwrap();
        let own = Colors { primary: "#0a0b0c".into(), secondary: "#ffffff".into() };
        assert_eq!(chosen.of(bank(BANK)), own);
        assert_eq!(chosen.of(bank("00000003")).primary, "#000000");
        assert_eq!(chosen.of(bank("00000002")), Colors::of(bank("00000002")));
    }

    #[test]
    fn what_is_no_choice_is_refused_with_the_form() {
        for (wrong, code) in [
            ("00000001", "colors_malformed"),
            ("00000001=#000000", "colors_malformed"),
            ("00000001=#000000/", "colors_malformed"),
            ("00000001=000000/111111", "colors_malformed"),
            ("00000001=#00000/#1111111", "colors_malformed"),
            ("00000001=#00000g/#111111", "colors_malformed"),
            ("00000001=red/blue", "colors_malformed"),
            ("1=#000000/#111111", "ispb_shape"),
            ("00000001=#000000/#111111,00000001=#000000/#111111", "colors_twice"),
        ] {
            assert_eq!(BankColors::parse(wrong).unwrap_err().code(), code, "{wrong}");
        }
    }
}
