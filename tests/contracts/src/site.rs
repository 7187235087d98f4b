//! The whole catalogue as the code says it should be.

use crate::registry::Catalogue;
use crate::tree::Tree;
use crate::{channels, events, operations, outside, services, versions, words};

/// Puts into the tree everything that the code knows. What people wrote stays.
///
/// # Errors
/// When a promise is broken, or a page cannot be read.
pub fn generate(catalogue: &Catalogue, committed: &Tree) -> anyhow::Result<Tree> {
    let mut tree = committed.clone();
    versions::advance(catalogue, &mut tree)?;
    events::write(catalogue, &mut tree)?;
    channels::write(catalogue, &mut tree)?;
    operations::write(&mut tree)?;
    services::write(catalogue, &mut tree)?;
    outside::write(catalogue, &mut tree)?;
    words::write(&mut tree)?;
    Ok(tree)
}

/// What is committed and is not as the code says; each in a sentence.
///
/// # Errors
/// When a promise is broken, or a page cannot be read.
pub fn stale(catalogue: &Catalogue, committed: &Tree) -> anyhow::Result<Vec<String>> {
    let wanted = generate(catalogue, committed)?;
    let say = |path: String| {
        format!(
            "eventcatalog/{path} is not as the code says: run `cargo xtask catalog` and read it"
        )
    };
    Ok(wanted.differences(committed).into_iter().map(say).collect())
}
