//! Who asks, and in which trace. The edge puts both into the data of a request, and the joined
//! graph carries them to each sub-request.

use async_graphql::{Context, Error};

use super::status::violation_error;
use crate::application::{Caller, Ids, TraceParent};
use crate::domain::Violation;

/// The caller of this request.
///
/// # Errors
/// `token_missing` where the edge did not identify one.
pub fn caller(context: &Context<'_>) -> Result<Caller, Error> {
    context.data_opt::<Caller>().copied().ok_or_else(|| {
        violation_error(&Violation::unauthenticated(
            "token_missing",
            "authorization",
            "send the header authorization: Bearer <token>".to_owned(),
        ))
    })
}

/// The trace of this request; without one, a new one begins.
pub fn trace(context: &Context<'_>, ids: &dyn Ids) -> TraceParent {
    context.data_opt::<TraceParent>().cloned().unwrap_or_else(|| TraceParent::begin(ids))
}
