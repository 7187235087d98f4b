//! Instants and days.
//!
//! An instant is a whole number of microseconds since the Unix epoch, which is what a column
//! and an envelope hold; a day is a day in Brasília, which is what a customer's limit means.

use std::fmt::{self, Debug, Display, Formatter};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::Offset;

use super::Violation;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;

/// Brasília is 3 hours behind UTC, all year (no summer time since Decree 9.772/2019).
const BRAZIL_BEHIND_UTC: i64 = 3 * 3_600 * MICROS_PER_SECOND;

/// 0001-01-01 and 9999-12-29 as days since 1970-01-01.
const DAY_MIN: i64 = -719_162;
const DAY_MAX: i64 = 2_932_894;

/// An instant: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Its text is RFC 3339 in UTC with six decimals, `2026-11-20T12:34:56.000000Z`. It lies within
/// the Brazilian days 0001-01-01 to 9999-12-29, so that every instant has a text and a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The first instant, 0001-01-01T03:00:00Z.
    pub const MIN: Self = Self(DAY_MIN * MICROS_PER_DAY + BRAZIL_BEHIND_UTC);

    /// The last instant, 9999-12-30T02:59:59.999999Z.
    pub const MAX: Self = Self((DAY_MAX + 1) * MICROS_PER_DAY + BRAZIL_BEHIND_UTC - 1);

    /// So many microseconds after the epoch.
    ///
    /// # Errors
    /// `time_out_of_range` outside [`Timestamp::MIN`] to [`Timestamp::MAX`].
    pub fn from_micros(micros: i64) -> Result<Self, Violation> {
        let instant = Self(micros);
        if (Self::MIN..=Self::MAX).contains(&instant) { Ok(instant) } else { Err(out_of_range()) }
    }

    /// So many milliseconds after the epoch, e.g. the time of a record on the log.
    ///
    /// # Errors
    /// As [`Timestamp::from_micros`].
    pub fn from_millis(millis: i64) -> Result<Self, Violation> {
        Self::from_micros(millis.checked_mul(1_000).ok_or_else(out_of_range)?)
    }

    /// Reads RFC 3339 with any offset. Digits beyond six decimals are cut off.
    ///
    /// # Errors
    /// `time_shape` (not RFC 3339, or no such date or time) or `time_out_of_range`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let instant = Some(text)
            .filter(|text| is_rfc_3339(text))
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .ok_or_else(|| {
                let message = "a time must be as RFC 3339 has it: 2026-11-20T12:34:56.000000Z";
                Violation::invalid("time_shape", "time", message)
            })?;
        let nanos = i128::from(MICROS_PER_SECOND / 1_000);
        let micros = instant.as_nanosecond().div_euclid(nanos);
        Self::from_micros(i64::try_from(micros).ok().ok_or_else(out_of_range)?)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded towards the past.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This long after. A fraction of a microsecond is cut off.
    ///
    /// # Errors
    /// `time_out_of_range`.
    pub fn checked_add(self, duration: Duration) -> Result<Self, Violation> {
        let micros = i64::try_from(duration.as_micros()).ok().ok_or_else(out_of_range)?;
        Self::from_micros(self.0.checked_add(micros).ok_or_else(out_of_range)?)
    }

    /// This long before. A fraction of a microsecond is cut off.
    ///
    /// # Errors
    /// `time_out_of_range`.
    pub fn checked_sub(self, duration: Duration) -> Result<Self, Violation> {
        let micros = i64::try_from(duration.as_micros()).ok().ok_or_else(out_of_range)?;
        Self::from_micros(self.0.checked_sub(micros).ok_or_else(out_of_range)?)
    }

    /// This long after, or [`Timestamp::MAX`]: for deadlines and pauses.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }

    /// The calendar day in Brasília (UTC-3).
    pub fn brazil_day(self) -> Day {
        let days = self.0.saturating_sub(BRAZIL_BEHIND_UTC).div_euclid(MICROS_PER_DAY);
        // In range by construction: the epoch never stands in for another day.
        Day(i32::try_from(days).unwrap_or_default())
    }

    /// The minute in UTC as `yyyyMMddHHmm`, as identifiers of payments carry it.
    pub(super) fn utc_minute(self) -> String {
        self.to_string().chars().filter(char::is_ascii_digit).take(12).collect()
    }

    /// The start of the minute in UTC that is written as `yyyyMMddHHmm`.
    pub(super) fn from_utc_minute(text: &str) -> Option<Self> {
        if !has_shape(text, "999999999999") {
            return None;
        }
        let part = |range| text.get(range).unwrap_or_default();
        let (year, month, day) = (part(0..4), part(4..6), part(6..8));
        let (hour, minute) = (part(8..10), part(10..12));
        Self::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:00Z")).ok()
    }
}

impl Display for Timestamp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // In range by construction: the epoch never stands in for another instant.
        let instant = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        f.pad(&format!("{instant:.6}"))
    }
}

impl Debug for Timestamp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = Violation;

    fn try_from(time: SystemTime) -> Result<Self, Violation> {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::EPOCH.checked_add(after),
            Err(before) => Self::EPOCH.checked_sub(before.duration()),
        }
    }
}

crate::text_value!(
    Timestamp,
    text = to_string,
    parse = parse,
    schema = { "type": "string", "format": "date-time" },
);

/// A calendar day in Brasília, 0001-01-01 to 9999-12-29; its text is `yyyy-mm-dd`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// So many days after 1970-01-01.
    ///
    /// # Errors
    /// `day_out_of_range` outside 0001-01-01 to 9999-12-29.
    pub fn from_days(days: i32) -> Result<Self, Violation> {
        if (DAY_MIN..=DAY_MAX).contains(&i64::from(days)) {
            Ok(Self(days))
        } else {
            let message = "the day must be from 0001-01-01 to 9999-12-29";
            Err(Violation::invalid("day_out_of_range", "day", message))
        }
    }

    /// Reads `yyyy-mm-dd`.
    ///
    /// # Errors
    /// `day_shape` (or no such day) or `day_out_of_range`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let midnight = Some(text)
            .filter(|text| has_shape(text, "9999-99-99"))
            .and_then(|text| text.parse::<jiff::civil::Date>().ok())
            .and_then(|date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok())
            .ok_or_else(|| {
                let message = "a day must be a real one, written yyyy-mm-dd";
                Violation::invalid("day_shape", "day", message)
            })?;
        let days = midnight.as_second().div_euclid(SECONDS_PER_DAY);
        Self::from_days(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Its first instant: midnight in Brasília, 03:00 in UTC.
    pub fn starts_at(self) -> Timestamp {
        let midnight = i64::from(self.0).saturating_mul(MICROS_PER_DAY);
        Timestamp(midnight.saturating_add(BRAZIL_BEHIND_UTC))
    }
}

impl Display for Day {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = i64::from(self.0).saturating_mul(SECONDS_PER_DAY);
        // In range by construction: the epoch never stands in for another day.
        let midnight = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        f.pad(&Offset::UTC.to_datetime(midnight).date().to_string())
    }
}

impl Debug for Day {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

crate::text_value!(
    Day,
    text = to_string,
    parse = parse,
    schema = { "type": "string", "format": "date" },
);

fn out_of_range() -> Violation {
    let message = "the time must be from 0001-01-01T03:00:00Z to 9999-12-30T02:59:59.999999Z";
    Violation::invalid("time_out_of_range", "time", message)
}

/// Whether `text` has the characters of `shape`, where `9` stands for any digit.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, wanted)| match wanted {
        b'9' => u8::is_ascii_digit(&byte),
        _ => byte == wanted,
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// `yyyy-mm-ddThh:mm:ss`, up to nine decimals, `Z` or an offset; nothing looser.
fn is_rfc_3339(text: &str) -> bool {
    let shape = "9999-99-99T99:99:99";
    let Some((start, rest)) = text.split_at_checked(shape.len()) else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            let decimals = fraction.len().saturating_sub(zone.len());
            if !(1..=9).contains(&decimals) {
                return false;
            }
            zone
        }
        None => rest,
    };
    has_shape(start, shape)
        && (zone == "Z" || has_shape(zone, "+99:99") || has_shape(zone, "-99:99"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2100-01-01.
    const SOME_TIME: i64 = 4_102_444_800_000_000;
    const NOON: &str = "2026-11-20T12:00:00.000000Z";

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn code<T: Debug>(refused: Result<T, Violation>) -> &'static str {
        refused.unwrap_err().code()
    }

    #[test]
    fn reads_rfc_3339_and_writes_utc() {
        assert_eq!(at(NOON).micros(), 1_795_176_000_000_000);
        assert_eq!(at(NOON).to_string(), NOON);
        assert_eq!(format!("{:?}", Timestamp::EPOCH), "Timestamp(1970-01-01T00:00:00.000000Z)");
        for same in
            ["2026-11-20T12:00:00Z", "2026-11-20T09:00:00-03:00", "2026-11-20T12:00:00.0+00:00"]
        {
            assert_eq!(at(same), at(NOON));
        }
        assert_eq!(at("2026-11-20T12:00:00.123456789Z").to_string(), "2026-11-20T12:00:00.123456Z");
        assert_eq!(at("1969-12-31T23:59:59.9999999Z").micros(), -1);
        assert_eq!(at("0001-01-01T03:00:00Z"), Timestamp::MIN);
        assert_eq!(at("9999-12-30T02:59:59.999999Z"), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T03:00:00.000000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T02:59:59.999999Z");
    }

    #[test]
    fn refuses_what_rfc_3339_does_not_have() {
        for wrong in [
            "",
            "2026-11-20",
            "2026-11-20T12:00:00",
            "2026-11-20 12:00:00Z",
            "2026-11-20t12:00:00z",
            "2026-11-20T12:00Z",
            "2026-11-20T12:00:00.Z",
            "2026-11-20T12:00:00,5Z",
            "2026-11-20T12:00:00.1234567890Z",
            "2026-11-20T12:00:00+0000",
            "2026-11-20T12:00:00Z[UTC]",
            "2026-02-29T12:00:00Z",
            "2026-11-20T24:00:00Z",
            "+002026-11-20T12:00:00Z",
            "2026-11-20T12:00:0é",
        ] {
            let broken = Timestamp::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("time_shape", "time"), "{wrong}");
        }
        assert_eq!(code(Timestamp::parse("0001-01-01T02:59:59Z")), "time_out_of_range");
        assert_eq!(code(Timestamp::parse("9999-12-30T03:00:00Z")), "time_out_of_range");
        assert_eq!(code(Timestamp::from_micros(i64::MAX)), "time_out_of_range");
        assert_eq!(code(Timestamp::from_millis(i64::MIN)), "time_out_of_range");
    }

    #[test]
    fn adds_and_subtracts_durations() {
        let later = at(NOON).checked_add(Duration::from_secs(40)).unwrap();
        assert_eq!(later.to_string(), "2026-11-20T12:00:40.000000Z");
        assert_eq!(later.checked_sub(Duration::from_secs(40)).unwrap(), at(NOON));
        assert_eq!(later.since(at(NOON)), Duration::from_secs(40));
        assert_eq!(at(NOON).since(later), Duration::ZERO);
        assert_eq!(at(NOON).checked_add(Duration::from_nanos(999)).unwrap(), at(NOON));
        assert_eq!(code(Timestamp::MAX.checked_add(Duration::from_micros(1))), "time_out_of_range");
        assert_eq!(code(Timestamp::MIN.checked_sub(Duration::from_micros(1))), "time_out_of_range");
        assert_eq!(code(Timestamp::MIN.checked_add(Duration::MAX)), "time_out_of_range");
        assert_eq!(at(NOON).saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(-1).unwrap().millis(), -1);
        assert_eq!(Timestamp::from_micros(-1).unwrap().millis(), -1);
    }

    #[test]
    fn takes_the_time_of_the_system() {
        let before = UNIX_EPOCH.checked_sub(Duration::from_secs(1)).unwrap();
        let after = UNIX_EPOCH.checked_add(Duration::from_micros(7)).unwrap();
        assert_eq!(Timestamp::try_from(before).unwrap().micros(), -1_000_000);
        assert_eq!(Timestamp::try_from(after).unwrap().micros(), 7);
    }

    #[test]
    fn a_day_begins_at_three_in_utc() {
        assert_eq!(at("2026-11-21T02:59:59.999999Z").brazil_day().to_string(), "2026-11-20");
        assert_eq!(at("2026-11-21T03:00:00Z").brazil_day().to_string(), "2026-11-21");
        assert_eq!(Timestamp::EPOCH.brazil_day().days(), -1);
        assert_eq!(Timestamp::MIN.brazil_day(), Day::parse("0001-01-01").unwrap());
        assert_eq!(Timestamp::MAX.brazil_day(), Day::parse("9999-12-29").unwrap());
        assert_eq!(Day::parse("2024-02-29").unwrap().starts_at(), at("2024-02-29T03:00:00Z"));
        assert_eq!(format!("{:?}", Day::from_days(0).unwrap()), "Day(1970-01-01)");
    }

    #[test]
    fn refuses_what_is_no_day() {
        for wrong in ["", "2026-02-29", "2026-13-01", "20261120", "2026-11-20T00", "2026-11-2é"] {
            let broken = Day::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("day_shape", "day"), "{wrong}");
        }
        assert_eq!(code(Day::parse("0000-12-31")), "day_out_of_range");
        assert_eq!(code(Day::parse("9999-12-30")), "day_out_of_range");
        assert_eq!(code(Day::from_days(i32::MIN)), "day_out_of_range");
    }

    #[test]
    fn json_is_the_text() {
        let json = format!("\"{NOON}\"");
        assert_eq!(serde_json::to_string(&at(NOON)).unwrap(), json);
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at(NOON));
        assert!(serde_json::from_str::<Timestamp>("\"noon\"").is_err());
        let day = at(NOON).brazil_day();
        assert_eq!(serde_json::to_string(&day).unwrap(), "\"2026-11-20\"");
        assert_eq!(serde_json::from_str::<Day>("\"2026-11-20\"").unwrap(), day);
    }

    proptest! {
        #[test]
        fn every_instant_round_trips(micros in Timestamp::MIN.micros()..=Timestamp::MAX.micros()) {
            let instant = Timestamp::from_micros(micros).unwrap();
            prop_assert_eq!(Timestamp::parse(&instant.to_string()).unwrap(), instant);
            let day = instant.brazil_day();
            prop_assert!(day.starts_at() <= instant);
            prop_assert!(instant.since(day.starts_at()) < Duration::from_hours(24));
        }

        #[test]
        fn every_day_round_trips(days in -719_162..=2_932_894_i32) {
            let day = Day::from_days(days).unwrap();
            prop_assert_eq!(Day::parse(&day.to_string()).unwrap(), day);
            prop_assert_eq!(day.starts_at().brazil_day(), day);
        }

        #[test]
        fn texts_sort_as_instants(one in 0..SOME_TIME, other in 0..SOME_TIME) {
            let [one, other] = [one, other].map(|micros| Timestamp::from_micros(micros).unwrap());
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        }

        #[test]
        fn any_text_is_read_or_refused(
            text in "\\PC*|[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-6]0:00(\\.[0-9]{1,9})?Z)?"
        ) {
            if let Ok(instant) = Timestamp::parse(&text) {
                prop_assert_eq!(Timestamp::parse(&instant.to_string()).unwrap(), instant);
            }
            if let Ok(day) = Day::parse(&text) {
                prop_assert_eq!(day.to_string(), text);
            }
        }
    }
}
