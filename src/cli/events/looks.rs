//! When new topics are looked for, and what is said of a Kafka that does not answer.
//!
//! The instant of the next look stands, however many records come before it: under load a new
//! bank's topic is taken in as soon as in silence. An outage is said once, and its end once.

use std::time::Duration;

use tokio::time::Instant;

/// How often new topics are looked for: a bank may be enrolled meanwhile.
const EVERY: Duration = Duration::from_secs(1);

/// The looks for new topics, after the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    next: Instant,
    is_out: bool,
}

impl Looks {
    /// The first look was answered now.
    pub(super) fn begun(now: Instant) -> Self {
        Self { next: after(now), is_out: false }
    }

    /// How long records may be waited for; none when a look is due.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.next.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// A look is over now; what there is to say of it.
    pub(super) fn looked(&mut self, now: Instant, is_answered: bool) -> Option<&'static str> {
        self.next = after(now);
        let was_out = std::mem::replace(&mut self.is_out, !is_answered);
        match (was_out, self.is_out) {
            (false, true) => Some("Kafka does not answer; waiting"),
            (true, false) => Some("Kafka answers again"),
            (true, true) | (false, false) => None,
        }
    }
}

fn after(now: Instant) -> Instant {
    now.checked_add(EVERY).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Duration = Duration::from_millis(300);

    #[test]
    fn a_look_is_due_after_a_second_however_many_records_came() {
        let mut now = Instant::now();
        let mut looks = Looks::begun(now);
        for left in [1000, 700, 400, 100] {
            assert_eq!(looks.wait(now), Some(Duration::from_millis(left)));
            now += RECORD;
        }
        assert_eq!(looks.wait(now), None);
        assert_eq!(looks.wait(now + RECORD), None, "until it was looked");
        assert_eq!(looks.looked(now, true), None);
        assert_eq!(looks.wait(now), Some(EVERY));
    }

    #[test]
    fn an_outage_is_said_once_and_once_that_it_is_over() {
        let mut now = Instant::now();
        let mut looks = Looks::begun(now);
        let said: Vec<_> = [true, false, false, true, true, false]
            .map(|is_answered| {
                now += EVERY;
                assert_eq!(looks.wait(now), None, "a look that failed is no end");
                looks.looked(now, is_answered)
            })
            .into();
        let (out, back) = (Some("Kafka does not answer; waiting"), Some("Kafka answers again"));
        assert_eq!(said, [None, out, None, back, None, out]);
    }
}
