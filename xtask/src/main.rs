//! The developers' toolbox.

mod catalog;
mod graph;
mod simulate;

use clap::{Parser, Subcommand};

/// The developers' toolbox.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write what the code knows of the event catalogue, or check that what is committed is that.
    Catalog(catalog::Arguments),
    /// Write the SDL of every subgraph and compose the supergraph, or check that both are as the
    /// code says; or compare the hub's answers with those of stock routers. Needs Node and npm.
    Graph(graph::Arguments),
    /// Run the simulated hub under as many seeds as wanted, or tell the story of one.
    Simulate(simulate::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Catalog(arguments) => catalog::run(&arguments),
        Task::Graph(arguments) => graph::run(&arguments),
        Task::Simulate(arguments) => simulate::run(&arguments),
    }
}
