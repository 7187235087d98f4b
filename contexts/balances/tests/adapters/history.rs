//! Histories and statements: from the log to what is read.

use balances::application::ports::{BalancesReads, LinePlace, StatementLine, StatementWindow};
use balances::domain::{Direction, MovementKind, Standing};
use balances::infrastructure::kafka::{ACCOUNTS_TOPIC, TRANSFERS_TOPIC};
use balances::infrastructure::postgres::{MIGRATIONS, PgBalancesReads, SCHEMA};
use diesel_async::SimpleAsyncConnection as _;
use serde_json::{Value, json};
use shared_kernel::application::{OutboundRecord, StoreError};
use shared_kernel::domain::{EndToEndId, Money, Timestamp};
use shared_kernel::infrastructure::postgres::{statement as sql, store_error};
use shared_kernel::testing::ForeignEvent;

use crate::bank::{ISPB, World, account};

const SENT: &str = "E0000000120261120120000000000001";
const RECEIVED: &str = "E0000000220261120120000000000002";

/// The event of account 1 at second `version`, with a body of its own beside what all state.
fn happened(world: &World, kind: &'static str, version: i64, more: &Value) -> OutboundRecord {
    let money = |centavos| serde_json::to_value(Money::from_centavos(centavos)).unwrap();
    let mut body = json!({
        "account_id": account(1), "ispb": ISPB,
        "available": money(version.saturating_mul(100)), "held": money(0),
        "occurred_at": at(version),
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let event = ForeignEvent {
        event_type: kind,
        source: "/codepix/banking",
        subject: account(1).to_string(),
        version,
        payload: body.to_string(),
    };
    world.servers.foreign(ACCOUNTS_TOPIC, event)
}

/// What the hub says of a transfer between account 1 of bank 1 and account 2 of bank 2.
fn told(world: &World, id: &str, version: i64, out: bool) -> OutboundRecord {
    let own = json!({
        "ispb": ISPB, "account_id": account(1), "owner_name": "Ana", "owner_tax_id": "52998224725",
    });
    let other = json!({ "ispb": "00000002", "account_id": account(2), "owner_name": "Rui" });
    let (payer, payee) = if out { (own, other) } else { (other, own) };
    let body = json!({
        "end_to_end_id": id, "payer": payer, "payee": payee, "payee_key": "key@example.com",
        "state": "completed", "version": version,
    });
    let event = ForeignEvent {
        event_type: "codepix.transfers.TransferCompleted.v1",
        source: "/codepix/transfers",
        subject: id.to_owned(),
        version,
        payload: body.to_string(),
    };
    world.servers.foreign(TRANSFERS_TOPIC, event)
}

fn at(second: i64) -> Timestamp {
    Timestamp::parse(&format!("2026-11-20T12:00:{second:02}Z")).unwrap()
}

/// One event of every kind, versions 1 to 9 of account 1.
fn life(world: &World) -> Vec<OutboundRecord> {
    let money = |centavos| serde_json::to_value(Money::from_centavos(centavos)).unwrap();
    let other = |id: &str, amount| {
        json!({
            "end_to_end_id": id, "amount": money(amount), "counterparty_ispb": "00000002",
            "counterparty_name": "Rui", "description": "lunch",
        })
    };
    let book = |side: &str, amount| {
        json!({
            "end_to_end_id": "E0000000120261120120000000000003", "side": side,
            "amount": money(amount), "counterparty_account_id": account(3),
            "counterparty_name": "Eva", "description": "",
        })
    };
    vec![
        happened(world, "codepix.banking.AccountOpened.v1", 1, &json!({ "owner_name": "Ana" })),
        happened(world, "codepix.banking.AmountDeposited.v1", 2, &json!({ "amount": money(1) })),
        happened(world, "codepix.banking.AmountWithdrawn.v1", 3, &json!({ "amount": money(2) })),
        happened(world, "codepix.banking.AmountHeld.v1", 4, &other(SENT, 3)),
        happened(world, "codepix.banking.AccountDebited.v1", 5, &other(SENT, 3)),
        happened(world, "codepix.banking.AccountCredited.v1", 6, &other(RECEIVED, 4)),
        happened(world, "codepix.banking.BookTransferCompleted.v1", 7, &book("debit", 5)),
        happened(world, "codepix.banking.BookTransferCompleted.v1", 8, &book("credit", 6)),
        happened(world, "codepix.banking.AccountBlocked.v1", 9, &json!({})),
    ]
}

fn window() -> StatementWindow {
    let (account_id, direction) = (account(1), None);
    StatementWindow { account_id, from: None, to: None, direction, after: None, limit: 100 }
}

async fn statement(world: &World, window: StatementWindow) -> Vec<StatementLine> {
    world.reads.statements(&[window]).await.unwrap().remove(0)
}

fn versions(lines: &[StatementLine]) -> Vec<i64> {
    lines.iter().map(|line| line.state.version.number()).collect()
}

#[tokio::test]
async fn every_movement_is_a_line_with_its_running_balance_and_its_other_side() {
    let world = World::fresh().await;
    world.servers.write(&life(&world)).await;
    world.servers.write(&[told(&world, SENT, 3, true), told(&world, RECEIVED, 3, false)]).await;
    world.consume().await;
    let lines = statement(&world, window()).await;
    assert_eq!(versions(&lines), [8, 7, 6, 5, 3, 2]);
    let kinds: Vec<_> = lines.iter().map(|line| line.movement.kind).collect();
    let expected = [
        MovementKind::BookTransferReceived,
        MovementKind::BookTransferSent,
        MovementKind::TransferReceived,
        MovementKind::TransferSent,
        MovementKind::Withdrawal,
        MovementKind::Deposit,
    ];
    assert_eq!(kinds, expected);
    let amounts: Vec<_> = lines.iter().map(|line| line.movement.amount.centavos()).collect();
    assert_eq!(amounts, [6, 5, 4, 3, 2, 1]);
    let totals: Vec<_> = lines.iter().map(|line| line.state.funds.total().centavos()).collect();
    assert_eq!(totals, [800, 700, 600, 500, 300, 200]);
    let others: Vec<_> = lines.iter().map(|line| line.movement.counterparty.account_id).collect();
    let (rui, eva) = (Some(account(2)), Some(account(3)));
    assert_eq!(others, [eva, eva, rui, rui, None, None]);
    let keys: Vec<_> = lines.iter().map(|line| line.payee_key.is_some()).collect();
    assert_eq!(keys, [false, false, true, true, false, false]);
    let hub: Vec<_> = lines.iter().filter_map(StatementLine::hub_transfer).collect();
    assert_eq!(hub.iter().map(EndToEndId::as_str).collect::<Vec<_>>(), [RECEIVED, SENT]);
    assert_eq!(world.dead_letters().await, []);
}

#[tokio::test]
async fn a_line_is_there_before_the_hub_says_who_stands_on_the_other_side() {
    let world = World::fresh().await;
    world.servers.write(&life(&world)).await;
    world.consume().await;
    let sent = async || statement(&world, window()).await.remove(3);
    let before = sent().await;
    assert_eq!((before.movement.counterparty.account_id, before.payee_key), (None, None));
    let name = before.movement.counterparty.name;
    assert_eq!(name.as_deref(), Some("Rui"));
    // Every event of the transfer says it, and none contradicts the first.
    world.servers.write(&[told(&world, SENT, 1, true), told(&world, SENT, 3, true)]).await;
    world.consume().await;
    let after = sent().await;
    assert_eq!(after.movement.counterparty.account_id, Some(account(2)));
    assert_eq!(after.payee_key.as_deref(), Some("key@example.com"));
}

#[tokio::test]
async fn pages_and_periods_of_a_statement_meet_without_overlap() {
    let world = World::fresh().await;
    world.servers.write(&life(&world)).await;
    world.consume().await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let lines = statement(&world, StatementWindow { after, limit: 2, ..window() }).await;
        let Some(last) = lines.last() else { break };
        after = Some(last.place());
        seen.extend(versions(&lines));
    }
    assert_eq!(seen, [8, 7, 6, 5, 3, 2]);
    let period = |from, to| StatementWindow { from: Some(at(from)), to: Some(at(to)), ..window() };
    assert_eq!(versions(&statement(&world, period(3, 6)).await), [5, 3]);
    let other = StatementWindow { account_id: account(9), ..window() };
    let windows = [period(6, 7), other, period(2, 3)];
    let answers = world.reads.statements(&windows).await.unwrap();
    let answers: Vec<_> = answers.iter().map(|lines| versions(lines)).collect();
    assert_eq!(answers, [vec![6], vec![], vec![2]]);
    let place = LinePlace { occurred_at: at(6), version: 6 };
    let behind = StatementWindow { after: Some(place), from: Some(at(3)), ..window() };
    assert_eq!(versions(&statement(&world, behind).await), [5, 3]);
}

#[tokio::test]
async fn a_statement_of_one_direction_has_its_lines_page_by_page() {
    let world = World::fresh().await;
    world.servers.write(&life(&world)).await;
    world.consume().await;
    let all = statement(&world, window()).await;
    for direction in [Direction::Credit, Direction::Debit] {
        let direction_of = |line: &&StatementLine| line.movement.kind.direction() == direction;
        let wanted: Vec<StatementLine> = all.iter().filter(direction_of).cloned().collect();
        assert!(wanted.len() > 1, "{all:?}");
        let direction = Some(direction);
        assert_eq!(statement(&world, StatementWindow { direction, ..window() }).await, wanted);
        let after = Some(wanted[0].place());
        let behind = StatementWindow { direction, after, limit: 1, ..window() };
        assert_eq!(statement(&world, behind).await, wanted[1..2]);
    }
}

#[tokio::test]
async fn an_account_is_read_as_of_any_instant() {
    let world = World::fresh().await;
    // The last comes first: order across batches does not matter.
    let mut records = life(&world);
    world.servers.write(&records.split_off(5)).await;
    world.consume().await;
    world.servers.write(&records).await;
    world.consume().await;
    let wanted = [
        (account(1), at(5)),
        (account(1), at(0)),
        (account(2), at(5)),
        (account(1), Timestamp::parse("2026-11-20T12:00:05.999999Z").unwrap()),
        (account(1), Timestamp::MAX),
    ];
    let answers = world.reads.past_states(&wanted).await.unwrap();
    let version = |place: usize| {
        let past = answers[place]?;
        let ispb = past.ispb.unwrap();
        assert_eq!((past.account_id, ispb.as_str()), (account(1), ISPB));
        let shown = |it: Standing| (it.version().unwrap().number(), it.funds().total().centavos());
        Some(past.standing.map(shown))
    };
    assert_eq!(version(0), Some(Some((5, 500))));
    assert_eq!(version(1), Some(None));
    assert_eq!(version(2), None);
    assert_eq!(version(3), Some(Some((5, 500))));
    assert_eq!(version(4), Some(Some((9, 900))));
    assert_eq!(world.gaps().await, []);
}

/// Deposits of account 1: version 1 and on, at these seconds.
fn dated(world: &World, seconds: &[i64]) -> Vec<OutboundRecord> {
    let money = serde_json::to_value(Money::from_centavos(1)).unwrap();
    let event = |(version, second): (i64, &i64)| {
        let more = json!({ "amount": money, "occurred_at": at(*second) });
        happened(world, "codepix.banking.AmountDeposited.v1", version, &more)
    };
    (1..).zip(seconds).map(event).collect()
}

/// The version of each of these instants; 0 before the first.
async fn versions_at(world: &World, seconds: std::ops::RangeInclusive<i64>) -> Vec<i64> {
    let wanted: Vec<_> = seconds.map(|second| (account(1), at(second))).collect();
    let found = world.reads.past_states(&wanted).await.unwrap();
    let version = |it: Standing| it.version().unwrap().number();
    found.into_iter().map(|past| past.unwrap().standing.map_or(0, version)).collect()
}

/// The clock stood back twice: versions 3 and 4 are dated before 2, and 6 before 5.
const STOOD_BACK: [i64; 7] = [1, 10, 4, 5, 12, 11, 14];
/// The newest version of those that took effect, at seconds 0 to 15.
const EFFECTIVE: [i64; 16] = [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 6, 6, 7, 7];

#[tokio::test]
async fn where_the_bank_s_clock_stood_back_the_newest_version_counts() {
    let in_order: Vec<usize> = (0..STOOD_BACK.len()).collect();
    // The last comes first; and what raises the others comes late.
    for order in [in_order, vec![6, 2, 3, 0, 5, 4, 1], vec![1, 0, 3, 2, 4, 6, 5]] {
        let world = World::fresh().await;
        let records = dated(&world, &STOOD_BACK);
        for index in &order {
            world.servers.write(&records[*index..=*index]).await;
            world.consume().await;
        }
        assert_eq!(versions_at(&world, 0..=15).await, EFFECTIVE, "{order:?}");
        let lines = statement(&world, window()).await;
        assert_eq!(versions(&lines), [7, 6, 5, 4, 3, 2, 1], "{order:?}");
        let times: Vec<_> = lines.iter().map(|line| line.state.occurred_at).collect();
        let expected = [14, 12, 12, 10, 10, 10, 1].map(at);
        assert_eq!(times, expected, "{order:?}");
        assert_eq!(world.audit().torn_histories(10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_late_event_dates_the_balance_again_and_a_repeat_does_not() {
    let world = World::fresh().await;
    let records = dated(&world, &[1, 10, 4]);
    world.servers.write(&[records[0].clone(), records[2].clone()]).await;
    world.consume().await;
    let since = async || world.known(account(1)).await.unwrap().standing().since();
    assert_eq!(since().await, at(4));
    world.servers.write(&records[1..=1]).await;
    world.consume().await;
    assert_eq!(since().await, at(10));
    world.servers.write(&dated(&world, &[1, 11, 4])).await;
    world.consume().await;
    assert_eq!(since().await, at(10), "the first of a version counts");
    assert_eq!(versions_at(&world, 9..=10).await, [1, 3]);
}

#[tokio::test]
async fn histories_of_the_version_before_are_dated_when_the_tables_change() {
    let world = World::fresh().await;
    world.servers.write(&dated(&world, &STOOD_BACK)).await;
    world.consume().await;
    let before = "DROP INDEX balances.account_history_effective; \
        ALTER TABLE balances.account_history DROP COLUMN raised_at; \
        CREATE INDEX account_history_time \
        ON balances.account_history (account_id, occurred_at, version); \
        DELETE FROM balances.migration WHERE name = '2026-11-30_effective_time'";
    let mut session = world.sessions.database.session().await.unwrap();
    session.batch_execute(before).await.unwrap();
    // With connections of its own: the old ones know the old tables.
    let sessions = world.servers.sessions(SCHEMA, "/codepix/balances", MIGRATIONS).await;
    let reads = PgBalancesReads::new(sessions.database.clone());
    let world = World { servers: world.servers, sessions, reads };
    assert_eq!(versions_at(&world, 0..=15).await, EFFECTIVE);
}

#[tokio::test]
async fn every_window_of_a_statement_has_exactly_its_lines() {
    let world = World::fresh().await;
    world.servers.write(&dated(&world, &STOOD_BACK)).await;
    world.consume().await;
    let all = statement(&world, window()).await;
    let moments = || [None].into_iter().chain((0..=15).map(Some));
    let cursors: Vec<Option<LinePlace>> =
        [None].into_iter().chain(all.iter().map(|line| Some(line.place()))).collect();
    let mut windows = Vec::new();
    for (from, to) in moments().flat_map(|from| moments().map(move |to| (from, to))) {
        let (from, to) = (from.map(at), to.map(at));
        windows.extend(cursors.iter().map(|after| StatementWindow {
            from,
            to,
            after: *after,
            limit: 3,
            ..window()
        }));
    }
    let answers = world.reads.statements(&windows).await.unwrap();
    for (window, lines) in windows.iter().zip(&answers) {
        let is_in = |line: &&StatementLine| {
            let LinePlace { occurred_at, version } = line.place();
            window.from.is_none_or(|from| occurred_at >= from)
                && window.to.is_none_or(|to| occurred_at < to)
                && window.after.is_none_or(|after| version < after.version)
        };
        let expected: Vec<StatementLine> = all.iter().filter(is_in).take(3).cloned().collect();
        assert_eq!(lines, &expected, "{window:?}");
    }
}

#[tokio::test]
async fn a_history_that_is_torn_is_found_by_the_audit() {
    let world = World::fresh().await;
    let records: Vec<_> = (1..=4)
        .flat_map(|number| (1..=3).map(move |version| (number, version)))
        .map(|(number, version)| world.stated(account(number), version))
        .collect();
    world.servers.write(&records).await;
    world.servers.write(&[world.stated(account(5), 4)]).await;
    world.consume().await;
    let torn = async || world.audit().torn_histories(10).await.unwrap();
    // A gap that is known is none in the history.
    assert_eq!((torn().await, world.gaps().await), (vec![], vec![(5, 1..=3)]));
    let mut connection = world.sessions.database.connection().await.unwrap();
    for change in [
        "DELETE FROM balances.account_history WHERE version = 2 \
         AND account_id = '00000000-0000-0000-0000-000000000002'",
        "UPDATE balances.account_history SET available = 1 WHERE version = 3 \
         AND account_id = '00000000-0000-0000-0000-000000000003'",
    ] {
        let done: Result<usize, StoreError> =
            diesel_async::RunQueryDsl::execute(sql(change), &mut connection)
                .await
                .map_err(store_error);
        assert_eq!(done, Ok(1));
    }
    assert_eq!(torn().await, [account(2), account(3)]);
}

#[tokio::test]
async fn an_event_of_a_movement_that_lacks_it_is_set_aside() {
    let world = World::fresh().await;
    let hub = told(&world, SENT, 1, true);
    let mut strange = hub.clone();
    strange.key = Some(b"x".to_vec());
    for (name, value) in &mut strange.headers {
        if name == "ce_subject" {
            *value = b"E0000000120261120120000000000009".to_vec();
        }
    }
    world
        .servers
        .write(&[
            happened(&world, "codepix.banking.AmountDeposited.v1", 2, &json!({})),
            happened(&world, "codepix.banking.AccountDebited.v1", 3, &json!({ "amount": "1.00" })),
            hub,
            strange,
        ])
        .await;
    world.consume().await;
    assert_eq!(world.balance(account(1)).await, None);
    assert_eq!(world.dead_letters().await.len(), 2);
    assert_eq!(world.servers.read_all(&format!("{TRANSFERS_TOPIC}.dlq")).await.len(), 1);
}
