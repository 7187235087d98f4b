//! Tax ids of people and companies that do not exist, with the right check digits.

use std::sync::atomic::{AtomicU32, Ordering};

/// Each test gets people of its own, so that no two tests speak of the same.
static NEXT: AtomicU32 = AtomicU32::new(100_200_300);

/// A number that nobody else gets.
fn next() -> u32 {
    NEXT.fetch_add(7, Ordering::Relaxed)
}

/// The CPF of a person that nobody else is.
pub(crate) fn cpf() -> String {
    with_check_digits(format!("{:09}", next()), 11)
}

/// The CNPJ of a company that nobody else is.
pub(crate) fn cnpj() -> String {
    with_check_digits(format!("{:08}0001", next().checked_rem(100_000_000).unwrap()), 9)
}

/// A phone number that nobody else has.
pub(crate) fn phone() -> String {
    format!("+55119{:08}", next().checked_rem(100_000_000).unwrap())
}

/// Both check digits, modulo 11, weights from 2 to `weight_max` and again from 2.
fn with_check_digits(mut digits: String, weight_max: u32) -> String {
    for _ in 0..2 {
        let weights = (2..=weight_max).cycle();
        let values = digits.chars().rev().map(|digit| digit.to_digit(10).unwrap());
        let sum: u32 =
            values.zip(weights).map(|(digit, weight)| digit.saturating_mul(weight)).sum();
        let rest = sum.checked_rem(11).unwrap();
        let digit = if rest < 2 { 0 } else { 11_u32.saturating_sub(rest) };
        digits.push(char::from_digit(digit, 10).unwrap());
    }
    digits
}

#[test]
fn check_digits_are_right() {
    assert_eq!(with_check_digits("123456789".into(), 11), "12345678909");
    assert_eq!(with_check_digits("529982247".into(), 11), "52998224725");
    assert_eq!(with_check_digits("112223330001".into(), 9), "11222333000181");
    assert_ne!(cpf(), cpf());
    assert_eq!((cpf().len(), cnpj().len(), phone().len()), (11, 14, 14));
}
