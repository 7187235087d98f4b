//! The composition root of CodePix: settings, wiring, edges and the command line.

pub mod browser;
pub mod catalogue;
pub mod cli;
pub mod client;
pub mod compose;
pub mod config;
pub mod demo_data;
pub mod demo_transfer;
pub mod docs;
pub mod doctor;
pub mod graph;
pub mod grpc;
pub mod http;
mod limits;
pub mod supervisor;
pub mod telemetry;
mod traces;
pub mod workers;
