//! Subscriptions as the parts of one HTTP answer, in the form of the multipart subscription
//! protocol 1.0 of Apollo's router: each event stands in `payload`, and an empty object says that
//! the server lives. When the process stops, the last part has no payload and says so: what would
//! have followed is missing, and a client asks again.

use std::time::Duration;

use async_graphql::Response;
use axum::body::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::Serialize;
use serde_json::json;
use shared_kernel::application::StopSignal;
use tokio::time::{Interval, interval};

/// The type of an answer in parts.
pub(super) const CONTENT_TYPE: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0";

/// A silent subscription says this often that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

const BEGIN: &[u8] = b"--graphql\r\ncontent-type: application/json\r\n\r\n";
const END: &[u8] = b"--graphql--\r\n";

#[derive(Serialize)]
struct Event<'a> {
    payload: &'a Response,
}

/// The parts of an answer, the last of them the end.
pub(super) async fn parts(
    answers: BoxStream<'static, Response>,
    stop: StopSignal,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let mut alive = interval(HEARTBEAT);
    alive.tick().await; // The first comes at once.
    let under = Under { answers, stop, alive };
    stream::unfold(Some(Next::Answer(under)), next)
}

/// A subscription under way.
struct Under {
    answers: BoxStream<'static, Response>,
    stop: StopSignal,
    alive: Interval,
}

/// What is told next.
enum Next {
    /// What the subscription says.
    Answer(Under),
    /// That there is nothing more.
    End,
}

async fn next(next: Option<Next>) -> Option<(Bytes, Option<Next>)> {
    let Next::Answer(mut under) = next? else {
        return Some((Bytes::from_static(END), None));
    };
    let said = tokio::select! {
        biased;
        answer = under.answers.next() => match answer {
            Some(answer) => serde_json::to_vec(&Event { payload: &answer }).ok(),
            None => return Some((Bytes::from_static(END), None)),
        },
        () = under.stop.stopped() => return Some((part(&stopping()), Some(Next::End))),
        _ = under.alive.tick() => None,
    };
    Some((part(said.as_deref().unwrap_or(b"{}")), Some(Next::Answer(under))))
}

fn part(body: &[u8]) -> Bytes {
    Bytes::from([BEGIN, body, b"\r\n"].concat())
}

fn stopping() -> Vec<u8> {
    let error = json!({
        "message": "the hub is stopping; subscribe again",
        "extensions": { "code": "hub_stopping" },
    });
    json!({ "payload": null, "errors": [error] }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use shared_kernel::application::stop::stop_pair;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_subscription_says_that_it_lives_and_ends_with_the_end() {
        let event = stream::once(async {
            tokio::time::sleep(HEARTBEAT + HEARTBEAT / 2).await;
            Response::new(async_graphql::Value::Null)
        });
        let (_running, stop) = stop_pair();
        let parts: Vec<Bytes> = parts(event.boxed(), stop).await.collect().await;
        let texts: Vec<String> =
            parts.iter().map(|it| String::from_utf8(it.to_vec()).unwrap()).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].ends_with("\r\n\r\n{}\r\n"), "{texts:?}");
        assert!(texts[1].contains("{\"payload\":{\"data\":null"), "{texts:?}");
        assert_eq!(texts[2], "--graphql--\r\n");
    }
}
