//! Domain to columns: one array per column, so that a batch of any size is one statement.

use diesel::pg::data_types::PgTimestamp;
use shared_kernel::domain::{ReasonCode, Timestamp};
use shared_kernel::infrastructure::postgres::instant;
use uuid::Uuid;

use crate::domain::{IncomingTransfer, OutgoingTransfer, Payment};

/// What all transfers have in common.
#[derive(Default)]
pub(super) struct PaymentColumns<'a> {
    pub(super) end_to_end_id: Vec<&'a str>,
    pub(super) payer_ispb: Vec<&'a str>,
    pub(super) payer_account_id: Vec<Uuid>,
    pub(super) payer_name: Vec<&'a str>,
    pub(super) payer_tax_id: Vec<&'a str>,
    pub(super) payee_ispb: Vec<&'a str>,
    pub(super) payee_account_id: Vec<Uuid>,
    pub(super) payee_name: Vec<&'a str>,
    pub(super) payee_tax_id: Vec<&'a str>,
    pub(super) payee_key: Vec<&'a str>,
    pub(super) payee_key_registered_as: Vec<Option<&'a str>>,
    pub(super) amount: Vec<i64>,
    pub(super) description: Vec<&'a str>,
    pub(super) ordered_at: Vec<PgTimestamp>,
    pub(super) deadline: Vec<PgTimestamp>,
}

impl<'a> FromIterator<&'a Payment> for PaymentColumns<'a> {
    fn from_iter<T: IntoIterator<Item = &'a Payment>>(payments: T) -> Self {
        let mut columns = Self::default();
        for payment in payments {
            let Payment { payer, payee, .. } = payment;
            columns.end_to_end_id.push(payment.end_to_end_id.as_str());
            columns.payer_ispb.push(payer.ispb.as_str());
            columns.payer_account_id.push(payer.account_id.uuid());
            columns.payer_name.push(&payer.owner_name);
            columns.payer_tax_id.push(payer.owner_tax_id.as_str());
            columns.payee_ispb.push(payee.ispb.as_str());
            columns.payee_account_id.push(payee.account_id.uuid());
            columns.payee_name.push(&payee.owner_name);
            columns.payee_tax_id.push(payee.owner_tax_id.as_str());
            columns.payee_key.push(&payment.payee_key);
            let registered_as = payment.payee_key_registered_as.as_deref();
            columns.payee_key_registered_as.push(registered_as);
            columns.amount.push(payment.amount.centavos());
            columns.description.push(&payment.description);
            columns.ordered_at.push(instant(payment.ordered_at));
            columns.deadline.push(instant(payment.deadline));
        }
        columns
    }
}

/// How sides between banks stand.
#[derive(Default)]
pub(super) struct SideColumns<'a> {
    pub(super) end_to_end_id: Vec<&'a str>,
    pub(super) state: Vec<&'static str>,
    pub(super) reason_code: Vec<Option<&'static str>>,
    pub(super) answered_at: Vec<Option<PgTimestamp>>,
    pub(super) finished_at: Vec<Option<PgTimestamp>>,
    pub(super) resend_at: Vec<PgTimestamp>,
    pub(super) resends: Vec<i32>,
}

impl<'a> SideColumns<'a> {
    fn times(&mut self, id: &'a str, finished_at: Option<Timestamp>, resend_at: Timestamp) {
        self.end_to_end_id.push(id);
        self.finished_at.push(finished_at.map(instant));
        self.resend_at.push(instant(resend_at));
    }
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl<'a> FromIterator<&'a OutgoingTransfer> for SideColumns<'a> {
    fn from_iter<T: IntoIterator<Item = &'a OutgoingTransfer>>(transfers: T) -> Self {
        let mut columns = Self::default();
        for state in transfers.into_iter().map(OutgoingTransfer::state) {
            let id = state.payment.end_to_end_id.as_str();
            columns.times(id, state.finished_at, state.resend_at);
            columns.state.push(state.status.as_str());
            columns.reason_code.push(state.reason.map(ReasonCode::code));
            columns.answered_at.push(None);
            columns.resends.push(count(state.resends));
        }
        columns
    }
}

impl<'a> FromIterator<&'a IncomingTransfer> for SideColumns<'a> {
    fn from_iter<T: IntoIterator<Item = &'a IncomingTransfer>>(transfers: T) -> Self {
        let mut columns = Self::default();
        for state in transfers.into_iter().map(IncomingTransfer::state) {
            let id = state.payment.end_to_end_id.as_str();
            columns.times(id, state.finished_at, state.resend_at);
            columns.state.push(state.status.as_str());
            columns.reason_code.push(state.reason.map(ReasonCode::code));
            columns.answered_at.push(state.answered_at.map(instant));
            columns.resends.push(count(state.resends));
        }
        columns
    }
}
