//! Transfers as columns: what a statement over arrays takes.

use diesel::pg::data_types::PgTimestamp;
use shared_kernel::domain::{ReasonCode, Timestamp};
use shared_kernel::infrastructure::postgres::instant;
use uuid::Uuid;

use crate::application::ports::{Birth, SavedTransfer};
use crate::domain::{OrderId, Party};

/// The changing columns, of new and of changed transfers.
#[derive(Default)]
pub(super) struct StandingColumns<'a> {
    pub(super) ids: Vec<&'a str>,
    pub(super) states: Vec<&'static str>,
    pub(super) reasons: Vec<Option<&'static str>>,
    pub(super) confirmed: Vec<Option<PgTimestamp>>,
    pub(super) finished: Vec<Option<PgTimestamp>>,
    pub(super) payer_reported: Vec<bool>,
    pub(super) payee_reported: Vec<bool>,
    pub(super) versions: Vec<i64>,
    pub(super) resend_at: Vec<Option<PgTimestamp>>,
    pub(super) overdue: Vec<Option<PgTimestamp>>,
    pub(super) contradicted: Vec<Option<PgTimestamp>>,
}

impl<'a> StandingColumns<'a> {
    pub(super) fn push(&mut self, saved: &'a SavedTransfer) {
        let standing = saved.transfer.standing();
        let time = |at: Option<Timestamp>| at.map(instant);
        self.ids.push(saved.transfer.order().end_to_end_id.as_str());
        self.states.push(standing.state.as_str());
        self.reasons.push(standing.reason.map(ReasonCode::code));
        self.confirmed.push(time(standing.confirmed_at));
        self.finished.push(time(standing.finished_at));
        self.payer_reported.push(standing.payer_reported);
        self.payee_reported.push(standing.payee_reported);
        self.versions.push(standing.version);
        self.resend_at.push(time(saved.resend_at));
        self.overdue.push(time(standing.overdue_at));
        self.contradicted.push(time(standing.contradicted_at));
    }
}

/// The columns of one end.
#[derive(Default)]
pub(super) struct PartyColumns<'a> {
    pub(super) ispbs: Vec<&'a str>,
    pub(super) accounts: Vec<Uuid>,
    pub(super) names: Vec<&'a str>,
    pub(super) tax_ids: Vec<&'a str>,
}

impl<'a> PartyColumns<'a> {
    fn push(&mut self, party: &'a Party) {
        self.ispbs.push(party.ispb.as_str());
        self.accounts.push(party.account_id.uuid());
        self.names.push(party.owner_name.as_str());
        self.tax_ids.push(party.owner_tax_id.as_str());
    }
}

/// All columns of new transfers.
#[derive(Default)]
pub(super) struct BornColumns<'a> {
    pub(super) standing: StandingColumns<'a>,
    pub(super) payer: PartyColumns<'a>,
    pub(super) payee: PartyColumns<'a>,
    pub(super) digests: Vec<&'a [u8]>,
    pub(super) amounts: Vec<i64>,
    pub(super) keys: Vec<&'a str>,
    pub(super) descriptions: Vec<&'a str>,
    pub(super) registered: Vec<PgTimestamp>,
    pub(super) deadlines: Vec<PgTimestamp>,
    pub(super) reserves: Vec<bool>,
    pub(super) payee_told: Vec<bool>,
    pub(super) origins: Vec<i32>,
    pub(super) traces: Vec<&'a str>,
    pub(super) payer_credits: Vec<&'static str>,
    pub(super) payee_credits: Vec<&'static str>,
    pub(super) order_ids: Vec<Option<Uuid>>,
    pub(super) contents: Vec<Option<&'a [u8]>>,
}

impl<'a> BornColumns<'a> {
    pub(super) fn push(&mut self, saved: &'a SavedTransfer, birth: &'a Birth) {
        let transfer = &saved.transfer;
        let (order, terms) = (transfer.order(), transfer.terms());
        self.standing.push(saved);
        self.payer.push(&order.payer);
        self.payee.push(&order.payee);
        self.digests.push(transfer.digest().as_bytes());
        self.amounts.push(order.amount.centavos());
        self.keys.push(order.payee_key.as_str());
        self.descriptions.push(order.description.as_str());
        self.registered.push(instant(terms.registered_at));
        self.deadlines.push(instant(terms.deadline));
        self.reserves.push(transfer.reserves());
        self.payee_told.push(transfer.standing().payee_told);
        self.origins.push(birth.origin);
        self.traces.push(birth.trace.as_str());
        let ends = transfer.ends();
        self.payer_credits.push(ends.payer.as_str());
        self.payee_credits.push(ends.payee.as_str());
        self.order_ids.push(ends.order_id.map(OrderId::uuid));
        self.contents.push(birth.content.as_ref().map(|digest| digest.as_bytes().as_slice()));
    }
}
