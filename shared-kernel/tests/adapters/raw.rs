//! A sender that librdkafka's own interface would not let through: a record whose header has any
//! bytes as its name, written as one hand-made produce request.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends `payload` to partition 0 of `topic` with a header of this name before one named `plain`.
pub(crate) async fn send(brokers: &str, topic: &str, header: &[u8], payload: &[u8]) {
    let batch = batch(&record(header, payload));
    let mut body = Vec::new();
    body.extend(0_i16.to_be_bytes()); // Produce
    body.extend(3_i16.to_be_bytes()); // version
    body.extend(1_i32.to_be_bytes()); // correlation
    body.extend((-1_i16).to_be_bytes()); // no client id
    body.extend((-1_i16).to_be_bytes()); // no transaction
    body.extend((-1_i16).to_be_bytes()); // acknowledged by all
    body.extend(10_000_i32.to_be_bytes()); // milliseconds
    body.extend(1_i32.to_be_bytes()); // one topic
    body.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
    body.extend(topic.as_bytes());
    body.extend(1_i32.to_be_bytes()); // one partition
    body.extend(0_i32.to_be_bytes());
    body.extend(length(&batch));
    body.extend(&batch);

    let mut broker = TcpStream::connect(brokers).await.unwrap();
    broker.write_all(&length(&body)).await.unwrap();
    broker.write_all(&body).await.unwrap();
    let size = usize::try_from(broker.read_i32().await.unwrap()).unwrap();
    let mut answer = vec![0; size];
    broker.read_exact(&mut answer).await.unwrap();
    // Correlation, one topic, its name, one partition, its number; then the error.
    let behind_name = answer.iter().skip(4).skip(4).skip(2).skip(topic.len());
    let error: Vec<u8> = behind_name.skip(4).skip(4).take(2).copied().collect();
    assert_eq!(error, [0, 0], "the broker takes the record");
}

fn length(bytes: &[u8]) -> [u8; 4] {
    i32::try_from(bytes.len()).unwrap().to_be_bytes()
}

/// Lengths and counts of a record: zigzag, seven bits a byte.
fn varint(number: usize) -> Vec<u8> {
    let (mut rest, mut bytes) = (number << 1, Vec::new());
    while rest > 0x7f {
        bytes.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap());
    bytes
}

fn record(header: &[u8], payload: &[u8]) -> Vec<u8> {
    // No attributes, no differences of time and offset, no key (-1 in zigzag is 1).
    let mut record = vec![0, 0, 0, 1];
    let mut text = |bytes: &[u8]| {
        record.extend(varint(bytes.len()));
        record.extend(bytes);
    };
    text(payload);
    let mut headers = varint(2);
    for part in [header, b"value", b"plain", b"kept"] {
        headers.extend(varint(part.len()));
        headers.extend(part);
    }
    record.extend(headers);
    [varint(record.len()), record].concat()
}

/// A record batch of version 2 that holds one record.
fn batch(record: &[u8]) -> Vec<u8> {
    let mut checked = Vec::new();
    checked.extend(0_i16.to_be_bytes()); // attributes
    checked.extend(0_i32.to_be_bytes()); // last offset
    checked.extend(0_i64.to_be_bytes()); // first time
    checked.extend(0_i64.to_be_bytes()); // last time
    checked.extend((-1_i64).to_be_bytes()); // no producer id
    checked.extend((-1_i16).to_be_bytes()); // no epoch
    checked.extend((-1_i32).to_be_bytes()); // no sequence
    checked.extend(1_i32.to_be_bytes()); // one record
    checked.extend(record);
    let mut counted = Vec::new();
    counted.extend((-1_i32).to_be_bytes()); // leader's epoch
    counted.push(2); // version
    counted.extend(crc32c(&checked).to_be_bytes());
    counted.extend(checked);
    [&0_i64.to_be_bytes()[..], &length(&counted), &counted].concat()
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    let crc = bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _bit| step(crc)));
    !crc
}
