//! Where the parts of the joined graph are.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::config::ContextName;

/// Settings of the joined graph.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Graph")]
pub struct GraphArguments {
    /// Serves the joined graph although this process has not all contexts: the others are asked
    /// at their addresses. With all contexts it is always served.
    #[arg(long, env = "CODEPIX_GRAPH")]
    pub graph: bool,
    /// Subgraph of Pix Keys in another process, e.g. `http://keys:8081/subgraphs/pix-keys`.
    #[arg(long, env = "SUBGRAPH_PIX_KEYS_URL", value_name = "URL")]
    pub subgraph_pix_keys_url: Option<String>,
    /// Subgraph of Transfers in another process.
    #[arg(long, env = "SUBGRAPH_TRANSFERS_URL", value_name = "URL")]
    pub subgraph_transfers_url: Option<String>,
    /// Subgraph of Banking in another process.
    #[arg(long, env = "SUBGRAPH_BANKING_URL", value_name = "URL")]
    pub subgraph_banking_url: Option<String>,
    /// Subgraph of Balances in another process.
    #[arg(long, env = "SUBGRAPH_BALANCES_URL", value_name = "URL")]
    pub subgraph_balances_url: Option<String>,
    /// Certificate authorities of subgraphs at `https://` addresses, in PEM, besides those that
    /// the system trusts.
    #[arg(long, env = "SUBGRAPH_CA_FILE", value_name = "FILE")]
    pub subgraph_ca_file: Option<PathBuf>,
}

impl GraphArguments {
    /// Whether a process with these contexts serves the joined graph.
    pub fn is_served_with(&self, contexts: &[ContextName]) -> bool {
        self.graph || ContextName::ALL.iter().all(|context| contexts.contains(context))
    }

    /// What the file of certificate authorities holds, if one is named.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn authorities(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let named = self.subgraph_ca_file.as_ref().filter(|file| !file.as_os_str().is_empty());
        let read = named.map(|file| {
            let shown = file.display();
            std::fs::read(file).with_context(|| format!("SUBGRAPH_CA_FILE is {shown}"))
        });
        read.transpose()
    }

    /// The variable that names a context's subgraph, and its value.
    pub fn address(&self, context: ContextName) -> (&'static str, Option<&str>) {
        let (variable, url) = match context {
            ContextName::PixKeys => ("SUBGRAPH_PIX_KEYS_URL", &self.subgraph_pix_keys_url),
            ContextName::Transfers => ("SUBGRAPH_TRANSFERS_URL", &self.subgraph_transfers_url),
            ContextName::Banking => ("SUBGRAPH_BANKING_URL", &self.subgraph_banking_url),
            ContextName::Balances => ("SUBGRAPH_BALANCES_URL", &self.subgraph_balances_url),
        };
        (variable, url.as_deref().filter(|url| !url.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_is_served_where_all_contexts_are_or_where_it_is_asked_for() {
        let usual = GraphArguments::default();
        assert!(usual.is_served_with(&ContextName::ALL));
        assert!(!usual.is_served_with(&[ContextName::Banking]));
        let asked = GraphArguments { graph: true, ..GraphArguments::default() };
        assert!(asked.is_served_with(&[]));
    }

    #[test]
    fn a_file_of_authorities_that_is_not_there_is_named() {
        let of = |file: &str| GraphArguments {
            subgraph_ca_file: Some(file.into()),
            ..GraphArguments::default()
        };
        let missing = of("/nowhere/ca.pem").authorities().unwrap_err();
        assert_eq!(missing.to_string(), "SUBGRAPH_CA_FILE is /nowhere/ca.pem");
        assert_eq!(of("").authorities().unwrap(), None);
        let there = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(of(there).authorities().unwrap().is_some());
    }
}
