//! How amounts, times and states are written for people.

use std::time::Duration;

use shared_kernel::domain::{Money, Timestamp};

/// Nanoseconds of a microsecond.
const NANOS_PER_MICRO: i64 = 1_000;
/// Microseconds of a second.
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Centavos as an amount: `BRL 1,234.56`.
pub fn money(centavos: i64) -> String {
    Money::from_centavos(centavos).in_english()
}

/// An amount that may be absent.
pub fn optional_money(centavos: Option<i64>) -> String {
    centavos.map_or_else(|| "none".to_owned(), money)
}

/// An instant as it came over the wire.
pub fn instant(at: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let at = at?;
    let micros = at
        .seconds
        .checked_mul(MICROS_PER_SECOND)?
        .checked_add(i64::from(at.nanos).checked_div(NANOS_PER_MICRO)?)?;
    Timestamp::from_micros(micros).ok()
}

/// Date and time to the second, in UTC: `2026-11-20 12:34:56Z`; `-` when absent.
pub fn moment(at: Option<Timestamp>) -> String {
    let Some(at) = at else { return "-".to_owned() };
    let text = at.to_string();
    let seconds = text.get(..19).unwrap_or(&text);
    format!("{}Z", seconds.replace('T', " "))
}

/// Time of day to the millisecond, in UTC: `12:34:56.789`.
pub fn clock_time(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..23).unwrap_or(&text).to_owned()
}

/// How long ago, in the two greatest units: `3d 4h`, `12m 5s`, `0s`.
pub fn age(since: Duration) -> String {
    let seconds = since.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// The name of a value of an enum of the wire in lower case, without the enum's own name.
pub fn label(name: &str, prefix: &str) -> String {
    let bare = name.strip_prefix(prefix).unwrap_or(name).trim_start_matches('_');
    bare.to_ascii_lowercase()
}

/// The text, or a dash.
pub fn text_or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_currency_and_groups() {
        assert_eq!(money(123_456), "BRL 1,234.56");
        assert_eq!(money(-5), "-BRL 0.05");
        assert_eq!(optional_money(None), "none");
    }

    #[test]
    fn times_are_written_in_utc() {
        let wire = prost_types::Timestamp { seconds: 1_795_178_096, nanos: 789_000_000 };
        let at = instant(Some(&wire));
        let text = at.map(|at| at.to_string()).unwrap();
        let (day, time) = text.split_once('T').unwrap();
        assert_eq!(moment(at), format!("{day} {}Z", time.split_once('.').unwrap().0));
        assert_eq!(clock_time(at.unwrap()), time.replace("000Z", ""));
        assert_eq!(moment(None), "-");
        let absurd = prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
        assert_eq!(instant(Some(&absurd)), None);
    }

    #[test]
    fn ages_are_written_in_two_units() {
        let said = |seconds| age(Duration::from_secs(seconds));
        assert_eq!(said(0), "0s");
        assert_eq!(said(725), "12m 5s");
        assert_eq!(said(3_660), "1h 1m");
        assert_eq!(said(86_400 * 3 + 3_600 * 4), "3d 4h");
    }

    #[test]
    fn labels_are_short() {
        assert_eq!(label("ACCOUNT_STATUS_ACTIVE", "ACCOUNT_STATUS"), "active");
        assert_eq!(label("OTHER", "ACCOUNT_STATUS"), "other");
    }
}
