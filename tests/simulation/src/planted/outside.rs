//! Bugs of the hub at its line to the programs of other banks.

use shared_kernel::application::dead_letter::DeadLetter;
use shared_kernel::application::log::OutboundRecord;
use shared_kernel::domain::ReasonCode;
use transfers::application::TransfersSettings;
use transfers::application::outside::{KnownOrder, OrderOutcome, OutsideMessage};
use transfers::application::ports::{Change, Letter, SavedTransfer, Word};
use transfers::domain::{Side, Standing, Transfer, TransferState};
use transfers::infrastructure::classic::inbound;

use super::Bug;
use super::hub::standing_at;
use crate::world::World;

/// The orders that are found by their ids.
pub(crate) fn known_orders(
    world: &World,
    mut found: Vec<KnownOrder>,
    all: impl FnOnce() -> Vec<KnownOrder>,
) -> Vec<KnownOrder> {
    if !world.has(Bug::ConfirmationOfAnotherOrder) {
        return found;
    }
    let others = all();
    let is_transfer = |it: &KnownOrder| matches!(it.outcome, OrderOutcome::Transfer { .. });
    for known in found.iter_mut().filter(|it| is_transfer(it)) {
        let id = known.order_id;
        if let Some(other) = others.iter().find(|it| it.order_id != id && is_transfer(it)) {
            known.outcome = other.outcome.clone();
        }
    }
    found
}

/// A transfer that is loaded.
pub(super) fn loaded(world: &World, transfer: Transfer) -> Transfer {
    let standing = *transfer.standing();
    let was_refused = standing.state == TransferState::Rejected && transfer.is_handed_over();
    if !was_refused || !world.has(Bug::ContradictionSettles) {
        return transfer;
    }
    let state = TransferState::Pending;
    standing_at(&transfer, Standing { state, reason: None, finished_at: None, ..standing })
}

/// A transfer that is saved.
pub(super) fn saved(world: &World, it: &mut SavedTransfer) {
    let standing = *it.transfer.standing();
    let is_pending = standing.state == TransferState::Pending && it.transfer.is_handed_over();
    if !is_pending {
        return;
    }
    if it.change == Change::Moved && world.has(Bug::ExpireAfterHandOver) {
        let standing = Standing {
            state: TransferState::Expired,
            reason: Some(ReasonCode::Ab03),
            finished_at: standing.overdue_at,
            overdue_at: None,
            ..standing
        };
        it.transfer = standing_at(&it.transfer, standing);
        for notice in &mut it.notices {
            notice.standing = standing;
        }
    }
    if it.change == Change::None && world.has(Bug::RepeatHandsOverAgain) {
        // Codes are the last three places of ISPBs here.
        let code = it.transfer.bank(Side::Payee).as_str().get(5..).unwrap_or_default().to_owned();
        let topic = format!("{}{code}", TransfersSettings::default().outside_bank_topics);
        let trace = it.notices.first().map(|notice| notice.trace.clone());
        it.letters.extend(trace.map(|trace| Letter {
            to: Side::Payee,
            topic,
            word: Word::Credit,
            payee_key: it.transfer.order().payee_key.clone(),
            standing,
            trace,
        }));
    }
}

/// What a program is told of an order that was set aside.
pub(crate) fn error_instead(world: &World, letter: &DeadLetter) -> Option<OutboundRecord> {
    if letter.code != "order_content_differs" || !world.has(Bug::ErrorForOtherContent) {
        return None;
    }
    let OutsideMessage::Order(order) = inbound::order(&letter.record).ok()?? else { return None };
    let account = order.account_id.to_string();
    // Ids of accounts name their banks here.
    let code = account.get(29..32)?;
    let body = serde_json::json!({
        "id": order.order_id, "accountId": account, "amount": 1, "pixKeyTo": "",
        "pixKeyKindTo": "", "pixKeyToKind": "", "description": "", "status": "error",
        "error": "given before with other content",
    });
    Some(OutboundRecord {
        topics: vec![format!("{}{code}", TransfersSettings::default().outside_bank_topics)],
        key: Some(order.order_id.to_string().into_bytes()),
        headers: Vec::new(),
        payload: Some(body.to_string().into_bytes()),
        time: None,
    })
}
