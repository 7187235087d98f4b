//! The use cases in one place, for transports.

use std::sync::Arc;

use shared_kernel::application::Batcher;

use super::command::{AcknowledgeCredit, EnrolParticipant, ResolveTransfer};
use super::ports::{ChangeFeed, NewsFeed, TransfersReads};
use super::query::{
    FindTransfer, FollowTransfers, GetParticipants, GetPositions, GetResolution, GetTransfer,
    GetTransfers, ListParticipants, ListPositions, ListTransfers, WatchTransfer,
};
use crate::domain::{Participant, TransferState};

/// What the hub can do for those who call it. Transfers are ordered through the log alone.
#[derive(Clone, Debug)]
pub struct Transfers {
    /// Enrols banks, or changes their name, limit or protocol.
    pub enrol_participant: Batcher<EnrolParticipant, Participant>,
    /// Ends overdue transfers by an operator's word.
    pub resolve_transfer: Batcher<ResolveTransfer, TransferState>,
    /// Notes that what was credited after it was refused is settled between the banks.
    pub acknowledge_credit: Batcher<AcknowledgeCredit, ()>,
    /// A transfer's own id by whatever it is known by.
    pub find_transfer: FindTransfer,
    /// One transfer.
    pub get_transfer: GetTransfer,
    /// What an operator decided of one.
    pub get_resolution: GetResolution,
    /// Transfers by their ids.
    pub get_transfers: GetTransfers,
    /// Transfers, newest first.
    pub list_transfers: ListTransfers,
    /// One transfer, followed to its end.
    pub watch_transfer: WatchTransfer,
    /// Transfers of a bank or an account, followed.
    pub follow_transfers: FollowTransfers,
    /// Banks by their ISPBs.
    pub get_participants: GetParticipants,
    /// The banks that take part.
    pub list_participants: ListParticipants,
    /// What banks owe, by their ISPBs.
    pub get_positions: GetPositions,
    /// What each bank owes.
    pub list_positions: ListPositions,
}

impl Transfers {
    /// The use cases over the queues of commands, a read side, word of changes and news.
    pub fn new(
        (enrol_participant, resolve_transfer, acknowledge_credit): (
            Batcher<EnrolParticipant, Participant>,
            Batcher<ResolveTransfer, TransferState>,
            Batcher<AcknowledgeCredit, ()>,
        ),
        reads: &Arc<dyn TransfersReads>,
        changes: Arc<dyn ChangeFeed>,
        news: Arc<dyn NewsFeed>,
    ) -> Self {
        let get_transfer = GetTransfer::new(Arc::clone(reads));
        Self {
            enrol_participant,
            resolve_transfer,
            acknowledge_credit,
            find_transfer: FindTransfer::new(Arc::clone(reads)),
            get_resolution: GetResolution::new(Arc::clone(reads)),
            get_transfers: GetTransfers::new(Arc::clone(reads)),
            list_transfers: ListTransfers::new(Arc::clone(reads)),
            watch_transfer: WatchTransfer::new(get_transfer.clone(), changes),
            follow_transfers: FollowTransfers::new(news),
            get_transfer,
            get_participants: GetParticipants::new(Arc::clone(reads)),
            list_participants: ListParticipants::new(Arc::clone(reads)),
            get_positions: GetPositions::new(Arc::clone(reads)),
            list_positions: ListPositions::new(Arc::clone(reads)),
        }
    }
}
