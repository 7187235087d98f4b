//! Plain HTTP, as any program would speak it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Status and body of a plain HTTP request.
pub(crate) async fn get(address: &str, path: &str) -> (u16, String) {
    let (address, path) = (address.to_owned(), path.to_owned());
    let asking = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = asking.await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
