//! The banks that take part.

use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Page, PageSize};

use crate::application::ports::{ParticipantPlace, TransfersReads};
use crate::domain::{Participant, Protocol};

/// Lists participants.
#[derive(Clone)]
pub struct ListParticipants {
    reads: Arc<dyn TransfersReads>,
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

    /// Participants by ISPB, of one protocol or of any: the page behind `after`, or all of them
    /// without a size. Who takes part is no secret.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub async fn execute(
        &self,
        after: Option<ParticipantPlace>,
        protocol: Option<Protocol>,
        size: Option<PageSize>,
    ) -> Result<Page<Participant>, ApplicationError> {
        let after = after.map(|ParticipantPlace(ispb)| ispb);
        let limit = size.map(PageSize::rows_to_read);
        let rows = self.reads.participants(after, protocol, limit).await?;
        Ok(match size {
            Some(size) => Page::cut(rows, size),
            None => Page { rows, more: false },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::native;

    #[tokio::test]
    async fn participants_come_page_by_page_or_all_at_once() {
        let banks = ["00000001", "00000002", "00000003"].map(native);
        let query = ListParticipants::new(Arc::new(MemoryStore::with(banks.clone())));
        let all = query.execute(None, None, None).await.unwrap();
        assert_eq!((all.rows.as_slice(), all.more), (banks.as_slice(), false));
        let size = PageSize::asked(2).ok();
        let first = query.execute(None, None, size).await.unwrap();
        assert_eq!(first.rows.as_slice(), &banks[..2]);
        let place = first.next(|bank| ParticipantPlace(bank.ispb));
        let second = query.execute(place, None, size).await.unwrap();
        assert_eq!((second.rows.as_slice(), second.more), (&banks[2..], false));
    }
}
