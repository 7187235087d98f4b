//! The auditor finds nothing in healthy books, and what is wrong in others.

use banking::application::command::CloseAccount;
use banking::application::hub::HubWord;
use banking::domain::{IncomingStatus, OutgoingStatus};
use banking::infrastructure::BankingAudit;
use diesel_async::RunQueryDsl;
use shared_kernel::domain::Money;
use shared_kernel::infrastructure::postgres::statement;

use crate::world::{BANK_A, BANK_B, World, ispb};

async fn busy() -> World {
    let world = World::fresh().await;
    let ana = world.account(BANK_A, 111_222_333, 1_000, "ana@example.com").await;
    world.account(BANK_A, 222_333_444, 0, "bia@example.com").await;
    world.account(BANK_B, 333_444_555, 0, "caio@example.com").await;
    let closing = world.account(BANK_B, 444_555_666, 0, "dora@example.com").await;
    world.pay(&ana, "bia@example.com", 100).await.unwrap();
    let id = world.pay(&ana, "caio@example.com", 200).await.unwrap().end_to_end_id;
    let (debit, credit) = (
        world.said(BANK_A, id, HubWord::Confirmed).await,
        world.said(BANK_B, id, HubWord::Confirmed).await,
    );
    world.hear(&[debit, credit]).await;
    let lost = world.pay(&ana, "dora@example.com", 30).await.unwrap().end_to_end_id;
    world.on(CloseAccount { on: closing }).await.unwrap();
    let credit = world.said(BANK_B, lost, HubWord::Confirmed).await;
    world.hear(&[credit]).await;
    world
}

#[tokio::test]
async fn healthy_books_have_no_difference_and_equal_debits_and_credits() {
    let world = busy().await;
    let audit = BankingAudit::new(world.sessions.database.clone());
    assert_eq!(audit.differences(10).await.unwrap(), []);
    let totals = audit.totals().await.unwrap();
    assert_eq!(totals.len(), 2);
    assert!(totals.iter().all(|bank| bank.debits == bank.credits && bank.debits > 0), "{totals:?}");
    let balances = audit.internal_balances().await.unwrap();
    let balance = |bank: &str, kind: &str| {
        let found = balances.iter().find(|it| it.ispb == ispb(bank) && it.kind == kind);
        found.unwrap().balance.centavos()
    };
    assert_eq!(balance(BANK_A, "cash"), -1_000);
    assert_eq!(balance(BANK_A, "settlement"), 200);
    assert_eq!(balance(BANK_B, "settlement"), -230);
    assert_eq!(balance(BANK_B, "unapplied-credits"), 30);
}

#[tokio::test]
async fn sides_are_listed_page_by_page() {
    let world = busy().await;
    let audit = BankingAudit::new(world.sessions.database.clone());
    let (mut outgoing, mut after) = (Vec::new(), None);
    loop {
        let page = audit.outgoing(after, 1).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.end_to_end_id);
        outgoing.extend(page);
    }
    let mut states: Vec<_> = outgoing.iter().map(|side| side.state).collect();
    states.sort();
    assert_eq!(states, [OutgoingStatus::Requested, OutgoingStatus::Settled]);
    assert!(outgoing.iter().all(|side| side.ispb == ispb(BANK_A)));
    let incoming = audit.incoming(None, 10).await.unwrap();
    let mut states: Vec<_> = incoming.iter().map(|side| side.state).collect();
    states.sort();
    assert_eq!(states, [IncomingStatus::Credited, IncomingStatus::Unapplied]);
    let unapplied = audit.unapplied(None, 10).await.unwrap();
    assert_eq!(unapplied.len(), 1);
    assert_eq!(unapplied[0].amount, Money::from_centavos(30));
}

#[tokio::test]
async fn what_was_tampered_with_is_found() {
    for (harm, kind) in [
        ("UPDATE banking.account SET balance = balance + 1", "balance_is_not_entries"),
        (
            "UPDATE banking.ledger_account SET balance = 7 WHERE kind = 'cash'",
            "balance_is_not_entries",
        ),
        ("UPDATE banking.account SET held = held + 1 WHERE balance > held", "held_is_not_holds"),
        (
            "UPDATE banking.entry SET amount = amount + 1 WHERE leg = 'book' AND amount > 0",
            "uneven_posting",
        ),
        (
            "DELETE FROM banking.entry WHERE leg = 'payer' AND account_version IS NOT NULL",
            "settled_without_entry",
        ),
        ("DELETE FROM banking.entry WHERE leg = 'payee'", "settled_without_entry"),
        (
            "UPDATE banking.outgoing_transfer SET state = 'rejected' WHERE state = 'settled'",
            "entry_without_settled",
        ),
        ("DELETE FROM banking.incoming_transfer", "entry_without_settled"),
    ] {
        let world = busy().await;
        let mut connection = world.sessions.database.connection().await.unwrap();
        statement(harm).execute(&mut connection).await.unwrap();
        drop(connection);
        let audit = BankingAudit::new(world.sessions.database.clone());
        let found = audit.differences(20).await.unwrap();
        assert!(found.iter().any(|it| it.kind == kind), "{harm}: {found:?}");
    }
}
