//! Money: whole centavos of the Brazilian real, never a float.
//!
//! In code and in columns it is an `i64` of centavos; in JSON an object of two texts,
//! `{"amount":"10.00","currency":"BRL"}`. JSON numbers of other people's protocols are read from
//! the characters of the token, so that no binary fraction ever stands between.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::Violation;

/// The one currency of the system, as its ISO 4217 code.
pub const CURRENCY: &str = "BRL";

const FIELD: &str = "amount";

/// Longest decimal text that is read, in bytes.
const TEXT_LENGTH_MAX: usize = 64;

/// An amount of money in centavos of BRL; may be zero or negative (a position, a difference).
///
/// There are no `+` and `-`: sums are checked and refuse to leave the range of `i64`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "Json", into = "Json")]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many centavos.
    pub const fn from_centavos(centavos: i64) -> Self {
        Self(centavos)
    }

    /// The number of centavos.
    pub const fn centavos(self) -> i64 {
        self.0
    }

    /// Reads a decimal text with at most two decimals: `10.00`, `10`, `10.5`, `-0.01`.
    ///
    /// # Errors
    /// `money_shape` (sign `+`, comma, exponent, blank, missing digit), `money_decimals` (more
    /// than two) or `money_overflow`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let decimal =
            Decimal::read(text).filter(|decimal| decimal.exponent.is_none()).ok_or_else(|| {
                let message = "money must be a decimal number with a point, such as 10.00";
                Violation::invalid("money_shape", FIELD, message)
            })?;
        if decimal.fraction.len() > 2 {
            return Err(too_many_decimals());
        }
        decimal.exact()
    }

    /// Reads the token of a JSON number exactly: `10`, `10.5`, `1.100`, `1e2`.
    ///
    /// Digits beyond two decimals must be zeros.
    ///
    /// # Errors
    /// `money_number_shape` (no number of JSON, RFC 8259 section 6), `money_decimals` or
    /// `money_overflow`.
    pub fn from_json_number(token: &str) -> Result<Self, Violation> {
        Decimal::read_json(token)?.exact()
    }

    /// Reads the token of a JSON number and rounds it to centavos, halves away from zero.
    ///
    /// Only for messages of programs that keep money in floats: `1006.5699999999999` is 1006.57.
    ///
    /// # Errors
    /// `money_number_shape` or `money_overflow`.
    pub fn from_json_number_rounded(token: &str) -> Result<Self, Violation> {
        Decimal::read_json(token)?.rounded()
    }

    /// The sum.
    ///
    /// # Errors
    /// `money_overflow`.
    pub fn checked_add(self, other: Self) -> Result<Self, Violation> {
        self.0.checked_add(other.0).map(Self).ok_or_else(overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// `money_overflow`.
    pub fn checked_sub(self, other: Self) -> Result<Self, Violation> {
        self.0.checked_sub(other.0).map(Self).ok_or_else(overflow)
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// As Brazilians write it: `R$ 1.234,56`, negative `-R$ 1.234,56`.
    pub fn in_portuguese(self) -> String {
        self.with_separators("R$", '.', ',')
    }

    /// As it is written in English: `BRL 1,234.56`, negative `-BRL 1,234.56`.
    pub fn in_english(self) -> String {
        self.with_separators(CURRENCY, ',', '.')
    }

    fn with_separators(self, symbol: &str, thousands: char, decimal: char) -> String {
        let (sign, whole, cents) = self.parts();
        let digits = whole.to_string();
        let mut grouped = String::with_capacity(digits.len().saturating_mul(2));
        for (digit, to_come) in digits.chars().zip((0..digits.len()).rev()) {
            grouped.push(digit);
            if to_come > 0 && to_come % 3 == 0 {
                grouped.push(thousands);
            }
        }
        format!("{sign}{symbol} {grouped}{decimal}{cents:02}")
    }

    const fn parts(self) -> (&'static str, u64, u64) {
        let size = self.0.unsigned_abs();
        (if self.0 < 0 { "-" } else { "" }, size / 100, size % 100)
    }
}

/// The decimal text with two decimals: `1234.56`, `-0.01`.
impl Display for Money {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (sign, whole, cents) = self.parts();
        f.pad(&format!("{sign}{whole}.{cents:02}"))
    }
}

/// The amount of a transfer: 0.01 to 9,999,999,999.99 BRL.
///
/// The bounds are those of an instant payment, ten digits before the point and two after
/// (`\d{1,10}\.\d{2}`, API Pix 2.9.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub struct Amount(Money);

impl Amount {
    /// The smallest, 0.01.
    pub const MIN: Self = Self(Money(1));

    /// The greatest, 9,999,999,999.99.
    pub const MAX: Self = Self(Money(999_999_999_999));

    /// Takes money that may be transferred.
    ///
    /// # Errors
    /// `amount_out_of_range` outside 0.01 to 9,999,999,999.99.
    pub fn new(money: Money) -> Result<Self, Violation> {
        if (Self::MIN.0..=Self::MAX.0).contains(&money) {
            Ok(Self(money))
        } else {
            let message = "the amount must be from 0.01 to 9999999999.99";
            Err(Violation::invalid("amount_out_of_range", FIELD, message))
        }
    }

    /// So many centavos.
    ///
    /// # Errors
    /// As [`Amount::new`].
    pub fn from_centavos(centavos: i64) -> Result<Self, Violation> {
        Self::new(Money(centavos))
    }

    /// Reads a decimal text.
    ///
    /// # Errors
    /// As [`Money::parse`] and [`Amount::new`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        Self::new(Money::parse(text)?)
    }

    /// Reads the token of a JSON number exactly.
    ///
    /// # Errors
    /// As [`Money::from_json_number`] and [`Amount::new`].
    pub fn from_json_number(token: &str) -> Result<Self, Violation> {
        Self::new(Money::from_json_number(token)?)
    }

    /// As money, to be added and subtracted.
    pub const fn money(self) -> Money {
        self.0
    }

    /// The number of centavos.
    pub const fn centavos(self) -> i64 {
        self.0.0
    }
}

impl Display for Amount {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl TryFrom<Money> for Amount {
    type Error = Violation;

    fn try_from(money: Money) -> Result<Self, Violation> {
        Self::new(money)
    }
}

/// The object of money in JSON.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "money as an object of two texts, amount and currency")]
struct Json {
    amount: String,
    currency: Cow<'static, str>,
}

impl From<Money> for Json {
    fn from(money: Money) -> Self {
        let (amount, currency) = (money.to_string(), CURRENCY.into());
        Self { amount, currency }
    }
}

impl TryFrom<Json> for Money {
    type Error = Violation;

    fn try_from(json: Json) -> Result<Self, Violation> {
        if json.currency != CURRENCY {
            let (code, message) = ("currency_unsupported", "the currency must be BRL");
            return Err(Violation::invalid(code, "currency", message));
        }
        Self::parse(&json.amount)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        schema("^-?[0-9]+\\.[0-9]{2}$")
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        schema("^[0-9]{1,10}\\.[0-9]{2}$")
    }
}

fn schema(pattern: &str) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "properties": {
            "amount": { "type": "string", "pattern": pattern },
            "currency": { "type": "string", "const": CURRENCY },
        },
        "required": ["amount", "currency"],
    })
}

fn overflow() -> Violation {
    let message = "the amount is beyond what an account can hold";
    Violation::invalid("money_overflow", FIELD, message)
}

fn too_many_decimals() -> Violation {
    let message = "money must have at most two decimals";
    Violation::invalid("money_decimals", FIELD, message)
}

/// A decimal number cut into its parts: `-12.345e6`. Digits only, so that nothing is rounded.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: Option<i32>,
}

impl<'a> Decimal<'a> {
    /// Cuts `-?\d+(\.\d+)?([eE][+-]?\d{1,4})?`.
    fn read(text: &'a str) -> Option<Self> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if text.len() > TEXT_LENGTH_MAX {
            return None;
        }
        let (negative, size) = match text.strip_prefix('-') {
            Some(size) => (true, size),
            None => (false, text),
        };
        let (mantissa, exponent) = match size.split_once(['e', 'E']) {
            Some((mantissa, power)) => {
                let bare = power.strip_prefix(['+', '-']).unwrap_or(power);
                let short = digits(bare) && bare.len() <= 4;
                (mantissa, Some(power.parse().ok().filter(|_| short)?))
            }
            None => (size, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let well_formed = digits(whole) && fraction.is_none_or(digits);
        let fraction = fraction.unwrap_or_default();
        well_formed.then_some(Self { negative, whole, fraction, exponent })
    }

    /// The same by the grammar of JSON, which knows no leading zeros.
    fn read_json(token: &'a str) -> Result<Self, Violation> {
        Self::read(token)
            .filter(|decimal| decimal.whole == "0" || !decimal.whole.starts_with('0'))
            .ok_or_else(|| {
                let message = "the amount must be a JSON number, such as 10.5";
                Violation::invalid("money_number_shape", FIELD, message)
            })
    }

    const fn sign(&self) -> i64 {
        if self.negative { -1 } else { 1 }
    }

    fn exact(&self) -> Result<Money, Violation> {
        let (money, rest) = self.centavos()?;
        if rest.bytes().all(|digit| digit == b'0') { Ok(money) } else { Err(too_many_decimals()) }
    }

    fn rounded(&self) -> Result<Money, Violation> {
        let (money, rest) = self.centavos()?;
        if rest.bytes().next().is_none_or(|digit| digit < b'5') {
            Ok(money)
        } else {
            money.checked_add(Money(self.sign()))
        }
    }

    /// The whole centavos, cut off, and the digits behind them.
    fn centavos(&self) -> Result<(Money, String), Violation> {
        let digits = format!("{}{}", self.whole, self.fraction);
        let whole = i32::try_from(self.whole.len()).unwrap_or(i32::MAX);
        let shift = self.exponent.unwrap_or(0).saturating_add(2);
        let places = whole.saturating_add(shift);
        let Ok(places) = usize::try_from(places) else {
            // All digits stand behind the centavos, after at least one zero.
            return Ok((Money::ZERO, format!("0{digits}")));
        };
        let mut centavos = 0_i64;
        for digit in digits.bytes().chain(std::iter::repeat(b'0')).take(places) {
            let step = self.sign().saturating_mul(i64::from(digit.saturating_sub(b'0')));
            centavos = centavos
                .checked_mul(10)
                .and_then(|centavos| centavos.checked_add(step))
                .ok_or_else(overflow)?;
        }
        Ok((Money(centavos), digits.chars().skip(places).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Read = fn(&str) -> Result<Money, Violation>;

    fn centavos(read: Result<Money, Violation>) -> Result<i64, &'static str> {
        read.map(Money::centavos).map_err(|broken| {
            assert_eq!(broken.field(), "amount");
            broken.code()
        })
    }

    /// Cases as `text=centavos`, separated by blanks.
    fn reads(read: Read, cases: &str) {
        for case in cases.split_whitespace() {
            let (text, expected) = case.split_once('=').unwrap();
            assert_eq!(centavos(read(text)), Ok(expected.parse().unwrap()), "{text}");
        }
    }

    /// Texts that are separated by blanks and break the rule `code`.
    fn refuses(read: Read, code: &str, texts: &str) {
        for text in texts.split_whitespace() {
            assert_eq!(centavos(read(text)), Err(code), "{text}");
        }
    }

    #[test]
    fn reads_decimal_text() {
        let read: Read = Money::parse;
        reads(read, "10.00=1000 10=1000 10.5=1050 0010.05=1005 -0.01=-1 -0.00=0");
        reads(read, "92233720368547758.07=9223372036854775807");
        reads(read, "-92233720368547758.08=-9223372036854775808");
        refuses(read, "money_shape", ". - 1. .5 +1 1,00 1.0.0 1e2 1e99999 NaN 0x1 --1 -.5 ١ 1_0");
        refuses(read, "money_shape", &"0".repeat(65));
        for blank in ["", " 1", "1 ", "1 000"] {
            assert_eq!(centavos(read(blank)), Err("money_shape"));
        }
        refuses(read, "money_decimals", "1.000 1.005");
        refuses(read, "money_overflow", "92233720368547758.08 -92233720368547758.09");
        refuses(read, "money_overflow", &"9".repeat(64));
    }

    #[test]
    fn reads_json_numbers_exactly() {
        let read: Read = Money::from_json_number;
        reads(read, "10=1000 10.5=1050 1.10=110 1.100=110 0.1=10 -0=0 -1.5=-150");
        reads(read, "1e2=10000 1.05E+1=1050 125e-2=125 1000e-5=1 0e9999=0 0e-9999=0");
        refuses(read, "money_decimals", "1.105 0.001 1e-3 1e-9999 1006.5699999999999");
        refuses(read, "money_overflow", "1e17 1e9999 -1e9999");
        refuses(read, "money_number_shape", "01 00 -01.5 +1 1. .5 1e 1e+ 1e+-2 1e99999 1e2e3");
        refuses(read, "money_number_shape", "null \"1\" 1e2.5 Infinity -");
        assert_eq!(centavos(read("")), Err("money_number_shape"));
    }

    #[test]
    fn rounds_the_floats_of_others() {
        let read: Read = Money::from_json_number_rounded;
        reads(read, "1006.5699999999999=100657 0.30000000000000004=30");
        reads(read, "0.005=1 -0.005=-1 0.0049=0 -0.0049=0 5e-3=1 9e-4=0");
        reads(read, "-1.4551915228366852e-11=0 0.995=100 -0.995=-100");
        refuses(read, "money_overflow", "92233720368547758.075");
        refuses(read, "money_number_shape", "ninety");
    }

    #[test]
    fn sums_are_checked() {
        let (one, most, least) = (Money(1), Money(i64::MAX), Money(i64::MIN));
        assert_eq!(centavos(one.checked_add(one)), Ok(2));
        assert_eq!(centavos(Money::ZERO.checked_sub(one)), Ok(-1));
        assert_eq!(centavos(most.checked_add(one)), Err("money_overflow"));
        assert_eq!(centavos(least.checked_sub(one)), Err("money_overflow"));
        assert!(Money::ZERO.is_zero() && !one.is_zero());
        assert!(least.is_negative() && !Money::ZERO.is_negative());
    }

    #[test]
    fn speaks_both_languages() {
        let pt = |centavos| Money(centavos).in_portuguese();
        let en = |centavos| Money(centavos).in_english();
        assert_eq!([pt(5), en(5)], ["R$ 0,05", "BRL 0.05"]);
        assert_eq!([pt(99_999), en(99_999)], ["R$ 999,99", "BRL 999.99"]);
        assert_eq!([pt(100_000), en(100_000)], ["R$ 1.000,00", "BRL 1,000.00"]);
        assert_eq!([pt(123_456), en(123_456)], ["R$ 1.234,56", "BRL 1,234.56"]);
        assert_eq!(pt(-123_456_789), "-R$ 1.234.567,89");
        assert_eq!(en(-123_456_789), "-BRL 1,234,567.89");
        assert_eq!(pt(999_999_999_999), "R$ 9.999.999.999,99");
        assert_eq!(format!("{:>7}|{:<6}|", Money(150), Amount::MIN), "   1.50|0.01  |");
    }

    #[test]
    fn an_amount_keeps_its_bounds() {
        assert_eq!(Amount::parse("0.01").unwrap(), Amount::MIN);
        assert_eq!(Amount::parse("9999999999.99").unwrap(), Amount::MAX);
        assert_eq!(Amount::from_json_number("10.5").unwrap().centavos(), 1050);
        assert_eq!(Money::from(Amount::MIN), Amount::MIN.money());
        for wrong in [0, -1, i64::MIN, 1_000_000_000_000, i64::MAX] {
            let broken = Amount::from_centavos(wrong).unwrap_err();
            assert_eq!(broken.code(), "amount_out_of_range");
        }
        assert!(Amount::try_from(Money::ZERO).is_err());
        assert_eq!(Amount::parse("0.001").unwrap_err().code(), "money_decimals");
    }

    #[test]
    fn json_is_an_object_of_two_texts() {
        let json = r#"{"amount":"-12.30","currency":"BRL"}"#;
        assert_eq!(serde_json::to_string(&Money(-1230)).unwrap(), json);
        assert_eq!(serde_json::from_str::<Money>(json).unwrap(), Money(-1230));
        let read = serde_json::from_str::<Amount>;
        let refusal = |json| read(json).unwrap_err().to_string();
        assert!(refusal(json).contains("from 0.01"));
        assert!(refusal(r#"{"amount":"1.00","currency":"USD"}"#).contains("must be BRL"));
        assert!(refusal(r#"{"amount":"1.00"}"#).contains("currency"));
        assert!(refusal(r#"{"amount":1.00,"currency":"BRL"}"#).contains("a string"));
        assert!(refusal("1.00").contains("an object of two texts"));
        let schema = serde_json::to_value(schemars::schema_for!(Amount)).unwrap();
        assert_eq!(schema["properties"]["currency"]["const"], "BRL");
    }

    proptest! {
        #[test]
        fn every_value_round_trips(value: i64) {
            let money = Money(value);
            prop_assert_eq!(Money::parse(&money.to_string()).unwrap(), money);
            prop_assert_eq!(Money::from_json_number(&money.to_string()).unwrap(), money);
            prop_assert_eq!(Money::from_json_number_rounded(&money.to_string()).unwrap(), money);
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn a_sum_and_its_difference_meet(one: i64, other: i64) {
            if let Ok(sum) = Money(one).checked_add(Money(other)) {
                prop_assert_eq!(sum.checked_sub(Money(other)).unwrap(), Money(one));
            }
        }

        #[test]
        fn separators_change_no_digit(value: i64) {
            let money = Money(value);
            let digits = |text: String| text.replace(|c: char| !c.is_ascii_digit(), "");
            let plain = digits(money.to_string());
            prop_assert_eq!(&digits(money.in_portuguese()), &plain);
            prop_assert_eq!(&digits(money.in_english()), &plain);
        }

        #[test]
        fn any_text_is_read_or_refused(
            text in "\\PC*|[-+0-9.eE]{0,70}|-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,6})?(e-?[0-9]{1,2})?"
        ) {
            let exact = Money::from_json_number(&text);
            let rounded = Money::from_json_number_rounded(&text);
            if exact.is_ok() {
                prop_assert_eq!(exact, rounded);
            } else if rounded.is_ok() {
                prop_assert_eq!(exact.unwrap_err().code(), "money_decimals");
            }
            prop_assert!(Money::parse(&text).is_err() || !text.contains(['e', 'E']));
        }
    }
}
