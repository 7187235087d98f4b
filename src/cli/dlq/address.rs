//! Where a dead letter lies.

use std::fmt;
use std::str::FromStr;

use shared_kernel::application::dead_letter::SUFFIX;

use crate::client::ClientError;

/// A record of a dead-letter topic, written `<topic>:<partition>:<offset>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Full name of the dead-letter topic.
    pub topic: String,
    /// Partition of that topic.
    pub partition: i32,
    /// Offset in that partition.
    pub offset: i64,
}

impl Address {
    /// The topic that the letters of this one came from.
    pub fn origin(&self) -> &str {
        self.topic.strip_suffix(SUFFIX).unwrap_or(&self.topic)
    }

    /// Partition and offset, as markers name a letter of their own topic.
    pub fn within_topic(&self) -> String {
        format!("{}:{}", self.partition, self.offset)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.topic, self.partition, self.offset)
    }
}

impl FromStr for Address {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        let shape = || {
            ClientError::usage(
                "letter_shape",
                "letter",
                "a letter is written <topic>:<partition>:<offset>, as `codepix dlq list` shows it, \
                 such as codepix.transfers.dlq:0:12",
            )
        };
        let mut parts = text.rsplitn(3, ':');
        let (offset, partition, topic) = (parts.next(), parts.next(), parts.next());
        let number = |part: Option<&str>| part?.parse::<u32>().ok();
        let topic = topic.filter(|topic| topic.len() > SUFFIX.len() && topic.ends_with(SUFFIX));
        Ok(Self {
            topic: topic.ok_or_else(shape)?.to_owned(),
            partition: number(partition).and_then(|it| i32::try_from(it).ok()).ok_or_else(shape)?,
            offset: offset
                .and_then(|part| part.parse().ok())
                .filter(|offset| *offset >= 0)
                .ok_or_else(shape)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let text = "codepix.bank.00000001.dlq:0:5000000000";
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
        assert_eq!(address.origin(), "codepix.bank.00000001");
        assert_eq!(address.within_topic(), "0:5000000000");
    }

    #[test]
    fn anything_else_is_refused_with_the_form() {
        for text in ["", "a.dlq", "a.dlq:1", "a:0:1", ".dlq:0:1", "a.dlq:-1:1", "a.dlq:0:-1"] {
            let refusal = text.parse::<Address>().unwrap_err();
            assert_eq!(refusal.code(), "letter_shape", "{text}");
        }
    }
}
