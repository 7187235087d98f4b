//! The joined graph over four small subgraphs of a shop: in this process, and the same over real
//! HTTP and WebSocket.

#[cfg(test)]
mod broken;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod construction;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod planning;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod shop;
#[cfg(test)]
#[expect(clippy::unused_async, reason = "the library wants every resolver to be async")]
mod subgraphs;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod tls;
