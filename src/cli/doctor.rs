//! `codepix doctor`: the invariants of money on live data.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::cli::embedded::find_database;
use crate::cli::output::{Output, Paint, Shown, Tone};
use crate::config::{ServerArguments, duration};
use crate::doctor::{Doctor, Report};

/// Findings shown to a person; all of them stand in the JSON.
const SHOWN_MAX: usize = 20;

/// Settings of `codepix doctor`.
#[derive(Args, Clone, Debug)]
pub struct DoctorArguments {
    #[command(flatten)]
    servers: ServerArguments,
    /// Waits until nothing is under way, then checks. What does not become quiet is not in order.
    #[arg(long)]
    wait: bool,
    /// How long it waits at most.
    #[arg(long, default_value = "2m", value_parser = duration)]
    patience: Duration,
}

#[derive(Debug, Serialize)]
struct Diagnosis {
    clean: bool,
    quiet: bool,
    #[serde(skip)]
    waited: bool,
    #[serde(flatten)]
    report: Report,
}

impl Shown for Diagnosis {
    fn text(&self, paint: Paint) -> String {
        let Report { transfers, open, unsent, accounts, findings, notes } = &self.report;
        let counted = format!(
            "{transfers} transfers ({open} under way, {unsent} unsent), {accounts} accounts"
        );
        let mut lines = vec![if self.clean {
            let mark = paint.tint(Tone::Good, "✓");
            format!(
                "{mark} ledgers balanced, holds and positions agree, every final transfer posted \
                 once: {counted}"
            )
        } else {
            let mark = paint.tint(Tone::Bad, "✗");
            format!("{mark} {} invariants are broken: {counted}", findings.len())
        }];
        if self.waited && !self.quiet {
            let mark = paint.tint(Tone::Bad, "✗");
            lines.push(format!("{mark} it did not become quiet in the time that it was given"));
        }
        lines.extend(findings.iter().take(SHOWN_MAX).map(|finding| {
            format!("  {}  {}  {}", finding.invariant, finding.subject, finding.sentence)
        }));
        if findings.len() > SHOWN_MAX {
            lines.push("  … all of them with --json".to_owned());
        }
        lines.extend(notes.iter().map(|note| format!("  note: {note}")));
        lines.join("\n")
    }
}

/// Exit code 0 when every invariant holds, and after a wait nothing is under way; 1 when not.
///
/// # Errors
/// When no database is named or one does not answer.
pub async fn run(arguments: DoctorArguments, output: &Output) -> anyhow::Result<ExitCode> {
    let DoctorArguments { mut servers, wait, patience } = arguments;
    find_database(&mut servers);
    let good = examine(&servers, wait.then_some(patience), output).await?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks, after a wait if `wait`, and shows the outcome.
///
/// # Errors
/// As [`run`].
pub async fn check(servers: &ServerArguments, wait: bool, output: &Output) -> anyhow::Result<bool> {
    examine(servers, wait.then_some(Duration::from_mins(1)), output).await
}

/// Checks a hub whose database this command can name; true when it cannot.
///
/// # Errors
/// As [`run`].
pub async fn check_if_known(output: &Output) -> anyhow::Result<bool> {
    let mut servers = ServerArguments::from_environment();
    find_database(&mut servers);
    if servers.database_url.is_none() {
        output.remark("no database is named, so the books were not checked");
        return Ok(true);
    }
    check(&servers, true, output).await
}

async fn examine(
    servers: &ServerArguments,
    patience: Option<Duration>,
    output: &Output,
) -> anyhow::Result<bool> {
    let doctor = Doctor::new(servers)?;
    let report = match patience {
        None => doctor.examine().await?,
        Some(patience) => {
            let mut told = 0;
            let mut progress = |report: &Report| {
                if told != report.open {
                    told = report.open;
                    output.remark(&format!("{} transfers are under way", report.open));
                }
            };
            doctor.examine_when_quiet(patience, &mut progress).await?
        }
    };
    let (clean, quiet, waited) = (report.is_clean(), report.is_quiet(), patience.is_some());
    output.show(&Diagnosis { clean, quiet, waited, report })?;
    Ok(clean && (quiet || !waited))
}
