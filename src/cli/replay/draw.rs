//! A replay while it runs: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use balances::infrastructure::replay::{Gauge, Phase, Reading};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::cli::output::{Output, age};

/// How often a bar is drawn.
const TICK: Duration = Duration::from_millis(250);
/// Ticks between two lines.
const TICKS_PER_LINE: u32 = 12;

/// Awaits `replay` and shows meanwhile what its gauge says.
pub(in crate::cli) async fn watched<T>(
    gauge: Arc<Gauge>,
    output: Output,
    replay: impl Future<Output = T>,
) -> T {
    let mut drawing = Drawing::new(output);
    let mut tick = tokio::time::interval(TICK);
    let mut replay = std::pin::pin!(replay);
    loop {
        tokio::select! {
            outcome = &mut replay => return outcome,
            _ = tick.tick() => drawing.draw(&gauge.reading()),
        }
    }
}

/// What is shown; the line of a bar is cleared in the end.
struct Drawing {
    bar: Option<ProgressBar>,
    output: Output,
    began: Instant,
    ticks: u32,
}

impl Drawing {
    fn new(output: Output) -> Self {
        let is_terminal = std::io::stderr().is_terminal() && !output.is_json();
        let bar = is_terminal.then(|| output.progress(0, "replay"));
        if let Some(bar) = &bar
            && let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:32}] {msg}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, output, began: Instant::now(), ticks: 0 }
    }

    fn draw(&mut self, reading: &Reading) {
        let said = sentence(reading, self.began.elapsed());
        self.ticks = self.ticks.wrapping_add(1);
        if let Some(bar) = &self.bar {
            bar.set_length(reading.total);
            bar.set_position(reading.done);
            bar.set_message(said);
        } else if self.ticks.is_multiple_of(TICKS_PER_LINE) {
            self.output.remark(&said);
        }
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What a reading says after so long: events, rate and time left.
fn sentence(reading: &Reading, elapsed: Duration) -> String {
    let Reading { phase, done, total, resumed, .. } = *reading;
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let own = done.saturating_sub(resumed);
    let rate = own.saturating_mul(1_000).checked_div(millis).unwrap_or_default();
    let counted = format!("{} {done} of {total} events", phase.as_str());
    let left = total.saturating_sub(done).checked_div(rate);
    match left.filter(|_| phase == Phase::Rebuilding && done < total) {
        Some(left) => format!("{counted}, {rate}/s, {} left", age(Duration::from_secs(left))),
        None => counted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_tells_events_rate_and_time_left() {
        let reading = Reading { done: 300, total: 1_000, resumed: 100, ..Reading::default() };
        let said = sentence(&reading, Duration::from_secs(2));
        assert_eq!(said, "rebuilding 300 of 1000 events, 100/s, 7s left");
        let begun = Reading { total: 1_000, ..Reading::default() };
        assert_eq!(sentence(&begun, Duration::ZERO), "rebuilding 0 of 1000 events");
        let compared = Reading { phase: Phase::Comparing, done: 1_000, total: 1_000, ..reading };
        let said = sentence(&compared, Duration::from_secs(2));
        assert_eq!(said, "comparing 1000 of 1000 events");
    }
}
