//! The rules, one file each.

pub mod allowed_crates;
pub mod anatomy;
pub mod dependants;
pub mod isolation;
pub mod lanes;
pub mod layers;
pub mod manifests;
pub mod migrations;
pub mod orphans;
pub mod schemas;
pub mod silence;
pub mod tidy;
pub mod use_cases;
