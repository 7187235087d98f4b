//! Code and catalogue, held together: both ways, and without Node.
//!
//! What a test proves it also breaks: on a copy of the catalogue or of the registry, where one
//! thing is wrong, it must find that thing and name it.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod drawings;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod ways;
