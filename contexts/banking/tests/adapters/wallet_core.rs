//! Clients, transfers between accounts, and what Wallet Core's readers are told, in the tables.

use std::sync::Arc;

use banking::application::account_command::OnAccount;
use banking::application::command::{
    OpenAccount, OpenAccountDesk, PayAccount, PayAccountDesk, RegisterClient, RegisterClientDesk,
};
use banking::application::ports::{BankingPorts, BankingReads};
use banking::application::views::ClientView;
use banking::domain::{Description, Email, OwnerName};
use banking::infrastructure::wallet_core::{WalletCoreEcho, WalletCoreTopics};
use futures::future::join_all;
use shared_kernel::application::log::OutboundRecord;
use shared_kernel::application::{BatchExecutor, Caller, Ids};
use shared_kernel::infrastructure::system::SystemIds;

use crate::world::{BANK_A, World, amount, code, ispb, trace};

fn registration(name: &str) -> RegisterClient {
    RegisterClient {
        caller: Caller::Operator,
        idempotency_key: SystemIds.random().to_string(),
        ispb: ispb(BANK_A),
        name: OwnerName::parse(name).unwrap(),
        email: Email::parse("john@j.com").unwrap(),
        client_id: None,
    }
}

async fn client(world: &World, name: &str) -> ClientView {
    let desk = RegisterClientDesk(world.ports.clone());
    world.run(desk, vec![registration(name)]).await.remove(0).unwrap()
}

/// An account of a new client with that much on it.
async fn account(world: &World, name: &str, centavos: i64) -> OnAccount {
    let client = client(world, name).await;
    let command = OpenAccount {
        caller: Caller::Operator,
        trace: trace(),
        idempotency_key: SystemIds.random().to_string(),
        ispb: client.ispb,
        owner_name: OwnerName::parse(&client.name).unwrap(),
        owner_tax_id: client.tax_id,
        branch: None,
        number: None,
        account_id: None,
    };
    let opened = world.run(OpenAccountDesk(world.ports.clone()), vec![command]).await.remove(0);
    let (ispb, account_id) = (client.ispb, opened.unwrap().id);
    let on = OnAccount { caller: Caller::Operator, trace: trace(), ispb, account_id };
    if centavos > 0 {
        world.deposit(&on, centavos).await.unwrap();
    }
    on
}

fn order(from: &OnAccount, to: &OnAccount, centavos: i64) -> PayAccount {
    PayAccount {
        on: from.clone(),
        idempotency_key: SystemIds.random().to_string(),
        payee_account_id: to.account_id,
        amount: amount(centavos),
        description: Description::parse("").unwrap(),
    }
}

/// The ports of a bank whose transfers Wallet Core's readers hear of.
fn speaking(world: &World) -> BankingPorts {
    let echo = WalletCoreEcho::new(ispb(BANK_A), WalletCoreTopics::default());
    BankingPorts { echo: Arc::new(echo), ..world.ports.clone() }
}

fn foreign(records: Vec<OutboundRecord>) -> Vec<OutboundRecord> {
    records.into_iter().filter(|record| record.key.is_none()).collect()
}

/// Whether it goes to that topic of these tests, which has their prefix, and to no other.
fn is_on(topic: &str, record: &OutboundRecord) -> bool {
    matches!(&record.topics[..], [one] if one.rsplit('.').next() == Some(topic))
}

fn text(record: &OutboundRecord) -> String {
    String::from_utf8(record.payload.clone().unwrap()).unwrap()
}

#[tokio::test]
async fn clients_are_kept_and_counted_and_own_accounts() {
    let world = World::fresh().await;
    let answers = join_all((0..8).map(|_| client(&world, "John"))).await;
    let mut numbers: Vec<String> =
        answers.iter().map(|it| it.tax_id.as_str().chars().skip(8).take(4).collect()).collect();
    numbers.sort();
    assert_eq!(numbers, ["0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009"]);
    let found = world.sessions.clients(&[answers[3].id]).await.unwrap().remove(0);
    assert_eq!(ClientView::from(&found), answers[3]);
    let one = account(&world, "Jane", 100).await;
    let owner = world.state(one.account_id).await;
    assert_eq!(owner.state().owner_name.as_str(), "Jane");
    assert!(owner.state().owner_tax_id.as_str().starts_with(BANK_A));
}

#[tokio::test]
async fn readers_are_told_in_the_row_of_the_entries_with_its_time() {
    let world = World::fresh().await;
    let (john, jane) = (account(&world, "John", 1_000).await, account(&world, "Jane", 0).await);
    let before = world.outbox().await.len();
    let desk = PayAccountDesk(speaking(&world));
    let paid = world.run(desk, vec![order(&john, &jane, 250)]).await.remove(0).unwrap();
    let rows = "SELECT count(*) AS number FROM banking.outbox \
                WHERE records LIKE '%TransactionCreated%' \
                AND records LIKE '%BookTransferCompleted%'";
    assert_eq!(world.number(rows).await, 1, "one row, one transaction");
    let records = world.outbox().await.split_off(before);
    let told = foreign(records.clone());
    assert_eq!((records.len(), told.len()), (4, 2));
    assert!(is_on("transactions", &told[0]) && is_on("balances", &told[1]), "{told:?}");
    assert!(text(&told[0]).contains(&paid.id.to_string()));
    assert!(
        text(&told[1]).ends_with("\"balance_account_id_from\":7.5,\"balance_account_id_to\":2.5}}")
    );
    let is_bare = |it: &OutboundRecord| it.headers.iter().all(|(name, _)| name == "traceparent");
    assert!(told.iter().all(|it| it.time.is_some() && is_bare(it)));
    world.books_are_right().await;
}

#[tokio::test]
async fn a_refused_payment_tells_nobody() {
    let world = World::fresh().await;
    let (john, jane) = (account(&world, "John", 100).await, account(&world, "Jane", 0).await);
    let desk = PayAccountDesk(speaking(&world));
    let refused = world.run(desk, vec![order(&john, &jane, 250)]).await.remove(0);
    assert_eq!(code(refused), "insufficient_funds");
    assert_eq!(foreign(world.outbox().await), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_in_parallel_are_told_in_the_order_of_the_ledger() {
    let world = Arc::new(World::fresh().await);
    let (john, jane) = (account(&world, "John", 1_000).await, account(&world, "Jane", 500).await);
    let pay = |turn: i64| {
        let (world, from, to) = (Arc::clone(&world), john.clone(), jane.clone());
        let order = if turn % 2 == 0 { order(&from, &to, 7) } else { order(&to, &from, 3) };
        // Each as if it were a process of its own.
        tokio::spawn(async move {
            let runner = world.runner(PayAccountDesk(speaking(&world)));
            BatchExecutor::execute(&runner, vec![order]).await.remove(0)
        })
    };
    for answer in join_all((0..40).map(pay)).await {
        answer.unwrap().unwrap();
    }
    let told = foreign(world.outbox().await);
    let balances: Vec<&OutboundRecord> = told.iter().filter(|it| is_on("balances", it)).collect();
    assert_eq!(balances.len(), 40);
    let (john, jane) = (world.funds(&john).await.0, world.funds(&jane).await.0);
    assert_eq!((john, jane), (920, 580));
    // The rows stand in the order of their commits: the last tells what the ledger has.
    let last = text(balances[39]);
    assert!(last.contains("9.2") && last.contains("5.8"), "{last}");
    world.books_are_right().await;
}
