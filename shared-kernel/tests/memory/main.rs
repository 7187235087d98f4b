//! The loss-free core over ports in memory, killed between any two steps.

#[cfg(test)]
mod batcher;
#[cfg(test)]
mod command;
#[cfg(test)]
mod consumer;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod log;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod store;
