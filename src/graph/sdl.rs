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
            let digest = Sha256::digest(committed(context).as_bytes());
            let line = format!("# {} {digest:x}", context.as_str());
            assert!(SUPERGRAPH.lines().any(|known| known == line), "{STALE}");
        }
    }

    #[test]
    fn every_type_and_field_is_described() {
        for context in ContextName::ALL {
            let bare = undescribed(&sdl(context));
            assert!(bare.is_empty(), "{}: without description: {bare:?}", context.as_str());
        }
    }

    /// Lines of types, fields and enum values that no description precedes.
    fn undescribed(sdl: &str) -> Vec<String> {
        let schema = async_graphql::parser::parse_schema(sdl).unwrap();
        let mut bare = Vec::new();
        for definition in schema.definitions {
            use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
            let TypeSystemDefinition::Type(of) = definition else { continue };
            let name = of.node.name.node.to_string();
            // Roots need no words, and an entity of another context has them there.
            let is_root = matches!(name.as_str(), "Query" | "Mutation" | "Subscription");
            if of.node.description.is_none() && !is_root && !of.node.extend {
                bare.push(name.clone());
            }
            match of.node.kind {
                TypeKind::Object(object) => {
                    let fields = object.fields.iter().filter(|field| {
                        field.node.description.is_none() && field.node.name.node != "id"
                    });
                    bare.extend(fields.map(|field| format!("{name}.{}", field.node.name.node)));
                }
                TypeKind::InputObject(input) => {
                    let fields = input.fields.iter().filter(|it| it.node.description.is_none());
                    bare.extend(fields.map(|field| format!("{name}.{}", field.node.name.node)));
                }
                TypeKind::Enum(values) => {
                    let values = values.values.iter().filter(|it| it.node.description.is_none());
                    bare.extend(values.map(|value| format!("{name}.{}", value.node.value.node)));
                }
                TypeKind::Scalar | TypeKind::Interface(_) | TypeKind::Union(_) => {}
            }
        }
        bare
    }
}
