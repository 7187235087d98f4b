//! Operations that come together: side by side, and not too many.

use async_graphql::{BatchRequest, BatchResponse, Executor, Response};
use futures::future::join_all;

use crate::{Code, Limits};

/// The answers of an executor to all operations of a batch, in their order; one refusal for a batch
/// that is too large.
pub(crate) async fn execute_all(
    executor: &impl Executor,
    limits: &Limits,
    batch: BatchRequest,
) -> BatchResponse {
    let requests = match batch {
        BatchRequest::Single(request) => {
            return BatchResponse::Single(executor.execute(request).await);
        }
        BatchRequest::Batch(requests) => requests,
    };
    let (found, most) = (requests.len(), limits.batch_max);
    if found > most {
        let message = format!("The batch has {found} operations; {most} is the most.");
        let refused = Code::BatchTooLarge.error(message);
        return BatchResponse::Single(Response::from_errors(vec![refused]));
    }
    let answers = requests.into_iter().map(|request| executor.execute(request));
    BatchResponse::Batch(join_all(answers).await)
}
