//! A broker of Kafka's protocol that says what a real one says for some milliseconds only.
//!
//! It has one topic, and knows just the answers that a reader of assigned partitions needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The topic.
pub(crate) const TOPIC: &str = "moving";
/// The node that metadata names as the leader of everything.
const LEADER: i32 = 1;
/// The node that hints name.
const HINTED: i32 = 2;
/// Partitions of the topic: the first has a hint with a leader, the others a hint without.
pub(crate) const PARTITIONS: i32 = 8;
/// Any id will do.
const TOPIC_ID: [u8; 16] = [7; 16];
/// `NOT_LEADER_OR_FOLLOWER`.
const NOT_LEADER: i16 = 6;
/// `COORDINATOR_NOT_AVAILABLE`.
const NO_COORDINATOR: i16 = 15;

/// Kinds of requests, and the last version of each that is spoken.
const PRODUCE: (i16, i16) = (0, 9);
const FETCH: (i16, i16) = (1, 16);
const METADATA: (i16, i16) = (3, 12);
const FIND_COORDINATOR: (i16, i16) = (10, 0);
const API_VERSIONS: (i16, i16) = (18, 3);

/// The broker.
#[derive(Debug)]
pub(crate) struct FakeBroker {
    /// `host:port`.
    pub(crate) address: String,
    fetches: Arc<AtomicUsize>,
    hinted: TcpListener,
}

impl FakeBroker {
    /// Listens, and answers every fetch with hints about new leaders.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hinted = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (own, other) = (listener.local_addr().unwrap(), hinted.local_addr().unwrap());
        let fetches = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&fetches);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                // Ends with the connection.
                tokio::spawn(serve(stream, own.port(), other.port(), counted));
            }
        });
        Self { address: own.to_string(), fetches, hinted }
    }

    /// Fetches that were answered with hints.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Somebody believes the hints: the node that they name is called.
    pub(crate) async fn is_believed(&self) {
        self.hinted.accept().await.unwrap();
    }
}

async fn serve(
    mut stream: TcpStream,
    own: u16,
    hinted: u16,
    fetches: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    loop {
        let size = stream.read_i32().await?;
        let mut request = vec![0; usize::try_from(size).unwrap()];
        stream.read_exact(&mut request).await?;
        let key = i16::from_be_bytes([request[0], request[1]]);
        let mut answer = Bytes::default();
        answer.0.extend_from_slice(&request[4..8]);
        match key {
            key if key == API_VERSIONS.0 => api_versions(&mut answer),
            key if key == METADATA.0 => metadata(&mut answer, own),
            key if key == FETCH.0 => {
                fetch(&mut answer, own, hinted);
                fetches.fetch_add(1, Ordering::SeqCst);
            }
            key if key == FIND_COORDINATOR.0 => no_coordinator(&mut answer),
            other => panic!("a reader asked for {other}"),
        }
        stream.write_i32(i32::try_from(answer.0.len()).unwrap()).await?;
        stream.write_all(&answer.0).await?;
    }
}

fn api_versions(answer: &mut Bytes) {
    let kinds = [PRODUCE, FETCH, METADATA, FIND_COORDINATOR, API_VERSIONS];
    answer.short(0).count(kinds.len());
    for (key, last) in kinds {
        answer.short(key).short(0).short(last).no_tags();
    }
    answer.int(0).no_tags();
}

fn metadata(answer: &mut Bytes, own: u16) {
    answer.no_tags().int(0).count(1).node(LEADER, own);
    answer.text("cluster").int(LEADER).count(1);
    answer.short(0).text(TOPIC).raw(&TOPIC_ID).byte(0).count(usize::try_from(PARTITIONS).unwrap());
    for partition in 0..PARTITIONS {
        answer.short(0).int(partition).int(LEADER).int(1);
        answer.count(1).int(LEADER).count(1).int(LEADER).count(0).no_tags();
    }
    answer.int(i32::MIN).no_tags().no_tags();
}

fn fetch(answer: &mut Bytes, own: u16, hinted: u16) {
    answer.no_tags().int(0).short(0).int(0).count(1).raw(&TOPIC_ID);
    answer.count(usize::try_from(PARTITIONS).unwrap());
    for partition in 0..PARTITIONS {
        answer.int(partition).short(NOT_LEADER).long(-1).long(-1).long(-1);
        // No aborted transactions, no replica to prefer, no records.
        answer.byte(0).int(-1).count(0);
        let mut leader = Bytes::default();
        let (node, epoch) = if partition == 0 { (HINTED, 2) } else { (-1, 2) };
        leader.int(node).int(epoch).no_tags();
        answer.tag(1, &leader);
    }
    let mut nodes = Bytes::default();
    nodes.count(2).node(LEADER, own).node(HINTED, hinted);
    answer.no_tags().tag(0, &nodes);
}

fn no_coordinator(answer: &mut Bytes) {
    answer.short(NO_COORDINATOR).int(-1).short(0).int(-1);
}

/// Kafka's wire format, the compact one.
#[derive(Debug, Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn byte(&mut self, byte: u8) -> &mut Self {
        self.raw(&[byte])
    }

    fn short(&mut self, number: i16) -> &mut Self {
        self.raw(&number.to_be_bytes())
    }

    fn int(&mut self, number: i32) -> &mut Self {
        self.raw(&number.to_be_bytes())
    }

    fn long(&mut self, number: i64) -> &mut Self {
        self.raw(&number.to_be_bytes())
    }

    /// The length of what follows; all of it is short here.
    fn count(&mut self, items: usize) -> &mut Self {
        let count = u8::try_from(items).unwrap().strict_add(1);
        assert!(count < 0x80, "two bytes of a length are not needed");
        self.byte(count)
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.count(text.len()).raw(text.as_bytes())
    }

    fn node(&mut self, id: i32, port: u16) -> &mut Self {
        // Without a rack.
        self.int(id).text("127.0.0.1").int(i32::from(port)).byte(0).no_tags()
    }

    fn no_tags(&mut self) -> &mut Self {
        self.byte(0)
    }

    fn tag(&mut self, tag: u8, value: &Self) -> &mut Self {
        let size = u8::try_from(value.0.len()).unwrap();
        assert!(size < 0x80, "two bytes of a length are not needed");
        self.byte(1).byte(tag).byte(size).raw(&value.0)
    }
}
