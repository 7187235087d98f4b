//! W3C trace context: one trace from the request through the broker to the last consumer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::application::ids::Ids;

/// A `traceparent` header value: `00-<trace id>-<span id>-<flags>`, lower-case hex
/// (W3C Trace Context, level 1).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TraceParent(String);

impl TraceParent {
    /// Reads a header. Anything that is not a version 00 `traceparent` is no trace.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, length: usize| {
            part.len() == length
                && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let shaped = version == "00" && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
        let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
        (shaped && parts.next().is_none() && !zero(trace) && !zero(span))
            .then(|| Self(text.to_owned()))
    }

    /// Begins a trace: the sampled flag is set.
    pub fn begin(ids: &dyn Ids) -> Self {
        let span = ids.entropy() >> 64 | 1;
        Self(format!("00-{:032x}-{span:016x}-01", ids.entropy() | 1))
    }

    /// The header value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_header_is_kept_as_it_is() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(text).unwrap().as_str(), text);
    }

    #[test]
    fn anything_else_is_no_trace() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }
}
