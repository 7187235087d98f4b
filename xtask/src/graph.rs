//! `cargo xtask graph`: what is committed of the graph, made from the code; and what stock routers
//! answer over its subgraphs, compared with what the hub answers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use codepix::config::ContextName;
use codepix::graph::sdl::sdl;

/// Exactly what the lock file says.
const INSTALL: [&str; 4] = ["ci", "--silent", "--no-audit", "--no-fund"];

/// What to do with the graph.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail where what is committed is not what the code says
    #[arg(long)]
    check: bool,
    /// Start a hub and stock routers over its subgraphs, ask all of them the same, and fail where
    /// an answer differs; builds the binary, and starts PostgreSQL and Kafka as the tests do
    #[arg(long, conflicts_with = "check")]
    compare: bool,
}

/// Writes or checks the subgraphs and the supergraph.
///
/// # Errors
/// Subgraphs that do not compose, Node that is missing, and with `--check` whatever differs.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graph");
    if arguments.compare {
        return compare(&folder.join("compare"));
    }
    let mut output = Output { check: arguments.check, stale: Vec::new() };
    for context in ContextName::ALL {
        let file = folder.join("sdl").join(format!("{}.graphql", context.as_str()));
        output.put(file, &sdl(context))?;
    }
    let compose = folder.join("compose");
    npm(&compose, &INSTALL)?;
    let supergraph = npm(&compose, &["run", "--silent", "compose"])?;
    output.put(folder.join("supergraph.graphql"), &supergraph)?;
    npm(&compose, &["run", "--silent", "second-opinion"])?;
    output.end()
}

/// Asks the hub and stock routers the same, beside servers of their own.
fn compare(folder: &Path) -> anyhow::Result<()> {
    npm(folder, &INSTALL)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    succeed(Command::new(cargo).args(["build", "--quiet", "--bin", "codepix"]))?;
    let here = std::env::current_exe().context("where this program lies is not known")?;
    let binary = here.with_file_name("codepix");
    let mut servers = Command::new(&binary);
    servers.args(["servers", "--fresh", "--", "npm", "run", "--silent", "compare"]);
    succeed(servers.current_dir(folder).env("CODEPIX", &binary))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} does not start"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

/// Runs npm in a folder and answers what it printed.
fn npm(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder).stderr(Stdio::inherit());
    let done = command.output().context("npm is needed to compose the graph: install Node")?;
    ensure!(done.status.success(), "npm {} failed", arguments.join(" "));
    Ok(String::from_utf8(done.stdout)?)
}

/// Files that are written, or compared.
struct Output {
    check: bool,
    stale: Vec<PathBuf>,
}

impl Output {
    fn put(&mut self, file: PathBuf, text: &str) -> anyhow::Result<()> {
        if self.check {
            if std::fs::read_to_string(&file).ok().as_deref() != Some(text) {
                self.stale.push(file);
            }
            return Ok(());
        }
        std::fs::write(&file, text).with_context(|| format!("{} was not written", file.display()))
    }

    fn end(self) -> anyhow::Result<()> {
        if self.stale.is_empty() {
            return Ok(());
        }
        let stale: Vec<String> = self.stale.iter().map(|it| it.display().to_string()).collect();
        bail!("run `cargo xtask graph`; not as the code says: {}", stale.join(", "))
    }
}
