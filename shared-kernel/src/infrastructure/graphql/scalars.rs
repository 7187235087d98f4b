//! Scalars of the graph. Each has one written form, and the domain's own type reads it.

use async_graphql::{Description, InputValueError, InputValueResult, Scalar, ScalarType, Value};

use super::status::word;
use crate::domain::{self, Violation};

/// The code of a value that is no text: `amount: 12.34` instead of `amount: "12.34"`.
const NOT_A_TEXT: &str = "scalar_not_a_text";

/// Reads a scalar that is written as a text. What is malformed is refused with the code that gRPC
/// gives it; what is no text, with one of its own.
fn text<T, S: async_graphql::InputType>(
    value: &Value,
    form: &str,
    parse: impl FnOnce(&str) -> Result<T, Violation>,
) -> Result<T, InputValueError<S>> {
    let read = if let Value::String(text) = value {
        parse(text)
    } else {
        Err(Violation::invalid(NOT_A_TEXT, "", format!("write {form} as a text, in quotes")))
    };
    read.map_err(|broken| {
        InputValueError::custom(broken.message())
            .with_extension("code", broken.code())
            .with_extension("kind", word(broken.kind()))
    })
}

/// An amount of money in Brazilian reals: a text with two decimal places, `"100.00"`. Never a
/// JSON number, because readers parse those as floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Description)]
pub struct Money(pub domain::Money);

#[Scalar(name = "Money", use_type_description)]
impl ScalarType for Money {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(&value, "money", domain::Money::parse).map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<domain::Money> for Money {
    fn from(money: domain::Money) -> Self {
        Self(money)
    }
}

impl From<domain::Amount> for Money {
    fn from(amount: domain::Amount) -> Self {
        Self(amount.into())
    }
}

/// A moment in UTC, RFC 3339 with microseconds: `"2026-11-20T12:00:00.000000Z"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Description)]
pub struct DateTime(pub domain::Timestamp);

#[Scalar(
    name = "DateTime",
    use_type_description,
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(&value, "a moment", domain::Timestamp::parse).map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<domain::Timestamp> for DateTime {
    fn from(at: domain::Timestamp) -> Self {
        Self(at)
    }
}

/// The id that a transfer carries from end to end: `E`, the payer's ISPB, the minute in UTC and
/// eleven characters, 32 in all (`"E0000000120261120120012345678901"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Description)]
pub struct EndToEndId(pub domain::EndToEndId);

#[Scalar(name = "EndToEndId", use_type_description)]
impl ScalarType for EndToEndId {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(&value, "an EndToEndId", domain::EndToEndId::parse).map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

impl From<domain::EndToEndId> for EndToEndId {
    fn from(id: domain::EndToEndId) -> Self {
        Self(id)
    }
}

/// The eight characters that name a participant of the instant-payment system: `"00000001"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Description)]
pub struct Ispb(pub domain::Ispb);

#[Scalar(name = "Ispb", use_type_description)]
impl ScalarType for Ispb {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(&value, "an ISPB", domain::Ispb::parse).map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

impl From<domain::Ispb> for Ispb {
    fn from(ispb: domain::Ispb) -> Self {
        Self(ispb)
    }
}

/// The tax id of a person (CPF, 11 digits) or a company (CNPJ, 14 characters), without
/// punctuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Description)]
pub struct TaxId(pub domain::TaxId);

#[Scalar(name = "TaxId", use_type_description)]
impl ScalarType for TaxId {
    fn parse(value: Value) -> InputValueResult<Self> {
        text(&value, "a tax id", domain::TaxId::parse).map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

impl From<domain::TaxId> for TaxId {
    fn from(tax_id: domain::TaxId) -> Self {
        Self(tax_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: ScalarType>(text: &str) -> Option<Value> {
        T::parse(Value::String(text.to_owned())).ok().map(|scalar| scalar.to_value())
    }

    /// The code that a value is refused with.
    fn refusal<T: ScalarType + async_graphql::InputType>(value: Value) -> Value {
        let refused = <T as ScalarType>::parse(value).map(drop).unwrap_err();
        let error = refused.into_server_error(async_graphql::Pos::default());
        let extensions = error.extensions.unwrap();
        assert_eq!(extensions.get("kind"), Some(&Value::from("INVALID_ARGUMENT")));
        extensions.get("code").unwrap().clone()
    }

    #[test]
    fn each_scalar_is_written_as_it_is_read() {
        let same = |text: &str| Some(Value::String(text.to_owned()));
        assert_eq!(written::<Money>("100.00"), same("100.00"));
        assert_eq!(written::<Ispb>("00000001"), same("00000001"));
        assert_eq!(written::<TaxId>("52998224725"), same("52998224725"));
        let id = "E0000000120261120120012345678901";
        assert_eq!(written::<EndToEndId>(id), same(id));
        let moment = "2026-11-20T12:00:00.000001Z";
        assert_eq!(written::<DateTime>(moment), same(moment));
    }

    #[test]
    fn money_is_never_a_number() {
        assert!(Money::parse(Value::from(100)).is_err());
        assert!(Money::parse(Value::from(100.5)).is_err());
        assert_eq!(written::<Money>("1.005"), None);
    }

    #[test]
    fn a_malformed_scalar_has_the_code_of_its_refusal() {
        assert_eq!(refusal::<Ispb>(Value::from("1")), Value::from("ispb_shape"));
        assert_eq!(refusal::<Money>(Value::from("12,34")), Value::from("money_shape"));
    }

    #[test]
    fn what_is_no_text_has_a_code_too() {
        let wrong = || [Value::from(12.34), Value::from(1), Value::from(true), Value::List(vec![])];
        let codes = |refusal: fn(Value) -> Value| wrong().map(refusal);
        let expected = wrong().map(|_| Value::from(NOT_A_TEXT));
        assert_eq!(codes(refusal::<Money>), expected);
        assert_eq!(codes(refusal::<DateTime>), expected);
        assert_eq!(codes(refusal::<EndToEndId>), expected);
        assert_eq!(codes(refusal::<Ispb>), expected);
        assert_eq!(codes(refusal::<TaxId>), expected);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        assert_eq!(written::<Ispb>("1"), None);
        assert_eq!(written::<TaxId>("52998224724"), None);
        assert_eq!(written::<EndToEndId>("E1"), None);
        assert_eq!(written::<DateTime>("yesterday"), None);
    }
}
