//! Where Banking's word on a transfer lands: the partition of its key, as every producer of ours
//! chooses it.

use shared_kernel::domain::EndToEndId;

use crate::application::ports::Placement;

/// The partitions of the topic of bank messages.
#[derive(Clone, Copy, Debug)]
pub struct Partitions(i32);

impl Partitions {
    /// So many of them; one at least.
    pub fn new(count: i32) -> Self {
        Self(count.max(1))
    }
}

impl Placement for Partitions {
    fn origin(&self, id: &EndToEndId) -> i32 {
        let positive = murmur2(id.as_str().as_bytes()) & 0x7fff_ffff;
        let count = u32::try_from(self.0).unwrap_or(1);
        positive.checked_rem(count).and_then(|it| i32::try_from(it).ok()).unwrap_or(0)
    }
}

/// The hash of Kafka's own default partitioner (librdkafka's `murmur2_random`).
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut hash = 0x9747_b28c_u32 ^ length;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut mixed = u32::from_le_bytes(*word).wrapping_mul(M);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(M) ^ mixed.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0_u32, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_kafkas_java_client() {
        // From the tests of Apache Kafka's `Utils.murmur2`.
        let cases: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (text, expected) in &cases {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), *expected, "{text}");
        }
    }
}
