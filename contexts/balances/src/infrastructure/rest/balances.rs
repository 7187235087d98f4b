//! What accounts have, and had.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use shared_kernel::application::Caller;
use shared_kernel::domain::{AccountId, Timestamp, Violation};
use shared_kernel::infrastructure::rest::Problem;

use super::conditional::{as_written, at_event};
use super::parameters::{BalanceParameters, ListParameters, account, parameters};
use super::routes::Rest;
use super::wire::{Absent, Balance, Balances};
use crate::domain::{KnownBalance, SeenBalance};

/// What an account has.
///
/// A moment behind the ledger; `min_version` waits until what the caller has done itself is there.
#[utoipa::path(
    get,
    path = "/balances/{account_id}",
    tag = "balances",
    params(
        ("account_id" = String, Path, format = "uuid", description = "The account."),
        ("at" = Option<String>, Query, format = DateTime,
            description = "As of this instant (RFC 3339), by the bank's clock; now when it is not \
                given."),
        ("min_version" = Option<i64>, Query, minimum = 1,
            description = "Waits, 3 s at most, until this version of the account has arrived."),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what is known."),
    ),
    responses(
        (status = 200, body = Balance, headers(
            ("ETag" = String, description = "Names this answer, for If-None-Match."),
            ("Last-Event-Id" = String, description = "The newest event: the version of the \
                account, or the time, partition and offset of another program's message."),
        )),
        (status = 304, description = "What is known is still so."),
        (status = 400, body = Problem, content_type = "application/problem+json",
            description = "A malformed id, instant or version."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json",
            description = "No event of this account has arrived, it was not open then, or it is \
                another bank's."),
        (status = 429, body = Problem, content_type = "application/problem+json",
            description = "Too many requests are under way; ask again shortly."),
        (status = 504, body = Problem, content_type = "application/problem+json",
            description = "The version has not arrived in time."),
    ),
)]
pub(super) async fn get_balance(
    State(rest): State<Rest>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<BalanceParameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = rest.caller(&headers)?;
    let account = account(path)?;
    let asked = parameters(query)?;
    let (at, min_version) = (asked.at()?, asked.min_version()?);
    let named = |problem: Problem| problem.about(account);
    if let Some(version) = min_version {
        rest.reached(caller, account, version).await.map_err(named)?;
    }
    let mut answers = states(&rest, caller, &[account], at).await.map_err(named)?;
    let answer = answers.pop().unwrap_or_else(|| Err(nothing()));
    let seen = answer.map_err(|broken| named(broken.into()))?;
    Ok(at_event(&headers, &seen.standing, &Balance::new(&seen)))
}

/// What several accounts have.
#[utoipa::path(
    get,
    path = "/balances",
    tag = "balances",
    params(
        ("ids" = String, Query, description = "1 to 200 accounts, separated by commas."),
        ("at" = Option<String>, Query, format = DateTime,
            description = "As of this instant (RFC 3339), by the bank's clock."),
    ),
    responses(
        (status = 200, body = Balances),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json",
            description = "Too many requests are under way; ask again shortly."),
    ),
)]
pub(super) async fn list_balances(
    State(rest): State<Rest>,
    query: Result<Query<ListParameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = rest.caller(&headers)?;
    let asked = parameters(query)?;
    let (accounts, at) = (asked.accounts()?, asked.at()?);
    let answers = states(&rest, caller, &accounts, at).await?;
    let mut shown = Balances { balances: Vec::new(), absent: Vec::new() };
    for (account, answer) in accounts.into_iter().zip(answers) {
        match answer {
            Ok(seen) => shown.balances.push(Balance::new(&seen)),
            Err(broken) => shown.absent.push(Absent::new(account, &broken)),
        }
    }
    Ok(as_written(&headers, &shown))
}

/// What accounts are, or were.
async fn states(
    rest: &Rest,
    caller: Caller,
    accounts: &[AccountId],
    at: Option<Timestamp>,
) -> Result<Vec<Result<SeenBalance, Violation>>, Problem> {
    let Some(at) = at else {
        let balances = rest.facade.get_balances.execute(caller, accounts).await?;
        let seen = |known: KnownBalance| known.seen();
        return Ok(balances.into_iter().map(|answer| answer.map(seen)).collect());
    };
    let wanted: Vec<(AccountId, Timestamp)> =
        accounts.iter().map(|account| (*account, at)).collect();
    Ok(rest.facade.get_past_balances.execute(caller, &wanted).await?)
}

/// A use case that gave no answer at all.
pub(super) fn nothing() -> Violation {
    Violation::unavailable("temporarily_unavailable", "", "there was no answer; ask again")
}
