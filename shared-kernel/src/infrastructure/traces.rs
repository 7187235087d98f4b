//! Spans for OpenTelemetry: what a request caused, in the trace of that request. Nothing is made
//! unless the process exports spans.

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::application::{InboundRecord, TraceParent};

/// The target of the spans that are exported.
pub const TARGET: &str = "codepix::traces";

/// Makes a span that has not begun a child of the one that `trace` names.
pub fn continue_trace(span: &Span, trace: &TraceParent) {
    if span.is_disabled() {
        return;
    }
    if let Some(parent) = remote(trace) {
        let context = opentelemetry::Context::new().with_remote_span_context(parent);
        if let Err(error) = span.set_parent(context) {
            tracing::debug!(%error, "a span begins a trace of its own");
        }
    }
}

/// The trace for what a span causes; none where no spans are exported.
pub fn trace_within(span: &Span) -> Option<TraceParent> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    let (trace, id, flags) = (own.trace_id(), own.span_id(), own.trace_flags().to_u8());
    TraceParent::parse(&format!("00-{trace}-{id}-{flags:02x}"))
}

fn remote(trace: &TraceParent) -> Option<SpanContext> {
    let mut parts = trace.as_str().split('-').skip(1);
    let trace_id = TraceId::from_hex(parts.next()?).ok()?;
    let span_id = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    Some(SpanContext::new(trace_id, span_id, flags, true, TraceState::default()))
}

/// A span for each record that a consumer took in, in the trace of whatever caused it. Records are
/// taken in together, so these spans say that and when, not how long.
pub(crate) fn taken_in(consumer: &str, records: &[InboundRecord]) {
    if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
        return;
    }
    for record in records {
        let trace = record.header("traceparent").and_then(TraceParent::parse);
        let Some(trace) = trace else { continue };
        let what = record.header("ce_type").unwrap_or("message");
        let span = tracing::info_span!(
            target: TARGET,
            "consume",
            otel.name = format!("{consumer} {what}"),
            otel.kind = "consumer",
            messaging.system = "kafka",
            messaging.destination.name = record.from.topic,
            messaging.kafka.offset = record.offset,
        );
        continue_trace(&span, &trace);
        drop(span.entered());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_the_span_that_it_names() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = remote(&TraceParent::parse(text).unwrap()).unwrap();
        assert_eq!(parent.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span_id().to_string(), "00f067aa0ba902b7");
        assert!(parent.is_sampled() && parent.is_remote());
    }

    #[test]
    fn nothing_is_made_where_nothing_is_exported() {
        assert_eq!(trace_within(&tracing::info_span!(target: TARGET, "request")), None);
    }
}
