//! What the words of `codepix events` do.

use super::command::{EventsCommand, TailEvents};
use super::follow::Follower;
use super::known::KnownEvents;
use super::names;
use super::view::EventView;
use crate::cli::output::Output;

/// Runs `codepix events`.
///
/// # Errors
/// [`crate::client::ClientError`] when Kafka does not answer at the start, and for a topic or type
/// that nothing is called.
pub async fn run(command: EventsCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        EventsCommand::Tail(which) => tail(which, output).await,
    }
}

async fn tail(which: TailEvents, output: &Output) -> anyhow::Result<()> {
    let known = KnownEvents::on(&which.foreign);
    names::check(&which, &known)?;
    let is_wanted = |topic: &str| which.wants_topic(topic) && known.has_topic(topic);
    let mut follower =
        Follower::start(&which.kafka, is_wanted, which.from_beginning, *output).await?;
    let topics: Vec<&str> = follower.topics().into_iter().collect();
    output.remark(&if topics.is_empty() {
        "no such topic yet; waiting for it".to_owned()
    } else {
        format!("following {}", topics.join(", "))
    });
    let mut left = which.limit;
    while left != Some(0) {
        let record = follower.next().await?;
        let topic = record.from.topic.strip_prefix(which.kafka.topic_prefix.as_str());
        let topic = topic.unwrap_or(&record.from.topic).to_owned();
        let view = EventView::of(&record, &topic, &known, &which.catalogue_url);
        if which.wants_type(view.event_type()) {
            output.show(&view)?;
            left = left.map(|left| left.saturating_sub(1));
        }
    }
    Ok(())
}
