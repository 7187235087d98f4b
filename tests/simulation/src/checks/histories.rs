//! The histories of the read side against what happened at the banks, version by version: the
//! money, how it is split, when it was so, and what moved.

use balances::application::ports::HistoryEntry;
use balances::domain::{Counterparty, Movement, MovementKind};
use banking::domain::{AccountEvent, AccountFact, BookSide, Booked, Moved};
use shared_kernel::domain::{AccountId, Ispb};

use super::{Finding, Oracle, must};
use crate::city::City;

/// What a statement must say of something that happened.
fn movement(fact: &AccountFact, bank: Ispb) -> Option<Movement> {
    let cash = |kind, amount| {
        let (counterparty, description) = (Counterparty::default(), String::new());
        Movement { kind, amount, end_to_end_id: None, counterparty, description }
    };
    let sent = |kind, it: &Moved| Movement {
        kind,
        amount: it.amount,
        end_to_end_id: Some(it.end_to_end_id),
        counterparty: Counterparty {
            ispb: Some(it.counterparty_ispb),
            account_id: None,
            name: Some(it.counterparty_name.clone()),
        },
        description: it.description.clone(),
    };
    let booked = |kind, it: &Booked| Movement {
        kind,
        amount: it.amount,
        end_to_end_id: Some(it.end_to_end_id),
        counterparty: Counterparty {
            ispb: Some(bank),
            account_id: Some(it.counterparty_account_id),
            name: Some(it.counterparty_name.clone()),
        },
        description: it.description.clone(),
    };
    Some(match fact {
        AccountFact::Deposited { amount, .. } => cash(MovementKind::Deposit, *amount),
        AccountFact::Withdrawn { amount, .. } => cash(MovementKind::Withdrawal, *amount),
        AccountFact::Debited(it) => sent(MovementKind::TransferSent, it),
        AccountFact::Credited(it) => sent(MovementKind::TransferReceived, it),
        AccountFact::Booked(it) => {
            let kind = match it.side {
                BookSide::Debit => MovementKind::BookTransferSent,
                BookSide::Credit => MovementKind::BookTransferReceived,
            };
            booked(kind, it)
        }
        AccountFact::Opened { .. }
        | AccountFact::Blocked
        | AccountFact::Unblocked
        | AccountFact::Closed
        | AccountFact::LimitsChanged(_)
        | AccountFact::Held(_)
        | AccountFact::Released { .. } => return None,
    })
}

/// A movement, in words.
fn moved(movement: Option<&Movement>) -> String {
    let Some(Movement { kind, amount, counterparty, .. }) = movement else {
        return "nothing moves".to_owned();
    };
    let with = counterparty.name.as_deref().unwrap_or("nobody");
    format!("{} of {amount} with {with}", kind.as_str())
}

/// A version of the history is what happened to the account.
fn is_so(entry: &HistoryEntry, happened: &AccountEvent) -> Finding {
    let HistoryEntry { event, .. } = entry;
    let (state, funds) = (&event.state, happened.funds);
    let wanted = movement(&happened.fact, happened.ispb);
    let is_right = event.ispb == happened.ispb
        && state.occurred_at == happened.occurred_at
        && state.funds.held() == funds.held
        && state.funds.available() == funds.available()
        && event.movement == wanted;
    must(is_right, || {
        let (id, version) = (happened.account_id, happened.version);
        let (available, held) = (state.funds.available(), state.funds.held());
        let (said, due) = (moved(event.movement.as_ref()), moved(wanted.as_ref()));
        format!(
            "version {version} of {id} has {available} and {held} held since {} in the history, \
             and {said}; at its bank it has {} and {} held since {}, and {due}",
            state.occurred_at,
            funds.available(),
            funds.held,
            happened.occurred_at
        )
    })
}

impl Oracle {
    /// Everything that happened to an account.
    fn happened(&self, id: AccountId) -> impl Iterator<Item = &AccountEvent> {
        self.past.happened.range((id, i64::MIN)..=(id, i64::MAX)).map(|(_, event)| event)
    }
}

/// The history of an account is what happened to it.
pub(super) fn agrees(city: &City, id: AccountId) -> Finding {
    let oracle = city.world.oracle();
    city.balances.look(|it| {
        for happened in oracle.happened(id) {
            let Some(entry) = it.tables.history.get(&(id, happened.version)) else {
                return Err(format!("version {} of {id} is in no history", happened.version));
            };
            is_so(entry, happened)?;
        }
        Ok(())
    })
}
