//! Completes objects: one sub-request for all entities of a fetch.
//!
//! Some subgraphs fail the whole list when one entity fails. Then the fetch is taken apart until
//! that entity is found (`split.rs`), so that it takes no other with it.

use async_graphql::{Response, Value, Variables};

use super::execute::{Run, with};
use super::represent::{Represented, represent};
use crate::Code;
use crate::error::is_of_an_outage;
use crate::plan::Fetch;

/// Which representations of each selection one sub-request asks for.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) lists: Vec<Vec<usize>>,
}

impl Ask {
    /// All of them.
    pub(super) fn all(asked: &[Represented]) -> Self {
        let lists = asked.iter().map(|one| (0..one.representations.len()).collect());
        Self { lists: lists.collect() }
    }

    /// Some of them: pairs of selection and representation.
    pub(super) fn some(selections: usize, part: &[(usize, usize)]) -> Self {
        let mut lists = vec![Vec::new(); selections];
        for (selection, representation) in part {
            if let Some(list) = lists.get_mut(*selection) {
                list.push(*representation);
            }
        }
        Self { lists }
    }

    /// The only one asked for, if there is only one.
    pub(super) fn only(&self) -> Option<(usize, usize)> {
        let mut all = self.lists.iter().enumerate().flat_map(|(selection, list)| {
            list.iter().map(move |representation| (selection, *representation))
        });
        let first = all.next();
        if all.next().is_some() { None } else { first }
    }
}

impl Run<'_> {
    /// Completes the objects of a fetch; asks nothing if there are none.
    pub(super) async fn entities(&self, fetch: &Fetch) {
        let mut asked = self.represented(fetch);
        if asked.iter().all(|one| one.representations.is_empty()) {
            return;
        }
        let ask = Ask::all(&asked);
        let mut variables = Variables::default();
        for (selection, one) in fetch.entities.iter().zip(&mut asked) {
            with(&selection.variable, std::mem::take(&mut one.representations), &mut variables);
        }
        let response = self.send(fetch, variables).await;
        if ask.only().is_none() && is_failed(&response) {
            self.split(fetch, response).await;
        } else {
            self.absorb_entities(fetch, &asked, &ask, response);
        }
    }

    /// What a fetch asks for, by the data as it is now.
    pub(super) fn represented(&self, fetch: &Fetch) -> Vec<Represented> {
        let state = self.state();
        fetch.entities.iter().map(|selection| represent(selection, &state.data)).collect()
    }
}

/// Whether an answer is lost as a whole for something that lies in an entity, and not in the way
/// to its subgraph or behind it.
pub(super) fn is_failed(response: &Response) -> bool {
    let on_the_way =
        [Code::SubgraphTimeout, Code::SubgraphUnavailable, Code::SubgraphAnswerTooLarge];
    let is_on_the_way =
        |error| is_of_an_outage(error) || on_the_way.iter().any(|code| code.is_of(error));
    response.data == Value::Null
        && !response.errors.is_empty()
        && !response.errors.iter().any(is_on_the_way)
}
