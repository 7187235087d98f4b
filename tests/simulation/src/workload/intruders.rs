//! Banks that give orders for others' customers, and clients that use a key again: what is refused,
//! and what must not be.

use std::sync::Arc;

use shared_kernel::application::Caller;
use shared_kernel::domain::Ispb;

use super::journal::Told;
use super::order::Order;
use super::variation::Variation;
use crate::city::City;
use crate::executor::WORLD;
use crate::plan::Role;
use crate::words::Words as _;

/// Refused: the key was used before with other content.
pub(super) const REUSED: &str = "idempotency_key_reused";
/// Refused: who may not act for a bank learns no more than that.
const TURNED_AWAY: [&str; 3] =
    ["account_not_found", "caller_may_not_act_for_bank", "operator_only"];

impl City {
    /// An order as somebody gives it who may: the bank of the account, or an operator; now and then
    /// under a key that another bank, or another kind of order, has had before.
    pub(super) fn as_given(&self, order: Order) -> Order {
        let chance = &self.world.chance;
        let bank = order.bank().filter(|_| chance.below(3) == 0);
        let order = match bank {
            Some(bank) => order.by(Caller::Bank(bank)),
            None => order,
        };
        let mut journal = self.journal();
        if chance.below(10) == 0 {
            let key = journal.used_key(|most| chance.between(1, most));
            let other = order.clone().under(key);
            if journal.claim(&other) {
                return other;
            }
        }
        let mut order = order;
        // Another order of the same moment may have taken the key.
        while order.scope().is_some() && !journal.claim(&order) {
            order = order.under(journal.key());
        }
        order
    }

    /// The same key with other content, where there is any.
    pub(super) fn varied(&self, order: &Order) -> Option<Order> {
        let chance = &self.world.chance;
        let bank = order.bank()?;
        let others: Vec<_> = self.journal().accounts.clone();
        let others: Vec<_> = others.into_iter().filter(|(ispb, _)| *ispb == bank).collect();
        let account = chance.one_of(&others).map(|(_, id)| id);
        let other = order.altered(&Variation { field: chance.below(12), account })?;
        self.journal().rival(&other);
        Some(other)
    }

    /// Another bank gives the order, or a bank gives what only operators may: it is turned away,
    /// whatever the order would have met, and nothing of it is left.
    pub(crate) async fn intrude(self: &Arc<Self>, order: &Order) {
        let number = self.world.chance.between(1, 9);
        let other = Ispb::parse(&format!("{number:08}")).ok();
        let Some(other) = other.filter(|it| Some(*it) != order.bank()) else { return };
        let stranger = order.clone().by(Caller::Bank(other));
        let told = self.ask(&stranger).await;
        self.world.tell(WORLD, || {
            let answer = told.as_ref().map_or_else(|| "no answer".to_owned(), Told::words);
            format!("bank {other} tries for another: {}: {answer}", stranger.words())
        });
        let is_turned_away = match &told {
            None => true,
            Some(Told::Refused(code)) => TURNED_AWAY.contains(&code.as_str()),
            Some(Told::Accepted(_)) => false,
        };
        if !is_turned_away {
            let words = order.words();
            let told = told.words();
            self.world.fail(format!("{words}: ordered by bank {other}, and answered: {told}"));
        }
    }

    /// Who may give an order is not taken for a stranger, and a key that was never used in its
    /// scope is not refused as used.
    pub(super) fn must_be_let_in(&self, order: &Order, told: &Told) {
        let Told::Refused(code) = told else { return };
        let is_stranger = match order.role() {
            // The directory hears of accounts by events: those of the founding it knows.
            Role::Banking | Role::PixKeys => TURNED_AWAY.contains(&code.as_str()),
            Role::Transfers | Role::Balances => code == "operator_only",
        };
        let words = || order.words();
        if is_stranger && self.journal().is_founded {
            self.world.fail(format!("{}: turned away, {code}", words()));
        }
        if code == REUSED && self.journal().rivals(order).is_empty() {
            self.world.fail(format!("{}: a new key, refused as used before", words()));
        }
    }
}
