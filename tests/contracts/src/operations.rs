//! Commands and queries: what can be asked of each service, and by which doors.
//!
//! The list is written by hand, because a command of the product is more than a method of gRPC:
//! the same one may be a mutation of the graph and a route of REST.
//! [`undeclared`](crate::doors::undeclared) holds it to the doors, both ways: every method, route
//! and field of a root type is in exactly one line, and no line names one that is not there.
//! Fields of the graph's other types (`Account.balance`) are named where they answer what another
//! door answers. [`ungraphed`](crate::doors::ungraphed) names the commands of gRPC that the graph
//! has no mutation for.

use codepix::config::ContextName;

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
    /// Fields of the graph: of a root type by their name, of another as `Type.field`.
    pub graph: &'static [&'static str],
    /// Routes of REST, each with its verb.
    pub rest: &'static [&'static str],
}

pub(crate) const fn command(
    context: ContextName,
    id: &'static str,
    summary: &'static str,
    grpc: &'static str,
    graph: &'static [&'static str],
) -> Operation {
    Operation { context, kind: Kind::Command, id, summary, grpc, graph, classic: "", rest: &[] }
}

pub(crate) const fn query(
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
    query(
        Banking,
        "ListBanks",
        "The banks whose books are kept here.",
        "ListBanks",
        &["Bank.primaryColor", "Bank.secondaryColor"],
    ),
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
        &["accounts", "Bank.accounts"],
    ),
    query(
        Banking,
        "GetStatement",
        "Ledger entries of an account with the balance after each.",
        "GetStatement",
        &["Account.postings"],
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
        &["Account.orders"],
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
    command(
        Transfers,
        "AcknowledgeCredit",
        "Notes that the banks have settled what was credited after it was refused.",
        "AcknowledgeCredit",
        &["acknowledgeCredit"],
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
        &["transfers", "Account.transfers", "Bank.transfers"],
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
    query(
        Transfers,
        "ListPositions",
        "What each bank owes and is owed.",
        "ListPositions",
        &["Bank.position", "Bank.reserved"],
    ),
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
    query(PixKeys, "ListKeys", "The keys of an account.", "ListKeys", &["Account.keys"]),
    query(
        PixKeys,
        "FindAccount",
        "At which bank an account is kept.",
        "FindAccount",
        &["listedAccount", "Account.listing"],
    ),
    Operation {
        rest: &["GET /balances/{account_id}"],
        ..query(
            Balances,
            "GetBalance",
            "What an account has, or had at an instant.",
            "GetBalance",
            &["balance", "Account.balance"],
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
            &["Account.statement"],
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
