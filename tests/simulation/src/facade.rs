//! What clients of a process can ask of it.

use banking::application::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, PayAccount, RequestTransfer,
    SetAccountLimits, UnblockAccount, Withdraw,
};
use banking::application::views::{AccountView, BookedView, TransferView};
use pix_keys::application::Desk;
use pix_keys::application::query::{FindAccountQueue, FindKeyQueue};
use shared_kernel::application::Batcher;
use transfers::application::{AcknowledgeCredit, EnrolParticipant, ResolveTransfer};
use transfers::domain::{Participant, TransferState};

/// The hub.
#[derive(Clone)]
pub(crate) struct HubFacade {
    pub(crate) enrol_participant: Batcher<EnrolParticipant, Participant>,
    pub(crate) resolve_transfer: Batcher<ResolveTransfer, TransferState>,
    /// Where there are programs of other banks.
    pub(crate) acknowledge_credit: Option<Batcher<AcknowledgeCredit, ()>>,
}

/// The banks.
#[derive(Clone)]
pub(crate) struct BanksFacade {
    pub(crate) open_account: Batcher<OpenAccount, AccountView>,
    pub(crate) deposit: Batcher<Deposit, AccountView>,
    pub(crate) withdraw: Batcher<Withdraw, AccountView>,
    pub(crate) block_account: Batcher<BlockAccount, AccountView>,
    pub(crate) unblock_account: Batcher<UnblockAccount, AccountView>,
    pub(crate) close_account: Batcher<CloseAccount, AccountView>,
    pub(crate) set_account_limits: Batcher<SetAccountLimits, AccountView>,
    pub(crate) request_transfer: Batcher<RequestTransfer, TransferView>,
    pub(crate) pay_account: Batcher<PayAccount, BookedView>,
}

/// The directory.
#[derive(Clone)]
pub(crate) struct KeysFacade {
    pub(crate) desk: Desk,
    pub(crate) find_key: FindKeyQueue,
    pub(crate) find_account: FindAccountQueue,
}

/// The contexts that a process runs.
#[derive(Clone, Default)]
pub(crate) struct Facades {
    pub(crate) hub: Option<HubFacade>,
    pub(crate) banks: Option<BanksFacade>,
    pub(crate) keys: Option<KeysFacade>,
}
