//! The place in a list as an opaque token: the hexadecimal digits of a time and an id.

use shared_kernel::domain::{EndToEndId, Timestamp, Violation};

use crate::application::ports::PageKey;

/// Hexadecimal digits of the time.
const TIME_DIGITS: usize = 16;

fn malformed() -> Violation {
    let message = "send the next_page_token of the page before, as it was";
    Violation::invalid("page_token_shape", "page_token", message)
}

/// The token of a place.
pub(super) fn write(key: &PageKey) -> String {
    let time = format!("{:016x}", key.registered_at.micros());
    let id = key.end_to_end_id.as_str().bytes().map(|byte| format!("{byte:02x}"));
    std::iter::once(time).chain(id).collect()
}

/// The place of a token; none for an empty one.
///
/// # Errors
/// `page_token_shape`.
pub(super) fn read(token: &str) -> Result<Option<PageKey>, Violation> {
    if token.is_empty() {
        return Ok(None);
    }
    let (time, id) = token
        .split_at_checked(TIME_DIGITS)
        .filter(|_| token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
        .ok_or_else(malformed)?;
    let time = u64::from_str_radix(time, 16).ok().and_then(|micros| i64::try_from(micros).ok());
    let registered_at = time.and_then(|micros| Timestamp::from_micros(micros).ok());
    let bytes: Option<Vec<u8>> = (0..id.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(id.get(at..at.checked_add(2)?)?, 16).ok())
        .collect();
    let id = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| EndToEndId::parse(&text).ok());
    match (registered_at, id) {
        (Some(registered_at), Some(end_to_end_id)) => {
            Ok(Some(PageKey { registered_at, end_to_end_id }))
        }
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::{at, order};

    #[test]
    fn a_place_reads_back() {
        let key = PageKey { registered_at: at(1), end_to_end_id: order(1).end_to_end_id };
        let token = write(&key);
        assert_eq!(token.len(), 80);
        assert_eq!(read(&token), Ok(Some(key)));
        assert_eq!(read(""), Ok(None));
    }

    proptest! {
        #[test]
        fn any_other_token_is_refused(token in "\\PC{1,100}|[0-9a-f]{80}") {
            if let Ok(key) = read(&token) {
                prop_assert_eq!(key.map(|key| write(&key)), Some(token));
            }
        }
    }
}
