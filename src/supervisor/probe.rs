//! Whether a server really answers: an open port is not a ready server, so both are asked in
//! their own protocol, with as little of it as that takes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// The superuser and database of the embedded cluster.
pub(super) const DATABASE: &str = "codepix";
/// The database that every cluster has.
const ANY_DATABASE: &str = "postgres";
const CONNECT_LIMIT: Duration = Duration::from_millis(500);
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// No answer that we ask for is longer.
const MESSAGE_BYTES_MAX: usize = 1 << 16;
const MESSAGES_MAX: usize = 64;
/// PostgreSQL's protocol 3.0.
const PROTOCOL: u32 = 196_608;
const NO_SUCH_DATABASE: &[u8] = b"C3D000\0";
/// Kafka's Metadata request, version 1, for no topic: it names the brokers that are not fenced.
const METADATA: [u8; 16] = [0, 3, 0, 1, 0, 0, 0, 7, 0, 2, b'u', b'p', 0, 0, 0, 0];

/// PostgreSQL serves queries on our database.
pub(super) fn postgres_answers(port: u16) -> bool {
    matches!(Session::open(port, DATABASE), Ok(Opened::Ready(_)))
}

/// The same, and creates our database where it does not exist yet; then the next call is true.
pub(super) fn postgres_answers_or_is_completed(port: u16) -> bool {
    match Session::open(port, DATABASE) {
        Ok(Opened::Ready(_)) => return true,
        Ok(Opened::NoDatabase) => {}
        Ok(Opened::Refused) | Err(_) => return false,
    }
    let created = match Session::open(port, ANY_DATABASE) {
        Ok(Opened::Ready(mut session)) => session.query(&format!("CREATE DATABASE {DATABASE}")),
        Ok(Opened::NoDatabase | Opened::Refused) => return false,
        Err(error) => Err(error),
    };
    if let Err(error) = created {
        tracing::warn!(%error, "the database cannot be created");
    }
    false
}

/// Kafka's broker is registered and takes requests.
pub(super) fn kafka_answers(port: u16) -> bool {
    kafka_brokers(port).is_ok_and(|brokers| brokers > 0)
}

enum Opened {
    Ready(Session),
    NoDatabase,
    Refused,
}

struct Session(TcpStream);

impl Session {
    fn open(port: u16, database: &str) -> io::Result<Opened> {
        let mut stream = connect(port)?;
        let settings = format!("user\0{DATABASE}\0database\0{database}\0\0");
        let mut message = PROTOCOL.to_be_bytes().to_vec();
        message.extend(settings.as_bytes());
        stream.write_all(&framed(&message, 4)?)?;
        let mut session = Self(stream);
        Ok(match session.until_ready()? {
            None => Opened::Ready(session),
            Some(error) if contains(&error, NO_SUCH_DATABASE) => Opened::NoDatabase,
            Some(_) => Opened::Refused,
        })
    }

    fn query(&mut self, sql: &str) -> io::Result<()> {
        let body = framed(&[sql.as_bytes(), b"\0"].concat(), 4)?;
        self.0.write_all(&[b"Q", body.as_slice()].concat())?;
        match self.until_ready()? {
            None => Ok(()),
            Some(error) => Err(io::Error::other(String::from_utf8_lossy(&error).into_owned())),
        }
    }

    /// Reads up to `ReadyForQuery` (nothing) or `ErrorResponse` (its fields).
    fn until_ready(&mut self) -> io::Result<Option<Vec<u8>>> {
        for _ in 0..MESSAGES_MAX {
            let mut kind = [0_u8];
            self.0.read_exact(&mut kind)?;
            let body = read_framed(&mut self.0, 4)?;
            match kind {
                [b'Z'] => return Ok(None),
                [b'E'] => return Ok(Some(body)),
                _ => {}
            }
        }
        Err(ErrorKind::InvalidData.into())
    }
}

impl Drop for Session {
    /// Says goodbye, so that the server's log stays clean.
    fn drop(&mut self) {
        self.0.write_all(&[b'X', 0, 0, 0, 4]).ok();
    }
}

fn kafka_brokers(port: u16) -> io::Result<u32> {
    let mut stream = connect(port)?;
    stream.write_all(&framed(&METADATA, 0)?)?;
    let answer = read_framed(&mut stream, 0)?;
    match (answer.get(..4), answer.get(4..8).and_then(|count| count.try_into().ok())) {
        (Some([0, 0, 0, 7]), Some(count)) => Ok(u32::from_be_bytes(count)),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.set_write_timeout(Some(ANSWER_LIMIT))?;
    Ok(stream)
}

/// Puts the length before a message; PostgreSQL counts the length's own four bytes, Kafka not.
fn framed(message: &[u8], own: usize) -> io::Result<Vec<u8>> {
    let length = u32::try_from(message.len().saturating_add(own)).map_err(io::Error::other)?;
    Ok([length.to_be_bytes().as_slice(), message].concat())
}

fn read_framed(stream: &mut impl Read, own: usize) -> io::Result<Vec<u8>> {
    let mut length = [0_u8; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    let body = length.checked_sub(own).filter(|body| *body <= MESSAGE_BYTES_MAX);
    let mut message = vec![0; body.ok_or(ErrorKind::InvalidData)?];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers each connection in turn with prepared bytes, after it has read something.
    fn server(answers: Vec<Vec<u8>>) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 256];
                assert!(stream.read(&mut asked).unwrap() > 0);
                stream.write_all(&answer).unwrap();
            }
        });
        port
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind], framed(body, 4).unwrap().as_slice()].concat()
    }

    #[test]
    fn an_open_port_is_not_a_ready_postgres() {
        let starting = message(b'E', b"SFATAL\0C57P03\0Mstarting up\0\0");
        let ready = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
        let port = server(vec![starting, Vec::new(), ready]);
        assert!(!postgres_answers(port));
        assert!(!postgres_answers(port));
        assert!(postgres_answers(port));
    }

    #[test]
    fn a_missing_database_is_created() {
        let missing = message(b'E', b"SFATAL\0C3D000\0Mno such database\0\0");
        let ready = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
        let created = [ready.clone(), message(b'C', b"CREATE DATABASE\0"), message(b'Z', b"I")];
        let port = server(vec![missing, created.concat(), ready]);
        assert!(!postgres_answers_or_is_completed(port));
        assert!(postgres_answers_or_is_completed(port));
    }

    #[test]
    fn a_fenced_kafka_is_not_ready() {
        let metadata = |brokers: u8| framed(&[0, 0, 0, 7, 0, 0, 0, brokers], 0).unwrap();
        let port = server(vec![metadata(0), Vec::new(), metadata(1)]);
        assert!(!kafka_answers(port));
        assert!(!kafka_answers(port));
        assert!(kafka_answers(port));
    }

    #[test]
    fn nobody_there_is_not_ready() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(!postgres_answers(port) && !kafka_answers(port));
    }

    #[test]
    fn an_absurd_length_is_refused() {
        let mut huge: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0];
        assert!(read_framed(&mut huge, 0).is_err());
        let mut short: &[u8] = &[0, 0, 0, 3, 0];
        assert!(read_framed(&mut short, 4).is_err());
    }
}
