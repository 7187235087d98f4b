//! An executor whose data loaders gather what is asked at one moment.

use std::sync::Arc;

use async_graphql::{BatchRequest, BatchResponse, Data, Executor, Request, Response};
use futures::StreamExt;
use futures::stream::BoxStream;
use shared_kernel::infrastructure::graphql::{each_together, together};

/// Executes requests of any executor so that each loader is asked once a moment, whether a
/// request comes over HTTP or WebSocket.
#[derive(Clone, Debug)]
pub struct Gathered<E>(pub E);

impl<E: Executor> Executor for Gathered<E> {
    async fn execute(&self, request: Request) -> Response {
        together(self.0.execute(request)).await
    }

    async fn execute_batch(&self, batch: BatchRequest) -> BatchResponse {
        together(self.0.execute_batch(batch)).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        each_together(self.0.execute_stream(request, session_data)).boxed()
    }
}
