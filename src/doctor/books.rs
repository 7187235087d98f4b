//! The comparison itself, over what the contexts said: no I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use banking::domain::{IncomingStatus, OutgoingStatus};
use banking::infrastructure::postgres::audit::{
    AuditedIncoming, AuditedOutgoing, Difference, InternalBalance, LedgerTotals,
};
use shared_kernel::domain::{EndToEndId, Ispb, Money, Timestamp};
use transfers::domain::TransferState;
use transfers::infrastructure::audit::{AuditedTransfer, Contradiction, HubAudit};

use super::report::Finding;

/// How long a hold may wait for the hub to know its order before that is a finding.
const ORDER_GRACE: Duration = Duration::from_secs(90);

/// How long a bank may take to post what is final.
const POSTING_GRACE: Duration = Duration::from_secs(10);

/// What the hub said.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Its own audit.
    pub audit: HubAudit,
    /// Every transfer.
    pub transfers: BTreeMap<EndToEndId, AuditedTransfer>,
}

/// What the banks said.
#[derive(Clone, Debug)]
pub struct Banks {
    /// Debits and credits of each ledger.
    pub totals: Vec<LedgerTotals>,
    /// The banks' own accounts.
    pub internal: Vec<InternalBalance>,
    /// What does not agree inside the banks.
    pub differences: Vec<Difference>,
    /// Payers' sides.
    pub outgoing: BTreeMap<EndToEndId, AuditedOutgoing>,
    /// Payees' sides.
    pub incoming: BTreeMap<EndToEndId, AuditedIncoming>,
}

/// Every broken invariant between hub and banks at `now`.
pub fn compare(hub: &Hub, banks: &Banks, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    hub_alone(hub, &mut findings);
    banks_alone(banks, &mut findings);
    for side in banks.outgoing.values() {
        payer_side(side, hub.transfers.get(&side.end_to_end_id), now, &mut findings);
    }
    for side in banks.incoming.values() {
        payee_side(side, hub.transfers.get(&side.end_to_end_id), &mut findings);
    }
    for transfer in hub.transfers.values() {
        both_sides(transfer, banks, now, &mut findings);
    }
    positions(hub, banks, &mut findings);
    findings.sort();
    findings
}

fn hub_alone(hub: &Hub, findings: &mut Vec<Finding>) {
    let audit = &hub.audit;
    if !audit.positions_sum.is_zero() {
        findings.push(Finding::new(
            "positions_sum",
            "hub",
            format!(
                "the positions of all participants sum to {}, not to zero",
                audit.positions_sum
            ),
        ));
    }
    for bank in audit.banks.iter().filter(|bank| !bank.is_sound()) {
        findings.push(Finding::new(
            "position_differs",
            bank.ispb.to_string(),
            format!(
                "position {} or reservation {} is not what the transfers say",
                bank.position, bank.reserved
            ),
        ));
    }
    let lists = [
        ("pending_past_deadline", &audit.overdue, "is pending past its deadline"),
        ("unreported", &audit.unreported, "is confirmed and a bank has not reported"),
        ("hand_over_waits", &audit.waiting, "waits and does not leave for its payee's bank"),
        ("misfiled", &audit.misfiled, "is not listed as what it is"),
    ];
    for (invariant, finding, sentence) in lists {
        findings.extend(
            finding.named.iter().map(|id| {
                Finding::new(invariant, id.to_string(), format!("the transfer {sentence}"))
            }),
        );
    }
    let open = audit.contradicted.iter().filter(|it| it.acknowledged.is_none());
    findings.extend(open.map(|it| {
        let sentence = format!(
            "the transfer{} was resolved as refused and its payee's bank {} has credited it: the \
             banks settle it, then `codepix transfer acknowledge`",
            order(it),
            it.payee_ispb
        );
        Finding::new("credited_after_refusal", it.end_to_end_id.to_string(), sentence)
    }));
}

/// The order of a transfer, as its banks' programs know it.
fn order(contradiction: &Contradiction) -> String {
    contradiction.order_id.map(|id| format!(" (order {id})")).unwrap_or_default()
}

/// What was wrong and is settled between the banks.
pub(super) fn acknowledged(audit: &HubAudit) -> Vec<String> {
    let note = |it: &Contradiction| {
        let reason = it.acknowledged.as_ref()?;
        let id = it.end_to_end_id;
        Some(format!(
            "{id}{} was credited by bank {} after it was refused, and the banks have settled it: \
             {reason}",
            order(it),
            it.payee_ispb
        ))
    };
    audit.contradicted.iter().filter_map(note).collect()
}

fn banks_alone(banks: &Banks, findings: &mut Vec<Finding>) {
    for ledger in banks.totals.iter().filter(|ledger| ledger.debits != ledger.credits) {
        findings.push(Finding::new(
            "ledger_unbalanced",
            ledger.ispb.to_string(),
            format!("debits of {} and credits of {} centavos", ledger.debits, ledger.credits),
        ));
    }
    for difference in &banks.differences {
        findings.push(Finding::new(
            "books_differ",
            format!("{} {}", difference.kind, difference.subject),
            format!("stored {}, should be {}", difference.stored, difference.expected),
        ));
    }
}

/// A hold belongs to exactly one transfer without the payer's report, and the reverse.
fn payer_side(
    side: &AuditedOutgoing,
    transfer: Option<&AuditedTransfer>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let id = side.end_to_end_id.to_string();
    let Some(transfer) = transfer else {
        if now.since(side.ordered_at) > ORDER_GRACE {
            findings.push(Finding::new(
                "order_unknown",
                id,
                "the payer's bank ordered it and the hub does not know it",
            ));
        }
        return;
    };
    if transfer.amount.money() != side.amount || transfer.payer_account_id != side.account_id {
        findings.push(Finding::new("sides_differ", id, "payer's bank and hub differ in content"));
        return;
    }
    let agrees = match side.state {
        OutgoingStatus::Requested => !transfer.payer_reported,
        OutgoingStatus::Settled => {
            matches!(transfer.state, TransferState::Confirmed | TransferState::Completed)
        }
        OutgoingStatus::Rejected => transfer.state == TransferState::Rejected,
        OutgoingStatus::Expired => transfer.state == TransferState::Expired,
    };
    if !agrees {
        findings.push(Finding::new(
            "payer_side_differs",
            id,
            format!(
                "the payer's bank says {}, the hub {}",
                side.state.as_str(),
                transfer.state.as_str()
            ),
        ));
    }
}

fn payee_side(
    side: &AuditedIncoming,
    transfer: Option<&AuditedTransfer>,
    findings: &mut Vec<Finding>,
) {
    let id = side.end_to_end_id.to_string();
    let Some(transfer) = transfer else {
        let sentence = "the payee's bank knows it and the hub does not";
        findings.push(Finding::new("transfer_unknown", id, sentence));
        return;
    };
    let agrees = match side.state {
        IncomingStatus::Expected => !transfer.payee_reported,
        IncomingStatus::Credited | IncomingStatus::Unapplied => {
            matches!(transfer.state, TransferState::Confirmed | TransferState::Completed)
        }
        IncomingStatus::Cancelled => {
            matches!(transfer.state, TransferState::Rejected | TransferState::Expired)
        }
        IncomingStatus::Refused => {
            !matches!(transfer.state, TransferState::Confirmed | TransferState::Completed)
        }
    };
    if !agrees || transfer.amount.money() != side.amount {
        findings.push(Finding::new(
            "payee_side_differs",
            id,
            format!(
                "the payee's bank says {}, the hub {}",
                side.state.as_str(),
                transfer.state.as_str()
            ),
        ));
    }
}

/// A completed transfer has one debit and one credit; a failed one has, after a moment, neither
/// hold nor expected credit.
fn both_sides(
    transfer: &AuditedTransfer,
    banks: &Banks,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let id = transfer.end_to_end_id;
    let outgoing = banks.outgoing.get(&id).map(|side| side.state);
    let incoming = banks.incoming.get(&id).map(|side| side.state);
    let credited = matches!(incoming, Some(IncomingStatus::Credited | IncomingStatus::Unapplied));
    let hosted = |ispb: &Ispb| banks.internal.iter().any(|account| account.ispb == *ispb);
    // What a bank did while its books were outside is in no book of ours.
    let pays_here = hosted(&transfer.payer_ispb) && !transfer.payer_outside;
    let receives_here = hosted(&transfer.payee_ispb) && !transfer.payee_outside;
    let late = transfer.finished_at.is_some_and(|at| now.since(at) > POSTING_GRACE);
    let sentence = match transfer.state {
        TransferState::Completed if pays_here && outgoing != Some(OutgoingStatus::Settled) => {
            "it is completed and the payer's bank has not debited"
        }
        TransferState::Completed if receives_here && !credited => {
            "it is completed and the payee's bank has not credited"
        }
        TransferState::Rejected | TransferState::Expired
            if late && pays_here && outgoing == Some(OutgoingStatus::Requested) =>
        {
            "it has failed and its hold is still there"
        }
        TransferState::Rejected | TransferState::Expired
            if late && receives_here && incoming == Some(IncomingStatus::Expected) =>
        {
            "it has failed and its expected credit is still there"
        }
        TransferState::Pending
        | TransferState::Confirmed
        | TransferState::Completed
        | TransferState::Rejected
        | TransferState::Expired => return,
    };
    findings.push(Finding::new("unposted", id.to_string(), sentence));
}

/// What a bank has not posted of the transfers that have moved its position, and what its books
/// will never show.
#[derive(Clone, Copy, Debug, Default)]
struct Unposted {
    debits: i128,
    credits: i128,
    /// What it is owed by transfers that are in its books outside.
    outside: i128,
}

fn unposted(hub: &Hub, banks: &Banks) -> BTreeMap<Ispb, Unposted> {
    let mut found: BTreeMap<Ispb, Unposted> = BTreeMap::new();
    let settled = |transfer: &&AuditedTransfer| {
        matches!(transfer.state, TransferState::Confirmed | TransferState::Completed)
    };
    for transfer in hub.transfers.values().filter(settled) {
        let (id, amount) = (&transfer.end_to_end_id, transfer.amount.money().centavos());
        let amount = i128::from(amount);
        let is_within = transfer.payer_ispb == transfer.payee_ispb;
        let paid = banks.outgoing.get(id).map(|side| side.state);
        let bank = found.entry(transfer.payer_ispb).or_default();
        if transfer.payer_outside {
            let moved = if is_within { 0 } else { amount };
            bank.outside = bank.outside.saturating_sub(moved);
        } else if paid != Some(OutgoingStatus::Settled) {
            bank.debits = bank.debits.saturating_add(amount);
        }
        let received = banks.incoming.get(id).map(|side| side.state);
        let credited =
            matches!(received, Some(IncomingStatus::Credited | IncomingStatus::Unapplied));
        let bank = found.entry(transfer.payee_ispb).or_default();
        if transfer.payee_outside {
            let moved = if is_within { 0 } else { amount };
            bank.outside = bank.outside.saturating_add(moved);
        } else if !credited {
            bank.credits = bank.credits.saturating_add(amount);
        }
    }
    found
}

/// A bank's `settlement` account is the opposite of its position, up to what is confirmed and not
/// yet posted. The books were read before the hub, and the sides before the balances, so whatever
/// may be missing in a balance is counted as not posted.
fn positions(hub: &Hub, banks: &Banks, findings: &mut Vec<Finding>) {
    let unposted = unposted(hub, banks);
    for bank in &hub.audit.banks {
        let mut own = banks.internal.iter().filter(|account| account.ispb == bank.ispb);
        let Some(settlement) = own.find(|account| account.kind == "settlement") else { continue };
        let [posted, position] = [settlement.balance, bank.position].map(Money::centavos);
        let Unposted { debits, credits, outside } =
            unposted.get(&bank.ispb).copied().unwrap_or_default();
        let position = i128::from(position).saturating_sub(outside);
        let difference = i128::from(posted).saturating_add(position);
        if difference > credits || difference < debits.saturating_neg() {
            findings.push(Finding::new(
                "settlement_differs",
                bank.ispb.to_string(),
                format!(
                    "settlement account {}, position {}, and of confirmed transfers {debits} \
                     centavos not debited and {credits} not credited",
                    settlement.balance, bank.position
                ),
            ));
        }
    }
}
