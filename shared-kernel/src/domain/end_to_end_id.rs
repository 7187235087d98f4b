//! Identifier of a payment from end to end.

use std::fmt::{self, Debug, Display, Formatter};
use std::time::Duration;

use super::{Ispb, Timestamp, Violation};

const FIELD: &str = "end_to_end_id";

/// Characters of a suffix, in the order of their value.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `EndToEndId` of a payment, 32 characters `^E[0-9A-Z]{8}\d{12}[a-zA-Z0-9]{11}$`.
///
/// `E`, the ISPB of the bank that made it, the minute of the order as `yyyyMMddHHmm` in UTC and
/// 11 characters of that bank's choice (SPI catalogue, message pacs.008). Case counts, and one
/// is never used twice. The minute is a real one: `E…202602300000…` is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndToEndId([u8; 32]);

impl EndToEndId {
    /// Characters of every `EndToEndId`.
    pub const LENGTH: usize = 32;

    /// How far its minute may be from the moment of processing: the SPI accepts 12 hours.
    pub const TOLERANCE: Duration = Duration::from_hours(12);

    /// The identifier of an order that the bank `ispb` takes `at` an instant, with a suffix of
    /// about 65 bits drawn from `entropy` (128 random bits).
    pub fn new(ispb: Ispb, at: Timestamp, entropy: u128) -> Self {
        let mut suffix = [b'0'; 11];
        let mut rest = entropy;
        for character in suffix.iter_mut().rev() {
            let value = usize::try_from(rest % 62).unwrap_or_default();
            *character = ALPHABET.get(value).copied().unwrap_or(b'0');
            rest /= 62;
        }
        let minute = at.utc_minute();
        let characters = ispb.as_str().bytes().chain(minute.bytes()).chain(suffix);
        let mut bytes = [b'E'; Self::LENGTH];
        for (byte, character) in bytes.iter_mut().skip(1).zip(characters) {
            *byte = character;
        }
        Self(bytes)
    }

    /// Reads an `EndToEndId`.
    ///
    /// # Errors
    /// `end_to_end_id_length`, `end_to_end_id_shape` or `end_to_end_id_time` (no such minute).
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let bytes = <[u8; Self::LENGTH]>::try_from(text.as_bytes()).ok().ok_or_else(|| {
            let message = "an EndToEndId must have 32 characters";
            Violation::invalid("end_to_end_id_length", FIELD, message)
        })?;
        let id = Self(bytes);
        let starts_well = text.starts_with('E') && Ispb::parse(id.part(1, 9)).is_ok();
        let digits = id.part(9, 21).bytes().all(|byte| byte.is_ascii_digit());
        let ends_well = id.part(21, 32).bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(text.is_ascii() && starts_well && digits && ends_well) {
            let message = "an EndToEndId must be E, the ISPB of its bank, the minute as \
                           yyyyMMddHHmm in UTC and 11 letters or digits";
            return Err(Violation::invalid("end_to_end_id_shape", FIELD, message));
        }
        if id.minute().is_none() {
            let message = "characters 10 to 21 of an EndToEndId must be a real minute in UTC, \
                           yyyyMMddHHmm";
            return Err(Violation::invalid("end_to_end_id_time", FIELD, message));
        }
        Ok(id)
    }

    /// The 32 characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bank that made it: the payer's.
    pub fn ispb(&self) -> Ispb {
        let mut ispb = [b'0'; 8];
        for (byte, character) in ispb.iter_mut().zip(self.part(1, 9).bytes()) {
            *byte = character;
        }
        Ispb::from_checked(ispb)
    }

    /// The start of the minute in which the bank took the order.
    pub fn initiated_at(&self) -> Timestamp {
        self.minute().unwrap_or(Timestamp::EPOCH)
    }

    /// Whether its minute is at most [`EndToEndId::TOLERANCE`] before or after `now`.
    pub fn is_timely(&self, now: Timestamp) -> bool {
        let initiated_at = self.initiated_at();
        now.since(initiated_at).max(initiated_at.since(now)) <= Self::TOLERANCE
    }

    fn minute(&self) -> Option<Timestamp> {
        Timestamp::from_utc_minute(self.part(9, 21))
    }

    fn part(&self, start: usize, end: usize) -> &str {
        self.as_str().get(start..end).unwrap_or_default()
    }
}

impl Display for EndToEndId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Debug for EndToEndId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "EndToEndId({self})")
    }
}

crate::text_value!(
    EndToEndId,
    text = as_str,
    parse = parse,
    schema = { "type": "string", "pattern": "^E[0-9A-Z]{8}[0-9]{12}[a-zA-Z0-9]{11}$" },
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "E99999A03202611201234aB3dE5gH7jK";

    fn code(text: &str) -> &'static str {
        let broken = EndToEndId::parse(text).unwrap_err();
        assert_eq!(broken.field(), "end_to_end_id");
        broken.code()
    }

    #[test]
    fn tells_its_bank_and_its_minute() {
        let id = EndToEndId::parse(TEXT).unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(format!("{id:?}"), format!("EndToEndId({TEXT})"));
        assert_eq!(id.ispb(), Ispb::parse("99999A03").unwrap());
        assert_eq!(id.initiated_at().to_string(), "2026-11-20T12:34:00.000000Z");
    }

    #[test]
    fn is_made_of_bank_minute_and_entropy() {
        let ispb = Ispb::parse("00000001").unwrap();
        let at = Timestamp::parse("2026-02-28T23:59:59.999999-03:00").unwrap();
        let made = |entropy| EndToEndId::new(ispb, at, entropy).to_string();
        assert_eq!(made(0), "E0000000120260301025900000000000");
        assert_eq!(made(61), "E000000012026030102590000000000z");
        assert_eq!(made(62), "E0000000120260301025900000000010");
        assert_eq!(EndToEndId::parse(&made(u128::MAX)).unwrap().to_string(), made(u128::MAX));
    }

    #[test]
    fn refuses_each_broken_part() {
        assert_eq!(code(""), "end_to_end_id_length");
        assert_eq!(code(TEXT.trim_end_matches('K')), "end_to_end_id_length");
        assert_eq!(code(&format!("{TEXT}x")), "end_to_end_id_length");
        for wrong in [
            "D99999A03202611201234aB3dE5gH7jK",
            "e99999A03202611201234aB3dE5gH7jK",
            "E99999a03202611201234aB3dE5gH7jK",
            "E99999A0320261120123xaB3dE5gH7jK",
            "E99999A03202611201234aB3dE5gH7j-",
            "E99999A03202611201234aB3dE5gH7é",
        ] {
            assert_eq!(code(wrong), "end_to_end_id_shape", "{wrong}");
        }
        for minute in
            ["202602290000", "202613010000", "202611202400", "202611201260", "000000000000"]
        {
            assert_eq!(code(&format!("E99999A03{minute}aB3dE5gH7jK")), "end_to_end_id_time");
        }
        assert!(EndToEndId::parse("E99999A03202402290000aB3dE5gH7jK").is_ok());
    }

    #[test]
    fn is_timely_within_twelve_hours() {
        let id = EndToEndId::parse(TEXT).unwrap();
        let is_timely = |now| id.is_timely(Timestamp::parse(now).unwrap());
        assert!(is_timely("2026-11-20T12:34:30Z"));
        assert!(is_timely("2026-11-21T00:34:00Z"));
        assert!(is_timely("2026-11-20T00:34:00Z"));
        assert!(!is_timely("2026-11-21T00:34:00.000001Z"));
        assert!(!is_timely("2026-11-20T00:33:59.999999Z"));
    }

    #[test]
    fn json_is_the_text() {
        let id = EndToEndId::parse(TEXT).unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<EndToEndId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<EndToEndId>("\"E\"").is_err());
    }

    proptest! {
        #[test]
        fn what_is_made_is_read(
            bank in "[0-9A-Z]{8}",
            micros in 0..4_102_444_800_000_000_i64,
            entropy: u128,
        ) {
            let ispb = Ispb::parse(&bank).unwrap();
            let at = Timestamp::from_micros(micros).unwrap();
            let id = EndToEndId::new(ispb, at, entropy);
            prop_assert_eq!(EndToEndId::parse(id.as_str()).unwrap(), id);
            prop_assert_eq!(id.ispb(), ispb);
            prop_assert!(at.since(id.initiated_at()) < Duration::from_mins(1));
            prop_assert!(id.initiated_at() <= at);
        }

        #[test]
        fn any_text_is_read_unchanged_or_refused(
            text in "\\PC{0,34}|E[0-9A-Z]{8}20[0-9]{2}[01][0-9][0-3][0-9]{5}[a-zA-Z0-9]{11}"
        ) {
            if let Ok(id) = EndToEndId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
            }
        }
    }
}
