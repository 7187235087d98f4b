//! Every use case of the context, by name.

use shared_kernel::application::Batcher;

use super::banks::AccountBanks;
use super::command::{
    BlockAccount, CloseAccount, Deposit, OpenAccount, PayAccount, RegisterClient, RequestTransfer,
    SetAccountLimits, UnblockAccount, Withdraw,
};
use super::query::{
    GetAccount, GetBank, GetClient, GetStatement, GetTransfer, ListAccounts, ListBanks, ListHolds,
    ListTransfers,
};
use super::views::{AccountView, BookedView, ClientView, TransferView};

/// Every use case of the context. Commands are queues: those that arrive together are decided
/// together.
#[expect(missing_debug_implementations, missing_docs, reason = "the names say what they do")]
pub struct Banking {
    pub open_account: Batcher<OpenAccount, AccountView>,
    pub deposit: Batcher<Deposit, AccountView>,
    pub withdraw: Batcher<Withdraw, AccountView>,
    pub block_account: Batcher<BlockAccount, AccountView>,
    pub unblock_account: Batcher<UnblockAccount, AccountView>,
    pub close_account: Batcher<CloseAccount, AccountView>,
    pub set_account_limits: Batcher<SetAccountLimits, AccountView>,
    pub request_transfer: Batcher<RequestTransfer, TransferView>,
    pub register_client: Batcher<RegisterClient, ClientView>,
    pub pay_account: Batcher<PayAccount, BookedView>,
    pub account_banks: AccountBanks,
    pub list_banks: ListBanks,
    pub get_bank: GetBank,
    pub get_account: GetAccount,
    pub get_client: GetClient,
    pub list_accounts: ListAccounts,
    pub list_holds: ListHolds,
    pub get_transfer: GetTransfer,
    pub list_transfers: ListTransfers,
    pub get_statement: GetStatement,
}
