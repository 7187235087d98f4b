//! The comparison of one transfer's three sides.

use std::collections::BTreeMap;

use banking::domain::{IncomingStatus, OutgoingStatus};
use banking::infrastructure::postgres::audit::{AuditedSide, InternalBalance};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Money, Timestamp};
use transfers::domain::{OrderId, TransferState};
use transfers::infrastructure::audit::{
    AuditedTransfer, BankAudit, Contradiction, Finding, HubAudit,
};
use uuid::Uuid;

use super::books::{Banks, Hub, acknowledged, compare};

const PAYER: &str = "00000001";
const PAYEE: &str = "00000002";
/// When the transfer ended, in microseconds.
const ENDED: i64 = 1_800_000_000_000_000;

fn ispb(text: &str) -> Ispb {
    Ispb::parse(text).unwrap()
}

fn id() -> EndToEndId {
    EndToEndId::parse("E00000001202611201200abcdefghijk").unwrap()
}

fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

fn at(seconds_later: i64) -> Timestamp {
    Timestamp::from_micros(ENDED.saturating_add(seconds_later.saturating_mul(1_000_000))).unwrap()
}

fn side<S>(bank: &str, account_id: AccountId, state: S) -> AuditedSide<S> {
    AuditedSide {
        end_to_end_id: id(),
        ispb: ispb(bank),
        account_id,
        amount: Money::from_centavos(500),
        state,
        ordered_at: at(-1),
        finished_at: None,
    }
}

fn none() -> Finding {
    Finding { count: 0, named: Vec::new() }
}

/// A transfer of 5.00 as each of the three sees it.
struct Sides {
    hub: TransferState,
    payer: OutgoingStatus,
    payee: IncomingStatus,
    /// What the banks' settlement accounts show.
    settlement: [i64; 2],
    /// The banks kept their books outside then.
    outside: bool,
}

impl Sides {
    /// The invariants that are broken so many seconds after the end.
    fn broken(&self, seconds_later: i64) -> Vec<&'static str> {
        self.broken_while(&none(), seconds_later)
    }

    /// The same while these wait to be handed over.
    fn broken_while(&self, waiting: &Finding, seconds_later: i64) -> Vec<&'static str> {
        let settled = matches!(self.hub, TransferState::Confirmed | TransferState::Completed);
        let moved = if settled { 500 } else { 0 };
        let reported = self.hub == TransferState::Completed;
        let bank = |name, position| BankAudit {
            ispb: ispb(name),
            position: Money::from_centavos(position),
            reserved: Money::ZERO,
            pending_reserved: Money::ZERO,
            paid_reported: Money::from_centavos(if position < 0 { moved } else { 0 }),
            paid_unreported: Money::ZERO,
            received_reported: Money::from_centavos(if position > 0 { moved } else { 0 }),
            received_unreported: Money::ZERO,
        };
        let audit = HubAudit {
            positions_sum: Money::ZERO,
            banks: vec![bank(PAYER, moved.saturating_neg()), bank(PAYEE, moved)],
            overdue: none(),
            contradicted: Vec::new(),
            unreported: none(),
            waiting: waiting.clone(),
            misfiled: none(),
            // Something is always under way.
            open: 1,
            unsent_rows: 1,
        };
        let transfer = AuditedTransfer {
            end_to_end_id: id(),
            state: self.hub,
            amount: Amount::from_centavos(500).unwrap(),
            payer_ispb: ispb(PAYER),
            payer_account_id: account(1),
            payee_ispb: ispb(PAYEE),
            payee_account_id: account(2),
            payer_reported: reported,
            payee_reported: reported,
            payer_outside: self.outside,
            payee_outside: self.outside,
            finished_at: Some(at(0)),
        };
        let internal = |(name, centavos)| InternalBalance {
            ispb: ispb(name),
            kind: "settlement".to_owned(),
            balance: Money::from_centavos(centavos),
        };
        let banks = Banks {
            totals: Vec::new(),
            internal: [PAYER, PAYEE].into_iter().zip(self.settlement).map(internal).collect(),
            differences: Vec::new(),
            outgoing: BTreeMap::from([(id(), side(PAYER, account(1), self.payer))]),
            incoming: BTreeMap::from([(id(), side(PAYEE, account(2), self.payee))]),
        };
        let hub = Hub { audit, transfers: BTreeMap::from([(id(), transfer)]) };
        compare(&hub, &banks, at(seconds_later)).iter().map(|found| found.invariant).collect()
    }
}

#[test]
fn settlement_follows_the_position_while_other_transfers_are_under_way() {
    let posted = |settlement| Sides {
        hub: TransferState::Completed,
        payer: OutgoingStatus::Settled,
        payee: IncomingStatus::Credited,
        settlement,
        outside: false,
    };
    assert!(posted([500, -500]).broken(0).is_empty());
    assert_eq!(posted([499, -500]).broken(0), ["settlement_differs"]);
    assert_eq!(posted([500, -501]).broken(0), ["settlement_differs"]);
    assert_eq!(posted([0, 0]).broken(0), ["settlement_differs", "settlement_differs"]);
}

#[test]
fn what_was_credited_after_a_refusal_is_a_finding_with_its_order_until_it_is_acknowledged() {
    let order_id = OrderId::from_uuid(Uuid::from_u128(7));
    let hub = |acknowledged: Option<&str>| {
        let audit = HubAudit {
            positions_sum: Money::ZERO,
            banks: Vec::new(),
            overdue: none(),
            contradicted: vec![Contradiction {
                end_to_end_id: id(),
                order_id: Some(order_id),
                payee_ispb: ispb(PAYEE),
                acknowledged: acknowledged.map(str::to_owned),
            }],
            unreported: none(),
            waiting: none(),
            misfiled: none(),
            open: 0,
            unsent_rows: 0,
        };
        Hub { audit, transfers: BTreeMap::new() }
    };
    let banks = Banks {
        totals: Vec::new(),
        internal: Vec::new(),
        differences: Vec::new(),
        outgoing: BTreeMap::new(),
        incoming: BTreeMap::new(),
    };
    let open = hub(None);
    let found = compare(&open, &banks, at(0));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].invariant, "credited_after_refusal");
    let named = [order_id.to_string(), PAYEE.to_owned()];
    assert!(named.iter().all(|name| found[0].sentence.contains(name)), "{found:?}");
    assert!(acknowledged(&open.audit).is_empty() && !open.audit.is_sound());
    let settled = hub(Some("paid back"));
    assert!(compare(&settled, &banks, at(0)).is_empty() && settled.audit.is_sound());
    let notes = acknowledged(&settled.audit);
    assert!(matches!(notes.as_slice(), [note] if note.ends_with("paid back")), "{notes:?}");
}

#[test]
fn a_transfer_that_waits_to_be_handed_over_is_named() {
    let (payer, payee) = (OutgoingStatus::Settled, IncomingStatus::Credited);
    let hub = TransferState::Completed;
    let sides = Sides { hub, payer, payee, settlement: [500, -500], outside: false };
    let waiting = Finding { count: 1, named: vec![id()] };
    assert_eq!(sides.broken_while(&waiting, 0), ["hand_over_waits"]);
}

#[test]
fn what_is_confirmed_and_not_posted_is_allowed_for_and_no_more() {
    let unposted = |settlement| Sides {
        hub: TransferState::Confirmed,
        payer: OutgoingStatus::Requested,
        payee: IncomingStatus::Expected,
        settlement,
        outside: false,
    };
    // The balances are read after the sides: either may be in them by then.
    for settlement in [[0, 0], [500, 0], [0, -500], [500, -500]] {
        assert!(unposted(settlement).broken(0).is_empty(), "{settlement:?}");
    }
    for settlement in [[-1, 0], [501, 0], [0, 1], [0, -501]] {
        assert_eq!(unposted(settlement).broken(0), ["settlement_differs"], "{settlement:?}");
    }
}

#[test]
fn a_failed_transfer_may_keep_its_hold_for_ten_seconds() {
    for hub in [TransferState::Rejected, TransferState::Expired] {
        let payee = IncomingStatus::Cancelled;
        let held = Sides {
            hub,
            payer: OutgoingStatus::Requested,
            payee,
            settlement: [0, 0],
            outside: false,
        };
        assert!(held.broken(10).is_empty());
        assert_eq!(held.broken(11), ["unposted"]);
    }
    let (hub, payer) = (TransferState::Rejected, OutgoingStatus::Rejected);
    let expected =
        Sides { hub, payer, payee: IncomingStatus::Expected, settlement: [0, 0], outside: false };
    assert!(expected.broken(10).is_empty());
    assert_eq!(expected.broken(11), ["unposted"]);
}

#[test]
fn what_banks_did_with_books_outside_is_in_none_of_ours() {
    let outside = |settlement| Sides {
        hub: TransferState::Completed,
        payer: OutgoingStatus::Settled,
        payee: IncomingStatus::Credited,
        settlement,
        outside: true,
    };
    assert!(outside([0, 0]).broken(60).is_empty());
    assert_eq!(outside([500, -500]).broken(60), ["settlement_differs", "settlement_differs"]);
}
