//! What moved an account's money.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use shared_kernel::infrastructure::rest::Problem;

use super::balances::nothing;
use super::conditional::as_written;
use super::parameters::{StatementParameters, account, parameters};
use super::routes::Rest;
use super::wire::Statement;

/// What moved an account's money, newest first, with the balance after each line.
#[utoipa::path(
    get,
    path = "/balances/{account_id}/statement",
    tag = "balances",
    params(
        ("account_id" = String, Path, format = "uuid", description = "The account."),
        ("first" = Option<i64>, Query, minimum = 1, maximum = 200,
            description = "How many lines; 50 when it is not given."),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
        ("from" = Option<String>, Query, format = DateTime,
            description = "Not older than this instant (RFC 3339)."),
        ("to" = Option<String>, Query, format = DateTime, description = "Older than this instant."),
        ("min_version" = Option<i64>, Query, minimum = 1,
            description = "Waits, 3 s at most, until this version of the account has arrived."),
    ),
    responses(
        (status = 200, body = Statement),
        (status = 400, body = Problem, content_type = "application/problem+json",
            description = "A malformed id, instant, page or cursor."),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json",
            description = "No event of this account has arrived, or it is another bank's."),
        (status = 429, body = Problem, content_type = "application/problem+json",
            description = "Too many requests are under way; ask again shortly."),
        (status = 504, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn get_statement(
    State(rest): State<Rest>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<StatementParameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = rest.caller(&headers)?;
    let account = account(path)?;
    let asked = parameters(query)?;
    let (question, min_version) = (asked.question(account)?, asked.min_version()?);
    let named = |problem: Problem| problem.about(account);
    if let Some(version) = min_version {
        rest.reached(caller, account, version).await.map_err(named)?;
    }
    let answers = rest.facade.get_statements.execute(caller, &[question]).await;
    let answer = answers.map_err(|error| named(error.into()))?.pop();
    let page = answer.unwrap_or_else(|| Err(nothing())).map_err(|broken| named(broken.into()))?;
    Ok(as_written(&headers, &Statement::new(account, page)))
}
