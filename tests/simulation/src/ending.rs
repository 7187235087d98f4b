//! The last line of a good run: what was counted when all was quiet, and that it adds up.

use std::collections::BTreeMap;

use shared_kernel::application::dead_letter::SUFFIX;
use shared_kernel::domain::Money;

use crate::city::City;
use crate::trace::count;
use crate::workload::Order;

/// What customers were told that their deposits and withdrawals came to.
fn moved(city: &City) -> (Money, Money) {
    let (mut deposited, mut withdrawn) = (0, 0);
    for (order, _) in city.journal().accepted() {
        match order {
            Order::Deposit(it) => deposited += it.amount.centavos(),
            Order::Withdraw(it) => withdrawn += it.amount.centavos(),
            Order::Enrol(_)
            | Order::EnrolAccount(..)
            | Order::Resolve(_)
            | Order::Acknowledge(_)
            | Order::Open(_)
            | Order::Pay(_)
            | Order::PayAccount(_)
            | Order::Block(_)
            | Order::Unblock(_)
            | Order::Close(_)
            | Order::Limit(_)
            | Order::Register(_)
            | Order::Make(..)
            | Order::Remove(..) => {}
        }
    }
    (Money::from_centavos(deposited), Money::from_centavos(withdrawn))
}

/// Transfers by their states.
fn ends(city: &City) -> String {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    city.transfers.look(|hub| {
        for transfer in hub.tables.transfers.values() {
            *states.entry(transfer.standing().state.as_str()).or_insert(0) += 1;
        }
    });
    let total = count(states.values().sum(), "transfer is final", "transfers are final");
    let parts: Vec<String> =
        states.into_iter().map(|(state, number)| format!("{number} {state}")).collect();
    if parts.is_empty() { total } else { format!("{total} ({})", parts.join(", ")) }
}

/// Money that came in is money that is there.
fn money(city: &City) -> String {
    let (deposited, withdrawn) = moved(city);
    city.banking.look(|banks| {
        let accounts = banks.tables.accounts.values();
        let there = accounts.clone().map(|it| it.state().funds.balance.centavos()).sum();
        let received = city.transfers.look(|hub| {
            let ours = hub.tables.positions.values();
            let ours = ours.filter(|it| banks.tables.banks.contains_key(&it.ispb));
            ours.map(|it| it.amount.centavos()).sum::<i64>()
        });
        let there = Money::from_centavos(there);
        let others = match received {
            0 => String::new(),
            1.. => format!(" + {} from other banks", Money::from_centavos(received)),
            ..0 => format!(" - {} to other banks", Money::from_centavos(-received)),
        };
        let on = count(accounts.count(), "account", "accounts");
        format!(
            "{deposited} deposited - {withdrawn} withdrawn{others} = {there} on {on}, none of it \
             held"
        )
    })
}

/// The line. It is told only when every check has held.
pub(crate) fn all_well(city: &City) -> String {
    let sum = city.transfers.look(|hub| {
        let positions = hub.tables.positions.values();
        positions.map(|it| it.amount.centavos()).sum::<i64>()
    });
    let letters = city.log.all(|topic| topic.ends_with(SUFFIX)).len();
    let records = city.log.all(|topic| !topic.ends_with(SUFFIX)).len();
    let answers = city.journal().entries().len();
    format!(
        "all is well: {}, each with one debit and one credit or with neither; {}; positions of \
         banks sum to {}; {} on the log, read by all who must, and {} with a reason; {} to clients \
         are true, and the same on a repeat",
        ends(city),
        money(city),
        Money::from_centavos(sum),
        count(records, "record", "records"),
        count(letters, "dead letter", "dead letters"),
        count(answers, "answer", "answers"),
    )
}
