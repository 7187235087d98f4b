//! Rules of an account, each kept and each broken.

use std::time::Duration;

use proptest::prelude::*;
use shared_kernel::domain::{Amount, Money, ReasonCode, Timestamp};

use super::samples::{BANK_A, BANK_B, account, amount, cpf, entry, noon, opened, payment};
use super::{
    Account, AccountEvent, AccountFact, AccountState, AccountStatus, Funds, Limits, Payment,
};

type Decided = Result<AccountEvent, shared_kernel::domain::Violation>;

/// An account after what happened to it.
fn given(mut account: Account, events: &[AccountEvent]) -> Account {
    for event in events {
        account.apply(event);
    }
    account
}

/// The account after the decision, which must have been taken.
fn after(account: &Account, decided: Decided) -> Account {
    given(account.clone(), &[decided.unwrap()])
}

fn refused(decided: Decided) -> &'static str {
    decided.unwrap_err().code()
}

fn funds(account: &Account) -> (i64, i64) {
    let Funds { balance, held } = account.state().funds;
    (balance.centavos(), held.centavos())
}

fn blocked(account: &Account) -> Account {
    given(account.clone(), &[account.block(noon()).unwrap().unwrap()])
}

fn closed() -> Account {
    let account = opened(BANK_A, 1).0;
    let event = account.close(0, noon()).unwrap().unwrap();
    given(account, &[event])
}

fn limited(account: &Account, per_transfer: Option<i64>, per_day: Option<i64>) -> Account {
    let money = Money::from_centavos;
    let limits = Limits::new(per_transfer.map(money), per_day.map(money)).unwrap();
    given(account.clone(), &[account.set_limits(limits, noon()).unwrap().unwrap()])
}

/// To an account at another bank.
fn to_b(from: &Account, centavos: i64) -> Payment {
    payment(from, &account(BANK_B, 2, 0), centavos)
}

#[test]
fn an_account_opens_active_and_empty_at_version_one() {
    let (account, event) = opened(BANK_A, 1);
    assert_eq!(account.state().status, AccountStatus::Active);
    assert_eq!((funds(&account), event.version), ((0, 0), 1));
    assert!(matches!(event.fact, AccountFact::Opened { .. }));
}

#[test]
fn cash_comes_in_and_goes_out_as_far_as_it_is_available() {
    let rich = account(BANK_A, 1, 1_000);
    let poorer = after(&rich, rich.withdraw(amount(400), entry(2), noon()));
    assert_eq!(funds(&poorer), (600, 0));
    assert_eq!(refused(poorer.withdraw(amount(601), entry(3), noon())), "insufficient_funds");
    let holding = after(&poorer, poorer.hold(&to_b(&poorer, 500), noon()));
    assert_eq!(refused(holding.withdraw(amount(101), entry(3), noon())), "insufficient_funds");
    assert_eq!(
        funds(&after(&holding, holding.withdraw(amount(100), entry(3), noon()))),
        (500, 500)
    );
}

#[test]
fn every_event_is_one_step_of_the_version() {
    let rich = account(BANK_A, 1, 1_000);
    assert_eq!(rich.state().version, 2);
    let held = rich.hold(&to_b(&rich, 1), noon()).unwrap();
    assert_eq!(held.version, 3);
    assert_eq!(given(rich, &[held]).state().version, 3);
}

#[test]
fn a_hold_lowers_what_is_available_and_not_the_balance() {
    let rich = account(BANK_A, 1, 1_000);
    let holding = after(&rich, rich.hold(&to_b(&rich, 1_000), noon()));
    assert_eq!(funds(&holding), (1_000, 1_000));
    assert_eq!(refused(holding.hold(&to_b(&rich, 1), noon())), "insufficient_funds");
}

#[test]
fn a_hold_becomes_a_debit_or_is_released() {
    let rich = account(BANK_A, 1, 1_000);
    let paid = to_b(&rich, 300);
    let holding = after(&rich, rich.hold(&paid, noon()));
    let debited = after(&holding, holding.debit(&paid, entry(2), noon()));
    assert_eq!(funds(&debited), (700, 0));
    let released = after(&holding, holding.release(&paid, ReasonCode::Ab03, noon()));
    assert_eq!(funds(&released), (1_000, 0));
}

#[test]
fn what_is_not_held_can_neither_be_debited_nor_released() {
    let rich = account(BANK_A, 1, 1_000);
    let paid = to_b(&rich, 300);
    assert_eq!(refused(rich.debit(&paid, entry(2), noon())), "hold_missing");
    assert_eq!(refused(rich.release(&paid, ReasonCode::Ab03, noon())), "hold_missing");
}

#[test]
fn nobody_pays_himself() {
    let rich = account(BANK_A, 1, 1_000);
    let to_itself = payment(&rich, &rich, 1);
    assert_eq!(refused(rich.hold(&to_itself, noon())), "payer_is_payee");
    assert_eq!(refused(rich.book_debit(&to_itself, entry(2), noon())), "payer_is_payee");
}

#[test]
fn limits_hold_for_what_leaves_the_account() {
    let rich = account(BANK_A, 1, 10_000);
    let small = limited(&rich, Some(500), Some(800));
    let paid = |centavos| to_b(&small, centavos);
    assert_eq!(refused(small.hold(&paid(501), noon())), "limit_per_transfer_exceeded");
    let once = after(&small, small.hold(&paid(500), noon()));
    assert_eq!(refused(once.hold(&paid(301), noon())), "limit_per_day_exceeded");
    assert_eq!(refused(once.book_debit(&paid(301), entry(2), noon())), "limit_per_day_exceeded");
    let back = after(&once, once.release(&paid(500), ReasonCode::Ds04, noon()));
    assert!(back.hold(&paid(500), noon()).is_ok());
    let tomorrow = noon().saturating_add(Duration::from_hours(24));
    assert!(once.hold(&paid(500), tomorrow).is_ok());
}

#[test]
fn a_clock_that_is_behind_at_midnight_begins_no_day_anew() {
    let midnight = Timestamp::parse("2026-11-21T03:00:00Z").unwrap();
    let behind = Timestamp::parse("2026-11-21T02:59:58Z").unwrap();
    let small = limited(&account(BANK_A, 1, 10_000), None, Some(800));
    let paid = |from: &Account, centavos, now| Payment {
        ordered_at: from.dated(now),
        ..to_b(from, centavos)
    };
    let of_tomorrow = paid(&small, 500, midnight);
    let once = after(&small, small.hold(&of_tomorrow, midnight));
    let of_today = paid(&once, 301, behind);
    assert_eq!(refused(once.hold(&of_today, behind)), "limit_per_day_exceeded");
    let small_one = paid(&once, 300, behind);
    assert_eq!(small_one.ordered_at, midnight);
    let twice = after(&once, once.hold(&small_one, behind));
    assert_eq!(refused(twice.hold(&paid(&twice, 1, midnight), midnight)), "limit_per_day_exceeded");
    let back = after(&twice, twice.release(&small_one, ReasonCode::Ds04, behind));
    assert_eq!(back.state().spent.amount, Money::from_centavos(500));
}

#[test]
fn a_limit_is_set_once_and_removed() {
    let plain = account(BANK_A, 1, 0);
    let small = limited(&plain, Some(5), None);
    assert_eq!(small.set_limits(small.state().limits, noon()).unwrap(), None);
    let free =
        given(small.clone(), &[small.set_limits(Limits::default(), noon()).unwrap().unwrap()]);
    assert_eq!(free.state().limits, Limits::default());
    assert_eq!(
        closed().set_limits(Limits::default(), noon()).unwrap_err().code(),
        "account_closed"
    );
}

#[test]
fn a_blocked_account_begins_nothing_and_ends_what_was_begun() {
    let rich = account(BANK_A, 1, 1_000);
    let paid = to_b(&rich, 300);
    let holding = blocked(&after(&rich, rich.hold(&paid, noon())));
    assert_eq!(refused(holding.deposit(amount(1), entry(2), noon())), "account_blocked");
    assert_eq!(refused(holding.withdraw(amount(1), entry(2), noon())), "account_blocked");
    assert_eq!(refused(holding.hold(&paid, noon())), "account_blocked");
    assert_eq!(funds(&after(&holding, holding.debit(&paid, entry(2), noon()))), (700, 0));
    assert!(holding.release(&paid, ReasonCode::Ab03, noon()).is_ok());
    let incoming = payment(&account(BANK_B, 2, 500), &rich, 500);
    assert_eq!(holding.refusal(&incoming), Some(ReasonCode::Ac06));
    assert!(holding.credit(&incoming, entry(3), noon()).is_ok(), "settled is final");
}

#[test]
fn blocking_and_unblocking_twice_changes_nothing() {
    let active = account(BANK_A, 1, 0);
    assert_eq!(active.unblock(noon()).unwrap(), None);
    let blocked = blocked(&active);
    assert_eq!(blocked.block(noon()).unwrap(), None);
    let again = given(blocked.clone(), &[blocked.unblock(noon()).unwrap().unwrap()]);
    assert_eq!(again.state().status, AccountStatus::Active);
    assert_eq!(closed().block(noon()).unwrap_err().code(), "account_closed");
    assert_eq!(closed().unblock(noon()).unwrap_err().code(), "account_closed");
}

#[test]
fn only_an_empty_account_without_open_transfers_closes() {
    let rich = account(BANK_A, 1, 1_000);
    let close = |account: &Account, expected| account.close(expected, noon()).unwrap_err().code();
    assert_eq!(close(&rich, 0), "account_not_empty");
    assert_eq!(close(&rich, 1), "account_has_open_transfers");
    let holding = after(&rich, rich.hold(&to_b(&rich, 1_000), noon()));
    assert_eq!(close(&holding, 0), "account_has_open_transfers");
    assert_eq!(close(&opened(BANK_A, 1).0, 1), "account_has_open_transfers");
    assert_eq!(closed().close(0, noon()).unwrap(), None);
}

#[test]
fn a_closed_account_takes_nothing() {
    let incoming = payment(&account(BANK_B, 2, 500), &closed(), 500);
    assert_eq!(refused(closed().deposit(amount(1), entry(2), noon())), "account_closed");
    assert_eq!(refused(closed().hold(&to_b(&closed(), 1), noon())), "account_closed");
    assert_eq!(closed().refusal(&incoming), Some(ReasonCode::Ac07));
    assert_eq!(closed().credit(&incoming, entry(2), noon()).unwrap_err(), ReasonCode::Ac07);
}

#[test]
fn a_credit_needs_this_bank_and_this_owner() {
    let payee = account(BANK_A, 1, 0);
    let mut incoming = payment(&account(BANK_B, 2, 500), &payee, 500);
    assert_eq!(payee.refusal(&incoming), None);
    incoming.payee.owner_tax_id = cpf(9);
    assert_eq!(payee.refusal(&incoming), Some(ReasonCode::Be01));
    assert_eq!(payee.credit(&incoming, entry(1), noon()).unwrap_err(), ReasonCode::Be01);
    incoming.payee.ispb = account(BANK_B, 2, 0).state().ispb;
    assert_eq!(payee.refusal(&incoming), Some(ReasonCode::Ac03));
}

#[test]
fn a_balance_never_wraps() {
    let state = AccountState {
        funds: Funds { balance: Money::from_centavos(i64::MAX), held: Money::ZERO },
        ..account(BANK_A, 1, 0).state().clone()
    };
    let full = Account::restore(state);
    let incoming = payment(&account(BANK_B, 2, 500), &full, 1);
    assert_eq!(full.credit(&incoming, entry(1), noon()).unwrap_err(), ReasonCode::Ac14);
    assert_eq!(refused(full.deposit(Amount::MIN, entry(1), noon())), "money_overflow");
}

#[test]
fn a_payee_at_the_same_bank_must_be_able_to_take_it() {
    let taker = account(BANK_A, 2, 0);
    let paid = payment(&account(BANK_A, 1, 1_000), &taker, 100);
    let credited = after(&taker, taker.book_credit(&paid, entry(1), noon()));
    assert_eq!(funds(&credited), (100, 0));
    let refusal = |taker: &Account| taker.book_credit(&paid, entry(1), noon()).unwrap_err();
    let broken = refusal(&blocked(&taker));
    assert_eq!(broken.code(), "payee_account_blocked");
    assert!(broken.message().contains("AC06"), "{broken}");
    let closing = taker.close(0, noon()).unwrap().unwrap();
    assert_eq!(refusal(&given(taker, &[closing])).code(), "payee_account_closed");
    assert_eq!(refusal(&account(BANK_A, 3, 0)).code(), "payee_tax_id_differs");
    assert_eq!(refusal(&account(BANK_B, 2, 0)).code(), "payee_account_unknown");
}

#[test]
fn a_clock_that_stands_back_turns_no_account_s_time_back() {
    let second = Duration::from_secs(1);
    let later = noon().saturating_add(second);
    let empty = account(BANK_A, 1, 0);
    let taken = after(&empty, empty.deposit(amount(5), entry(1), later));
    assert_eq!(taken.state().changed_at, later);
    let back = taken.deposit(amount(5), entry(2), noon()).unwrap();
    assert_eq!(back.occurred_at, later);
    let taken = given(taken, &[back]);
    let on = later.saturating_add(second);
    assert_eq!(taken.block(on).unwrap().unwrap().occurred_at, on);
}

/// What may be tried on an account.
#[derive(Clone, Copy, Debug)]
enum Try {
    Deposit,
    Withdraw,
    Hold,
    Debit,
    Release,
    Credit,
    BookDebit,
    Block,
    Unblock,
}

fn attempt(account: &Account, what: Try, centavos: i64) -> Option<AccountEvent> {
    let out = to_b(account, centavos);
    let back = payment(&super::samples::account(BANK_B, 2, 0), account, centavos);
    let now = noon();
    match what {
        Try::Deposit => account.deposit(amount(centavos), entry(1), now).ok(),
        Try::Withdraw => account.withdraw(amount(centavos), entry(1), now).ok(),
        Try::Hold => account.hold(&out, now).ok(),
        Try::Debit => account.debit(&out, entry(1), now).ok(),
        Try::Release => account.release(&out, ReasonCode::Ab03, now).ok(),
        Try::Credit => account.credit(&back, entry(1), now).ok(),
        Try::BookDebit => account.book_debit(&out, entry(1), now).ok(),
        Try::Block => account.block(now).ok().flatten(),
        Try::Unblock => account.unblock(now).ok().flatten(),
    }
}

proptest! {
    #[test]
    fn whatever_is_tried_money_is_never_negative_and_versions_have_no_gap(
        tries in proptest::collection::vec((0_usize..9, 1_i64..500), 0..60),
    ) {
        let all = [
            Try::Deposit, Try::Withdraw, Try::Hold, Try::Debit, Try::Release, Try::Credit,
            Try::BookDebit, Try::Block, Try::Unblock,
        ];
        let mut account = account(BANK_A, 1, 1_000);
        for (what, centavos) in tries {
            let before = account.state().version;
            if let Some(event) = attempt(&account, all[what], centavos) {
                account.apply(&event);
                prop_assert_eq!(account.state().version, before + 1);
            }
            let Funds { balance, held } = account.state().funds;
            prop_assert!(!held.is_negative());
            prop_assert!(held <= balance);
            prop_assert_eq!(account.state().funds.available(), balance.checked_sub(held).unwrap());
        }
    }
}
