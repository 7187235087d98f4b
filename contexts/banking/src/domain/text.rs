//! Texts that customers and operators write, each checked once.

use std::fmt::{self, Debug, Display, Formatter};

use shared_kernel::domain::Violation;

/// Declares a text with a rule of its own.
macro_rules! checked_text {
    (
        $(#[$meta:meta])*
        $type:ident, $field:literal, $code:literal, $fits:expr, $sentence:literal
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Reads it; blanks around it are dropped.
            ///
            /// # Errors
            #[doc = concat!("`", $code, "` for any other text.")]
            pub fn parse(text: &str) -> Result<Self, Violation> {
                let text = text.trim();
                let fits: fn(&str) -> bool = $fits;
                if fits(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Violation::invalid($code, $field, $sentence))
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        shared_kernel::text_value!(
            $type,
            text = as_str,
            parse = parse,
            schema = { "type": "string" },
        );
    };
}

/// At most `most` characters, none of them a control character.
fn printable(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}

fn digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

checked_text!(
    /// Name of an account's owner, 1 to 140 characters.
    OwnerName,
    "owner_name",
    "owner_name_shape",
    |text| !text.is_empty() && printable(text, 140),
    "the owner's name must have 1 to 140 printable characters"
);

checked_text!(
    /// Branch of a bank, 1 to 4 digits.
    Branch,
    "branch",
    "branch_shape",
    |text| digits(text, 4),
    "a branch must be 1 to 4 digits, such as 0001"
);

checked_text!(
    /// Number of an account within a branch, 1 to 20 digits.
    AccountNumber,
    "number",
    "account_number_shape",
    |text| digits(text, 20),
    "an account number must be 1 to 20 digits"
);

checked_text!(
    /// A Pix key as the payer wrote it; the directory judges its shape.
    PayeeKey,
    "payee_key",
    "payee_key_shape",
    |text| !text.is_empty() && printable(text, 77) && !text.contains(char::is_whitespace),
    "a key must have 1 to 77 printable characters without blanks"
);

checked_text!(
    /// E-mail of a client, 3 to 254 characters around one `@`.
    Email,
    "email",
    "email_shape",
    |text| text.len() <= 254
        && printable(text, 254)
        && !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@')
        }),
    "an e-mail must have a name, one @ and a host, such as john@example.com"
);

checked_text!(
    /// What the payer writes to the payee, up to 140 characters.
    Description,
    "description",
    "description_shape",
    |text| printable(text, 140),
    "a description must have at most 140 printable characters"
);

impl Branch {
    /// The branch of a bank that has one.
    pub fn main() -> Self {
        Self("0001".to_owned())
    }
}

impl AccountNumber {
    /// The number that a bank gives.
    pub fn counted(number: i64) -> Self {
        Self(number.unsigned_abs().to_string())
    }
}

impl Display for Branch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Display for AccountNumber {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Debug for Branch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Branch({self})")
    }
}

impl Debug for AccountNumber {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "AccountNumber({self})")
    }
}

/// Personal data: no log line carries it by accident.
impl Debug for OwnerName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerName(***)")
    }
}

/// Personal data: no log line carries it by accident.
impl Debug for PayeeKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("PayeeKey(***)")
    }
}

/// Personal data: no log line carries it by accident.
impl Debug for Email {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Email(***)")
    }
}

/// Personal data: no log line carries it by accident.
impl Debug for Description {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Description(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_trimmed_and_kept() {
        assert_eq!(OwnerName::parse(" Ana Souza ").unwrap().as_str(), "Ana Souza");
        assert_eq!(Branch::parse("1").unwrap().to_string(), "1");
        assert_eq!(AccountNumber::counted(10_001).as_str(), "10001");
        assert_eq!(Description::parse("").unwrap().as_str(), "");
        assert_eq!(PayeeKey::parse("ana@example.com").unwrap().as_str(), "ana@example.com");
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_its_code() {
        let long = "x".repeat(141);
        assert_eq!(OwnerName::parse(" ").unwrap_err().code(), "owner_name_shape");
        assert_eq!(OwnerName::parse(&long).unwrap_err().code(), "owner_name_shape");
        assert_eq!(Branch::parse("00001").unwrap_err().code(), "branch_shape");
        assert_eq!(AccountNumber::parse("12-3").unwrap_err().code(), "account_number_shape");
        assert_eq!(PayeeKey::parse("a b").unwrap_err().code(), "payee_key_shape");
        assert_eq!(PayeeKey::parse("").unwrap_err().code(), "payee_key_shape");
        assert_eq!(Description::parse(&long).unwrap_err().code(), "description_shape");
        for text in ["", "john", "@example.com", "john@", "a@b@c", "a b@c"] {
            assert_eq!(Email::parse(text).unwrap_err().code(), "email_shape", "{text}");
        }
        assert_eq!(Email::parse(" john@j.com ").unwrap().as_str(), "john@j.com");
        assert_eq!(Description::parse("a\u{7}b").unwrap_err().code(), "description_shape");
    }

    #[test]
    fn personal_data_stay_out_of_logs() {
        assert_eq!(format!("{:?}", PayeeKey::parse("ana@example.com").unwrap()), "PayeeKey(***)");
        assert_eq!(format!("{:?}", Email::parse("ana@example.com").unwrap()), "Email(***)");
        assert_eq!(format!("{:?}", OwnerName::parse("Ana").unwrap()), "OwnerName(***)");
        assert_eq!(format!("{:?}", Description::parse("rent").unwrap()), "Description(***)");
    }
}
