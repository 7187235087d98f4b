//! Bugs of the banks.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use banking::application::books::{Books, Changes};
use banking::application::ports::{BankingPorts, Traced};
use banking::domain::{Account, AccountFact, AccountState, Funds, IncomingStatus, Spent};
use shared_kernel::application::{StoreError, Sweep};
use shared_kernel::domain::{Money, ReasonCode};

use super::Bug;
use crate::world::World;

/// What is loaded.
pub(crate) fn loaded_accounts(world: &World, accounts: Vec<Account>) -> Vec<Account> {
    let free = |account: Account| {
        let state = account.state().clone();
        let funds = Funds { held: Money::ZERO, ..state.funds };
        Account::restore(AccountState { funds, ..state })
    };
    let fresh = |account: Account| {
        let state = account.state().clone();
        let spent = Spent::nothing(state.spent.day);
        Account::restore(AccountState { spent, ..state })
    };
    if world.has(Bug::HoldsNotCounted) {
        return accounts.into_iter().map(free).collect();
    }
    if world.has(Bug::SpentForgotten) {
        return accounts.into_iter().map(fresh).collect();
    }
    accounts
}

/// What is saved and published.
pub(crate) fn changes(world: &World, mut changes: Changes) -> Changes {
    if world.has(Bug::CreditWithoutExpectedCredit) {
        let is_expected = |it: &Traced<banking::domain::IncomingTransfer>| {
            it.value.state().status == IncomingStatus::Expected
        };
        changes.received.retain(|it| !is_expected(it));
    }
    if world.has(Bug::EventsLeftOut) {
        let is_release = |fact: &AccountFact| matches!(fact, AccountFact::Released { .. });
        changes.account_events.retain(|event| !is_release(&event.value.fact));
    }
    changes
}

/// A sweeper that believes its own clock.
pub(crate) struct Impatience(BankingPorts);

/// Releases holds whose deadline has passed here.
pub(crate) fn impatient_banks(world: &World, ports: &BankingPorts) -> Option<Impatience> {
    world.has(Bug::ReleaseHoldOnTimeout).then(|| Impatience(ports.clone()))
}

#[async_trait]
impl Sweep for Impatience {
    async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.0.clock.now();
        let mut transaction = self.0.store.begin().await?;
        // Open sides are due twenty seconds after their deadline.
        let horizon = now.saturating_add(Duration::from_secs(20));
        let due = transaction.due_outgoing(horizon, 10).await?;
        let mut books = Books::by(self.0.clock.clone(), self.0.ids.clone());
        books.adopt(&due, &[]);
        let payers: BTreeSet<_> =
            due.iter().map(|it| it.value.state().payment.payer.account_id).collect();
        books.load_accounts(&mut *transaction, payers).await?;
        for Traced { value, trace } in &due {
            let payment = &value.state().payment;
            let reason = ReasonCode::Ab03;
            let account = books.account(payment.payer.account_id).cloned();
            let released = account.and_then(|it| it.release(payment, reason, now).ok());
            if let (Ok(Some(expired)), Some(released)) = (value.expire(reason, now), released) {
                books.record_outgoing(payment.end_to_end_id, &expired);
                books.record(released, trace);
            }
        }
        if !due.is_empty() {
            transaction.save(books.finish()).await?;
        }
        transaction.commit().await?;
        Ok(due.len())
    }
}
