//! Messages into commands, views into messages.

use shared_kernel::application::{Page, PageSize, Place};
use shared_kernel::domain::{Amount, Money, Timestamp, Violation};

use super::proto;
use crate::application::page::Part;
use crate::application::views::{
    AccountView, BankView, Direction, ShownState, StatementLine, TransferView,
};
use crate::domain::{AccountStatus, Limits};

/// An amount of a request.
///
/// # Errors
/// `amount_out_of_range`.
pub(super) fn amount(centavos: i64) -> Result<Amount, Violation> {
    Amount::from_centavos(centavos).map_err(|broken| broken.on("amount_centavos"))
}

/// Limits of a request.
///
/// # Errors
/// `limit_negative`.
pub(super) fn limits(per_transfer: Option<i64>, per_day: Option<i64>) -> Result<Limits, Violation> {
    Limits::new(per_transfer.map(Money::from_centavos), per_day.map(Money::from_centavos))
}

/// A field that may be empty.
///
/// # Errors
/// Those of `parse`.
pub(super) fn given<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Violation>,
) -> Result<Option<T>, Violation> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// The part of a list that a request asks for.
///
/// # Errors
/// `page_size_range`, `page_token_shape`.
pub(super) fn part<K, P: Place>(of: K, size: i32, token: &str) -> Result<Part<K, P>, Violation> {
    Ok(Part { of, size: PageSize::asked(size.into())?, after: P::of_token(token)? })
}

/// The token of the page after this one, empty after the last.
pub(super) fn next_token<T, P: Place + for<'a> From<&'a T>>(page: &Page<T>) -> String {
    page.next(|row| P::from(row)).map(|place| place.token()).unwrap_or_default()
}

fn time(at: Timestamp) -> prost_types::Timestamp {
    let nanos = at.micros().rem_euclid(1_000_000).saturating_mul(1_000);
    prost_types::Timestamp {
        seconds: at.micros().div_euclid(1_000_000),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

const fn status(status: AccountStatus) -> proto::AccountStatus {
    match status {
        AccountStatus::Active => proto::AccountStatus::Active,
        AccountStatus::Blocked => proto::AccountStatus::Blocked,
        AccountStatus::Closed => proto::AccountStatus::Closed,
    }
}

const fn direction(direction: Direction) -> proto::TransferDirection {
    match direction {
        Direction::Outgoing => proto::TransferDirection::Outgoing,
        Direction::Incoming => proto::TransferDirection::Incoming,
        Direction::Book => proto::TransferDirection::Book,
    }
}

const fn state(state: ShownState) -> proto::TransferState {
    match state {
        ShownState::Requested => proto::TransferState::Requested,
        ShownState::Settled => proto::TransferState::Settled,
        ShownState::Rejected => proto::TransferState::Rejected,
        ShownState::Expired => proto::TransferState::Expired,
    }
}

impl From<BankView> for proto::Bank {
    fn from(bank: BankView) -> Self {
        Self {
            ispb: bank.ispb.to_string(),
            code: bank.code.to_string(),
            name: bank.name,
            primary_color: bank.primary_color,
            secondary_color: bank.secondary_color,
        }
    }
}

impl From<AccountView> for proto::Account {
    fn from(account: AccountView) -> Self {
        Self {
            account_id: account.id.to_string(),
            ispb: account.ispb.to_string(),
            branch: account.branch,
            number: account.number,
            owner_name: account.owner_name,
            owner_tax_id: account.owner_tax_id.as_str().to_owned(),
            status: status(account.status).into(),
            available_centavos: account.available.centavos(),
            held_centavos: account.held.centavos(),
            balance_centavos: account.balance.centavos(),
            limit_per_transfer_centavos: account.limits.per_transfer.map(Money::centavos),
            limit_per_day_centavos: account.limits.per_day.map(Money::centavos),
            opened_at: Some(time(account.opened_at)),
            version: account.version,
        }
    }
}

impl From<TransferView> for proto::Transfer {
    fn from(transfer: TransferView) -> Self {
        let reason = transfer.reason.map(|reason| proto::Reason {
            code: reason.code().to_owned(),
            sentence: reason.sentence_en().to_owned(),
        });
        let counterparty = transfer.counterparty_account_id;
        Self {
            end_to_end_id: transfer.end_to_end_id.to_string(),
            direction: direction(transfer.direction).into(),
            state: state(transfer.state).into(),
            account_id: transfer.account_id.to_string(),
            amount_centavos: transfer.amount.centavos(),
            payee_key: transfer.payee_key,
            counterparty_ispb: transfer.counterparty_ispb.to_string(),
            counterparty_name: transfer.counterparty_name,
            counterparty_account_id: counterparty.map(|id| id.to_string()).unwrap_or_default(),
            description: transfer.description,
            reason,
            requested_at: Some(time(transfer.requested_at)),
            finished_at: transfer.finished_at.map(time),
        }
    }
}

impl From<StatementLine> for proto::StatementEntry {
    fn from(line: StatementLine) -> Self {
        Self {
            entry_id: line.entry_id.to_string(),
            amount_centavos: line.amount.centavos(),
            balance_after_centavos: line.balance_after.centavos(),
            kind: line.leg.entry_kind(line.amount).as_str().to_owned(),
            end_to_end_id: line.end_to_end_id.map(|id| id.to_string()).unwrap_or_default(),
            counterparty_name: line.counterparty_name,
            description: line.description,
            posted_at: Some(time(line.posted_at)),
        }
    }
}
