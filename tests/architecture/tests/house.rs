//! Every check, run on this repository.

use architecture_tests::checks::{
    allowed_crates, anatomy, dependants, isolation, lanes, layers, manifests, migrations, orphans,
    schemas, silence, tidy, use_cases,
};
use architecture_tests::{Check, House, verdict};

#[track_caller]
fn holds(check: Check) {
    let verdict = verdict(&House::here(), check);
    assert!(verdict.is_empty(), "\n{verdict}\n");
}

#[test]
fn a1_no_context_depends_on_another() {
    holds(isolation::check);
}

#[test]
fn a2_layers_point_inwards() {
    holds(layers::check);
}

#[test]
fn a3_domain_and_application_name_only_allowed_crates() {
    holds(allowed_crates::check);
}

#[test]
fn a4_the_ci_builds_every_context_without_drivers() {
    holds(lanes::check);
}

#[test]
fn a5_every_manifest_inherits() {
    holds(manifests::check);
}

#[test]
fn a6_members_depend_one_way() {
    holds(dependants::check);
}

#[test]
fn a7_a_context_touches_its_own_schema_alone() {
    holds(schemas::check);
}

#[test]
fn a9_files_are_tidy() {
    holds(tidy::check);
}

#[test]
fn a9_every_file_is_compiled() {
    holds(orphans::check);
}

#[test]
fn a9_nothing_is_silenced_or_hidden() {
    holds(silence::check);
}

#[test]
fn a10_contexts_have_the_same_files() {
    holds(anatomy::check);
}

#[test]
fn a10_one_use_case_per_file() {
    holds(use_cases::check);
}

#[test]
fn a10_migrations_are_dated_and_run() {
    holds(migrations::check);
}
