//! Banks that take part: what somebody asked for, over what they were before. What an enrolment
//! does not name stays, and of a new bank it is natively and without limit.

use shared_kernel::domain::Ispb;
use transfers::application::EnrolParticipant;
use transfers::domain::{LimitWish, Participant, ParticipantStatus, Protocol};

use super::past::Past;
use super::{Finding, Oracle, must};
use crate::city::City;
use crate::contexts::at_most;

/// A bank, in words.
fn told(bank: &Participant) -> String {
    let Participant { ispb, code, name, protocol, position_limit, version, .. } = bank;
    let (name, protocol, limit) = (name.as_str(), protocol.as_str(), at_most(*position_limit));
    format!("bank {ispb}, {code}: {name}, {protocol}, may owe {limit}, version {version}")
}

/// Whether a bank is what an order makes of what it was.
fn follows(before: Option<&Participant>, order: &EnrolParticipant, after: &Participant) -> bool {
    let limit = match order.position_limit {
        LimitWish::AsItIs => before.and_then(|it| it.position_limit),
        LimitWish::Without => None,
        LimitWish::Most(most) => Some(most),
    };
    let protocol = order.protocol.or(before.map(|it| it.protocol)).unwrap_or(Protocol::Native);
    order.ispb == Some(after.ispb)
        && after.name == order.name
        && after.code == order.code
        && after.protocol == protocol
        && after.position_limit == limit
}

impl Oracle {
    /// A bank is enrolled, or changed: as somebody asked for it.
    pub(crate) fn enrolled(&mut self, after: &Participant) -> Finding {
        let at = self.past.tick();
        let past = self.past.participants.entry(after.ispb).or_default();
        let before = past.last().cloned();
        past.note(at, after.clone());
        let was = || before.as_ref().map_or_else(|| "a new bank".to_owned(), told);
        let is_next = after.version == before.as_ref().map_or(1, |it| it.version + 1)
            && after.status == ParticipantStatus::Active
            && before.as_ref().is_none_or(|it| it.enrolled_at == after.enrolled_at);
        must(is_next, || format!("{} becomes {}", was(), told(after)))?;
        let asked = self.past.asked.enrolled.get(&after.ispb).into_iter().flatten();
        let is_asked = asked.into_iter().any(|order| follows(before.as_ref(), order, after));
        must(is_asked, || format!("{} becomes {}, and nobody asked for that", was(), told(after)))
    }

    /// The bank that was enrolled is shown as it was in that version, with what was asked for.
    pub(super) fn is_enrolled(&self, order: &EnrolParticipant, view: &Participant) -> Finding {
        let past = self.past.participants.get(&view.ispb);
        let was = past.and_then(|past| past.ever().rfind(|it| it.version == view.version));
        let is_done = follows(was, order, view) && was == Some(view);
        must(is_done, || {
            let was = was.map_or_else(|| "there was no such version".to_owned(), told);
            let (code, name) = (&order.code, order.name.as_str());
            format!("bank {code} was enrolled as {name}, and shown is {}; {was}", told(view))
        })
    }

    /// What banks were at any time.
    pub(super) fn banks(&self) -> impl Iterator<Item = (&Ispb, &Participant)> {
        let last = |(ispb, past)| Some((ispb, Past::last(past)?));
        self.past.participants.iter().filter_map(last)
    }
}

/// Banks are known alike at the hub, in the banks' own books and in the directory.
pub(super) fn copies(city: &City) -> Finding {
    let oracle = city.world.oracle();
    for (ispb, bank) in oracle.banks() {
        let known = (bank.name.as_str(), bank.code.as_str());
        let listed = city.pix_keys.look(|it| it.tables.participants.get(ispb).cloned());
        let is_listed = listed.is_some_and(|it| (it.name.as_str(), it.code.as_str()) == known);
        must(is_listed, || format!("the directory does not know {}", told(bank)))?;
        let hosted = city.banking.look(|it| it.tables.banks.get(ispb).cloned());
        let is_same = hosted.is_none_or(|(hosted, version, _)| {
            (hosted.name.as_str(), hosted.code.as_str(), version)
                == (known.0, known.1, bank.version)
        });
        must(is_same, || format!("the books do not know {}", told(bank)))?;
    }
    Ok(())
}
