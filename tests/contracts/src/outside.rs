//! Programs that are not ours: each is a service on the map, so that its events come from
//! somewhere and ours go somewhere.
//!
//! What they write is in the registries (`from "…"`), and what they read is what a context writes
//! in their protocol. The catalogue's version has no word for a system outside; a badge says it.

use codepix::config::ContextName;
use serde_yaml_ng::{Mapping, Value};
use shared_kernel::application::catalogue::{Producer, Shape};

use crate::page::{self, Page};
use crate::registry::{Catalogue, EventDoc};
use crate::tree::Tree;
use crate::{channels, house};

/// A program, or all that speak one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// As registries call it behind `from`.
    pub who: &'static str,
    /// What it speaks, as registries call it behind `foreign`.
    pub protocol: &'static str,
    /// Its service.
    pub service: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The domain in which it is shown.
    pub domain: &'static str,
    /// The context to which it speaks: its team knows it.
    pub beside: ContextName,
    /// Events of contexts in its protocol that it writes where it runs itself.
    pub writes_too: &'static [&'static str],
}

/// All of them.
pub const PROGRAMS: &[Program] = &[
    Program {
        who: "bank programs",
        protocol: "CodePix classic",
        service: "BankPrograms",
        name: "Existing bank programs",
        domain: "Transfers",
        beside: ContextName::Transfers,
        writes_too: &[],
    },
    Program {
        who: "Wallet Core",
        protocol: "Wallet Core",
        service: "WalletCoreProgram",
        name: "The original Wallet Core",
        domain: "Banking",
        beside: ContextName::Banking,
        writes_too: &["WalletTransactionCreated", "WalletBalanceUpdated"],
    },
];

impl Program {
    /// Folder of its page.
    pub fn folder(&self) -> String {
        format!("domains/{}/services/{}", self.domain, self.service)
    }

    /// Where its page is.
    pub fn path(&self) -> String {
        format!("{}/index.mdx", self.folder())
    }

    /// A link to its page.
    pub fn link(&self) -> String {
        format!("[{}](/docs/services/{}/{})", self.name, self.service, house::VERSION)
    }

    fn sends(&self, event: &EventDoc) -> bool {
        event.entry.producer == Producer::Outside(self.who)
            || self.writes_too.contains(&event.entry.name)
    }

    /// A context speaks to it in its own protocol.
    fn receives(&self, event: &EventDoc) -> bool {
        event.entry.producer == Producer::Context
            && event.entry.shape == Shape::Foreign { protocol: self.protocol }
    }
}

/// The programs to which an event is told.
pub fn readers_of(event: &EventDoc) -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().filter(|program| program.receives(event))
}

/// The programs that write an event: alone, or beside the context.
pub fn writers_of(event: &EventDoc) -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().filter(|program| program.sends(event))
}

/// Writes the page of every program.
///
/// # Errors
/// When a page cannot be read.
pub fn write(catalogue: &Catalogue, tree: &mut Tree) -> anyhow::Result<()> {
    for program in PROGRAMS {
        let path = program.path();
        let mut page = tree.get(&path).map(Page::parse).transpose()?.unwrap_or_default();
        let sent: Vec<&EventDoc> =
            catalogue.events.iter().filter(|event| program.sends(event)).collect();
        let received: Vec<&EventDoc> =
            catalogue.events.iter().filter(|event| program.receives(event)).collect();
        page.set("id", program.service);
        page.set("name", program.name);
        page.set("version", house::VERSION);
        page.set("owners", page::texts([house::of(program.beside).team]));
        page.set("badges", Value::Sequence(vec![badge()]));
        page.set("sends", pointers(&sent));
        page.set("receives", pointers(&received));
        page.made = Some(format!(
            "{}{}## Map\n\n<NodeGraph />",
            table("What it writes", &sent),
            table("What it reads", &received)
        ));
        tree.put(&path, page.render()?);
    }
    Ok(())
}

fn badge() -> Value {
    let pairs = [("content", "Not ours"), ("backgroundColor", "gray"), ("textColor", "gray")];
    let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into()));
    Value::Mapping(pairs.collect::<Mapping>())
}

fn pointers(events: &[&EventDoc]) -> Value {
    page::versions(events.iter().map(|event| (event.entry.name, event.entry.version)))
}

fn table(title: &str, events: &[&EventDoc]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let mut table = format!("## {title}\n\n| event | on |\n|---|---|\n");
    for event in events {
        let (name, version) = (event.entry.name, event.entry.version);
        let on = event.entry.channels.iter();
        let on: Vec<String> = on.map(|it| format!("`{}`", channels::plain(it.address))).collect();
        let on = on.join(", ");
        table.extend([format!("| [{name}](/docs/events/{name}/{version}) | {on} |\n")]);
    }
    table.push('\n');
    table
}

/// Events whose writer is on no map, and what a program is said to write and nobody reads as its
/// protocol's; each in a sentence.
pub fn unknown(catalogue: &Catalogue) -> Vec<String> {
    let is_known = |event: &&EventDoc| match event.entry.producer {
        Producer::Context => true,
        Producer::Outside(_) => writers_of(event).next().is_some(),
    };
    let strange = catalogue.events.iter().filter(|event| !is_known(event));
    let say = |event: &EventDoc| {
        format!(
            "{} is written by a program that is not on the map: add it to PROGRAMS of \
             tests/contracts/src/outside.rs",
            event.entry.name
        )
    };
    let mut found: Vec<String> = strange.map(say).collect();
    for program in PROGRAMS {
        let is_its = |name: &str| {
            catalogue.events.iter().any(|event| event.entry.name == name && program.receives(event))
        };
        let others = program.writes_too.iter().filter(|name| !is_its(name));
        found.extend(others.map(|name| {
            format!(
                "{} writes {name} by tests/contracts/src/outside.rs, and no context writes it in \
                 the protocol of {}",
                program.name, program.protocol
            )
        }));
    }
    found
}
