//! Finds the entity that fails a whole list of them.
//!
//! A list may be null as a whole because one entity of it is in error. Its halves are asked again,
//! and the halves of those that fail, so one failure among n costs about 2 log2(n) sub-requests.
//! Reading entities changes nothing, so asking twice is safe. What is still unknown when the
//! sub-requests of `splits_max` are spent keeps the first error, without a path.

use async_graphql::{Response, Variables};

use super::entities::{Ask, is_failed};
use super::execute::{Run, with};
use super::represent::Represented;
use crate::plan::Fetch;

impl Run<'_> {
    /// Asks again in parts, after an answer that was lost as a whole.
    pub(super) async fn split(&self, fetch: &Fetch, failed: Response) {
        let asked = self.represented(fetch);
        let all: Vec<(usize, usize)> = asked.iter().enumerate().flat_map(pairs).collect();
        let mut pending = Vec::new();
        halve(&all, &mut pending);
        let mut left = self.context.graph.limits.splits_max;
        let mut is_cut_short = false;
        while let Some(part) = pending.pop() {
            let Some(rest) = left.checked_sub(1) else {
                is_cut_short = true;
                break;
            };
            left = rest;
            let ask = Ask::some(asked.len(), part);
            let response = self.send(fetch, variables(fetch, &asked, &ask)).await;
            if ask.only().is_none() && is_failed(&response) {
                halve(part, &mut pending);
            } else {
                self.absorb_entities(fetch, &asked, &ask, response);
            }
        }
        if is_cut_short {
            self.absorb_entities(fetch, &asked, &Ask::all(&asked), failed);
        }
    }
}

fn pairs((selection, asked): (usize, &Represented)) -> impl Iterator<Item = (usize, usize)> {
    (0..asked.representations.len()).map(move |representation| (selection, representation))
}

fn halve<'p>(part: &'p [(usize, usize)], pending: &mut Vec<&'p [(usize, usize)]>) {
    let (first, second) = part.split_at(part.len().div_ceil(2));
    pending.extend([second, first].into_iter().filter(|half| !half.is_empty()));
}

fn variables(fetch: &Fetch, asked: &[Represented], ask: &Ask) -> Variables {
    let mut variables = Variables::default();
    for ((selection, one), list) in fetch.entities.iter().zip(asked).zip(&ask.lists) {
        let chosen = list.iter().filter_map(|index| one.representations.get(*index)).cloned();
        with(&selection.variable, chosen.collect(), &mut variables);
    }
    variables
}
