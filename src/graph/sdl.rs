//! What is committed of the graph: the SDL of each subgraph, and the supergraph composed of them.
//!
//! `cargo xtask graph` writes both. The binary carries the supergraph, so that neither its build
//! nor its start composes anything.

use crate::config::ContextName;

/// The supergraph.
pub const SUPERGRAPH: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/graph/supergraph.graphql"));

/// The SDL of a context's subgraph, as its code says.
pub fn sdl(context: ContextName) -> String {
    let sdl = match context {
        ContextName::PixKeys => pix_keys::infrastructure::graphql::sdl(),
        ContextName::Transfers => transfers::infrastructure::graphql::sdl(),
        ContextName::Banking => banking::infrastructure::graphql::sdl(),
        ContextName::Balances => balances::infrastructure::graphql::sdl(),
    };
    format!("{}\n", sdl.trim_end())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use sha2::{Digest as _, Sha256};

    use super::*;

    const STALE: &str = "the graph has changed; run `cargo xtask graph` and look at the difference";

    fn committed(context: ContextName) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/graph/sdl");
        std::fs::read_to_string(format!("{folder}/{}.graphql", context.as_str())).unwrap()
    }

    #[test]
    fn the_committed_subgraphs_are_those_of_the_code() {
        for context in ContextName::ALL {
            assert!(committed(context) == sdl(context), "{}: {STALE}", context.as_str());
        }
    }

    #[test]
    fn the_supergraph_is_composed_of_the_committed_subgraphs() {
        for context in ContextName::ALL {
            let mut line = format!("# {} ", context.as_str());
            for byte in Sha256::digest(committed(context).as_bytes()) {
                write!(line, "{byte:02x}").unwrap();
            }
            assert!(SUPERGRAPH.lines().any(|known| known == line), "{STALE}");
        }
    }
}
