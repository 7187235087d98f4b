//! `cargo xtask catalog`: what is committed of the event catalogue, made from the code.

use contracts::{Catalogue, Tree, site, tree};

/// What to do with the catalogue.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail where what is committed is not what the code says
    #[arg(long)]
    check: bool,
}

/// Writes or checks schemas, examples, channels, services and the `AsyncAPI` documents.
///
/// # Errors
/// A version whose promise is broken, and with `--check` whatever differs.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tree::folder();
    let (catalogue, committed) = (Catalogue::of_the_code()?, Tree::read(&folder)?);
    if arguments.check {
        let stale = site::stale(&catalogue, &committed)?;
        anyhow::ensure!(stale.is_empty(), "{}", stale.join("\n"));
        return Ok(());
    }
    site::generate(&catalogue, &committed)?.write(&folder, &committed)
}
