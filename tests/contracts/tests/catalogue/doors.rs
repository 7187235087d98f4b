//! Commands and queries, and the doors by which they are asked.

use std::path::Path;

use codepix::config::ContextName;
use contracts::operations::{OPERATIONS, doors, undeclared};

use crate::support::{names, none};

#[test]
fn every_method_field_and_route_is_an_operation_and_the_reverse() {
    for context in ContextName::ALL {
        none(&undeclared(context, &doors(context).unwrap(), OPERATIONS));
    }
}

#[test]
fn a_new_door_is_missed() {
    let mut doors = doors(ContextName::Balances).unwrap();
    assert!(doors.rest.len() >= 3 && doors.grpc.len() >= 2 && doors.graph.len() >= 2, "{doors:?}");
    doors.rest.insert("GET /secrets".to_owned());
    names(
        &undeclared(ContextName::Balances, &doors, OPERATIONS),
        &["route `GET /secrets`", "0 operations"],
    );
}

/// Whether a line makes a type publishable by hand.
fn is_by_hand(line: &str) -> bool {
    let code = line.trim_start();
    code.starts_with("impl")
        && ["Event for ", "Registry for "]
            .iter()
            .any(|it| code.split_once(it).is_some_and(|(before, _)| before.ends_with([' ', ':'])))
}

#[test]
fn registries_are_written_by_the_macro_alone() {
    let contexts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contexts");
    let mut folders = vec![contexts];
    let mut files = 0_u32;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                let by_hand = text.lines().find(|line| is_by_hand(line));
                assert_eq!(by_hand, None, "{}: list it in events! instead", path.display());
            }
        }
    }
    assert!(files > 100, "{files}");
    assert!(is_by_hand("    impl Event for Secret {"));
    assert!(is_by_hand("impl shared_kernel::application::catalogue::Registry for Mine {"));
    assert!(!is_by_hand("impl From<AccountEvent> for Thing {"));
}
