//! What the hub says, in every order and as often as it likes.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use shared_kernel::application::Sweep;
use shared_kernel::domain::{EndToEndId, Money, ReasonCode, Violation};

use super::account_command::OnAccount;
use super::command::{BlockAccount, CloseAccount, Withdraw};
use super::hub::{HubEvent, HubWord};
use super::reminder::Reminder;
use super::stage::{Stage, code};
use super::views::ShownState;
use crate::domain::samples::{BANK_A, BANK_B, account_id, amount, cpf, ispb};
use crate::domain::{AccountFact, HubMessage, IncomingStatus, InternalAccount, Leg};

const DS04: HubWord = HubWord::Rejected(ReasonCode::Ds04);
const AB03: HubWord = HubWord::Expired(ReasonCode::Ab03);

/// An order from bank A to bank B over 300 centavos, and both accounts.
async fn ordered(stage: &Stage) -> (EndToEndId, OnAccount, OnAccount) {
    let ana = stage.account(BANK_A, 1, 1_000).await;
    let bia = stage.account(BANK_B, 2, 0).await;
    let id = stage.pay(&ana, 2, 300).await.unwrap().end_to_end_id;
    stage.told();
    (id, ana, bia)
}

async fn say(stage: &Stage, to: &str, id: EndToEndId, word: HubWord) {
    let event = stage.said(to, id, word);
    assert_eq!(stage.hear(&[event]).await, [Ok(())]);
}

async fn refused(stage: &Stage, event: HubEvent) -> &'static str {
    stage.hear(&[event]).await.remove(0).unwrap_err().code()
}

#[tokio::test]
async fn a_pending_transfer_is_expected_and_accepted() {
    let stage = Stage::new().await;
    let (id, _, bia) = ordered(&stage).await;
    say(&stage, BANK_B, id, HubWord::Pending).await;
    let told = stage.told();
    assert!(matches!(told[..], [HubMessage::Accepted { account_id, .. }]
        if account_id == bia.account_id));
    assert_eq!(stage.funds(&bia), (0, 0));
    say(&stage, BANK_B, id, HubWord::Pending).await;
    assert_eq!(stage.told(), told, "a repeated question gets the first answer");
}

#[tokio::test]
async fn what_the_payee_s_account_cannot_take_is_refused_with_its_code() {
    let other_tax_id: fn(&mut HubEvent) = |event| event.payment.payee.owner_tax_id = cpf(9);
    let other_account: fn(&mut HubEvent) = |event| event.payment.payee.account_id = account_id(9);
    for (bend, reason) in [(other_account, ReasonCode::Ac03), (other_tax_id, ReasonCode::Be01)] {
        let stage = Stage::new().await;
        let (id, ..) = ordered(&stage).await;
        let mut event = stage.said(BANK_B, id, HubWord::Pending);
        bend(&mut event);
        assert_eq!(stage.hear(&[event]).await, [Ok(())]);
        assert!(matches!(stage.told()[..], [HubMessage::Refused { reason: told, .. }]
            if told == reason));
    }
    let stage = Stage::new().await;
    let (id, _, bia) = ordered(&stage).await;
    stage.on(BlockAccount { on: bia }).await.unwrap();
    say(&stage, BANK_B, id, HubWord::Pending).await;
    assert!(matches!(stage.told()[..], [HubMessage::Refused { reason: ReasonCode::Ac06, .. }]));
    let stage = Stage::new().await;
    let (id, _, bia) = ordered(&stage).await;
    stage.on(CloseAccount { on: bia }).await.unwrap();
    say(&stage, BANK_B, id, HubWord::Pending).await;
    assert!(matches!(stage.told()[..], [HubMessage::Refused { reason: ReasonCode::Ac07, .. }]));
}

#[tokio::test]
async fn a_confirmed_transfer_is_posted_once_on_each_side_and_reported_each_time() {
    let stage = Stage::new().await;
    let (id, ana, bia) = ordered(&stage).await;
    say(&stage, BANK_B, id, HubWord::Pending).await;
    stage.told();
    for _ in 0..3 {
        say(&stage, BANK_A, id, HubWord::Confirmed).await;
        say(&stage, BANK_B, id, HubWord::Confirmed).await;
        let told = stage.told();
        assert!(
            matches!(
                told[..],
                [
                    HubMessage::SettledByPayer { .. },
                    HubMessage::SettledByPayee { unapplied: false, .. },
                ]
            ),
            "{told:?}"
        );
        assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((700, 0), (300, 0)));
        stage.books_are_right();
    }
}

#[tokio::test]
async fn one_batch_may_hold_the_whole_life_of_a_transfer() {
    let stage = Stage::new().await;
    let (id, ana, bia) = ordered(&stage).await;
    let events = [
        stage.said(BANK_B, id, HubWord::Pending),
        stage.said(BANK_A, id, HubWord::Confirmed),
        stage.said(BANK_B, id, HubWord::Confirmed),
        stage.said(BANK_B, id, HubWord::Confirmed),
        stage.said(BANK_A, id, HubWord::Completed),
        stage.said(BANK_B, id, HubWord::Completed),
    ];
    assert!(stage.hear(&events).await.iter().all(Result::is_ok));
    assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((700, 0), (300, 0)));
    assert_eq!(stage.told().len(), 4);
    stage.books_are_right();
}

#[tokio::test]
async fn a_bank_that_missed_the_question_credits_all_the_same() {
    for word in [HubWord::Confirmed, HubWord::Completed] {
        let stage = Stage::new().await;
        let (id, ana, bia) = ordered(&stage).await;
        say(&stage, BANK_B, id, word).await;
        say(&stage, BANK_A, id, word).await;
        assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((700, 0), (300, 0)));
        assert_eq!(stage.told().len(), 2, "effects that were missed are reported");
        say(&stage, BANK_B, id, HubWord::Pending).await;
        say(&stage, BANK_B, id, HubWord::Completed).await;
        say(&stage, BANK_A, id, HubWord::Completed).await;
        assert_eq!(stage.told(), [], "nothing is left to say");
        stage.books_are_right();
    }
}

#[tokio::test]
async fn money_that_an_account_cannot_take_is_kept_unapplied() {
    let stage = Stage::new().await;
    let (id, _, bia) = ordered(&stage).await;
    stage.on(CloseAccount { on: bia.clone() }).await.unwrap();
    say(&stage, BANK_B, id, HubWord::Confirmed).await;
    say(&stage, BANK_B, id, HubWord::Confirmed).await;
    let reports = stage.told();
    assert!(
        matches!(
            reports[..],
            [
                HubMessage::SettledByPayee { unapplied: true, .. },
                HubMessage::SettledByPayee { unapplied: true, .. },
            ]
        ),
        "{reports:?}"
    );
    assert_eq!(stage.funds(&bia), (0, 0));
    let kept = InternalAccount::UnappliedCredits.id(ispb(BANK_B));
    let tables = stage.memory.tables();
    assert_eq!(tables.internal.get(&kept), Some(&Money::from_centavos(300)));
    let side = tables.incoming[&id].0.state().clone();
    assert_eq!((side.status, side.reason), (IncomingStatus::Unapplied, Some(ReasonCode::Ac07)));
    stage.books_are_right();
}

#[tokio::test]
async fn a_blocked_account_is_credited_what_was_settled() {
    let stage = Stage::new().await;
    let (id, _, bia) = ordered(&stage).await;
    say(&stage, BANK_B, id, HubWord::Pending).await;
    stage.on(BlockAccount { on: bia.clone() }).await.unwrap();
    say(&stage, BANK_B, id, HubWord::Confirmed).await;
    assert_eq!(stage.funds(&bia), (300, 0));
}

#[tokio::test]
async fn a_transfer_that_did_not_happen_gives_the_hold_back() {
    for (word, shown) in [(DS04, ShownState::Rejected), (AB03, ShownState::Expired)] {
        let stage = Stage::new().await;
        let (id, ana, bia) = ordered(&stage).await;
        say(&stage, BANK_B, id, HubWord::Pending).await;
        stage.told();
        for _ in 0..2 {
            say(&stage, BANK_A, id, word).await;
            say(&stage, BANK_B, id, word).await;
        }
        assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((1_000, 0), (0, 0)));
        assert_eq!(stage.told(), []);
        let tables = stage.memory.tables();
        assert_eq!(tables.incoming[&id].0.state().status, IncomingStatus::Cancelled);
        let seen = stage.ports.reads.transfers(&[(id, ana.account_id)]).await.unwrap().remove(0);
        assert_eq!(seen.unwrap().state, shown);
        let released = tables.events.iter().filter(|event| {
            matches!(&event.fact, AccountFact::Released { end_to_end_id, .. }
                if *end_to_end_id == id)
        });
        assert_eq!(released.count(), 1);
        stage.books_are_right();
    }
}

#[tokio::test]
async fn a_question_about_an_ended_transfer_is_not_answered_with_an_acceptance() {
    let stage = Stage::new().await;
    let (id, ..) = ordered(&stage).await;
    say(&stage, BANK_B, id, AB03).await;
    say(&stage, BANK_B, id, HubWord::Pending).await;
    assert_eq!(stage.told(), []);
}

#[tokio::test]
async fn a_bank_acts_for_nobody_else() {
    let stage = Stage::new().await;
    let (id, ana, _) = ordered(&stage).await;
    let mut stray = stage.said(BANK_A, id, AB03);
    stray.bank = ispb("00000009");
    assert_eq!(refused(&stage, stray).await, "bank_not_concerned");
    let mut itself = stage.said(BANK_A, id, AB03);
    itself.payment.payee.ispb = ispb(BANK_A);
    assert_eq!(refused(&stage, itself).await, "bank_not_concerned");
    assert_eq!(stage.funds(&ana), (1_000, 300));
}

#[tokio::test]
async fn a_payer_s_bank_settles_and_releases_only_what_it_ordered() {
    for word in [HubWord::Confirmed, HubWord::Completed, DS04, AB03] {
        let stage = Stage::new().await;
        let (id, ana, _) = ordered(&stage).await;
        let mut unknown = stage.said(BANK_A, id, word);
        unknown.payment.end_to_end_id =
            EndToEndId::parse("E0000000120261120120000000000009").unwrap();
        assert_eq!(refused(&stage, unknown).await, "transfer_unknown");
        let mut other = stage.said(BANK_A, id, word);
        other.payment.amount = amount(301);
        assert_eq!(refused(&stage, other).await, "transfer_differs");
        assert_eq!(stage.funds(&ana), (1_000, 300));
    }
}

#[tokio::test]
async fn what_contradicts_the_past_is_refused_and_harms_no_neighbour() {
    let stage = Stage::new().await;
    let (id, ana, bia) = ordered(&stage).await;
    let next = stage.pay(&ana, 2, 100).await.unwrap().end_to_end_id;
    let events = [
        stage.said(BANK_A, id, AB03),
        stage.said(BANK_A, id, HubWord::Confirmed),
        stage.said(BANK_A, next, HubWord::Confirmed),
        stage.said(BANK_A, next, DS04),
        stage.said(BANK_B, next, HubWord::Confirmed),
        stage.said(BANK_B, next, AB03),
    ];
    let outcomes = stage.hear(&events).await;
    let codes: Vec<Option<&str>> =
        outcomes.iter().map(|it| it.as_ref().err().map(Violation::code)).collect();
    let contradiction = Some("transfer_contradicts");
    assert_eq!(codes, [None, contradiction, None, contradiction, None, contradiction]);
    assert_eq!((stage.funds(&ana), stage.funds(&bia)), ((900, 0), (100, 0)));
    stage.books_are_right();
}

#[tokio::test]
async fn a_transaction_that_is_not_committed_has_not_happened() {
    let stage = Stage::new().await;
    let (id, ana, _) = ordered(&stage).await;
    let event = stage.said(BANK_A, id, HubWord::Confirmed);
    let reactions = super::hub::HubReactions::new(stage.clock.clone(), stage.ports.ids.clone());
    let mut crashed = stage.ports.store.begin().await.unwrap();
    reactions.react(&mut *crashed, std::slice::from_ref(&event)).await.unwrap();
    drop(crashed);
    assert_eq!(stage.funds(&ana), (1_000, 300));
    assert_eq!(stage.hear(&[event]).await, [Ok(())]);
    assert_eq!(stage.funds(&ana), (700, 0));
}

#[tokio::test]
async fn closing_waits_for_holds_and_expected_credits() {
    let stage = Stage::new().await;
    let (id, ana, bia) = ordered(&stage).await;
    say(&stage, BANK_B, id, HubWord::Pending).await;
    let close = |on: &OnAccount| stage.on(CloseAccount { on: on.clone() });
    assert_eq!(code(close(&bia).await), "account_has_open_transfers");
    assert_eq!(code(close(&ana).await), "account_has_open_transfers");
    say(&stage, BANK_B, id, AB03).await;
    say(&stage, BANK_A, id, AB03).await;
    close(&bia).await.unwrap();
    assert_eq!(code(close(&ana).await), "account_not_empty");
    let all = Withdraw { on: ana.clone(), idempotency_key: "all".into(), amount: amount(1_000) };
    stage.on(all).await.unwrap();
    close(&ana).await.unwrap();
}

#[tokio::test]
async fn the_hub_is_reminded_of_what_it_left_unanswered() {
    let stage = Stage::new().await;
    let (id, ..) = ordered(&stage).await;
    say(&stage, BANK_B, id, HubWord::Pending).await;
    let accepted = stage.told();
    let reminder = Reminder(stage.ports.clone());
    stage.clock.advance(Duration::from_secs(59));
    assert_eq!(reminder.sweep().await.unwrap(), 0);
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(reminder.sweep().await.unwrap(), 2);
    let told = stage.told();
    assert!(matches!(told[0], HubMessage::Requested(_)), "{told:?}");
    assert_eq!(told[1..], accepted, "the same acceptance again");
    assert_eq!(reminder.sweep().await.unwrap(), 0);
    stage.clock.advance(Duration::from_secs(20));
    assert_eq!(reminder.sweep().await.unwrap(), 2);
    say(&stage, BANK_A, id, HubWord::Confirmed).await;
    say(&stage, BANK_B, id, HubWord::Confirmed).await;
    stage.told();
    stage.clock.advance(Duration::from_hours(1));
    assert_eq!(reminder.sweep().await.unwrap(), 0);
    assert_eq!(stage.told(), []);
}

/// How a transfer ends at the hub.
#[derive(Clone, Copy, Debug)]
enum End {
    Settled,
    Rejected,
    Expired,
}

impl End {
    /// Everything that the hub may ever say of it, to whom.
    fn words(self) -> Vec<(&'static str, HubWord)> {
        let both = |word| [(BANK_A, word), (BANK_B, word)];
        let mut words = vec![(BANK_B, HubWord::Pending), (BANK_A, HubWord::Pending)];
        words.extend(match self {
            Self::Settled => [both(HubWord::Confirmed), both(HubWord::Completed)].concat(),
            Self::Rejected => both(DS04).to_vec(),
            Self::Expired => both(AB03).to_vec(),
        });
        words
    }
}

/// One word of the hub: of which transfer, which of its words.
type Delivery = (usize, usize);

/// Delivers words of three transfers in any order, as often as it likes, in batches of any size;
/// then once more the last word of each. The laws hold after every batch.
async fn any_order(ends: [End; 3], deliveries: Vec<Delivery>, batch: usize) {
    let stage = Stage::new().await;
    let ana = stage.account(BANK_A, 1, 1_000).await;
    let bia = stage.account(BANK_B, 2, 0).await;
    let closing = stage.account(BANK_B, 3, 0).await;
    let mut transfers = BTreeMap::new();
    for (place, (owner, centavos)) in [(2, 100), (2, 230), (3, 370)].into_iter().enumerate() {
        let id = stage.pay(&ana, owner, centavos).await.unwrap().end_to_end_id;
        transfers.insert(place, (id, centavos));
    }
    stage.on(CloseAccount { on: closing }).await.unwrap();
    let words: Vec<_> = ends.iter().map(|end| end.words()).collect();
    let event = |(place, word): Delivery| {
        let words = &words[place];
        let (to, word) = words[word % words.len()];
        stage.said(to, transfers[&place].0, word)
    };
    let events: Vec<HubEvent> = deliveries.into_iter().map(event).collect();
    for batch in events.chunks(batch) {
        assert!(stage.hear(batch).await.iter().all(Result::is_ok));
        stage.books_are_right();
    }
    for (place, (id, _)) in &transfers {
        for (to, word) in words[*place].iter().rev().take(2).rev() {
            say(&stage, to, *id, *word).await;
        }
    }
    stage.books_are_right();
    let mut sent = 0;
    let mut applied = 0;
    for (place, (id, centavos)) in &transfers {
        let settled = matches!(ends[*place], End::Settled);
        assert_eq!(stage.effects(*id), (settled, settled), "{ends:?}");
        sent += if settled { *centavos } else { 0 };
        applied += if settled && *place < 2 { *centavos } else { 0 };
    }
    assert_eq!(stage.funds(&ana), (1_000 - sent, 0));
    assert_eq!(stage.funds(&bia), (applied, 0));
    let tables = stage.memory.tables();
    let settlement = |bank| tables.internal.get(&InternalAccount::Settlement.id(ispb(bank)));
    let centavos = |bank| settlement(bank).map_or(0, |balance| balance.centavos());
    assert_eq!((centavos(BANK_A), centavos(BANK_B)), (sent, -sent));
    let legs = |leg| tables.entries.keys().filter(|(_, it, _)| *it == leg).count();
    let settled = ends.iter().filter(|end| matches!(end, End::Settled)).count();
    assert_eq!((legs(Leg::Payer), legs(Leg::Payee)), (2 * settled, 2 * settled));
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Settled), Just(End::Rejected), Just(End::Expired)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_order_and_repetition_of_the_hub_s_words_keeps_the_money(
        ends in [end(), end(), end()],
        deliveries in proptest::collection::vec((0_usize..3, 0_usize..8), 0..40),
        batch in 1_usize..10,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(any_order(ends, deliveries, batch));
    }
}
