//! Subscriptions as the parts of one HTTP answer, in the form of the multipart subscription
//! protocol 1.0 of Apollo's router: each event stands in `payload`, and an empty object says that
//! the server lives.

use std::time::Duration;

use async_graphql::Response;
use axum::body::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::Serialize;
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
) -> impl Stream<Item = Bytes> + Send + 'static {
    let mut alive = interval(HEARTBEAT);
    alive.tick().await; // The first comes at once.
    stream::unfold(Some((answers, alive)), next)
}

type Under = (BoxStream<'static, Response>, Interval);

async fn next(under: Option<Under>) -> Option<(Bytes, Option<Under>)> {
    let (mut answers, mut alive) = under?;
    let said = tokio::select! {
        answer = answers.next() => match answer {
            Some(answer) => serde_json::to_vec(&Event { payload: &answer }).ok(),
            None => return Some((Bytes::from_static(END), None)),
        },
        _ = alive.tick() => None,
    };
    let body = said.as_deref().unwrap_or(b"{}");
    let part = Bytes::from([BEGIN, body, b"\r\n"].concat());
    Some((part, Some((answers, alive))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_subscription_says_that_it_lives_and_ends_with_the_end() {
        let event = stream::once(async {
            tokio::time::sleep(HEARTBEAT + HEARTBEAT / 2).await;
            Response::new(async_graphql::Value::Null)
        });
        let parts: Vec<Bytes> = parts(event.boxed()).await.collect().await;
        let texts: Vec<String> =
            parts.iter().map(|it| String::from_utf8(it.to_vec()).unwrap()).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].ends_with("\r\n\r\n{}\r\n"), "{texts:?}");
        assert!(texts[1].contains("{\"payload\":{\"data\":null"), "{texts:?}");
        assert_eq!(texts[2], "--graphql--\r\n");
    }
}
