//! The doors of the services: methods of gRPC, fields of the graph, routes of REST, as they are in
//! the code, and what the list of [operations](crate::operations) leaves out of them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use codepix::catalogue;
use codepix::config::ContextName;
use serde_json::Value;

use crate::house;
use crate::operations::{Kind, Operation};

/// What the doors of the services are: the same names as in the operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    /// Methods of gRPC.
    pub grpc: BTreeSet<String>,
    /// Methods that existing bank programs call.
    pub classic: BTreeSet<String>,
    /// Fields of the graph's root types.
    pub graph: BTreeSet<String>,
    /// Those of them that change something.
    pub mutations: BTreeSet<String>,
    /// Fields of the graph's other types: `Account.balance`.
    pub fields: BTreeSet<String>,
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
    let fields = fields(&codepix::graph::sdl::sdl(context));
    let of = |wanted: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
        fields.iter().filter(|(owner, _)| wanted(owner)).map(|(_, field)| field.clone()).collect()
    };
    let others = fields.iter().filter(|(owner, _)| !ROOTS.contains(&owner.as_str()));
    Ok(Doors {
        grpc: methods(&proto(context)?),
        classic: methods(&classic_proto(context)?.unwrap_or_default()),
        graph: of(&|owner| ROOTS.contains(&owner)),
        mutations: of(&|owner| owner == "Mutation"),
        fields: others.map(|(owner, field)| format!("{owner}.{field}")).collect(),
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

/// The types where questions to the graph begin.
const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// Fields of the types of a schema, each with its type.
fn fields(sdl: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let (mut owner, mut in_words) = (None, false);
    for line in sdl.lines() {
        if line.matches("\"\"\"").count() % 2 == 1 {
            in_words = !in_words;
            continue;
        }
        if in_words || line.contains("\"\"\"") {
            continue;
        }
        let declared = line.strip_prefix("extend ").unwrap_or(line).strip_prefix("type ");
        if let Some(name) = declared.and_then(|rest| rest.split_whitespace().next()) {
            owner = Some(name.to_owned());
        } else if line.starts_with('}') {
            owner = None;
        } else if let Some(owner) = &owner
            && let Some(field) = line.strip_prefix('\t')
            && field.starts_with(|first: char| first.is_ascii_lowercase())
        {
            let end = field.find(['(', ':']).unwrap_or(field.len());
            found.extend(field.get(..end).map(|field| (owner.clone(), field.to_owned())));
        }
    }
    found
}

/// Commands that programs can give by gRPC and pages cannot give by the graph; each in a sentence.
pub fn ungraphed(context: ContextName, doors: &Doors, operations: &[Operation]) -> Vec<String> {
    let commands = operations.iter().filter(|it| it.context == context && it.kind == Kind::Command);
    let has_mutation =
        |it: &&Operation| it.graph.iter().any(|field| doors.mutations.contains(*field));
    let missing = commands.filter(|it| !it.grpc.is_empty() && !has_mutation(it));
    let finding = |command: &Operation| {
        format!(
            "the command `{}` of {} has the method `{}` and no mutation in the graph: give it one",
            command.id,
            context.as_str(),
            command.grpc
        )
    };
    missing.map(finding).collect()
}

/// Doors that no line names, and lines that name no door; each in a sentence.
pub fn undeclared(context: ContextName, doors: &Doors, operations: &[Operation]) -> Vec<String> {
    let own: Vec<&Operation> = operations.iter().filter(|it| it.context == context).collect();
    let texts = |of: fn(&Operation) -> Vec<&'static str>| -> Vec<&'static str> {
        own.iter().flat_map(|it| of(it)).filter(|name| !name.is_empty()).collect()
    };
    let graph = texts(|it| it.graph.to_vec());
    let (of_types, of_roots): (Vec<&str>, Vec<&str>) =
        graph.into_iter().partition(|name| name.contains('.'));
    let sides = [
        ("method", &doors.grpc, texts(|it| vec![it.grpc])),
        ("method of bank programs", &doors.classic, texts(|it| vec![it.classic])),
        ("field of the graph", &doors.graph, of_roots),
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
        found.extend(missing(context, what, there, &named));
    }
    // A field of another type may be named or not: it belongs to whatever its type is asked by.
    found.extend(missing(context, "field of the graph", &doors.fields, &of_types));
    found
}

/// Names of doors that are not there.
fn missing(
    context: ContextName,
    what: &str,
    there: &BTreeSet<String>,
    named: &[&str],
) -> Vec<String> {
    let context = context.as_str();
    let say = |name: &&str| format!("{context} has no {what} `{name}`, which an operation names");
    named.iter().filter(|name| !there.contains(**name)).map(say).collect()
}

#[cfg(test)]
mod tests {
    use ContextName::Banking;

    use super::*;
    use crate::operations::{OPERATIONS, command, query};

    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn fields_are_told_with_their_types() {
        let sdl = "type Account {\n\tid: ID!\n}\n\nextend type Query {\n\t\"\"\"\n\
                   \tone: of words\n\t\"\"\"\n\
                   \taccount(\n\t\tid: ID!\n\t): Account\n\tbanks: Int\n}\n";
        let of = |owner: &str, field: &str| (owner.to_owned(), field.to_owned());
        let expected = [of("Account", "id"), of("Query", "account"), of("Query", "banks")];
        assert_eq!(fields(sdl), BTreeSet::from(expected));
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

    #[test]
    fn a_field_of_a_type_that_is_not_there_is_found() {
        let graph = &["Account.postings", "Account.dreams"];
        let asked = [query(Banking, "GetStatement", "Entries.", "GetStatement", graph)];
        let doors = Doors {
            grpc: names(&["GetStatement"]),
            fields: names(&["Account.postings", "Account.owner"]),
            ..Doors::default()
        };
        let found = undeclared(Banking, &doors, &asked);
        let expected =
            "banking has no field of the graph `Account.dreams`, which an operation names";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_command_that_the_graph_does_not_know_is_found() {
        let graph = &["freeze"];
        let given = [command(Banking, "Freeze", "Stops all.", "Freeze", graph)];
        let doors = Doors { graph: names(&["freeze"]), ..Doors::default() };
        // A question of that name is no mutation.
        let found = ungraphed(Banking, &doors, &given);
        assert!(found[0].contains("`Freeze` of banking") && found[0].contains("no mutation"));
        let doors = Doors { mutations: names(&["freeze"]), ..doors };
        assert_eq!(ungraphed(Banking, &doors, &given), Vec::<String>::new());
    }
}
