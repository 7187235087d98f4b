//! Commands and queries, and the doors by which they are asked.

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
