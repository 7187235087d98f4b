//! The committed SDL is that of the code, so the supergraph composed from it is as well.

use std::path::PathBuf;

use async_graphql::SDLExportOptions;

use crate::subgraphs::{catalog, people, reviews, stock};

/// Set to write the files instead of comparing them; then compose again, as the README says.
const WRITE: &str = "FEDERATION_WRITE_FIXTURES";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.graphql"))
}

fn sdls() -> [(&'static str, String); 4] {
    let options = || SDLExportOptions::new().federation().sorted_fields().sorted_arguments();
    [
        ("catalog", catalog::schema().sdl_with_options(options())),
        ("people", people::schema().sdl_with_options(options())),
        ("reviews", reviews::schema().sdl_with_options(options())),
        ("stock", stock::schema().sdl_with_options(options())),
    ]
}

#[test]
fn the_committed_sdl_of_each_subgraph_is_that_of_its_code() {
    for (name, sdl) in sdls() {
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(path(name), &sdl).unwrap();
        }
        let committed = std::fs::read_to_string(path(name)).unwrap_or_default();
        assert_eq!(committed, sdl, "{name}: run this test with {WRITE}=1 and compose again");
    }
}
