//! Many customers who pay each other whatever happens, and what each must have in the end.

use std::collections::{BTreeMap, BTreeSet};

use codepix::client::banking::RequestTransferRequest;
use codepix::client::transfers::TransferState;
use codepix::client::{ClientError, banking};
use futures::StreamExt as _;
use tokio::sync::watch;
use tonic::Code;

use super::scene::order;
use super::{Account, Chance, Refused, Scene, eventually_within, refused};

/// How many of a crowd ask at the same time.
const AT_ONCE: usize = 16;
/// How long a crowd may take through all that happens to the hub.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(10);
/// What each customer has at first.
const OPENING: i64 = 100_000;

/// A customer with a key.
#[derive(Clone, Debug)]
struct Customer {
    account: Account,
    key: String,
}

/// An order that will be given until it is answered.
#[derive(Clone, Debug)]
struct Plan {
    payer: usize,
    payee: usize,
    order: RequestTransferRequest,
}

/// Customers of three banks and what they will pay each other.
#[derive(Debug)]
pub(crate) struct Crowd {
    customers: Vec<Customer>,
    plans: Vec<Plan>,
}

impl Crowd {
    /// Opens four accounts at each of three banks and plans that many transfers.
    pub(crate) async fn gather(scene: &Scene, chance: &mut Chance, transfers: usize) -> Self {
        let mut customers = Vec::new();
        for code in ["001", "002", "003"] {
            let ispb = scene.enrol(code).await;
            for number in 1..=4 {
                let name = format!("Customer {number} of {code}");
                let account = scene.account(&ispb, &name, OPENING).await;
                let key = scene.key(&account).await;
                customers.push(Customer { account, key });
            }
        }
        let mut plans = Vec::new();
        while plans.len() < transfers {
            let [from, to] = [(); 2].map(|()| chance.below(customers.len()));
            if from != to {
                let amount = i64::try_from(chance.below(500)).unwrap().saturating_add(1);
                let order = order(&customers[from].account, &customers[to].key, amount);
                plans.push(Plan { payer: from, payee: to, order });
            }
        }
        Self { customers, plans }
    }

    /// Gives every order until it is answered, whatever answers; `answered` counts. Answers the
    /// transfers in the order of the plan.
    pub(crate) async fn pay(
        &self,
        scene: &watch::Receiver<Scene>,
        answered: &watch::Sender<usize>,
    ) -> Vec<banking::Transfer> {
        let given = self.plans.iter().map(|plan| async move {
            let transfer = self.insist(scene, plan).await;
            answered.send_modify(|count| *count = count.saturating_add(1));
            transfer
        });
        futures::stream::iter(given).buffered(AT_ONCE).collect().await
    }

    async fn insist(&self, scene: &watch::Receiver<Scene>, plan: &Plan) -> banking::Transfer {
        let ispb = &self.customers[plan.payer].account.ispb;
        eventually_within(PATIENCE, async || {
            let scene = scene.borrow().clone();
            match scene.bank(ispb).request_transfer(plan.order.clone()).await {
                Ok(answer) => Ok(answer.into_inner().transfer.unwrap()),
                Err(status) => {
                    let error = ClientError::of_status("the hub", &status);
                    assert!(error.may_pass(), "refused: {status:?}");
                    Err(status)
                }
            }
        })
        .await
    }

    /// Every transfer is paid and once, a repeated order is answered as before, and everyone has
    /// exactly what the plan says.
    pub(crate) async fn has_paid(&self, scene: &Scene, answers: &[banking::Transfer]) {
        let ids: BTreeSet<&str> = answers.iter().map(|it| it.end_to_end_id.as_str()).collect();
        assert_eq!(ids.len(), self.plans.len(), "each order is one transfer");
        for (plan, answer) in self.plans.iter().zip(answers) {
            let payer = &self.customers[plan.payer].account;
            let again = scene.bank(&payer.ispb).request_transfer(plan.order.clone()).await;
            let again = again.unwrap().into_inner().transfer.unwrap();
            assert_eq!(&again, answer, "a repetition is answered as the first time");
            let other = RequestTransferRequest { description: "else".into(), ..plan.order.clone() };
            let reused = refused(scene.bank(&payer.ispb).request_transfer(other).await);
            let field = "idempotency_key";
            assert_eq!(reused, Refused::new(Code::AlreadyExists, "idempotency_key_reused", field));
        }
        let mut expected: BTreeMap<usize, i64> = BTreeMap::new();
        for plan in &self.plans {
            let amount = plan.order.amount_centavos;
            for (who, moved) in [(plan.payer, amount.saturating_neg()), (plan.payee, amount)] {
                let sum = expected.entry(who).or_insert(OPENING);
                *sum = sum.saturating_add(moved);
            }
        }
        for (plan, answer) in self.plans.iter().zip(answers) {
            let within =
                self.customers[plan.payer].account.ispb == self.customers[plan.payee].account.ispb;
            assert_eq!(answer.direction() == banking::TransferDirection::Book, within);
            if !within {
                let wanted = TransferState::Completed;
                eventually_within(PATIENCE, async || {
                    let state = scene.at_hub(&answer.end_to_end_id).await.map(|it| it.state());
                    if state == Some(wanted) { Ok(()) } else { Err((answer, state)) }
                })
                .await;
            }
        }
        for (who, centavos) in expected {
            scene.has(&self.customers[who].account, centavos, 0).await;
        }
    }
}
