//! The port behind which a part of the graph lives.

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};

/// One part of the joined graph: a schema in this process, or a server somewhere else.
pub trait Subgraph: Send + Sync {
    /// Answers a query or a mutation.
    fn execute(&self, request: Request) -> BoxFuture<'static, Response>;

    /// Answers a subscription, one response per event. A stream that breaks ends with a response
    /// whose error says so.
    fn subscribe(&self, request: Request) -> BoxStream<'static, Response>;
}

impl<Query, Mutation, Subscription> Subgraph for Schema<Query, Mutation, Subscription>
where
    Query: ObjectType + 'static,
    Mutation: ObjectType + 'static,
    Subscription: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        let schema = self.clone();
        async move { Schema::execute(&schema, request).await }.boxed()
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        Schema::execute_stream(self, request).boxed()
    }
}
