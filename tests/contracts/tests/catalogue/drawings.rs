//! The table of topics in `ARCHITECTURE.md`.

use std::collections::BTreeSet;
use std::path::Path;

use codepix::config::ContextName;
use contracts::{Catalogue, channels, house};
use shared_kernel::application::catalogue::{Producer, Retention};

use crate::support::{code, names, none};

fn architecture() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md");
    std::fs::read_to_string(path).unwrap()
}

/// Rows of the table under `## Topics`, cell by cell.
fn rows(text: &str) -> Vec<Vec<String>> {
    let section = text.split("\n## Topics\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let section = section.split("\n### ").next().unwrap_or_default();
    let lines = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = lines.map(|line| line.split(" | ").map(str::to_owned).collect());
    cells.filter(|row: &Vec<String>| row[0] != "topic").collect()
}

/// How the house calls a context.
fn title(context: ContextName) -> &'static str {
    match context {
        ContextName::PixKeys => "Pix Keys",
        ContextName::Transfers | ContextName::Banking | ContextName::Balances => {
            house::of(context).domain
        }
    }
}

/// The contexts that a cell names.
fn named(cell: &str) -> BTreeSet<&'static str> {
    let titles = ContextName::ALL.into_iter().map(title);
    titles.filter(|title| cell.contains(title)).collect()
}

/// What the table says otherwise than the code; each in a sentence.
fn faults(code: &Catalogue, text: &str) -> Vec<String> {
    let rows = rows(text);
    let mut found = Vec::new();
    for (_, channel) in code.channels() {
        let address = format!("`{}`", channels::plain(channel.address));
        let Some([_, key, producers, readers, kept]) =
            rows.iter().find(|row| row[0] == address).map(Vec::as_slice)
        else {
            found.push(format!("ARCHITECTURE.md has no row of five cells for {address}"));
            continue;
        };
        let mut must_be = |what: &str, said: &str, is: &str| {
            if said != is {
                found.push(format!("ARCHITECTURE.md: {what} of {address} is {is}, not {said}"));
            }
        };
        must_be("the key", key, if channel.key.is_empty() { "none" } else { channel.key });
        must_be(
            "the keeping",
            kept,
            match channel.retention {
                Retention::Forever => "for ever",
                Retention::Days30 => "30 days",
                Retention::LastOfEachKey => "until a tombstone",
            },
        );
        let on = code.on(channel.address);
        let own = on.iter().filter(|event| event.entry.producer == Producer::Context);
        let own: BTreeSet<&str> = own.map(|event| title(event.context)).collect();
        must_be("the producer", &list(&named(producers)), &list(&own));
        let readers_of = on.iter().flat_map(|event| &event.readers);
        let here = readers_of.filter(|reader| reader.channel == channel.address);
        let contexts: BTreeSet<&str> = here.map(|reader| reader.context).collect();
        let is_here = |context: &ContextName| contexts.contains(context.as_str());
        let here: BTreeSet<&str> =
            ContextName::ALL.into_iter().filter(is_here).map(title).collect();
        must_be("the readers", &list(&named(readers)), &list(&here));
    }
    let known: BTreeSet<String> = code
        .channels()
        .iter()
        .map(|(_, channel)| format!("`{}`", channels::plain(channel.address)))
        .collect();
    for row in rows.iter().filter(|row| row[0] != "`<topic>.dlq`" && !known.contains(&row[0])) {
        found.push(format!("ARCHITECTURE.md has a row for {}, on which nobody writes", row[0]));
    }
    found
}

fn list(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "no context".to_owned();
    }
    names.iter().copied().collect::<Vec<_>>().join(" and ")
}

#[test]
fn the_table_of_topics_says_what_the_code_says() {
    assert!(rows(&architecture()).len() > 10);
    none(&faults(&code(), &architecture()));
}

#[test]
fn a_fact_of_the_table_that_is_not_so_is_named() {
    let (code, text) = (code(), architecture());
    let topic = "| `codepix.pix-keys` |";
    let row = text.lines().find(|line| line.starts_with(topic)).unwrap().to_owned();
    let edited = |line: &str| faults(&code, &text.replace(&row, line));
    let cells: Vec<&str> = row.split(" | ").collect();
    let with = |place: usize, cell: &str| {
        let mut cells = cells.clone();
        cells[place] = cell;
        edited(&cells.join(" | "))
    };
    names(&with(1, "account id"), &["the key of `codepix.pix-keys`", "not account id"]);
    names(&with(2, "Banking"), &["the producer of `codepix.pix-keys` is Pix Keys", "not Banking"]);
    names(&with(3, "Balances"), &["the readers of `codepix.pix-keys` is Banking", "not Balances"]);
    names(&with(4, "30 days |"), &["the keeping of `codepix.pix-keys`", "not 30 days"]);
    names(&edited(""), &["no row", "`codepix.pix-keys`"]);
    let more = format!("{row}\n| `codepix.nowhere` | x | Banking | Balances | for ever |");
    names(&edited(&more), &["codepix.nowhere", "nobody writes"]);
}
