//! The simulator is able to fail: every planted bug is found, within as many seeds as the tests
//! run of sound code, and the story of the run says how.

mod story;

use simulation::{Bug, Options, run};

/// As many as the tests run of sound code.
const SEEDS: u64 = 2_000;

/// It is found, and the story of the run that finds it can be followed to its end.
#[track_caller]
fn is_found(bug: Bug) {
    let options = Options { bug: Some(bug), ..Options::default() };
    let found = (1..=SEEDS).find(|seed| run(*seed, options).failure.is_some());
    assert!(found.is_some(), "{bug:?} is not found");
    if let Some(seed) = found {
        let told = run(seed, Options { with_story: true, ..options });
        story::must_be_readable(seed, &told);
        story::must_end_with_what_is_wrong(seed, &told);
    }
}

macro_rules! planted {
    ($($test:ident: $bug:ident,)+) => {
        $(#[test]
        fn $test() {
            is_found(Bug::$bug);
        })+

        #[test]
        fn every_bug_has_its_test() {
            assert_eq!(Bug::ALL, [$(Bug::$bug),+]);
        }
    };
}

planted! {
    events_that_leave_before_their_commit: PublishOutsideTransaction,
    offsets_before_effects: OffsetBeforeEffect,
    offsets_without_compare_and_set: NoCompareAndSet,
    commits_that_lie: CommitsThatLie,
    rows_that_are_not_locked: NoRowLocks,
    first_answers_that_are_not_kept: ForgetAnswers,
    dead_letters_that_are_dropped: NoDeadLetters,
    an_outbox_that_is_sent_newest_first: NewestFirst,
    rows_removed_before_they_are_sent: RemoveBeforeSending,
    records_without_a_key: UnkeyedRecords,
    keys_that_are_not_unique: KeysWithoutUniqueness,
    a_hold_released_by_the_banks_own_clock: ReleaseHoldOnTimeout,
    a_rejection_for_a_repeated_order: RejectRepeatedOrder,
    repeats_that_are_not_answered: RepeatsUnanswered,
    a_transfer_completed_before_the_payee: CompletedBeforePayee,
    a_credit_that_nobody_expected: CreditWithoutExpectedCredit,
    an_acceptance_after_the_expiry: AcceptAfterExpiry,
    deadlines_that_do_not_wait_for_the_log: ExpireWithoutReading,
    a_payer_who_never_hears: PayerNeverHears,
    holds_that_do_not_count: HoldsNotCounted,
    half_a_position: HalfAPosition,
    reservations_that_are_kept: ReservationsKept,
    banks_that_never_ask_again: NoReminders,
    a_hub_that_never_asks_again: NoRepeatedConfirmations,
    events_that_are_left_out: EventsLeftOut,
    marks_that_are_not_read: MarksUnread,
    a_line_that_shuts_nobody_out: LineWithoutFencing,
    hand_overs_removed_before_they_are_sent: HandOversRemovedFirst,
    hand_overs_that_leave_before_their_commit: HandOverBeforeCommit,
    an_expiry_after_the_hand_over: ExpireAfterHandOver,
    a_confirmation_that_meets_another_order: ConfirmationOfAnotherOrder,
    a_repeated_order_that_is_handed_over_again: RepeatHandsOverAgain,
    an_error_for_an_order_with_other_content: ErrorForOtherContent,
    a_confirmation_that_settles_what_was_refused: ContradictionSettles,
    two_transfers_of_one_order: OrdersWithoutUniqueness,
    answers_in_another_order: AnswersOutOfOrder,
    a_refusal_before_the_hand_over_has_left: RefusedBeforeItLeft,
    strangers_that_are_let_in: EveryoneIsAnOperator,
    what_was_sent_today_forgotten: SpentForgotten,
    an_acceptance_dated_when_it_is_read: HeardWhenRead,
    deposits_against_another_account: DepositsUnapplied,
    a_bank_that_speaks_for_the_other: OtherBankSpeaks,
    orders_whose_amounts_are_not_compared: AmountsNotCompared,
    a_deadline_three_times_as_long: LongDeadline,
    a_refusal_for_a_reason_that_is_not_true: RefusedAsBlocked,
    claims_that_give_no_room: ClaimsNotCounted,
    an_account_that_is_not_unblocked: UnblockForgotten,
    limits_that_are_not_kept: LimitsForgotten,
    a_bank_that_is_enrolled_without_its_limit: EnrolledWithoutLimit,
    a_payee_by_another_name: PayeeMisnamed,
    a_key_that_is_taken_for_another_banks: KeysTakenElsewhere,
    keys_that_are_not_counted: KeysNotCounted,
    repeats_that_never_slow_down: RepeatsNeverSlowDown,
    a_note_that_is_not_kept: AcknowledgementForgotten,
    a_depositor_who_is_shown_the_old_balance: BalanceBeforeDeposit,
    an_account_that_is_shown_in_another_name: OwnerMisnamed,
    a_key_that_is_told_otherwise: KeyMisnamed,
    a_renamed_bank_that_loses_its_limit: RenamedWithoutLimit,
    a_first_repeat_that_is_late: FirstRepeatLate,
    repeats_that_are_late: RepeatsLate,
    histories_without_holds: HistoryWithoutHolds,
}
