//! What becomes of orders and confirmations of bank programs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shared_kernel::application::{Clock, StoreError, TraceParent};
use shared_kernel::domain::{AccountId, EndToEndId};
use shared_kernel::testing::{CountedIds, FixedClock};
use uuid::Uuid;

use super::*;
use crate::application::directory::{FoundKey, KeyAnswer, KeyQuestion, OrderDirectory};
use crate::application::ports::{BankTopics, Placement, TransfersStore, Word};
use crate::application::testing::{Bench, trace};
use crate::domain::testing::{PAYEE_BANK, PAYER_BANK, at, classic, native, party};
use crate::domain::{OrderId, PayeeKey};
use crate::domain::{Participant, Party, Side, TransferState};

/// Answers with two parties, counts what it is asked, and may be down.
#[derive(Default)]
struct Directory {
    asked: Mutex<Vec<String>>,
    is_down: bool,
}

fn payer() -> Party {
    party(PAYER_BANK, "52998224725")
}

fn payee() -> Party {
    party(PAYEE_BANK, "11144477735")
}

#[async_trait]
impl OrderDirectory for Directory {
    async fn accounts(&self, ids: &[AccountId], _: &TraceParent) -> Result<Vec<Party>, StoreError> {
        self.asked.lock().unwrap().extend(ids.iter().map(ToString::to_string));
        if self.is_down {
            return Err(StoreError::Unavailable("down".into()));
        }
        let known = [payer(), payee()];
        Ok(known.into_iter().filter(|party| ids.contains(&party.account_id)).collect())
    }

    async fn keys(&self, questions: &[KeyQuestion]) -> Result<Vec<KeyAnswer>, StoreError> {
        self.asked.lock().unwrap().extend(questions.iter().map(|it| it.key.clone()));
        let found = |owner: Party, registered_as: &str| {
            let registered_as = PayeeKey::parse(registered_as).unwrap();
            Ok(Some(FoundKey { owner, registered_as }))
        };
        let answer = |question: &KeyQuestion| match question.key.as_str() {
            "nobody@example.com" => Ok(None),
            "self@example.com" => found(payer(), &question.key),
            "11144477735" => found(payee(), "111.444.777-35"),
            key => found(payee(), key),
        };
        Ok(questions.iter().map(answer).collect())
    }
}

struct OnePartition;

impl Placement for OnePartition {
    fn origin(&self, _: &EndToEndId) -> i32 {
        0
    }
}

/// The topics of programs that are there, and what was asked for.
#[derive(Default)]
struct Topics {
    there: Mutex<Vec<String>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl BankTopics for Topics {
    async fn ensure(&self, _: &[Participant]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn ensure_outside(&self, _: &[String]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn outside(&self, topics: &[String]) -> Result<Vec<String>, StoreError> {
        self.asked.lock().unwrap().extend(topics.to_vec());
        let there = self.there.lock().unwrap();
        Ok(topics.iter().filter(|topic| there.contains(topic)).cloned().collect())
    }
}

struct World {
    bench: Bench,
    directory: Arc<Directory>,
    topics: Arc<Topics>,
}

impl World {
    fn with(banks: [Participant; 2]) -> Self {
        Self { bench: Bench::with(banks), directory: Arc::default(), topics: Arc::default() }
    }

    fn classic() -> Self {
        Self::with([classic(PAYER_BANK), classic(PAYEE_BANK)])
    }

    async fn try_take(&self, said: Vec<OutsideMessage>) -> Result<Vec<String>, StoreError> {
        let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&self.bench.clock);
        let directory: Arc<dyn OrderDirectory> = Arc::<Directory>::clone(&self.directory);
        let ids = Arc::new(CountedIds::default());
        let topics: Arc<dyn BankTopics> = Arc::<Topics>::clone(&self.topics);
        let placement = Arc::new(OnePartition);
        let ports = OrderPorts { directory, placement, topics, clock, ids };
        let desk = OrderDesk::new(ports, self.bench.clearing.clone());
        let heard = said.into_iter().enumerate().map(|(index, message)| HeardOutside {
            index,
            at: at(0),
            trace: trace(5),
            message,
        });
        let mut transaction = self.bench.store.begin().await.unwrap();
        let refusals = desk.take(&mut *transaction, heard.collect()).await?;
        transaction.commit().await.unwrap();
        Ok(refusals.into_iter().map(|refusal| refusal.code).collect())
    }

    async fn take(&self, said: Vec<OutsideMessage>) -> Vec<String> {
        self.try_take(said).await.unwrap()
    }

    fn states(&self) -> Vec<TransferState> {
        let tables = self.bench.store.tables();
        tables.transfers.values().map(|row| row.transfer.standing().state).collect()
    }

    /// Sentences that banks were told of refused orders, since the last time.
    fn refusals(&self) -> Vec<String> {
        let refusals = std::mem::take(&mut self.bench.store.tables().refusals);
        refusals.into_iter().map(|refusal| refusal.sentence).collect()
    }
}

fn id(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number))
}

fn order(number: u128) -> OutsideOrder {
    OutsideOrder {
        order_id: id(number),
        account_id: payer().account_id,
        amount: "1.00".into(),
        key: "Someone@Example.com".into(),
        kind: "email".into(),
        description: String::new(),
    }
}

fn said(order: OutsideOrder) -> OutsideMessage {
    OutsideMessage::Order(Box::new(order))
}

#[tokio::test]
async fn every_pairing_goes_from_order_to_completed() {
    let world = World::classic();
    assert!(world.take(vec![said(order(1))]).await.is_empty());
    assert_eq!(world.bench.letters(), [(Side::Payee, Word::Credit)]);
    world.take(vec![OutsideMessage::Credited(id(1))]).await;
    assert_eq!(world.bench.letters(), [(Side::Payer, Word::Settled)]);
    assert_eq!(world.bench.positions(), (-100, 100, 0));
    world.take(vec![OutsideMessage::Completed(id(1))]).await;
    assert_eq!(world.states(), [TransferState::Completed]);

    let world = World::with([classic(PAYER_BANK), native(PAYEE_BANK)]);
    assert!(world.take(vec![said(order(1))]).await.is_empty());
    assert_eq!(world.bench.letters(), []);
    assert_eq!(world.bench.told(), [(TransferState::Pending, vec!["hub", "payee"])]);

    let world = World::with([native(PAYER_BANK), classic(PAYEE_BANK)]);
    let order = crate::domain::testing::order(1);
    let made = OrderId::of(&order.end_to_end_id);
    world.bench.hear(0, vec![crate::application::testing::requested(order)]).await;
    assert_eq!(world.bench.letters(), [(Side::Payee, Word::Credit)]);
    assert!(world.take(vec![OutsideMessage::Credited(made)]).await.is_empty());
    assert_eq!(world.states(), [TransferState::Confirmed]);
    assert_eq!(
        world.take(vec![OutsideMessage::Completed(made)]).await,
        ["sender_of_another_protocol"]
    );
    assert!(world.topics.asked.lock().unwrap().is_empty(), "only orders are answered so");
}

#[tokio::test]
async fn an_order_given_many_times_is_one_transfer_and_one_hand_over() {
    let world = World::classic();
    let repeated =
        OutsideOrder { amount: "1".into(), key: "someone@example.com".into(), ..order(1) };
    let batch = vec![said(order(1)), said(repeated.clone()), said(order(1))];
    assert!(world.take(batch).await.is_empty());
    assert!(world.take(vec![said(repeated)]).await.is_empty());
    assert_eq!(world.states(), [TransferState::Pending]);
    assert_eq!(world.bench.letters(), [(Side::Payee, Word::Credit)]);
    let asked = world.directory.asked.lock().unwrap().len();
    assert_eq!(asked, 2, "one account and one key, once");
}

#[tokio::test]
async fn other_content_under_a_known_id_is_set_aside_without_a_word() {
    let world = World::classic();
    world.take(vec![said(order(1))]).await;
    world.bench.letters();
    for other in [
        OutsideOrder { amount: "2.00".into(), ..order(1) },
        OutsideOrder { description: "other".into(), ..order(1) },
        OutsideOrder { key: "other@example.com".into(), ..order(1) },
    ] {
        assert_eq!(world.take(vec![said(other)]).await, ["order_content_differs"]);
    }
    assert_eq!((world.refusals(), world.bench.letters()), (vec![], vec![]));
}

#[tokio::test]
async fn the_id_of_another_bank_is_refused_to_the_one_who_came_later() {
    let world = World::classic();
    let other = OutsideOrder { account_id: payee().account_id, ..order(1) };
    assert!(world.take(vec![said(order(1)), said(other)]).await.is_empty());
    assert_eq!(world.refusals(), ["another bank has used the id of this order"]);
    assert_eq!(world.states(), [TransferState::Pending]);
}

#[tokio::test]
async fn each_bank_is_told_the_key_as_it_writes_it() {
    let world = World::classic();
    let cases = [
        (1, "email", "Someone@Example.com", "someone@example.com"),
        (2, "cpf", "11144477735", "111.444.777-35"),
    ];
    let ordered = cases.map(|(number, kind, typed, _)| {
        said(OutsideOrder { kind: kind.into(), key: typed.into(), ..order(number) })
    });
    world.take(ordered.to_vec()).await;
    world.take(cases.map(|(number, ..)| OutsideMessage::Credited(id(number))).to_vec()).await;
    let letters = std::mem::take(&mut world.bench.store.tables().letters);
    let told = |to: Side| -> BTreeSet<&str> {
        let to_it = letters.iter().filter(|(_, letter)| letter.to == to);
        to_it.map(|(_, letter)| letter.payee_key.as_str()).collect()
    };
    assert_eq!(told(Side::Payee), cases.map(|(_, _, _, registered)| registered).into());
    assert_eq!(told(Side::Payer), cases.map(|(_, _, typed, _)| typed).into());
}

#[tokio::test]
async fn no_order_takes_the_check_of_another_under_its_id() {
    // The payer's books are kept here by now, those of the other are outside.
    let world = World::with([native(PAYER_BANK), classic(PAYEE_BANK)]);
    world.topics.there.lock().unwrap().push("bank1".into());
    let key = || "self@example.com".to_owned();
    let late = OutsideOrder { key: key(), ..order(1) };
    let other = OutsideOrder { account_id: payee().account_id, key: key(), ..order(1) };
    assert!(world.take(vec![said(late.clone()), said(other.clone())]).await.is_empty());
    let told = world.refusals();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("kept by the hub"), "{told:?}");
    assert!(world.states().is_empty(), "and nobody's money moves");

    let world = World::with([native(PAYER_BANK), classic(PAYEE_BANK)]);
    world.topics.there.lock().unwrap().push("bank1".into());
    assert!(world.take(vec![said(other), said(late)]).await.is_empty());
    assert_eq!(world.states(), [TransferState::Pending]);
    assert_eq!(world.refusals(), ["another bank has used the id of this order"]);
}

#[tokio::test]
async fn every_refusal_is_told_to_the_payers_bank_and_is_final() {
    let world = World::classic();
    let cases = [
        (OutsideOrder { key: "nobody@example.com".into(), ..order(1) }, "no key was found"),
        (OutsideOrder { amount: "0".into(), ..order(2) }, ""),
        (OutsideOrder { amount: "-1".into(), ..order(3) }, ""),
        (OutsideOrder { amount: "1.001".into(), ..order(4) }, ""),
        (OutsideOrder { amount: String::new(), ..order(5) }, ""),
        (OutsideOrder { description: "x".repeat(141), ..order(6) }, ""),
        (OutsideOrder { key: String::new(), ..order(7) }, ""),
    ];
    for (order, sentence) in cases {
        for _ in 0..2 {
            assert!(world.take(vec![said(order.clone())]).await.is_empty());
            let told = world.refusals();
            assert_eq!(told.len(), 1, "{order:?}");
            assert!(!told[0].is_empty() && told[0].contains(sentence), "{told:?}");
        }
        let order_id = order.order_id;
        assert_eq!(world.take(vec![OutsideMessage::Credited(order_id)]).await, ["order_unknown"]);
    }
    assert!(world.states().is_empty());
}

#[tokio::test]
async fn who_cannot_be_told_is_set_aside() {
    let world = World::with([native(PAYER_BANK), classic(PAYEE_BANK)]);
    let stranger = AccountId::from_uuid(Uuid::from_u128(999));
    let unknown = OutsideOrder { account_id: stranger, ..order(1) };
    let batch = vec![said(unknown), said(order(2)), OutsideMessage::Completed(id(3))];
    let codes = ["payer_account_unknown", "sender_of_another_protocol", "order_unknown"];
    assert_eq!(world.take(batch).await, codes);
    assert!(world.refusals().is_empty() && world.states().is_empty());
}

#[tokio::test]
async fn the_program_of_a_bank_that_is_native_by_now_is_told_so_while_it_can_be() {
    let world = World::with([native(PAYER_BANK), classic(PAYEE_BANK)]);
    world.topics.there.lock().unwrap().push("bank1".into());
    for _ in 0..2 {
        assert!(world.take(vec![said(order(1))]).await.is_empty());
        let told = world.refusals();
        assert!(matches!(told.as_slice(), [one] if one.contains("kept by the hub")), "{told:?}");
    }
    assert!(world.states().is_empty() && world.bench.letters().is_empty());
    assert_eq!(world.take(vec![OutsideMessage::Credited(id(1))]).await, ["order_unknown"]);
}

#[tokio::test]
async fn a_directory_that_is_down_refuses_nobody() {
    let mut world = World::classic();
    world.directory = Arc::new(Directory { is_down: true, ..Directory::default() });
    let down = world.try_take(vec![said(order(1))]).await;
    assert!(matches!(down, Err(StoreError::Unavailable(_))));
    world.directory = Arc::default();
    assert!(world.take(vec![said(order(1))]).await.is_empty());
    assert_eq!(world.states(), [TransferState::Pending]);
}

#[tokio::test]
async fn a_bank_that_pays_itself_moves_no_position() {
    let world = World::classic();
    let own = OutsideOrder { key: "self@example.com".into(), ..order(1) };
    world.take(vec![said(own)]).await;
    world.take(vec![OutsideMessage::Credited(id(1)), OutsideMessage::Completed(id(1))]).await;
    assert_eq!(world.states(), [TransferState::Completed]);
    assert_eq!(world.bench.positions(), (0, 0, 0));
}

#[tokio::test]
async fn a_batch_costs_the_same_whatever_its_size() {
    for size in [1, 100] {
        let world = World::classic();
        let batch = (1..=size).map(|number| said(order(number))).collect();
        world.take(batch).await;
        let calls = world.bench.store.tables().calls.clone();
        assert_eq!(calls.values().sum::<usize>(), 5, "{calls:?}");
    }
}
