//! Commands and queries, and the doors by which they are asked.

use codepix::config::ContextName;
use contracts::doors::{doors, undeclared, ungraphed};
use contracts::operations::OPERATIONS;

use crate::support::{names, none};

#[test]
fn every_method_field_and_route_is_an_operation_and_the_reverse() {
    for context in ContextName::ALL {
        none(&undeclared(context, &doors(context).unwrap(), OPERATIONS));
    }
}

#[test]
fn every_command_of_grpc_is_a_mutation_of_the_graph() {
    let mut commands = 0;
    for context in ContextName::ALL {
        let doors = doors(context).unwrap();
        commands += doors.mutations.len();
        none(&ungraphed(context, &doors, OPERATIONS));
    }
    assert!(commands > 10, "{commands}");
    let mut doors = doors(ContextName::Transfers).unwrap();
    assert!(doors.mutations.remove("resolveTransfer"));
    names(
        &ungraphed(ContextName::Transfers, &doors, OPERATIONS),
        &["`ResolveTransfer`", "no mutation"],
    );
}

#[test]
fn a_field_that_is_gone_from_its_type_is_missed() {
    let mut doors = doors(ContextName::Balances).unwrap();
    assert!(doors.fields.remove("Account.balance"), "{:?}", doors.fields);
    names(
        &undeclared(ContextName::Balances, &doors, OPERATIONS),
        &["no field of the graph `Account.balance`"],
    );
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
