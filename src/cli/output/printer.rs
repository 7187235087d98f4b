//! The one place that writes to the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::process::ExitCode;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::failure::Report;
use super::paint::{Paint, Tone};

/// A result that can be printed: as JSON by its [`Serialize`], as text by this.
pub trait Shown: Serialize {
    /// Lines for a person, without a line break at the end.
    fn text(&self, paint: Paint) -> String;
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    json: bool,
    color: bool,
}

impl Output {
    /// JSON, or text with colours where the standard output is a terminal and `NO_COLOR` is unset.
    pub fn new(json: bool) -> Self {
        let color = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        Self { json, color: color && !json }
    }

    /// Exactly so, whatever the terminal.
    pub const fn exactly(json: bool, color: bool) -> Self {
        Self { json, color }
    }

    /// Whether results are JSON.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Colours of results, or none.
    pub const fn paint(&self) -> Paint {
        Paint::new(self.color)
    }

    /// The lines of a result, without a line break at the end.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn render(&self, result: &impl Shown) -> anyhow::Result<String> {
        if self.json { Ok(serde_json::to_string(result)?) } else { Ok(result.text(self.paint())) }
    }

    /// Prints a result; of a stream, the next one.
    ///
    /// # Errors
    /// When the standard output is closed.
    pub fn show(&self, result: &impl Shown) -> anyhow::Result<()> {
        let lines = self.render(result)?;
        let mut stdout = anstream::stdout().lock();
        writeln!(stdout, "{lines}")?;
        stdout.flush()?;
        Ok(())
    }

    /// Prints one line of text that is no result of its own; nothing with `--json`.
    ///
    /// # Errors
    /// When the standard output is closed.
    pub fn line(&self, line: &str) -> anyhow::Result<()> {
        if !self.json {
            let mut stdout = anstream::stdout().lock();
            writeln!(stdout, "{line}")?;
            stdout.flush()?;
        }
        Ok(())
    }

    /// Tells a person something beside the result; nothing with `--json`.
    pub fn remark(&self, sentence: &str) {
        if !self.json {
            let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
            to_stderr(&Paint::new(color).tint(Tone::Faint, sentence));
        }
    }

    /// Reports the error of a command. A reader that closed our output is no error.
    pub fn fail(&self, error: &anyhow::Error) -> ExitCode {
        if is_closed_pipe(error) {
            return ExitCode::SUCCESS;
        }
        let (report, code) = Report::of(error);
        if self.json {
            to_stderr(&serde_json::to_string(&report).unwrap_or_default());
        } else {
            let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
            to_stderr(&report.text(Paint::new(color)));
        }
        ExitCode::from(code)
    }

    /// Asks a person yes or no; `None` when there is nobody to ask.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn confirm(&self, question: &str) -> anyhow::Result<Option<bool>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        let mut stderr = anstream::stderr().lock();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        stdin.lock().read_line(&mut answer)?;
        let answer = answer.trim().to_ascii_lowercase();
        Ok(Some(answer == "y" || answer == "yes"))
    }

    /// A bar that grows to `length`; invisible where the standard error is no terminal.
    pub fn progress(&self, length: u64, what: &'static str) -> ProgressBar {
        let target =
            if self.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let template = "{prefix:>10} [{bar:32}] {human_pos}/{human_len} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        bar.enable_steady_tick(Duration::from_millis(250));
        bar
    }
}

/// Writes a line to the standard error; there is nobody to tell when that fails.
fn to_stderr(line: &str) {
    drop(writeln!(anstream::stderr().lock(), "{line}"));
}

/// Whether the reader of our output has gone, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Two {
        one: u8,
        two: &'static str,
    }

    impl Shown for Two {
        fn text(&self, paint: Paint) -> String {
            format!("{} {}", self.one, paint.tint(Tone::Good, self.two))
        }
    }

    const RESULT: Two = Two { one: 1, two: "b" };

    #[test]
    fn a_result_is_one_document_on_one_line() {
        let json = Output::exactly(true, false).render(&RESULT).unwrap();
        assert_eq!(json, r#"{"one":1,"two":"b"}"#);
    }

    #[test]
    fn text_has_colours_only_where_they_are_wanted() {
        assert_eq!(Output::exactly(false, false).render(&RESULT).unwrap(), "1 b");
        assert_ne!(Output::exactly(false, true).render(&RESULT).unwrap(), "1 b");
    }

    #[test]
    fn a_reader_that_has_enough_is_no_failure() {
        let closed = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_closed_pipe(&closed));
        assert!(!is_closed_pipe(&anyhow::anyhow!("another")));
    }
}
