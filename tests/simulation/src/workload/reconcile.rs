//! Everything once more, now that all is quiet.

use std::sync::Arc;

use super::intruders::REUSED;
use super::journal::{Told, apart};
use super::order::Order;
use crate::city::City;
use crate::words::Words as _;

/// Asks once more for everything that was ever answered, now that all is quiet: what was accepted
/// is answered alike, and what was refused gets its final answer. Of several contents under one key
/// one is accepted at most, and if one is, the others are refused as such.
pub(crate) async fn reconcile(city: Arc<City>) {
    let entries = city.journal().entries().to_vec();
    for (place, entry) in entries.into_iter().enumerate() {
        if entry.order.scope().is_none() {
            continue;
        }
        let told = city.learn(&entry.order).await;
        let mut rivals = city.journal().rivals(&entry.order);
        // What varies a variation may be the order itself.
        rivals.retain(|rival| rival.content() != entry.order.content());
        match &entry.told {
            Told::Accepted(_) if told != entry.told => {
                let (words, answers) = (entry.order.words(), apart(&entry.told, &told));
                city.world.fail(format!("{words}: in the end another answer: {answers}"));
            }
            Told::Accepted(_) => {}
            Told::Refused(_) => city.journal().amend(place, told.clone()),
        }
        match told {
            Told::Accepted(_) => city.must_be_beaten(&rivals).await,
            Told::Refused(code) if code == REUSED => city.find_first(&entry.order, rivals).await,
            Told::Refused(_) => {}
        }
    }
    city.journal().at_work -= 1;
}

impl City {
    /// Another content was first under their key.
    async fn must_be_beaten(self: &Arc<Self>, rivals: &[Order]) {
        for rival in rivals {
            let told = self.learn(rival).await;
            if told != Told::Refused(REUSED.into()) {
                let words = rival.words();
                let told = told.words();
                self.world.fail(format!("{words}: under the key of another, and told: {told}"));
            }
        }
    }

    /// An order is refused because of its key: exactly one content was first.
    async fn find_first(self: &Arc<Self>, order: &Order, rivals: Vec<Order>) {
        let mut first: Option<Told> = None;
        for rival in rivals {
            let told = self.learn(&rival).await;
            match &first {
                // The same content may have been asked for twice.
                Some(known) if *known == told => {}
                None if matches!(told, Told::Accepted(_)) => {
                    self.journal().note(rival, told.clone());
                    first = Some(told);
                }
                None | Some(_) if told == Told::Refused(REUSED.into()) => {}
                None | Some(_) => {
                    let words = rival.words();
                    let (first, told) = (first.words(), told.words());
                    self.world.fail(format!("{words}: first {first}, then {told}"));
                }
            }
        }
        if first.is_none() {
            let words = order.words();
            self.world.fail(format!("{words}: its key counts as used, and nobody was first"));
        }
    }
}
