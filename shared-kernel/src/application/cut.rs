//! What a dead letter keeps of a record: all of it up to a limit, beyond it the beginning of each
//! part, with headers that say how long the part was and what its SHA-256 is.
//!
//! A topic takes what its broker's limit allows, and a letter adds to it: uncut, the letter of the
//! largest record would be refused for ever and stop the outbox behind it. The origin's topic,
//! partition and offset stand in every letter, so the whole record is found there.

use crate::domain::Digest;

/// Bytes of key, headers and payload up to which a record is kept whole.
pub const WHOLE_BYTES_MAX: usize = 512 * 1024;
/// Bytes that stay of the key of a larger one.
const KEY_BYTES_MAX: usize = 4 * 1024;
/// Bytes that stay of the value of each of its headers.
const HEADER_BYTES_MAX: usize = 4 * 1024;
/// Bytes of all its headers: those that do not fit are left out, as are those behind them.
const HEADERS_BYTES_MAX: usize = 64 * 1024;
/// Bytes that stay of its payload.
const PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Bytes that a header takes beside its name and value, at most.
const HEADER_FRAME_BYTES: usize = 10;

/// A part of a record that can be cut, and the headers that say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutPart {
    /// `key`, `headers` or `payload`.
    pub name: &'static str,
    /// Header with its original length in bytes.
    pub bytes: &'static str,
    /// Header with its original SHA-256: of its bytes, or of the list of header names and values.
    pub sha256: &'static str,
}

/// The key.
const KEY: CutPart = CutPart { name: "key", bytes: "dlq_key_bytes", sha256: "dlq_key_sha256" };
/// All headers together.
const HEADERS: CutPart =
    CutPart { name: "headers", bytes: "dlq_headers_bytes", sha256: "dlq_headers_sha256" };
/// The payload.
const PAYLOAD: CutPart =
    CutPart { name: "payload", bytes: "dlq_payload_bytes", sha256: "dlq_payload_sha256" };

/// Every part that can be cut. A letter with none of their headers is whole.
pub const PARTS: [CutPart; 3] = [KEY, HEADERS, PAYLOAD];

impl CutPart {
    fn say(self, bytes: usize, digest: Digest) -> [Header; 2] {
        let text = |name: &str, value: String| (name.to_owned(), value.into_bytes());
        [text(self.bytes, bytes.to_string()), text(self.sha256, digest.to_string())]
    }
}

/// Name and value.
type Header = (String, Vec<u8>);

/// Key, headers and payload of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) headers: Vec<Header>,
    pub(crate) payload: Option<Vec<u8>>,
}

/// What a header takes.
fn header_bytes((name, value): &Header) -> usize {
    name.len().saturating_add(value.len()).saturating_add(HEADER_FRAME_BYTES)
}

fn headers_bytes(headers: &[Header]) -> usize {
    headers.iter().map(header_bytes).fold(0, usize::saturating_add)
}

fn length(part: Option<&Vec<u8>>) -> usize {
    part.map_or(0, Vec::len)
}

impl Content {
    fn bytes(&self) -> usize {
        length(self.key.as_ref())
            .saturating_add(headers_bytes(&self.headers))
            .saturating_add(length(self.payload.as_ref()))
    }

    /// The same, cut where it is too large for a letter; what was cut stands in further headers.
    pub(crate) fn fitted(mut self) -> Self {
        if self.bytes() <= WHOLE_BYTES_MAX {
            return self;
        }
        let mut said = Vec::new();
        said.extend(shorten(&mut self.key, KEY_BYTES_MAX, KEY).into_iter().flatten());
        said.extend(shorten(&mut self.payload, PAYLOAD_BYTES_MAX, PAYLOAD).into_iter().flatten());
        said.extend(shorten_headers(&mut self.headers).into_iter().flatten());
        self.headers.extend(said);
        self
    }
}

/// Cuts a key or a payload.
fn shorten(part: &mut Option<Vec<u8>>, bytes_max: usize, as_: CutPart) -> Option<[Header; 2]> {
    let bytes = part.as_mut().filter(|bytes| bytes.len() > bytes_max)?;
    let said = as_.say(bytes.len(), Digest::of_bytes(bytes));
    bytes.truncate(bytes_max);
    bytes.shrink_to_fit();
    Some(said)
}

/// Cuts long values, then leaves out what is beyond the limit of all.
fn shorten_headers(headers: &mut Vec<Header>) -> Option<[Header; 2]> {
    let is_long = |(_, value): &Header| value.len() > HEADER_BYTES_MAX;
    if !headers.iter().any(is_long) && headers_bytes(headers) <= HEADERS_BYTES_MAX {
        return None;
    }
    let parts: Vec<&[u8]> =
        headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_slice()]).collect();
    let said = HEADERS.say(headers_bytes(headers), Digest::of(&parts));
    let mut bytes = 0_usize;
    let kept = headers.drain(..).map(|(name, mut value)| {
        value.truncate(HEADER_BYTES_MAX);
        value.shrink_to_fit();
        (name, value)
    });
    *headers = kept
        .take_while(|header| {
            bytes = bytes.saturating_add(header_bytes(header));
            bytes <= HEADERS_BYTES_MAX
        })
        .collect();
    Some(said)
}

/// The beginning of a text, at most `bytes_max` long, with a mark where it was cut.
pub(crate) fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mark = '…';
    let end = text.floor_char_boundary(bytes_max.saturating_sub(mark.len_utf8()));
    let (beginning, _) = text.split_at(end);
    format!("{beginning}{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(key: usize, headers: &[(&str, usize)], payload: usize) -> Content {
        let header = |(name, bytes): &(&str, usize)| ((*name).to_owned(), vec![1; *bytes]);
        Content {
            key: Some(vec![2; key]),
            headers: headers.iter().map(header).collect(),
            payload: Some(vec![3; payload]),
        }
    }

    fn said(content: &Content, name: &str) -> Option<String> {
        let (_, value) = content.headers.iter().find(|(header, _)| header == name)?;
        Some(String::from_utf8(value.clone()).unwrap())
    }

    #[test]
    fn what_fits_is_kept_whole() {
        let small = content(5_000, &[("h", 5_000)], 400_000);
        assert_eq!(small.clone().fitted(), small);
    }

    #[test]
    fn a_long_payload_is_cut_and_its_length_and_digest_are_said() {
        let large = content(10, &[("h", 10)], 1_040_000);
        let cut = large.clone().fitted();
        assert_eq!((cut.key.as_ref(), &cut.headers[0]), (large.key.as_ref(), &large.headers[0]));
        assert_eq!(cut.payload.as_ref().unwrap().len(), PAYLOAD_BYTES_MAX);
        assert_eq!(said(&cut, "dlq_payload_bytes").unwrap(), "1040000");
        let digest = Digest::of_bytes(&large.payload.unwrap()).to_string();
        assert_eq!(said(&cut, "dlq_payload_sha256").unwrap(), digest);
        assert_eq!(said(&cut, "dlq_key_bytes"), None);
        assert_eq!(said(&cut, "dlq_headers_bytes"), None);
    }

    #[test]
    fn whatever_is_large_the_rest_fits() {
        let many: Vec<(&str, usize)> = std::iter::repeat_n(("", 0), 300_000).collect();
        let long_name = "n".repeat(900_000);
        for large in [
            content(900_000, &[], 0),
            content(0, &[("a", 900_000), ("b", 5_000)], 0),
            content(0, &many, 0),
            content(0, &[(&long_name, 0)], 0),
            content(50_000_000, &[("a", 50_000_000)], 50_000_000),
        ] {
            let cut = large.fitted();
            assert!(cut.bytes() <= WHOLE_BYTES_MAX, "{} bytes", cut.bytes());
            assert!(PARTS.iter().any(|part| said(&cut, part.bytes).is_some()), "it is said");
        }
    }

    #[test]
    fn a_long_header_is_cut_and_its_neighbours_stay() {
        let cut = content(0, &[("a", 900_000), ("b", 3)], 7).fitted();
        assert_eq!((cut.headers[0].1.len(), cut.headers[1].1.len()), (HEADER_BYTES_MAX, 3));
        assert_eq!(said(&cut, "dlq_headers_bytes").unwrap(), "900025");
        assert_eq!(cut.payload.unwrap().len(), 7);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("ééééé", 8), "éé…");
        assert_eq!(shortened(&"a".repeat(2_000), 1_024).len(), 1_024);
    }
}
