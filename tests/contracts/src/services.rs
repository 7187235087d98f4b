//! The pages of services, and the documents that are attached to them.

use codepix::catalogue;
use codepix::config::ContextName;
use serde_yaml_ng::{Mapping, Value};
use shared_kernel::application::catalogue::Producer;

use crate::operations::{Kind, OPERATIONS};
use crate::page::{self, Page};
use crate::registry::Catalogue;
use crate::tree::Tree;
use crate::{asyncapi, doors, house, schema};

/// Writes the page of every service, with its documents beside it.
///
/// # Errors
/// When a page or a document cannot be read.
pub fn write(catalogue: &Catalogue, tree: &mut Tree) -> anyhow::Result<()> {
    for context in ContextName::ALL {
        let house = house::of(context);
        let folder = house.folder();
        let mut documents = vec![("asyncapi", "asyncapi.json", "Events")];
        let events = asyncapi::of_context(catalogue, context);
        tree.put(&format!("{folder}/asyncapi.json"), schema::pretty(&events));
        if let Some(document) = catalogue::openapi(context) {
            documents.push(("openapi", "openapi.json", "REST"));
            tree.put(&format!("{folder}/openapi.json"), schema::pretty(&document));
        }
        documents.push(("graphql", "schema.graphql", "Part of the graph"));
        tree.put(&format!("{folder}/schema.graphql"), codepix::graph::sdl::sdl(context));
        tree.put(&format!("{folder}/{}.proto", house.proto), doors::proto(context)?);
        if let (Some(path), Some(proto)) = (house.classic_proto, doors::classic_proto(context)?) {
            tree.put(&format!("{folder}/{path}"), proto);
        }
        let path = format!("{folder}/index.mdx");
        let mut page = tree.get(&path).map(Page::parse).transpose()?.unwrap_or_default();
        head(catalogue, context, &documents, &mut page);
        page.made = Some(made(context));
        tree.put(&path, page.render()?);
    }
    tree.put("public/asyncapi.json", schema::pretty(&asyncapi::whole(catalogue)));
    Ok(())
}

fn head(
    catalogue: &Catalogue,
    context: ContextName,
    documents: &[(&str, &str, &str)],
    page: &mut Page,
) {
    let house = house::of(context);
    page.set("id", house.service);
    page.set("name", house.service);
    page.set("version", house::VERSION);
    page.set("owners", page::texts([house.team]));
    let own = catalogue
        .events
        .iter()
        .filter(|event| event.context == context && event.entry.producer == Producer::Context);
    let sends = own.map(|event| (event.entry.name, event.entry.version));
    page.set("sends", page::versions(sends));
    let asked = OPERATIONS.iter().filter(|it| it.context == context);
    let heard = catalogue.read_by(context).into_iter();
    let heard = heard.map(|event| (event.entry.name, event.entry.version));
    page.set("receives", page::versions(heard.chain(asked.map(|it| (it.id, house::VERSION)))));
    page.set("writesTo", page::pointers([house.store]));
    page.set("readsFrom", page::pointers([house.store]));
    let document = |(kind, path, name): &(&str, &str, &str)| {
        let pairs = [("type", *kind), ("path", *path), ("name", *name)];
        Value::Mapping(
            pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect::<Mapping>(),
        )
    };
    page.set("specifications", Value::Sequence(documents.iter().map(document).collect()));
}

fn made(context: ContextName) -> String {
    let house = house::of(context);
    let asked = |kind: Kind| {
        let own = OPERATIONS.iter().filter(|it| it.context == context && it.kind == kind);
        let mut rows = String::new();
        for it in own {
            let (folder, id, version) = (it.kind.folder(), it.id, house::VERSION);
            let row = format!("| [{id}](/docs/{folder}/{id}/{version}) | {} |\n", it.summary);
            rows.push_str(&row);
        }
        rows
    };
    let table = |title: &str, rows: &str| {
        if rows.is_empty() {
            String::new()
        } else {
            format!("## {title}\n\n| | |\n|---|---|\n{rows}\n")
        }
    };
    let proto = |path: &str, title: &str| {
        format!("<Schema file=\"{path}\" title=\"{title}\" lang=\"protobuf\" />")
    };
    let mut protos = vec![proto(&format!("{}.proto", house.proto), "gRPC")];
    protos.extend(house.classic_proto.map(|path| proto(path, "gRPC of existing bank programs")));
    format!(
        "{}{}## Map\n\n<NodeGraph />\n\n## Protocol buffers\n\n{}",
        table("Commands", &asked(Kind::Command)),
        table("Queries", &asked(Kind::Query)),
        protos.join("\n\n")
    )
}
