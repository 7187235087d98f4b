//! Transfers as they are printed: the hub's view, and the bank's for a customer.

use serde::Serialize;
use shared_kernel::domain::{Money, Timestamp};

use crate::cli::output::{
    Align, Cell, Fields, Paint, Shown, Table, Tone, instant, label, moment, text_or_dash,
};
use crate::client::{banking, transfers};

/// Why a transfer did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ReasonView {
    pub(super) code: String,
    pub(super) sentence: String,
}

impl ReasonView {
    /// The sentence, then the ISO code.
    pub(super) fn in_words(&self) -> String {
        if self.sentence.is_empty() {
            return self.code.clone();
        }
        format!("{} ({})", self.sentence, self.code)
    }
}

/// One side of a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct PartyView {
    ispb: String,
    account_id: String,
    owner_name: String,
    owner_tax_id: String,
}

impl PartyView {
    fn in_words(&self) -> String {
        let name = text_or_dash(&self.owner_name);
        format!("{name}, bank {}, account {}", self.ispb, text_or_dash(&self.account_id))
    }
}

impl From<transfers::Party> for PartyView {
    fn from(party: transfers::Party) -> Self {
        Self {
            ispb: party.ispb,
            account_id: party.account_id,
            owner_name: party.owner_name,
            owner_tax_id: party.owner_tax_id,
        }
    }
}

/// A transfer as the hub sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct HubTransfer {
    pub(super) end_to_end_id: String,
    order_id: Option<String>,
    pub(super) state: String,
    amount: Money,
    payer: PartyView,
    payee: PartyView,
    payee_key: String,
    description: String,
    pub(super) reason: Option<ReasonView>,
    pub(super) registered_at: Option<Timestamp>,
    deadline: Option<Timestamp>,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    overdue_at: Option<Timestamp>,
    version: i64,
    resolution: Option<ResolutionView>,
}

/// What an operator decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ResolutionView {
    resolution: String,
    reason: String,
    resolved_at: Option<Timestamp>,
    contradicted_at: Option<Timestamp>,
    acknowledgement: Option<String>,
    acknowledged_at: Option<Timestamp>,
}

/// A text of the wire, where nothing is an empty one.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl From<transfers::OperatorResolution> for ResolutionView {
    fn from(resolved: transfers::OperatorResolution) -> Self {
        Self {
            resolution: label(resolved.resolution().as_str_name(), "RESOLUTION"),
            resolved_at: instant(resolved.resolved_at.as_ref()),
            contradicted_at: instant(resolved.contradicted_at.as_ref()),
            acknowledged_at: instant(resolved.acknowledged_at.as_ref()),
            acknowledgement: given(resolved.acknowledgement),
            reason: resolved.reason,
        }
    }
}

impl ResolutionView {
    fn in_words(&self) -> String {
        format!("as {}, {}: {}", self.resolution, moment(self.resolved_at), self.reason)
    }

    /// What became of it.
    fn contradicted(&self) -> Option<String> {
        let at = self.contradicted_at?;
        let acknowledged = match &self.acknowledgement {
            Some(reason) => format!("settled, {}: {reason}", moment(self.acknowledged_at)),
            None => "the banks must settle it, then `codepix transfer acknowledge`".to_owned(),
        };
        Some(format!("{}; {acknowledged}", moment(Some(at))))
    }
}

impl HubTransfer {
    /// With what an operator decided of it.
    pub(super) fn resolved(self, resolution: Option<transfers::OperatorResolution>) -> Self {
        Self { resolution: resolution.map(ResolutionView::from), ..self }
    }

    /// Whether it waits for its payee's bank or an operator.
    fn is_overdue(&self) -> bool {
        self.state == "pending" && self.overdue_at.is_some()
    }

    fn state_cell(&self) -> Cell {
        if self.is_overdue() {
            return Cell::new(Tone::Bad, "pending, OVERDUE");
        }
        state_cell(&self.state)
    }
}

impl From<transfers::Transfer> for HubTransfer {
    fn from(transfer: transfers::Transfer) -> Self {
        Self {
            state: label(transfer.state().as_str_name(), "TRANSFER_STATE"),
            registered_at: instant(transfer.registered_at.as_ref()),
            deadline: instant(transfer.deadline.as_ref()),
            confirmed_at: instant(transfer.confirmed_at.as_ref()),
            finished_at: instant(transfer.finished_at.as_ref()),
            overdue_at: instant(transfer.overdue_at.as_ref()),
            end_to_end_id: transfer.end_to_end_id,
            order_id: given(transfer.order_id),
            amount: Money::from_centavos(transfer.amount_centavos),
            payer: transfer.payer.unwrap_or_default().into(),
            payee: transfer.payee.unwrap_or_default().into(),
            payee_key: transfer.payee_key,
            description: transfer.description,
            reason: transfer
                .reason
                .map(|reason| ReasonView { code: reason.code, sentence: reason.sentence }),
            version: transfer.version,
            resolution: None,
        }
    }
}

/// The colour of a state, of the hub or of a bank.
pub(super) fn state_tone(state: &str) -> Tone {
    match state {
        "completed" | "settled" => Tone::Good,
        "rejected" | "expired" => Tone::Bad,
        _ => Tone::Open,
    }
}

fn state_cell(state: &str) -> Cell {
    Cell::new(state_tone(state), state)
}

impl Shown for HubTransfer {
    fn text(&self, paint: Paint) -> String {
        let reason = self.reason.as_ref().map(ReasonView::in_words);
        let contradicted = self.resolution.as_ref().and_then(ResolutionView::contradicted);
        Fields::new()
            .field("transfer", Cell::new(Tone::Strong, self.end_to_end_id.as_str()))
            .field_if("order", self.order_id.as_deref())
            .field("state", state_cell(&self.state))
            .field_if("reason", reason)
            .field("amount", Cell::new(Tone::Strong, self.amount.in_english()))
            .field("payer", self.payer.in_words())
            .field("payee", self.payee.in_words())
            .field("key", self.payee_key.as_str())
            .field_if("description", Some(self.description.as_str()))
            .field("registered", moment(self.registered_at))
            .field("deadline", moment(self.deadline))
            .field_if("overdue since", self.overdue_at.map(|at| moment(Some(at))))
            .field("confirmed", moment(self.confirmed_at))
            .field("finished", moment(self.finished_at))
            .field_if("resolved", self.resolution.as_ref().map(ResolutionView::in_words))
            .field_if("credited all the same", contradicted)
            .render(paint)
    }
}

/// Transfers of the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct HubTransfers {
    pub(super) transfers: Vec<HubTransfer>,
}

impl Shown for HubTransfers {
    fn text(&self, paint: Paint) -> String {
        let columns = [
            ("REGISTERED", Align::Left),
            ("TRANSFER", Align::Left),
            ("STATE", Align::Left),
            ("AMOUNT", Align::Right),
            ("PAYER", Align::Left),
            ("PAYEE", Align::Left),
            ("ORDER", Align::Left),
            ("REASON", Align::Left),
        ];
        let mut table = Table::new(columns, "no transfers");
        for transfer in &self.transfers {
            let reason = transfer.reason.as_ref().map(ReasonView::in_words).unwrap_or_default();
            table.row([
                moment(transfer.registered_at).into(),
                transfer.end_to_end_id.as_str().into(),
                transfer.state_cell(),
                transfer.amount.in_english().into(),
                transfer.payer.ispb.as_str().into(),
                transfer.payee.ispb.as_str().into(),
                transfer.order_id.as_deref().unwrap_or_default().into(),
                reason.into(),
            ]);
        }
        table.render(paint)
    }
}

/// A transfer as a customer's bank shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct BankTransfer {
    pub(super) end_to_end_id: String,
    pub(super) direction: String,
    pub(super) state: String,
    account_id: String,
    pub(super) amount: Money,
    payee_key: String,
    counterparty_ispb: String,
    counterparty_name: String,
    counterparty_account_id: String,
    description: String,
    pub(super) reason: Option<ReasonView>,
    pub(super) requested_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
}

impl From<banking::Transfer> for BankTransfer {
    fn from(transfer: banking::Transfer) -> Self {
        Self {
            direction: label(transfer.direction().as_str_name(), "TRANSFER_DIRECTION"),
            state: label(transfer.state().as_str_name(), "TRANSFER_STATE"),
            requested_at: instant(transfer.requested_at.as_ref()),
            finished_at: instant(transfer.finished_at.as_ref()),
            end_to_end_id: transfer.end_to_end_id,
            account_id: transfer.account_id,
            amount: Money::from_centavos(transfer.amount_centavos),
            payee_key: transfer.payee_key,
            counterparty_ispb: transfer.counterparty_ispb,
            counterparty_name: transfer.counterparty_name,
            counterparty_account_id: transfer.counterparty_account_id,
            description: transfer.description,
            reason: transfer
                .reason
                .map(|reason| ReasonView { code: reason.code, sentence: reason.sentence }),
        }
    }
}

impl Shown for BankTransfer {
    fn text(&self, paint: Paint) -> String {
        let reason = self.reason.as_ref().map(ReasonView::in_words);
        let name = text_or_dash(&self.counterparty_name);
        Fields::new()
            .field("transfer", Cell::new(Tone::Strong, self.end_to_end_id.as_str()))
            .field("state", state_cell(&self.state))
            .field_if("reason", reason)
            .field("amount", Cell::new(Tone::Strong, self.amount.in_english()))
            .field("direction", self.direction.as_str())
            .field("account", self.account_id.as_str())
            .field("key", self.payee_key.as_str())
            .field("with", format!("{name}, bank {}", text_or_dash(&self.counterparty_ispb)))
            .field_if("description", Some(self.description.as_str()))
            .field("requested", moment(self.requested_at))
            .field("finished", moment(self.finished_at))
            .render(paint)
    }
}

/// Transfers of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct BankTransfers {
    pub(super) transfers: Vec<BankTransfer>,
}

impl Shown for BankTransfers {
    fn text(&self, paint: Paint) -> String {
        let columns = [
            ("REQUESTED", Align::Left),
            ("TRANSFER", Align::Left),
            ("DIRECTION", Align::Left),
            ("STATE", Align::Left),
            ("AMOUNT", Align::Right),
            ("WITH", Align::Left),
            ("REASON", Align::Left),
        ];
        let mut table = Table::new(columns, "no transfers");
        for transfer in &self.transfers {
            let reason = transfer.reason.as_ref().map(ReasonView::in_words).unwrap_or_default();
            table.row([
                moment(transfer.requested_at).into(),
                transfer.end_to_end_id.as_str().into(),
                transfer.direction.as_str().into(),
                state_cell(&transfer.state),
                transfer.amount.in_english().into(),
                text_or_dash(&transfer.counterparty_name).into(),
                reason.into(),
            ]);
        }
        table.render(paint)
    }
}

/// A transfer that was ordered, and the key under which it may be ordered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SentTransfer {
    pub(super) idempotency_key: String,
    #[serde(flatten)]
    pub(super) transfer: BankTransfer,
}

impl Shown for SentTransfer {
    fn text(&self, paint: Paint) -> String {
        let key = Fields::new()
            .field("idempotency key", Cell::new(Tone::Faint, self.idempotency_key.as_str()));
        format!("{}\n{}", self.transfer.text(paint), key.render(paint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected() -> transfers::Transfer {
        transfers::Transfer {
            end_to_end_id: "E99999A03202611201234aB3dE5gH7jK".to_owned(),
            state: transfers::TransferState::Rejected.into(),
            amount_centavos: 1_000,
            reason: Some(transfers::Reason {
                code: "AC06".to_owned(),
                sentence: "The payee's account is blocked.".to_owned(),
            }),
            ..transfers::Transfer::default()
        }
    }

    #[test]
    fn a_failed_transfer_says_why_in_words_and_by_its_code() {
        let view = HubTransfer::from(rejected());
        let text = view.text(Paint::new(false));
        assert!(text.contains("state       rejected"), "{text}");
        assert!(text.contains("The payee's account is blocked. (AC06)"), "{text}");
        let list = HubTransfers { transfers: vec![view] }.text(Paint::new(false));
        assert!(list.ends_with("The payee's account is blocked. (AC06)"), "{list}");
    }

    #[test]
    fn an_order_of_a_bank_program_is_named_and_what_is_overdue_stands_out() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let order_id = "b3b6f0a0-6f1e-4a0e-9a35-6a1f0f6f2f10".to_owned();
        let overdue = transfers::Transfer {
            state: transfers::TransferState::Pending.into(),
            overdue_at: at(1_795_178_096),
            order_id: order_id.clone(),
            ..rejected()
        };
        let view = HubTransfer::from(overdue.clone());
        let text = view.text(Paint::new(false));
        let is_order = |line: &str| line.starts_with("order ") && line.ends_with(&order_id);
        assert!(text.lines().any(is_order), "{text}");
        let list = |transfer: transfers::Transfer| {
            HubTransfers { transfers: vec![transfer.into()] }.text(Paint::new(false))
        };
        let shown = list(overdue.clone());
        assert!(shown.contains("pending, OVERDUE") && shown.contains(&order_id), "{shown}");
        let confirmed = transfers::TransferState::Confirmed.into();
        assert!(!list(transfers::Transfer { state: confirmed, ..overdue }).contains("OVERDUE"));
        assert_eq!(HubTransfer::from(rejected()).order_id, None);
    }

    #[test]
    fn what_was_credited_all_the_same_is_shown_until_and_after_it_is_settled() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let resolution = transfers::OperatorResolution {
            resolution: transfers::Resolution::Refused.into(),
            reason: "they did not know it".to_owned(),
            resolved_at: at(1_795_178_096),
            contradicted_at: at(1_795_178_100),
            ..transfers::OperatorResolution::default()
        };
        let text = |resolution| {
            let view = HubTransfer::from(rejected()).resolved(Some(resolution));
            view.text(Paint::new(false))
        };
        let open = text(resolution.clone());
        assert!(open.contains("codepix transfer acknowledge"), "{open}");
        let acknowledgement = "paid back".to_owned();
        let settled = transfers::OperatorResolution {
            acknowledgement,
            acknowledged_at: at(1_795_178_200),
            ..resolution
        };
        let settled = text(settled);
        assert!(settled.contains("settled, ") && settled.ends_with(": paid back"), "{settled}");
    }

    #[test]
    fn a_sent_transfer_is_one_document_with_its_key() {
        let transfer = BankTransfer::from(banking::Transfer {
            direction: banking::TransferDirection::Outgoing.into(),
            state: banking::TransferState::Requested.into(),
            amount_centavos: 1_000,
            ..banking::Transfer::default()
        });
        let sent = SentTransfer { idempotency_key: "k".to_owned(), transfer };
        let json = serde_json::to_value(&sent).unwrap();
        assert_eq!((&json["idempotency_key"], &json["state"]), (&"k".into(), &"requested".into()));
        assert_eq!(json["amount"]["amount"], "10.00");
        assert!(sent.text(Paint::new(false)).ends_with("idempotency key  k"));
    }
}
