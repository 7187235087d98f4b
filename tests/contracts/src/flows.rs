//! Flows: every step names what is current, and a message comes from who sends it and goes to who
//! receives it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_yaml_ng::Value;

use crate::house;
use crate::page::Page;
use crate::references::{self, MESSAGES};
use crate::tree::Tree;

/// Every flow.
pub const FLOWS: &[&str] = &[
    "TransferCompleted",
    "TransferRefused",
    "TransferExpired",
    "TransferOverdue",
    "LateAcceptance",
    "KeyRegistered",
    "BalanceReplay",
    "WalletCore",
];

/// What a context asks of another, which is no event: the lookup in the directory.
const CALLS: &[(&str, &str)] = &[("BankingService", "FindKey"), ("TransfersService", "FindKey")];

/// Where a flow is.
pub fn folder(flow: &str) -> String {
    format!("domains/{}/flows/{flow}", house::WHOLE)
}

/// What a step is.
#[derive(Debug)]
enum Step {
    Message(String),
    Service(String),
    /// A person, a program or a moment.
    Other,
}

impl Step {
    fn of(step: &Value) -> Self {
        match (id_in(step, "message"), id_in(step, "service")) {
            (Some(id), _) => Self::Message(id.to_owned()),
            (None, Some(id)) => Self::Service(id.to_owned()),
            (None, None) => Self::Other,
        }
    }
}

fn id_in<'a>(step: &'a Value, key: &str) -> Option<&'a str> {
    step.get(key)?.get("id")?.as_str()
}

/// What a service sends and receives.
#[derive(Debug, Default)]
struct Talk {
    sends: BTreeSet<String>,
    receives: BTreeSet<String>,
}

/// What is wrong with flows; each in a sentence.
///
/// # Errors
/// When a page cannot be read.
pub fn faults(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let (newest, services) = (references::newest(tree)?, services(tree)?);
    let mut found = Vec::new();
    for flow in FLOWS {
        let path = format!("{}/index.mdx", folder(flow));
        let Some(text) = tree.get(&path) else {
            found.push(format!("eventcatalog/{path} is not there"));
            continue;
        };
        let page = Page::parse(text).with_context(|| format!("eventcatalog/{path}"))?;
        let steps = page.head.get("steps").and_then(Value::as_sequence);
        let steps: Vec<&Value> = steps.into_iter().flatten().collect();
        let stale = steps.iter().flat_map(|step| stale(step, &newest));
        let wrong = edges(&steps).into_iter().filter_map(|(from, to)| wrong(from, to, &services));
        let say = |what: String| format!("eventcatalog/{path}: {what}");
        found.extend(stale.chain(wrong).map(say));
    }
    Ok(found)
}

fn services(tree: &Tree) -> anyhow::Result<BTreeMap<String, Talk>> {
    let mut services = BTreeMap::new();
    for (path, text) in tree.pages() {
        let folder = path.strip_suffix("/index.mdx").and_then(|it| it.rsplit_once('/'));
        let Some((_, id)) = folder.filter(|(parent, _)| parent.ends_with("/services")) else {
            continue;
        };
        let page = Page::parse(text).with_context(|| format!("eventcatalog/{path}"))?;
        let ids = |key: &str| page.ids(key).into_iter().collect();
        let talk = Talk { sends: ids("sends"), receives: ids("receives") };
        services.insert(id.to_owned(), talk);
    }
    Ok(services)
}

/// What a step names in another version than the newest.
fn stale(step: &Value, newest: &BTreeMap<references::Resource, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (key, collections) in
        [("message", MESSAGES), ("service", &["services"]), ("flow", &["flows"])]
    {
        let Some(id) = id_in(step, key) else { continue };
        let said = step.get(key).and_then(|it| it.get("version")?.as_str()).unwrap_or("no version");
        let mut known = collections
            .iter()
            .filter_map(|collection| newest.get(&((*collection).to_owned(), id.to_owned())));
        // What is not there at all is told as a broken reference.
        if let Some(is) = known.next().filter(|is| *is != said) {
            found.push(format!("it names {id} {said}, which is {is} by now"));
        }
    }
    found
}

/// From which step to which.
fn edges(steps: &[&Value]) -> Vec<(Step, Step)> {
    let mut found = Vec::new();
    for from in steps {
        for next in references::next_of(from) {
            let to = steps.iter().find(|step| references::id_of(step) == next);
            found.extend(to.map(|to| (Step::of(from), Step::of(to))));
        }
    }
    found
}

/// Why nothing goes from one step to the other.
fn wrong(from: Step, to: Step, services: &BTreeMap<String, Talk>) -> Option<String> {
    let sends =
        |id: &str, message: &str| services.get(id).is_some_and(|it| it.sends.contains(message));
    let receives =
        |id: &str, message: &str| services.get(id).is_some_and(|it| it.receives.contains(message));
    match (from, to) {
        (Step::Service(id), Step::Message(message)) => {
            let asks = CALLS.contains(&(id.as_str(), message.as_str()));
            (!asks && !sends(&id, &message))
                .then(|| format!("a step leads from {id} to {message}, which it does not send"))
        }
        (Step::Message(message), Step::Service(id)) => (!receives(&id, &message))
            .then(|| format!("a step leads from {message} to {id}, which does not receive it")),
        (Step::Message(message), Step::Message(next)) => {
            let may = |id: &String| receives(id, &message) && sends(id, &next);
            (!services.keys().any(may)).then(|| {
                format!(
                    "a step leads from {message} to {next}, and no service receives the one and \
                     sends the other"
                )
            })
        }
        (Step::Service(_), Step::Service(_) | Step::Other)
        | (Step::Message(_), Step::Other)
        | (Step::Other, _) => None,
    }
}
