//! Banks in memory behind their queues, for tests of what stands before them.

use std::sync::Arc;

use shared_kernel::application::batcher::{BatchLimits, batcher};
use shared_kernel::application::stop::StopSignal;
use shared_kernel::application::{BatchCommand, BatchExecutor, Batcher};

use crate::application::Banking;
use crate::application::account_command::AccountDesk;
use crate::application::banks::{AccountBankReader, AccountBanks};
use crate::application::command::{OpenAccountDesk, PayAccountDesk, RegisterClientDesk};
use crate::application::query::{
    GetAccount, GetBank, GetClient, GetStatement, GetTransfer, ListAccounts, ListBanks, ListHolds,
    ListTransfers,
};
use crate::application::stage::Stage;

/// A queue with a worker on it.
fn worked<E: BatchExecutor>(executor: E, stop: &StopSignal) -> Batcher<E::Request, E::Answer> {
    let (queue, workers) = batcher(Arc::new(executor), BatchLimits::default(), 1);
    for worker in workers {
        tokio::spawn(worker.run(stop.clone()));
    }
    queue
}

/// A queue of commands.
fn queue<U: BatchCommand>(
    stage: &Stage,
    use_case: U,
    stop: &StopSignal,
) -> Batcher<U::Command, U::Answer> {
    worked(stage.runner(use_case), stop)
}

/// Every use case over the banks of a stage.
pub(crate) fn facade(stage: &Stage, stop: &StopSignal) -> Banking {
    let (ports, reads) = (&stage.ports, || stage.ports.reads.clone());
    Banking {
        open_account: queue(stage, OpenAccountDesk(ports.clone()), stop),
        deposit: queue(stage, AccountDesk::new(ports), stop),
        withdraw: queue(stage, AccountDesk::new(ports), stop),
        block_account: queue(stage, AccountDesk::new(ports), stop),
        unblock_account: queue(stage, AccountDesk::new(ports), stop),
        close_account: queue(stage, AccountDesk::new(ports), stop),
        set_account_limits: queue(stage, AccountDesk::new(ports), stop),
        request_transfer: queue(stage, stage.transfers(), stop),
        register_client: queue(stage, RegisterClientDesk(ports.clone()), stop),
        pay_account: queue(stage, PayAccountDesk(ports.clone()), stop),
        account_banks: AccountBanks::new(worked(AccountBankReader(reads()), stop)),
        list_banks: ListBanks(reads()),
        get_bank: GetBank(reads()),
        get_account: GetAccount(reads()),
        get_client: GetClient(reads()),
        list_accounts: ListAccounts(reads()),
        list_holds: ListHolds(reads()),
        get_transfer: GetTransfer(reads()),
        list_transfers: ListTransfers(reads()),
        get_statement: GetStatement(reads()),
    }
}
