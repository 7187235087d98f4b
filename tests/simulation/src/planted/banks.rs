//! Bugs of the banks.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use banking::application::books::{Books, Changes};
use banking::application::ports::{BankingPorts, Traced};
use banking::domain::{
    Account, AccountFact, AccountState, EntryAccount, Funds, HubMessage, IncomingStatus,
    IncomingTransfer, InternalAccount, Leg, OutgoingState, OutgoingTransfer, Posting, Spent,
};
use shared_kernel::application::{StoreError, Sweep};
use shared_kernel::domain::{AccountId, Amount, Money, ReasonCode, Timestamp};

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
        let is_expected =
            |it: &Traced<IncomingTransfer>| it.value.state().status == IncomingStatus::Expected;
        changes.received.retain(|it| !is_expected(it));
    }
    if world.has(Bug::EventsLeftOut) {
        let is_release = |fact: &AccountFact| matches!(fact, AccountFact::Released { .. });
        changes.account_events.retain(|event| !is_release(&event.value.fact));
    }
    if world.has(Bug::UnblockForgotten) {
        forget(&mut changes, |fact| matches!(fact, AccountFact::Unblocked));
    }
    if world.has(Bug::LimitsForgotten) {
        forget(&mut changes, |fact| matches!(fact, AccountFact::LimitsChanged(_)));
    }
    if world.has(Bug::DepositsUnapplied) {
        changes.postings = changes.postings.iter().map(unapplied).collect();
    }
    if world.has(Bug::RefusedAsBlocked) {
        refuse_large(&mut changes);
    }
    if world.has(Bug::RepeatsNeverSlowDown) {
        for side in &mut changes.outgoing {
            let state = side.state().clone();
            let resend_at = soon(state.resends, state.resend_at);
            *side = OutgoingTransfer::restore(OutgoingState { resend_at, ..state });
        }
    }
    if world.has(Bug::FirstRepeatLate) {
        for side in &mut changes.ordered {
            side.value = due_later(&side.value, Duration::from_mins(20));
        }
    }
    if world.has(Bug::RepeatsLate) {
        for side in changes.outgoing.iter_mut().filter(|it| it.state().resends > 0) {
            *side = due_later(side, Duration::from_secs(10));
        }
    }
    changes
}

/// The payer's side of a transfer, due again so much later.
fn due_later(side: &OutgoingTransfer, time: Duration) -> OutgoingTransfer {
    let state = side.state().clone();
    let resend_at = state.resend_at.saturating_add(time);
    OutgoingTransfer::restore(OutgoingState { resend_at, ..state })
}

/// What happens to accounts in this way is not kept.
fn forget(changes: &mut Changes, is_it: impl Fn(&AccountFact) -> bool) {
    let it = changes.account_events.iter().filter(|event| is_it(&event.value.fact));
    let forgotten: BTreeSet<AccountId> = it.map(|event| event.value.account_id).collect();
    changes.account_events.retain(|event| !is_it(&event.value.fact));
    changes.accounts.retain(|account| !forgotten.contains(&account.state().id));
}

/// A deposit against another account of the bank.
fn unapplied(posting: &Posting) -> Posting {
    let [from, to] = posting.entries();
    let amount = Amount::from_centavos(to.amount.centavos());
    match (posting.head().leg, amount) {
        (Leg::Deposit, Ok(amount)) => {
            let account = EntryAccount::Internal(InternalAccount::UnappliedCredits);
            Posting::new(posting.head().clone(), amount, (from.id, account), (to.id, to.account))
        }
        _ => posting.clone(),
    }
}

/// Large payments are refused.
fn refuse_large(changes: &mut Changes) {
    let reason = ReasonCode::Ac06;
    for it in &mut changes.received {
        let state = it.value.state();
        let Some(at) = state.answered_at.filter(|_| state.payment.amount.centavos() > 30_000)
        else {
            continue;
        };
        let (payment, id) = (state.payment.clone(), state.payment.end_to_end_id);
        it.value = IncomingTransfer::answer(payment, Some(reason), at);
        for message in &mut changes.messages {
            if let HubMessage::Accepted { end_to_end_id, ispb, .. } = message.value
                && end_to_end_id == id
            {
                message.value = HubMessage::Refused { end_to_end_id, ispb, reason, refused_at: at };
            }
        }
    }
}

/// When something is due that was to wait for its turn: as soon as the first time.
fn soon(resends: u32, at: Timestamp) -> Timestamp {
    let first = Duration::from_secs(20);
    let turn = first.saturating_mul(2_u32.saturating_pow(resends.saturating_sub(1)));
    let early = turn.min(Duration::from_mins(10)).saturating_sub(first);
    at.checked_sub(early).unwrap_or(at)
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
