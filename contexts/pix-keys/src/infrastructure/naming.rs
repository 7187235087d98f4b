//! How requests name what the domain names: the same over gRPC and in the graph.

use shared_kernel::domain::Violation;

/// A refusal with the field of the request: an idempotency key is called `request_id` there.
pub(super) fn named(broken: Violation) -> Violation {
    if broken.field() == "idempotency_key" { broken.on("request_id") } else { broken }
}
