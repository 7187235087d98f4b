//! Macros by which a value gets its text form, and the identifiers that contexts share.
//!
//! [`text_value!`](crate::text_value) writes the serde, `FromStr` and JSON schema parts of a
//! value whose only form outside memory is one text. [`uuid_id!`](crate::uuid_id) declares an
//! identifier: no identifier ever converts to another, so that a customer is never taken for an
//! account. Where two of them correspond, both are stored.

/// Gives a type that is one text its `FromStr`, serde and JSON schema.
///
/// - `text`: method without arguments that returns the canonical text (`&str` or `String`);
/// - `parse`: associated function `fn(&str) -> Result<Self, Violation>` that reads it;
/// - `schema`: the JSON schema of the text.
///
/// The crate that calls it needs no dependency of its own for it.
#[macro_export]
macro_rules! text_value {
    ($type:ident, text = $text:ident, parse = $parse:ident, schema = $schema:tt $(,)?) => {
        impl ::core::str::FromStr for $type {
            type Err = $crate::domain::Violation;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                Self::$parse(text)
            }
        }

        impl $crate::domain::id::support::serde::Serialize for $type {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::domain::id::support::serde::Serializer,
            {
                let text = self.$text();
                serializer.serialize_str(::core::convert::AsRef::<str>::as_ref(&text))
            }
        }

        impl<'de> $crate::domain::id::support::serde::Deserialize<'de> for $type {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::domain::id::support::serde::Deserializer<'de>,
            {
                $crate::domain::id::support::deserialize_text(deserializer, Self::$parse)
            }
        }

        impl $crate::domain::id::support::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(::core::stringify!($type))
            }

            fn json_schema(
                _generator: &mut $crate::domain::id::support::schemars::SchemaGenerator,
            ) -> $crate::domain::id::support::schemars::Schema {
                $crate::domain::id::support::schemars::json_schema!($schema)
            }
        }
    };
}

/// Declares an identifier that is a UUID: its own type, parsed from text, written as text.
///
/// The literal names the field and the code of a refusal: `<field>_shape`.
///
/// ```
/// shared_kernel::uuid_id! {
///     /// A customer of a bank.
///     pub struct CustomerId("customer_id");
/// }
///
/// let id = CustomerId::parse("103cc632-78e7-4476-ab63-d5ad3a562d26").unwrap();
/// assert_eq!(id.to_string(), "103cc632-78e7-4476-ab63-d5ad3a562d26");
/// assert_eq!(CustomerId::parse("7").unwrap_err().code(), "customer_id_shape");
/// ```
#[macro_export]
macro_rules! uuid_id {
    ($(#[$meta:meta])* $visibility:vis struct $type:ident($field:literal);) => {
        $(#[$meta])*
        ///
        /// A UUID (RFC 9562); its text is the hyphenated lower-case form, 36 characters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $type($crate::domain::id::support::uuid::Uuid);

        impl $type {
            /// The identifier whose value is `uuid`, from a row or from the port of identifiers.
            pub const fn from_uuid(uuid: $crate::domain::id::support::uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// Reads the hyphenated form, in either case.
            ///
            /// # Errors
            #[doc = ::core::concat!("`", $field, "_shape` for any other text.")]
            pub fn parse(
                text: &str,
            ) -> ::core::result::Result<Self, $crate::domain::Violation> {
                $crate::domain::id::support::parse_uuid(text).map(Self).ok_or_else(|| {
                    $crate::domain::Violation::invalid(
                        ::core::concat!($field, "_shape"),
                        $field,
                        ::core::concat!(
                            $field,
                            " must be a UUID of 36 characters with its four hyphens",
                        ),
                    )
                })
            }

            /// The UUID itself, e.g. for a column.
            pub const fn uuid(self) -> $crate::domain::id::support::uuid::Uuid {
                self.0
            }
        }

        impl ::core::fmt::Display for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }

        $crate::text_value!(
            $type,
            text = to_string,
            parse = parse,
            schema = { "type": "string", "format": "uuid" },
        );
    };
}

uuid_id! {
    /// A customer's account at a bank: one value in ledger, directory and protocols.
    pub struct AccountId("account_id");
}

uuid_id! {
    /// An event, and the attribute `id` of its envelope: the same on every resend.
    pub struct EventId("event_id");
}

/// What the macros of this module call. No part of the API.
#[doc(hidden)]
pub mod support {
    use std::fmt::{self, Formatter};
    use std::marker::PhantomData;

    pub use {schemars, serde, uuid};

    use super::super::Violation;

    /// Characters of the hyphenated form.
    const UUID_LENGTH: usize = 36;

    /// Reads the hyphenated form alone: no braces, no `urn:uuid:`, no 32 bare digits.
    pub fn parse_uuid(text: &str) -> Option<uuid::Uuid> {
        if text.len() == UUID_LENGTH { uuid::Uuid::try_parse(text).ok() } else { None }
    }

    /// Reads a text and parses it, without a copy where the format lends one.
    pub fn deserialize_text<'de, D, T>(
        deserializer: D,
        parse: fn(&str) -> Result<T, Violation>,
    ) -> Result<T, D::Error>
    where
        D: serde::Deserializer<'de>,
    {
        deserializer.deserialize_str(Text { parse, value: PhantomData })
    }

    struct Text<T> {
        parse: fn(&str) -> Result<T, Violation>,
        value: PhantomData<T>,
    }

    impl<T> serde::de::Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            (self.parse)(text).map_err(E::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const TEXT: &str = "6e4635ce-88d1-4e58-9597-d13fc446ee47";

    #[test]
    fn reads_the_hyphenated_form_alone() {
        let id = AccountId::parse(TEXT).unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(AccountId::parse(&TEXT.to_uppercase()).unwrap(), id);
        assert_eq!(AccountId::from_uuid(id.uuid()), id);
        for wrong in [
            "",
            "6e4635ce88d14e589597d13fc446ee47",
            "{6e4635ce-88d1-4e58-9597-d13fc446ee47}",
            "urn:uuid:6e4635ce-88d1-4e58-9597-d13fc446ee47",
            "6e4635ce-88d1-4e58-9597-d13fc446ee4g",
            " e4635ce-88d1-4e58-9597-d13fc446ee47",
        ] {
            let broken = AccountId::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("account_id_shape", "account_id"));
        }
        assert_eq!(EventId::parse("").unwrap_err().code(), "event_id_shape");
    }

    #[test]
    fn its_json_is_its_text() {
        let id = AccountId::parse(TEXT).unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<AccountId>(&json).unwrap(), id);
        let refusal = serde_json::from_str::<AccountId>("\"1\"").unwrap_err().to_string();
        assert!(refusal.contains("36 characters"), "{refusal}");
        assert!(serde_json::from_str::<AccountId>("1").is_err());
        let schema = serde_json::to_value(schemars::schema_for!(AccountId)).unwrap();
        assert_eq!((&schema["title"], &schema["format"]), (&"AccountId".into(), &"uuid".into()));
    }

    proptest! {
        #[test]
        fn text_round_trips(value: u128) {
            let id = EventId::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let right = text.len() == 36 && Uuid::parse_str(&text).is_ok();
            prop_assert_eq!(AccountId::parse(&text).is_ok(), right);
        }
    }
}
