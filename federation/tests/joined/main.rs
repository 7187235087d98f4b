//! The joined graph over four small subgraphs of a shop: in this process, and the same over real
//! HTTP and WebSocket.

mod cases;
mod construction;
mod fixtures;
mod introspection;
mod limits;
mod refusals;
mod shop;
mod subgraphs;
