//! The joined graph over four small subgraphs of a shop: in this process, and the same over real
//! HTTP and WebSocket.

mod cases;
mod fixtures;
mod shop;
mod subgraphs;
