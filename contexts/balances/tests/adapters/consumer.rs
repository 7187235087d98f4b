//! From the log to the projection.

use balances::infrastructure::kafka::ACCOUNTS_TOPIC;
use shared_kernel::application::OutboundRecord;
use shared_kernel::application::dead_letter::header;
use shared_kernel::domain::{AccountId, Money, Timestamp};
use shared_kernel::testing::ForeignEvent;

use crate::bank::{ISPB, World, account, body, statement};

/// What the projection knows of an account: version, available, held, missing versions.
async fn known(world: &World, account: AccountId) -> (i64, i64, i64, Vec<i64>) {
    let balance = world.balance(account).await.expect("the account is known");
    (
        balance.version().number(),
        balance.funds().available().centavos(),
        balance.funds().held().centavos(),
        balance.missing().ranges().flatten().collect(),
    )
}

#[tokio::test]
async fn an_event_becomes_a_balance_and_a_restart_reads_on() {
    let world = World::fresh().await;
    world.servers.write(&[world.stated(account(1), 1)]).await;
    world.consume().await;
    let balance = world.balance(account(1)).await.unwrap();
    assert_eq!((balance.account_id(), balance.ispb().as_str()), (account(1), ISPB));
    assert_eq!((balance.version().number(), balance.owner_name()), (1, Some("Ana")));
    let funds = balance.funds();
    let centavos = [funds.available(), funds.held(), funds.total()].map(Money::centavos);
    assert_eq!(centavos, [100, 1, 101]);
    assert_eq!(balance.updated_at(), Timestamp::parse("2026-11-20T12:00:01Z").unwrap());
    world.servers.write(&[world.stated(account(1), 2), world.stated(account(2), 1)]).await;
    world.consume().await;
    assert_eq!(known(&world, account(1)).await, (2, 200, 2, vec![]));
    assert_eq!(known(&world, account(2)).await, (1, 100, 1, vec![]));
    assert_eq!(world.balance(account(1)).await.unwrap().owner_name(), Some("Ana"));
}

#[tokio::test]
async fn repeated_and_late_events_change_nothing_that_is_newer() {
    let world = World::fresh().await;
    let one = |version| world.stated(account(1), version);
    world.servers.write(&[one(4), one(2), one(4), one(2)]).await;
    world.consume().await;
    assert_eq!(known(&world, account(1)).await, (4, 400, 4, vec![1, 3]));
    assert_eq!(world.balance(account(1)).await.unwrap().owner_name(), None);
    assert_eq!(world.gaps().await, [(1, 1..=1), (1, 3..=3)]);
    // The same again after a restart, and the rest.
    world.servers.write(&[one(3), one(1), one(4), one(2), one(1), one(3)]).await;
    world.consume().await;
    assert_eq!(known(&world, account(1)).await, (4, 400, 4, vec![]));
    assert_eq!(world.balance(account(1)).await.unwrap().owner_name(), Some("Ana"));
    assert_eq!(world.gaps().await, []);
    assert_eq!(world.audit().torn_histories(10).await.unwrap(), []);
    assert_eq!(world.dead_letters().await, []);
}

#[tokio::test]
async fn a_large_batch_of_many_accounts_is_folded_whole() {
    let world = World::fresh().await;
    let records: Vec<OutboundRecord> = (1..=5)
        .flat_map(|version| (1..=300).map(move |number| (number, version)))
        .map(|(number, version)| world.stated(account(number), version))
        .collect();
    world.servers.write(&records).await;
    world.consume().await;
    for number in [1, 150, 300] {
        assert_eq!(known(&world, account(number)).await, (5, 500, 5, vec![]));
    }
    assert_eq!(world.audit().balances(None, 1_000).await.unwrap().len(), 300);
}

#[tokio::test]
async fn types_of_events_that_came_later_state_the_balance_too() {
    let world = World::fresh().await;
    let event_type = "codepix.banking.InterestPaid.v3";
    let event = ForeignEvent { event_type, ..statement(account(1), 2) };
    // Only the opening names the owner, whatever else an event carries.
    let payload = body(ISPB, account(1), 2, true);
    let record = world.servers.foreign(ACCOUNTS_TOPIC, ForeignEvent { payload, ..event });
    world.servers.write(&[record]).await;
    world.consume().await;
    assert_eq!(known(&world, account(1)).await, (2, 200, 2, vec![1]));
    assert_eq!(world.balance(account(1)).await.unwrap().owner_name(), None);
}

/// Records that say nothing about a balance, each with the code of its dead letter.
fn garbage(world: &World) -> Vec<(&'static str, OutboundRecord)> {
    let event = |change: &dyn Fn(&mut ForeignEvent)| {
        let payload = body(ISPB, account(1), 2, false);
        let mut event = ForeignEvent { payload, ..statement(account(1), 2) };
        change(&mut event);
        world.servers.foreign(ACCOUNTS_TOPIC, event)
    };
    let replace = |from: &'static str, to: &'static str| {
        event(&move |it| {
            assert!(it.payload.contains(from), "{from}");
            it.payload = it.payload.replace(from, to);
        })
    };
    let bare = |change: &dyn Fn(&mut OutboundRecord)| {
        let mut record = world.stated(account(1), 2);
        change(&mut record);
        record
    };
    vec![
        ("envelope_header", bare(&|it| it.headers.clear())),
        ("envelope_header", bare(&|it| it.headers.retain(|(name, _)| name != "ce_type"))),
        ("payload_missing", bare(&|it| it.payload = None)),
        ("payload_json", bare(&|it| it.payload = Some(vec![0xff, 0, 0x7b]))),
        ("payload_json", event(&|it| it.payload = "{}".into())),
        ("payload_json", replace("2.00", "two reais")),
        ("payload_json", event(&|it| it.event_type = "codepix.banking.AccountOpened.v1")),
        ("event_misdirected", event(&|it| it.source = "/codepix/transfers")),
        ("event_misdirected", event(&|it| it.event_type = "codepix.transfers.Opened.v1")),
        ("event_subject", event(&|it| it.subject = account(2).to_string())),
        ("account_version_range", event(&|it| it.version = 0)),
        ("funds_negative", replace("2.00", "-2.00")),
        ("money_overflow", replace("2.00", "92233720368547758.07")),
        ("account_of_another_bank", replace("\"00000001\"", "\"00000002\"")),
        // PostgreSQL holds no NUL: only the database finds this one unfit.
        (
            "handling_failed",
            event(&|it| {
                it.version = 1;
                it.event_type = "codepix.banking.AccountOpened.v1";
                it.payload = body(ISPB, account(1), 1, true).replace("Ana", "A\\u0000a");
            }),
        ),
    ]
}

#[tokio::test]
async fn garbage_is_set_aside_with_its_reason_and_stops_nobody() {
    let world = World::fresh().await;
    let (codes, mut records): (Vec<_>, Vec<_>) = garbage(&world).into_iter().unzip();
    records.insert(0, world.stated(account(1), 2));
    records.insert(7, world.stated(account(1), 3));
    records.push(world.stated(account(1), 4));
    world.servers.write(&records).await;
    world.consume().await;
    assert_eq!(known(&world, account(1)).await, (4, 400, 4, vec![1]));
    assert_eq!(world.balance(account(2)).await, None);
    let letters = world.dead_letters().await;
    let mut found: Vec<&str> =
        letters.iter().map(|letter| letter.header(header::CODE).unwrap()).collect();
    let mut expected = codes;
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let consumer = world.servers.kafka.named("codepix.balances");
    assert!(letters.iter().all(|it| it.header(header::CONSUMER) == Some(consumer.as_str())));
    assert!(letters.iter().all(|it| !it.header(header::REASON).unwrap().is_empty()));
}
