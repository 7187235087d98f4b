//! What a consumer reads: the channels of its reader and nothing else. So nothing is consumed
//! that the catalogue does not know.

use std::fmt::Display;

use crate::application::catalogue::Reader;

/// The channels of a reader as topics.
#[derive(Clone, Debug)]
pub struct Subscription {
    reader: &'static Reader,
    group: String,
    /// Address of each channel, and its topic (name without prefix).
    topics: Vec<(&'static str, String)>,
    /// Channels that were named and are not the reader's.
    strays: Vec<String>,
    /// Most records of one transaction; as many as usual without one.
    batch_max: Option<usize>,
}

impl Subscription {
    /// All channels of a reader, each under its address.
    pub fn of(reader: &'static Reader) -> Self {
        let own = reader.channels.iter().map(|address| (*address, (*address).to_owned()));
        Self {
            reader,
            group: reader.consumer.to_owned(),
            topics: own.collect(),
            strays: Vec::new(),
            batch_max: None,
        }
    }

    /// The same with the topic of a channel under this name: a setting, one of many, or a pattern
    /// that starts with `^`.
    #[must_use]
    pub fn named(mut self, channel: &str, topic: impl Into<String>) -> Self {
        match self.topics.iter_mut().find(|(address, _)| *address == channel) {
            Some((_, name)) => *name = topic.into(),
            None => self.strays.push(channel.to_owned()),
        }
        self
    }

    /// The same in a group of its own beside that of the reader: `<group>.<part>`.
    #[must_use]
    pub fn apart(self, part: impl Display) -> Self {
        Self { group: format!("{}.{part}", self.group), ..self }
    }

    /// The same with at most so many records in one transaction: one that asks others while it is
    /// open has a time to end in.
    #[must_use]
    pub fn at_most(self, batch_max: usize) -> Self {
        Self { batch_max: Some(batch_max), ..self }
    }

    /// Most records of one transaction, if not as many as usual.
    pub const fn batch_max(&self) -> Option<usize> {
        self.batch_max
    }

    /// Its group, without prefix.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Its topics, without prefix.
    ///
    /// # Errors
    /// A sentence, when its reader is not among `readers`, when a channel was named that is not
    /// the reader's, and when one of many topics was not named.
    pub fn topics(&self, readers: &[Reader]) -> Result<Vec<&str>, String> {
        let (consumer, channels) = (self.reader.consumer, self.reader.channels);
        if !readers.iter().any(|it| (it.consumer, it.channels) == (consumer, channels)) {
            return Err(format!(
                "the consumer {consumer:?} is none of the context's READERS: list it there, so \
                 that the catalogue knows who reads"
            ));
        }
        if let Some(stray) = self.strays.first() {
            return Err(format!(
                "{consumer:?} does not read {stray}: its reader says what it does"
            ));
        }
        let names: Vec<&str> = self.topics.iter().map(|(_, name)| name.as_str()).collect();
        match names.iter().find(|name| name.contains('{') && !name.starts_with('^')) {
            Some(many) => Err(format!("{consumer:?} does not say which topics of {many} it reads")),
            None => Ok(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: Reader = Reader {
        context: "probe",
        consumer: "probe.group",
        channels: &["orders", "codepix.bank.{ispb}"],
        knows: &[],
        read: |_record| Ok(true),
    };
    const OTHER: Reader = Reader { consumer: "probe.other", ..READER };

    #[test]
    fn a_consumer_reads_the_channels_of_its_reader() {
        let bank = Subscription::of(&READER).named("codepix.bank.{ispb}", "codepix.bank.00000001");
        assert_eq!(bank.topics(&[READER]).unwrap(), ["orders", "codepix.bank.00000001"]);
        assert_eq!(bank.group(), "probe.group");
        let renamed = bank.named("orders", String::from("theirs")).apart("00000001");
        assert_eq!(renamed.topics(&[READER]).unwrap(), ["theirs", "codepix.bank.00000001"]);
        assert_eq!(renamed.group(), "probe.group.00000001");
        assert_eq!(renamed.batch_max(), None);
        assert_eq!(renamed.at_most(9).batch_max(), Some(9));
        let all =
            Subscription::of(&READER).named("codepix.bank.{ispb}", "^codepix\\.bank\\.[0-9]{8}$");
        assert_eq!(all.topics(&[READER]).unwrap().len(), 2);
    }

    #[test]
    fn what_the_catalogue_does_not_know_is_not_read() {
        let whole = Subscription::of(&READER).named("codepix.bank.{ispb}", "codepix.bank.00000001");
        let unknown = whole.topics(&[OTHER]).unwrap_err();
        assert!(unknown.contains("probe.group") && unknown.contains("READERS"), "{unknown}");
        let narrower = Reader { channels: &["orders"], ..READER };
        assert!(whole.topics(&[narrower]).is_err(), "another list of channels is another reader");
        let stray = whole.named("codepix.secrets", "secrets").topics(&[READER]).unwrap_err();
        assert!(stray.contains("codepix.secrets"), "{stray}");
        let open = Subscription::of(&READER).topics(&[READER]).unwrap_err();
        assert!(open.contains("codepix.bank.{ispb}"), "{open}");
    }
}
