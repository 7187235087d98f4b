//! Several processes at once: whoever is second is fenced, waits, or decides anew.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use diesel_async::RunQueryDsl as _;
use shared_kernel::application::consumer::{Consumer, ConsumerPorts, ConsumerSettings};
use shared_kernel::application::log::{LogError, LogReader, Polled, Position};
use shared_kernel::application::observer::Silent;
use shared_kernel::application::stop::stop_pair;
use shared_kernel::application::{
    ApplicationError, BatchHandler as _, Clock, InboundRecord, Progress, StoreError, TopicPartition,
};
use shared_kernel::domain::ReasonCode;
use shared_kernel::infrastructure::postgres::statement;
use shared_kernel::testing::{FixedClock, eventually};
use transfers::application::EnrolParticipant;
use transfers::domain::{Protocol, TransferState};
use transfers::infrastructure::kafka::consumer::BankMessages;

use crate::harness::{
    BBX, CTER, Hub, NLB, Said, accepted, enrolment, id_of, requested, told, whole_life,
};

/// Tries again while another transaction is in the way, as a consumer does.
async fn hear_patiently(hub: &Hub, said: &[Said]) {
    for _ in 0..100 {
        match hub.try_hear(said).await {
            Ok(refusals) => return assert_eq!(refusals, []),
            Err(StoreError::Conflict(_) | StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never through");
}

#[tokio::test]
async fn the_same_order_in_two_processes_is_registered_once() {
    let hub = Hub::new().await;
    let said: Vec<Said> = (0..50).map(|number| requested(id_of(BBX, number), CTER, 1)).collect();
    let hear = || hear_patiently(&hub, &said);
    futures::join!(hear(), hear(), hear(), hear());
    let sent = hub.sent().await;
    let everyone = |topics: &[String]| topics.contains(&"codepix.transfers".to_owned());
    let news = sent.iter().filter(|record| everyone(&told(&hub, record).2)).count();
    assert_eq!(news, 50);
}

#[tokio::test]
async fn a_limit_holds_under_concurrency() {
    let hub = Hub::empty().await;
    hub.enrol(enrolment("001", Some(10_000))).await.unwrap();
    hub.enrol(enrolment("002", None)).await.unwrap();
    let orders = |task: usize| -> Vec<Said> {
        let number = |order: usize| task.saturating_mul(100).saturating_add(order);
        (0..50).map(|order| requested(id_of(BBX, number(order)), CTER, 100)).collect()
    };
    let batches: Vec<Vec<Said>> = (0..4).map(orders).collect();
    let hear = |task: usize| hear_patiently(&hub, &batches[task]);
    futures::join!(hear(0), hear(1), hear(2), hear(3));

    let mut pending = Vec::new();
    for said in batches.iter().flatten() {
        let transfer = hub.transfer(said.id).await.unwrap();
        let standing = transfer.standing();
        if standing.state == TransferState::Pending {
            pending.push(said.id);
        } else {
            assert_eq!(standing.state, TransferState::Rejected);
            assert_eq!(standing.reason, Some(ReasonCode::Am04));
        }
    }
    assert_eq!(pending.len(), 100);
    assert_eq!(hub.position(BBX).await.reserved.centavos(), 10_000);

    let answers: Vec<Said> = pending.iter().map(|id| accepted(*id, CTER)).collect();
    let (some, others) = answers.split_at(37);
    futures::join!(hear_patiently(&hub, some), hear_patiently(&hub, others));
    let position = hub.position(BBX).await;
    assert_eq!((position.amount.centavos(), position.reserved.centavos()), (-10_000, 0));
    assert_eq!(hub.position(CTER).await.amount.centavos(), 10_000);
}

#[derive(diesel::QueryableByName)]
struct Waiting {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// Whether anyone waits for a lock in this hub's database.
async fn someone_waits(hub: &Hub) -> Result<(), &'static str> {
    let text = "SELECT count(*) AS count FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut connection = hub.sessions.database.connection().await.unwrap();
    let row: Waiting = statement(text).get_result(&mut connection).await.unwrap();
    if row.count > 0 { Ok(()) } else { Err("nobody waits for a lock") }
}

#[tokio::test]
async fn a_bank_does_not_change_its_protocol_while_an_order_of_it_is_on_its_way() {
    let hub = Hub::new().await;
    let handler = hub.handler();
    let mut ordering = handler.begin().await.unwrap();
    let order = requested(id_of(BBX, 1), CTER, 1).read(0, hub.now());
    assert_eq!(handler.handle(&mut *ordering, &[order]).await.unwrap(), []);
    let switch = EnrolParticipant { protocol: Some(Protocol::Classic), ..enrolment("002", None) };
    let mut enrolling = Box::pin(hub.enrol(switch));
    tokio::select! {
        early = &mut enrolling => panic!("it does not wait for the order: {early:?}"),
        () = eventually(async || someone_waits(&hub).await) => {}
    }
    ordering.commit().await.unwrap();
    match enrolling.await {
        Err(ApplicationError::Refused(refused)) => {
            assert_eq!(refused.code(), "bank_has_open_transfers");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn transfers_that_cross_each_other_do_not_block_each_other() {
    let hub = Hub::empty().await;
    for (code, limit) in [("001", Some(i64::MAX)), ("002", None), ("NLB", Some(i64::MAX))] {
        hub.enrol(enrolment(code, limit)).await.unwrap();
    }
    let crossing = |from: &'static str, to: &'static str| -> Vec<Said> {
        (0..60).flat_map(|number| whole_life(id_of(from, number), to, 10)).collect()
    };
    let batches = [crossing(BBX, CTER), crossing(CTER, BBX), crossing(NLB, BBX)];
    let hear = async |batch: usize| {
        for part in batches[batch].chunks(20) {
            hear_patiently(&hub, part).await;
        }
    };
    futures::join!(hear(0), hear(1), hear(2));
    let amounts = [hub.position(BBX).await, hub.position(CTER).await, hub.position(NLB).await]
        .map(|position| position.amount.centavos());
    assert_eq!(amounts, [600, 0, -600]);
}

/// A log that gives its reader one partition and these batches.
struct Script {
    partition: TopicPartition,
    steps: Mutex<VecDeque<Polled>>,
}

impl Script {
    fn of(batches: Vec<Vec<InboundRecord>>) -> Self {
        let partition = batches[0][0].from.clone();
        let batch = |records| Polled::Batch { records, ends: vec![] };
        let steps = std::iter::once(Polled::Assigned(vec![partition.clone()]))
            .chain(batches.into_iter().map(batch))
            .collect();
        Self { partition, steps: Mutex::new(steps) }
    }
}

#[async_trait]
impl LogReader for Script {
    async fn cluster_id(&mut self) -> Result<String, LogError> {
        Ok("cluster".into())
    }

    async fn poll(&mut self, _: usize, _: Duration) -> Result<Polled, LogError> {
        Ok(self.steps.lock().unwrap().pop_front().unwrap_or(Polled::Nothing))
    }

    async fn beginnings(&mut self, _: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        Ok(vec![Position { at: self.partition.clone(), next_offset: 0 }])
    }

    async fn ends(&mut self, _: &[TopicPartition]) -> Result<Vec<Position>, LogError> {
        // Its records have the offsets that the test gave them: none of them is beyond.
        Ok(vec![Position { at: self.partition.clone(), next_offset: i64::MAX }])
    }

    async fn assign(&mut self, _: &[Position]) -> Result<(), LogError> {
        Ok(())
    }

    async fn report(&mut self, _: &[Position]) {}

    async fn close(&mut self) {}
}

fn consumer(hub: &Hub, batches: Vec<Vec<InboundRecord>>) -> Consumer<BankMessages> {
    let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(&hub.clock);
    let ports = ConsumerPorts {
        reader: Box::new(Script::of(batches)),
        offsets: Arc::new(hub.sessions.clone()),
        clock,
        observer: Arc::new(Silent),
        progress: Arc::new(Progress::default()),
    };
    Consumer::new(ConsumerSettings::new("codepix.transfers"), ports, Arc::new(hub.handler()))
}

#[tokio::test]
async fn of_two_consumers_of_one_partition_the_second_is_fenced() {
    let hub = Hub::new().await;
    let id = id_of(BBX, 1);
    let records: Vec<InboundRecord> = whole_life(id, CTER, 100)
        .iter()
        .zip(0..)
        .map(|(said, offset)| InboundRecord { offset, ..said.read(0, hub.now()) })
        .collect();
    let (early, late) = records.split_at(2);
    let (_handle, stop) = stop_pair();
    // Both believe that they own the partition and have read the same records.
    let mut zombie = consumer(&hub, vec![early.to_vec()]);
    let mut owner = consumer(&hub, vec![early.to_vec(), late.to_vec()]);
    zombie.step(&stop).await.unwrap();
    owner.step(&stop).await.unwrap();
    owner.step(&stop).await.unwrap();
    let before = hub.sent().await.len();
    assert_eq!(before, 2);
    zombie.step(&stop).await.unwrap();
    assert_eq!(hub.sent().await.len(), 0);
    owner.step(&stop).await.unwrap();
    assert_eq!(hub.sent().await.len(), 1);
    let transfer = hub.transfer(id).await.unwrap();
    assert_eq!(transfer.standing().state, TransferState::Completed);
    assert_eq!(hub.position(CTER).await.amount.centavos(), 100);
}
