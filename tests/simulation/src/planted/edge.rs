//! Bugs of what clients are shown.

use banking::application::views::AccountView;
use serde_json::Value;
use shared_kernel::domain::Amount;

use super::Bug;
use crate::workload::Order;
use crate::world::World;

/// An answer to a client.
pub(crate) fn answer(world: &World, order: &Order, mut answer: Value) -> Value {
    let name = answer.get_mut("counterparty_name").filter(|_| world.has(Bug::PayeeMisnamed));
    if let Some(name) = name {
        *name = Value::from("Somebody else");
    }
    if let Order::Deposit(it) = order
        && world.has(Bug::BalanceBeforeDeposit)
    {
        return before(&answer, it.amount);
    }
    if matches!(order, Order::Open(_)) && world.has(Bug::OwnerMisnamed) {
        return with(answer, "owner_name");
    }
    if matches!(order, Order::Register(_)) && world.has(Bug::KeyMisnamed) {
        return with(answer, "key");
    }
    answer
}

/// An account as it was before a deposit.
fn before(answer: &Value, deposit: Amount) -> Value {
    let earlier = || {
        let mut view: AccountView = serde_json::from_value(answer.clone()).ok()?;
        view.version -= 1;
        view.balance = view.balance.checked_sub(deposit.money()).ok()?;
        view.available = view.available.checked_sub(deposit.money()).ok()?;
        serde_json::to_value(view).ok()
    };
    earlier().unwrap_or_else(|| answer.clone())
}

/// The answer with another text in a field.
fn with(mut answer: Value, field: &str) -> Value {
    if let Some(value) = answer.get_mut(field) {
        *value = Value::from("somebody@example.com");
    }
    answer
}
