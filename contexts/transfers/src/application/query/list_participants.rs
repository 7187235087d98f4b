//! The banks that take part, by ISPB: any number of lists in one read.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Page, PageSize};

use crate::application::ports::{ParticipantPlace, ParticipantRun, TransfersReads};
use crate::domain::{Participant, Protocol};

/// Lists participants.
#[derive(Clone)]
pub struct ListParticipants {
    reads: Arc<dyn TransfersReads>,
}

/// One list that somebody asks for; all of them unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParticipantList {
    /// Only those that the hub talks to in this way.
    pub protocol: Option<Protocol>,
    /// Behind which place; from the first without one.
    pub after: Option<ParticipantPlace>,
    /// How many; to the last without one.
    pub size: Option<PageSize>,
}

impl ParticipantList {
    /// What to read for it.
    fn run(&self) -> ParticipantRun {
        ParticipantRun {
            after: self.after.map(|ParticipantPlace(ispb)| ispb),
            protocol: self.protocol,
            rows: self.size.map(PageSize::rows_to_read),
        }
    }
}

impl std::fmt::Debug for ListParticipants {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ListParticipants").finish_non_exhaustive()
    }
}

impl ListParticipants {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// A page of each list, in the order of `lists`; without a size all of it. Who takes part is no
    /// secret.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(
        &self,
        lists: &[ParticipantList],
    ) -> Result<Vec<Page<Participant>>, ApplicationError> {
        if lists.is_empty() {
            return Ok(Vec::new());
        }
        let runs: Vec<ParticipantRun> = lists.iter().map(ParticipantList::run).collect();
        let read = self.reads.participants(&runs).await?;
        let page = |(rows, list): (Vec<Participant>, &ParticipantList)| match list.size {
            Some(size) => Page::cut(rows, size),
            None => Page { rows, more: false },
        };
        Ok(read.into_iter().zip(lists).map(page).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::native;

    fn list(after: Option<ParticipantPlace>, size: Option<u16>) -> ParticipantList {
        let size = size.map(|size| PageSize::asked(size.into()).unwrap());
        ParticipantList { protocol: None, after, size }
    }

    #[tokio::test]
    async fn participants_come_page_by_page_or_all_at_once() {
        let banks = ["00000001", "00000002", "00000003"].map(native);
        let query = ListParticipants::new(Arc::new(MemoryStore::with(banks.clone())));
        let read = async |list| query.execute(&[list]).await.unwrap().remove(0);
        let all = read(ParticipantList::default()).await;
        assert_eq!((all.rows.as_slice(), all.more), (banks.as_slice(), false));
        let first = read(list(None, Some(2))).await;
        assert_eq!(first.rows.as_slice(), &banks[..2]);
        let place = first.next(|bank| ParticipantPlace(bank.ispb));
        let second = read(list(place, Some(2))).await;
        assert_eq!((second.rows.as_slice(), second.more), (&banks[2..], false));
    }

    #[tokio::test]
    async fn many_lists_are_one_read_each_with_its_own_page() {
        let [one, two, three] = ["00000001", "00000002", "00000003"].map(native);
        let two = Participant { protocol: Protocol::Classic, ..two };
        let place = Some(ParticipantPlace(one.ispb));
        let store = MemoryStore::with([one.clone(), two.clone(), three.clone()]);
        let query = ListParticipants::new(Arc::new(store.clone()));
        let of = |protocol| ParticipantList { protocol: Some(protocol), ..list(None, None) };
        let lists = [
            list(place, Some(1)),
            of(Protocol::Classic),
            list(None, Some(1)),
            of(Protocol::Native),
        ];
        let page = |rows: &[&Participant], more| {
            let rows = rows.iter().map(|bank| (*bank).clone()).collect();
            Page { rows, more }
        };
        let expected = [
            page(&[&two], true),
            page(&[&two], false),
            page(&[&one], true),
            page(&[&one, &three], false),
        ];
        assert_eq!(query.execute(&lists).await.unwrap(), expected);
        assert_eq!(query.execute(&[]).await.unwrap(), []);
        assert_eq!(store.tables().calls["participants"], 1);
    }
}
