//! Commands and queries: what can be asked of each service, and by which doors.
//!
//! The list is written by hand, because a command of the product is more than a method of gRPC:
//! the same one may be a mutation of the graph and a route of REST. [`undeclared`] holds it to
//! the doors, both ways: every method, field and route is in exactly one line, and no line names
//! one that is not there.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use codepix::catalogue;
use codepix::config::ContextName;
use serde_json::Value;

use crate::house;
use crate::page::{self, Page};
use crate::tree::Tree;

/// Whether something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It does.
    Command,
    /// It does not.
    Query,
}

impl Kind {
    /// Folder of its pages.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Command => "commands",
            Self::Query => "queries",
        }
    }
}

/// Something that can be asked of a service.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Whose.
    pub context: ContextName,
    /// Whether it changes anything.
    pub kind: Kind,
    /// Its id, unique in the product.
    pub id: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The method of the context's gRPC service; empty for none.
    pub grpc: &'static str,
    /// The method that existing bank programs call for it; empty for none.
    pub classic: &'static str,
    /// Fields of the graph's root types.
    pub graph: &'static [&'static str],
    /// Routes of REST, each with its verb.
    pub rest: &'static [&'static str],
}

const fn command(
    context: ContextName,
    id: &'static str,
    summary: &'static str,
    grpc: &'static str,
    graph: &'static [&'static str],
) -> Operation {
    Operation { context, kind: Kind::Command, id, summary, grpc, graph, classic: "", rest: &[] }
}

const fn query(
    context: ContextName,
    id: &'static str,
    summary: &'static str,
    grpc: &'static str,
    graph: &'static [&'static str],
) -> Operation {
    Operation { kind: Kind::Query, ..command(context, id, summary, grpc, graph) }
}

use ContextName::{Balances, Banking, PixKeys, Transfers};

/// Everything that can be asked.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        rest: &["POST /accounts"],
        ..command(
            Banking,
            "OpenAccount",
            "Opens an account; its owner is known by the tax id, or created.",
            "OpenAccount",
            &["openAccount"],
        )
    },
    Operation {
        rest: &["POST /clients"],
        ..command(
            Banking,
            "RegisterClient",
            "Makes someone a client of Wallet Core's bank, known by name and e-mail.",
            "",
            &[],
        )
    },
    Operation {
        rest: &["POST /transactions"],
        ..command(
            Banking,
            "PayAccount",
            "Moves money between two accounts of Wallet Core's bank.",
            "",
            &[],
        )
    },
    command(Banking, "Deposit", "Brings cash into an account.", "Deposit", &["deposit"]),
    command(Banking, "Withdraw", "Takes cash out of an account.", "Withdraw", &["withdraw"]),
    command(
        Banking,
        "BlockAccount",
        "Stops new debits and new acceptances of credits.",
        "BlockAccount",
        &["blockAccount"],
    ),
    command(
        Banking,
        "UnblockAccount",
        "Makes a blocked account active again.",
        "UnblockAccount",
        &["unblockAccount"],
    ),
    command(
        Banking,
        "CloseAccount",
        "Closes an empty account without open transfers, for good.",
        "CloseAccount",
        &["closeAccount"],
    ),
    command(
        Banking,
        "SetAccountLimits",
        "Sets or removes what an account may send.",
        "SetAccountLimits",
        &["setAccountLimits"],
    ),
    command(
        Banking,
        "RequestTransfer",
        "Pays to a Pix key: holds the amount and orders the transfer.",
        "RequestTransfer",
        &["requestTransfer"],
    ),
    query(Banking, "ListBanks", "The banks whose books are kept here.", "ListBanks", &[]),
    query(
        Banking,
        "GetAccount",
        "One account with its money, as its bank sees it.",
        "GetAccount",
        &["account"],
    ),
    query(
        Banking,
        "ListAccounts",
        "Accounts of a bank, oldest first.",
        "ListAccounts",
        &["accounts"],
    ),
    query(
        Banking,
        "GetStatement",
        "Ledger entries of an account with the balance after each.",
        "GetStatement",
        &[],
    ),
    query(
        Banking,
        "GetAccountTransfer",
        "One transfer as one of its accounts sees it.",
        "GetTransfer",
        &["accountTransfer"],
    ),
    query(
        Banking,
        "ListAccountTransfers",
        "Transfers of an account in both directions, newest first.",
        "ListTransfers",
        &[],
    ),
    query(
        Banking,
        "WatchAccountTransfer",
        "The state of a transfer at its bank, then each change to its end.",
        "WatchTransfer",
        &["orderUpdated"],
    ),
    command(
        Transfers,
        "EnrolParticipant",
        "Makes a bank take part, or changes its name, limit or protocol.",
        "EnrolParticipant",
        &["enrolBank"],
    ),
    command(
        Transfers,
        "ResolveTransfer",
        "Ends an overdue transfer as a person found it at the payee's bank.",
        "ResolveTransfer",
        &["resolveTransfer"],
    ),
    query(
        Transfers,
        "GetTransfer",
        "One transfer as the hub knows it.",
        "GetTransfer",
        &["transfer"],
    ),
    query(
        Transfers,
        "ListTransfers",
        "Transfers of a bank, or of all, newest first.",
        "ListTransfers",
        &["transfers"],
    ),
    query(
        Transfers,
        "WatchTransfer",
        "The state of transfers at the hub, then each change.",
        "WatchTransfer",
        &["transferUpdated"],
    ),
    query(
        Transfers,
        "ListParticipants",
        "The banks that take part.",
        "ListParticipants",
        &["banks", "bank"],
    ),
    query(Transfers, "ListPositions", "What each bank owes and is owed.", "ListPositions", &[]),
    Operation {
        classic: "RegisterPixKey",
        ..command(
            PixKeys,
            "RegisterKey",
            "Makes a key name an account.",
            "RegisterKey",
            &["registerPixKey"],
        )
    },
    command(
        PixKeys,
        "RemoveKey",
        "Makes a key name nothing any more.",
        "RemoveKey",
        &["removePixKey"],
    ),
    command(
        PixKeys,
        "EnrolAccount",
        "Makes an account known whose books are kept outside.",
        "EnrolAccount",
        &["enrolAccount"],
    ),
    Operation {
        classic: "Find",
        ..query(
            PixKeys,
            "FindKey",
            "Where money goes that is paid to a key.",
            "FindKey",
            &["pixKey"],
        )
    },
    query(PixKeys, "ListKeys", "The keys of an account.", "ListKeys", &[]),
    query(PixKeys, "FindAccount", "At which bank an account is kept.", "FindAccount", &[]),
    Operation {
        rest: &["GET /balances/{account_id}"],
        ..query(
            Balances,
            "GetBalance",
            "What an account has, or had at an instant.",
            "GetBalance",
            &[],
        )
    },
    Operation {
        rest: &["GET /balances"],
        ..query(
            Balances,
            "ListBalances",
            "Balances of many accounts at once.",
            "ListBalances",
            &["balances"],
        )
    },
    Operation {
        rest: &["GET /balances/{account_id}/statement"],
        ..query(
            Balances,
            "GetBalanceStatement",
            "What moved the money of an account, with the total after each line.",
            "",
            &[],
        )
    },
    query(
        Balances,
        "WatchBalance",
        "Each newer balance of an account, as its event arrives.",
        "",
        &["accountUpdated"],
    ),
];

impl Operation {
    /// Where its page is.
    pub fn folder(&self) -> String {
        format!("{}/{}/{}", house::of(self.context).folder(), self.kind.folder(), self.id)
    }

    fn made(&self) -> String {
        let house = house::of(self.context);
        let mut made = String::from("## How to ask\n\n| by | as |\n|---|---|\n");
        if !self.grpc.is_empty() {
            let service = format!("codepix.{}.v1.{}", house.proto, house.service);
            made.extend([format!("| gRPC, port 50051 | `{service}/{}` |\n", self.grpc)]);
        }
        if !self.classic.is_empty() {
            made.extend([format!(
                "| gRPC of existing bank programs, port 50051 | `PixService/{}` |\n",
                self.classic
            )]);
        }
        for field in self.graph {
            made.extend([format!("| GraphQL, `/graphql` on port 8080 | `{field}` |\n")]);
        }
        for route in self.rest {
            made.extend([format!("| REST, port {} | `{route}` |\n", house.rest_port)]);
        }
        made.push_str("\n<NodeGraph />");
        made
    }
}

/// Writes the page of everything that can be asked.
///
/// # Errors
/// When a page cannot be read.
pub fn write(tree: &mut Tree) -> anyhow::Result<()> {
    for operation in OPERATIONS {
        let path = format!("{}/index.mdx", operation.folder());
        let mut page = tree.get(&path).map(Page::parse).transpose()?.unwrap_or_default();
        page.set("id", operation.id);
        page.set("name", operation.id);
        page.set("version", house::VERSION);
        page.set("summary", operation.summary);
        page.set("owners", page::texts([house::of(operation.context).team]));
        page.made = Some(operation.made());
        tree.put(&path, page.render()?);
    }
    Ok(())
}

/// What the doors of the services are: the same names as in [`OPERATIONS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    /// Methods of gRPC.
    pub grpc: BTreeSet<String>,
    /// Methods that existing bank programs call.
    pub classic: BTreeSet<String>,
    /// Fields of the graph's root types.
    pub graph: BTreeSet<String>,
    /// Routes of REST, each with its verb.
    pub rest: BTreeSet<String>,
}

/// The protocol buffers of a context.
///
/// # Errors
/// When they cannot be read.
pub fn proto(context: ContextName) -> anyhow::Result<String> {
    let name = house::of(context).proto;
    file(&format!("codepix/{name}/v1/{name}.proto"))
}

/// The protocol buffers by which existing bank programs call a context; none for most.
///
/// # Errors
/// When they cannot be read.
pub fn classic_proto(context: ContextName) -> anyhow::Result<Option<String>> {
    let path = house::of(context).classic_proto;
    path.map(|path| file(&format!("codepix_classic/{path}"))).transpose()
}

fn file(path: &str) -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto").join(path);
    std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The doors of a context, from its code.
///
/// # Errors
/// When its protocol buffers cannot be read.
pub fn doors(context: ContextName) -> anyhow::Result<Doors> {
    Ok(Doors {
        grpc: methods(&proto(context)?),
        classic: methods(&classic_proto(context)?.unwrap_or_default()),
        graph: root_fields(&codepix::graph::sdl::sdl(context)),
        rest: routes(&catalogue::openapi(context).unwrap_or_default()),
    })
}

/// Routes of an `OpenAPI` document, each with its verb.
fn routes(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let named = |(path, verbs): (&String, &Value)| -> Vec<String> {
        let verbs = verbs.as_object().into_iter().flatten();
        verbs.map(|(verb, _)| format!("{} {path}", verb.to_uppercase())).collect()
    };
    paths.flat_map(named).collect()
}

/// Methods of the services of a proto file.
fn methods(proto: &str) -> BTreeSet<String> {
    let calls = proto.lines().filter_map(|line| line.trim_start().strip_prefix("rpc "));
    calls.filter_map(|call| call.split_once('(')).map(|(name, _)| name.to_owned()).collect()
}

/// Fields of `Query`, `Mutation` and `Subscription`.
fn root_fields(sdl: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut in_root, mut in_words) = (false, false);
    for line in sdl.lines() {
        if line.matches("\"\"\"").count() % 2 == 1 {
            in_words = !in_words;
            continue;
        }
        if in_words || line.contains("\"\"\"") {
            continue;
        }
        let is_type = line.starts_with("type ") || line.starts_with("extend type ");
        if is_type {
            let named = |name: &str| line.split_whitespace().any(|word| word == name);
            in_root = ["Query", "Mutation", "Subscription"].into_iter().any(named);
        } else if line.starts_with('}') {
            in_root = false;
        } else if in_root
            && let Some(field) = line.strip_prefix('\t')
            && field.starts_with(|first: char| first.is_ascii_lowercase())
        {
            let end = field.find(['(', ':']).unwrap_or(field.len());
            found.extend(field.get(..end).map(str::to_owned));
        }
    }
    found
}

/// Doors that no line names, and lines that name no door; each in a sentence.
pub fn undeclared(context: ContextName, doors: &Doors, operations: &[Operation]) -> Vec<String> {
    let own: Vec<&Operation> = operations.iter().filter(|it| it.context == context).collect();
    let texts = |of: fn(&Operation) -> Vec<&'static str>| -> Vec<&'static str> {
        own.iter().flat_map(|it| of(it)).filter(|name| !name.is_empty()).collect()
    };
    let sides = [
        ("method", &doors.grpc, texts(|it| vec![it.grpc])),
        ("method of bank programs", &doors.classic, texts(|it| vec![it.classic])),
        ("field of the graph", &doors.graph, texts(|it| it.graph.to_vec())),
        ("route", &doors.rest, texts(|it| it.rest.to_vec())),
    ];
    let mut found = Vec::new();
    for (what, there, named) in sides {
        for door in there {
            let times = named.iter().filter(|name| *name == door).count();
            if times != 1 {
                found.push(format!(
                    "the {what} `{door}` of {} is in {times} operations: it belongs into one line \
                     of tests/contracts/src/operations.rs, then `cargo xtask catalog`",
                    context.as_str()
                ));
            }
        }
        for name in named.iter().filter(|name| !there.contains(**name)) {
            found.push(format!(
                "{} has no {what} `{name}`, which an operation names",
                context.as_str()
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn fields_are_those_of_the_root_types() {
        let sdl = "type Account {\n\tid: ID!\n}\n\nextend type Query {\n\t\"\"\"\n\
                   \tone: of words\n\t\"\"\"\n\
                   \taccount(\n\t\tid: ID!\n\t): Account\n\tbanks: Int\n}\n";
        assert_eq!(root_fields(sdl), names(&["account", "banks"]));
        assert_eq!(methods("service A {\n  rpc One(R) returns (S);\n}\n"), names(&["One"]));
    }

    #[test]
    fn a_door_that_no_line_names_and_a_line_without_a_door_are_found() {
        let (first, _) = OPERATIONS.split_at(1);
        let doors = Doors { grpc: names(&["OpenAccount", "Secret"]), ..Doors::default() };
        let found = undeclared(Banking, &doors, first);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("the method `Secret` of banking is in 0 operations"));
        assert_eq!(
            found[1],
            "banking has no field of the graph `openAccount`, which an operation names"
        );
        assert_eq!(found[2], "banking has no route `POST /accounts`, which an operation names");
    }
}
