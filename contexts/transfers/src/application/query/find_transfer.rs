//! A transfer's own id, by whatever somebody knows it by: programs of banks that credit on delivery
//! know the ids of orders alone. Any number of names is one read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use shared_kernel::application::{ApplicationError, Caller};
use shared_kernel::domain::{EndToEndId, Violation};

use crate::application::outside::{KnownOrder, OrderOutcome};
use crate::application::ports::TransfersReads;
use crate::domain::OrderId;

/// How somebody names a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferName {
    /// By its own id.
    Transfer(EndToEndId),
    /// By the id of its order.
    Order(OrderId),
}

impl TransferName {
    /// By whichever of the two is not empty.
    ///
    /// # Errors
    /// Those of [`EndToEndId::parse`] and [`OrderId::parse`]; `transfer_id_ambiguous` for both.
    pub fn parse(end_to_end_id: &str, order_id: &str) -> Result<Self, Violation> {
        if order_id.is_empty() {
            return EndToEndId::parse(end_to_end_id).map(Self::Transfer);
        }
        if end_to_end_id.is_empty() {
            return OrderId::parse(order_id).map(Self::Order);
        }
        let message = "name a transfer by its EndToEndId or by the id of its order, not by both";
        Err(Violation::invalid("transfer_id_ambiguous", "order_id", message))
    }
}

/// The id of a transfer, or why it is not told.
pub type Found = Result<EndToEndId, Violation>;

/// Finds transfers by their names.
#[derive(Clone)]
pub struct FindTransfer {
    reads: Arc<dyn TransfersReads>,
}

impl std::fmt::Debug for FindTransfer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FindTransfer").finish_non_exhaustive()
    }
}

impl FindTransfer {
    /// A query over the hub's read side.
    pub fn new(reads: Arc<dyn TransfersReads>) -> Self {
        Self { reads }
    }

    /// The id of the transfer. Whether there is one under an id of its own is asked nobody here.
    ///
    /// # Errors
    /// `order_unknown`, also for an order of other banks than the caller's; `order_refused` with
    /// the sentence that its bank was told.
    pub async fn execute(
        &self,
        caller: Caller,
        name: TransferName,
    ) -> Result<EndToEndId, ApplicationError> {
        let id = match name {
            TransferName::Transfer(id) => return Ok(id),
            TransferName::Order(id) => id,
        };
        let found = self.batch(&[(caller, name)]).await?.pop();
        Ok(found.unwrap_or_else(|| Err(unknown(id)))?)
    }

    /// The same of many names, in the order of `asked`, each with its own refusal. One read, and
    /// none where nobody names an order.
    ///
    /// # Errors
    /// [`ApplicationError::Unavailable`].
    pub(crate) async fn batch(
        &self,
        asked: &[(Caller, TransferName)],
    ) -> Result<Vec<Found>, ApplicationError> {
        let order = |(_, name): &(Caller, TransferName)| match name {
            TransferName::Transfer(_) => None,
            TransferName::Order(id) => Some(*id),
        };
        let ids: BTreeSet<OrderId> = asked.iter().filter_map(order).collect();
        let ids: Vec<OrderId> = ids.into_iter().collect();
        let known = if ids.is_empty() { Vec::new() } else { self.reads.orders(&ids).await? };
        let known: HashMap<OrderId, KnownOrder> =
            known.into_iter().map(|known| (known.order_id, known)).collect();
        let find = |(caller, name): &(Caller, TransferName)| match name {
            TransferName::Transfer(id) => Ok(*id),
            TransferName::Order(id) => became(*caller, *id, known.get(id)),
        };
        Ok(asked.iter().map(find).collect())
    }
}

/// What an order became.
fn became(caller: Caller, id: OrderId, known: Option<&KnownOrder>) -> Found {
    let known = known.filter(|known| may_see(caller, known)).ok_or_else(|| unknown(id))?;
    match &known.outcome {
        OrderOutcome::Transfer { end_to_end_id, .. } => Ok(*end_to_end_id),
        OrderOutcome::Refused { sentence } => {
            let message = format!("the order {id} became no transfer: {sentence}");
            Err(Violation::failed_precondition("order_refused", "order_id", message))
        }
    }
}

fn unknown(id: OrderId) -> Violation {
    Violation::not_found("order_unknown", "order_id", format!("the hub knows no order {id}"))
}

fn may_see(caller: Caller, known: &KnownOrder) -> bool {
    let is_payees = match &known.outcome {
        OrderOutcome::Transfer { payee, .. } => caller.may_act_for(payee).is_ok(),
        OrderOutcome::Refused { .. } => false,
    };
    is_payees || caller.may_act_for(&known.bank).is_ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::application::testing::MemoryStore;
    use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, ispb, order};

    fn id(number: u128) -> OrderId {
        OrderId::from_uuid(Uuid::from_u128(number))
    }

    /// A store that knows order 1, which became the first transfer, and 2, which was refused.
    fn store() -> MemoryStore {
        let store = MemoryStore::default();
        let end_to_end_id = order(1).end_to_end_id;
        let outcomes = [
            OrderOutcome::Transfer { end_to_end_id, payee: ispb(PAYEE_BANK) },
            OrderOutcome::Refused { sentence: "no key was found".into() },
        ];
        for (order_id, outcome) in [id(1), id(2)].into_iter().zip(outcomes) {
            let (bank, account_id) = (ispb(PAYER_BANK), order(1).payer.account_id);
            let known = KnownOrder { order_id, bank, account_id, content: None, outcome };
            store.tables().orders.insert(order_id, known);
        }
        store
    }

    #[tokio::test]
    async fn an_order_leads_to_its_transfer_for_its_banks_alone() {
        let end_to_end_id = order(1).end_to_end_id;
        let query = FindTransfer::new(Arc::new(store()));
        let find = async |caller, number| {
            let found = query.execute(caller, TransferName::Order(id(number))).await;
            found.map_err(|error| match error {
                ApplicationError::Refused(broken) => (broken.code(), broken.message().to_owned()),
                other @ ApplicationError::Unavailable(_) => panic!("{other:?}"),
            })
        };
        let bank = |text| Caller::Bank(ispb(text));
        for caller in [Caller::Operator, bank(PAYER_BANK), bank(PAYEE_BANK)] {
            assert_eq!(find(caller, 1).await, Ok(end_to_end_id));
        }
        let refused = find(bank(PAYER_BANK), 2).await.unwrap_err();
        assert!(refused.0 == "order_refused" && refused.1.contains("no key was found"));
        for (caller, number) in
            [(bank("00000009"), 1), (bank(PAYEE_BANK), 2), (Caller::Operator, 3)]
        {
            assert_eq!(find(caller, number).await.unwrap_err().0, "order_unknown");
        }
        let itself = TransferName::Transfer(end_to_end_id);
        assert_eq!(query.execute(Caller::Operator, itself).await.unwrap(), end_to_end_id);
    }

    #[tokio::test]
    async fn many_names_are_one_read_and_each_refusal_spoils_its_own_alone() {
        let store = store();
        let query = FindTransfer::new(Arc::new(store.clone()));
        let (first, other) = (order(1).end_to_end_id, order(7).end_to_end_id);
        let (itself, stranger) = (TransferName::Transfer(other), Caller::Bank(ispb("00000009")));
        let order = |number| TransferName::Order(id(number));
        let asked = [
            (Caller::Operator, order(2)),
            (Caller::Operator, order(1)),
            (stranger, order(1)),
            (Caller::Operator, itself),
            (Caller::Bank(ispb(PAYEE_BANK)), order(1)),
            (Caller::Operator, order(3)),
        ];
        let told: Vec<_> = query.batch(&asked).await.unwrap();
        let told: Vec<_> =
            told.into_iter().map(|found| found.map_err(|broken| broken.code())).collect();
        let unknown = Err("order_unknown");
        let expected = [Err("order_refused"), Ok(first), unknown, Ok(other), Ok(first), unknown];
        assert_eq!(told, expected);
        assert_eq!(store.tables().calls["orders"], 1);
        // Nobody looks for an order that nobody names.
        assert_eq!(query.batch(&[(Caller::Operator, itself)]).await.unwrap(), [Ok(other)]);
        assert_eq!(store.tables().calls["orders"], 1);
    }
}
