//! What must be true after every journey.

use codepix::client::transfers::TransferState;

use super::balances::balance;
use super::operator::doctor;
use super::{Scene, eventually};
use crate::support::TestHub;

/// Every transfer is final, the doctor is content, no centavo is missing, and the read side has
/// arrived at the same balances as the ledger.
pub(crate) async fn at_rest(hub: &TestHub, scene: &Scene) {
    for open in [TransferState::Pending, TransferState::Confirmed] {
        eventually(async || {
            let found = scene.transfers_in(open).await;
            if found.is_empty() { Ok(()) } else { Err(found) }
        })
        .await;
    }
    doctor(&hub.servers).await;
    assert_eq!(scene.total_money().await, scene.deposited(), "what was paid in is still there");
    let positions = scene.positions().await;
    assert_eq!(positions.values().map(|(position, _)| position).sum::<i64>(), 0, "{positions:?}");
    for account in scene.accounts().await {
        eventually(async || {
            let answer = balance(&scene.balances, &account.account_id).await;
            let known = answer.map_err(|status| status.to_string())?.into_inner().balance;
            let known = known.map(|it| (it.available_centavos, it.held_centavos, it.version));
            let ledger = (account.available_centavos, account.held_centavos, account.version);
            if known == Some(ledger) { Ok(()) } else { Err(format!("{known:?}, not {ledger:?}")) }
        })
        .await;
    }
}
