//! What the hub stores of banks that credit on delivery: orders by the ids of their programs,
//! hand-overs that wait for the courier, and what operators resolved.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::EndToEndId;
use transfers::application::hand_over::{HandOver, HandOverShard, HandOvers};
use transfers::application::outside::{KnownOrder, OrderOutcome, OrderRefusal};
use transfers::application::ports::{Birth, SavedTransfer, Word};
use transfers::domain::{OrderId, Side, Transfer};
use transfers::infrastructure::classic::outbound;

use super::transfers::{Hub, TransfersTables};
use crate::planted::{self, Bug};
use crate::store::{Lead, Session, find};

/// Where the orders are.
fn orders(tables: &TransfersTables) -> &BTreeMap<OrderId, KnownOrder> {
    &tables.orders
}

fn own_orders(tables: &mut TransfersTables) -> &mut BTreeMap<OrderId, KnownOrder> {
    &mut tables.orders
}

/// The order that a new transfer makes known.
fn known(transfer: &Transfer, birth: &Birth) -> Option<KnownOrder> {
    let order = transfer.order();
    Some(KnownOrder {
        order_id: transfer.ends().order_id?,
        bank: transfer.bank(Side::Payer),
        account_id: order.payer.account_id,
        content: birth.content,
        outcome: OrderOutcome::Transfer {
            end_to_end_id: order.end_to_end_id,
            payee: transfer.bank(Side::Payee),
        },
    })
}

impl Hub {
    async fn know(&mut self, new: Vec<KnownOrder>) -> Result<(), StoreError> {
        let rows: Vec<(OrderId, KnownOrder)> =
            new.into_iter().map(|it| (it.order_id, it)).collect();
        if self.session.world().has(Bug::OrdersWithoutUniqueness) {
            self.write(|_, own| own.orders.extend(rows));
            return Ok(());
        }
        self.insert_rows("outside_order", rows, orders, own_orders).await
    }

    /// Makes the order of a new transfer known, where banks know it by an id.
    pub(super) async fn know_born(
        &mut self,
        transfer: &Transfer,
        birth: &Birth,
    ) -> Result<(), StoreError> {
        self.know(known(transfer, birth).into_iter().collect()).await
    }

    pub(super) async fn known_orders(
        &mut self,
        ids: &[OrderId],
    ) -> Result<Vec<KnownOrder>, StoreError> {
        self.statement().await?;
        let found = self.see(|committed, own| {
            let known = |id| find(&committed.orders, &own.orders, id).cloned();
            ids.iter().filter_map(known).collect()
        });
        let all = || self.see(|committed, _| committed.orders.values().cloned().collect());
        Ok(planted::known_orders(self.session.world(), found, all))
    }

    pub(super) async fn keep_refusals(
        &mut self,
        refusals: &[OrderRefusal],
    ) -> Result<(), StoreError> {
        let told: Result<Vec<Published>, StoreError> =
            refusals.iter().map(outbound::refusal).collect();
        self.publish(told?);
        let refused = |it: &OrderRefusal| KnownOrder {
            order_id: it.order.order_id,
            bank: it.bank,
            account_id: it.order.account_id,
            content: Some(it.order.content()),
            outcome: OrderOutcome::Refused { sentence: it.sentence.clone() },
        };
        let kept: Vec<KnownOrder> = refusals.iter().filter(|it| it.remember).map(refused).collect();
        if kept.is_empty() {
            return Ok(());
        }
        self.statement().await?;
        self.know(kept).await
    }

    /// Writes the letters of these transfers: hand-overs to their own table, the rest to the
    /// outbox.
    pub(super) async fn write_letters(
        &mut self,
        saved: &[SavedTransfer],
    ) -> Result<(), StoreError> {
        let (mut hand_overs, mut told) = (Vec::new(), Vec::new());
        for saved in saved {
            for letter in &saved.letters {
                match letter.word {
                    Word::Credit => hand_overs.push(outbound::hand_over(&saved.transfer, letter)?),
                    Word::Settled | Word::Failed => {
                        told.push(outbound::letter(&saved.transfer, letter)?);
                    }
                }
            }
        }
        self.publish(told);
        if hand_overs.is_empty() {
            return Ok(());
        }
        self.statement().await?;
        for hand_over in hand_overs {
            let number = self.number();
            if self.session.world().has(Bug::HandOverBeforeCommit) {
                self.session.change(|tables| tables.hand_overs.insert(number, hand_over.clone()));
            }
            self.write(|_, own| own.hand_overs.insert(number, hand_over));
        }
        Ok(())
    }
}

#[async_trait]
impl HandOvers for Session<TransfersTables> {
    async fn try_lead(&self, shard: u16) -> Result<Option<Box<dyn HandOverShard>>, StoreError> {
        let led = self.lead(("hands over", shard)).await?;
        Ok(led.map(|lead| -> Box<dyn HandOverShard> { Box::new(lead) }))
    }

    async fn appended(&self, wait: Duration) {
        self.stored(wait).await;
    }
}

#[async_trait]
impl HandOverShard for Lead<TransfersTables> {
    async fn waiting(
        &mut self,
        limit: i64,
        without: &[String],
    ) -> Result<Vec<HandOver>, StoreError> {
        self.statement().await?;
        self.may_break();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows: Vec<HandOver> = self.session().change(|tables| {
            let waiting = tables.hand_overs.values();
            waiting.filter(|it| !without.contains(&it.topic)).take(limit).cloned().collect()
        });
        if self.session().world().has(Bug::HandOversRemovedFirst) {
            self.session().change(|tables| tables.hand_overs.clear());
        }
        Ok(rows)
    }

    async fn remove(&mut self, ids: &[EndToEndId]) -> Result<(), StoreError> {
        let world = std::sync::Arc::clone(self.session().world());
        let node = self.session().node;
        world.at_seldom(node, "before it removes what it handed over").await;
        self.statement().await?;
        self.session().change(|tables| {
            tables.hand_overs.retain(|_, it| !ids.contains(&it.end_to_end_id));
        });
        world.at_seldom(node, "after it removed what it handed over").await;
        if world.unlucky(world.plan.rates.statement) {
            world.fault(node, || "does not learn that its hand-overs are removed".to_owned());
            return Err(StoreError::Unavailable("connection reset by peer".into()));
        }
        Ok(())
    }
}
