//! What the journeys stand on: processes, people, money, the log.

pub(crate) mod balances;
pub(crate) mod binary;
pub(crate) mod chance;
pub(crate) mod crowd;
pub(crate) mod fake_broker;
pub(crate) mod graph;
pub(crate) mod http;
pub(crate) mod http_file;
pub(crate) mod hub;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod operator;
pub(crate) mod own_servers;
pub(crate) mod people;
pub(crate) mod program;
pub(crate) mod refused;
pub(crate) mod rest;
pub(crate) mod scene;
pub(crate) mod split;
pub(crate) mod tls;
pub(crate) mod wait;

pub(crate) use chance::Chance;
pub(crate) use hub::{HubOptions, TestHub};
pub(crate) use log::Log;
pub(crate) use refused::{Refused, refused};
pub(crate) use rest::at_rest;
pub(crate) use scene::{Account, Scene, unique};
pub(crate) use split::Split;
pub(crate) use wait::{eventually, eventually_within};
