//! Colours, where they are wanted.

use owo_colors::OwoColorize as _;

/// What a text means; its colour follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// What the eye should find first.
    Strong,
    /// What is there for completeness.
    Faint,
    /// It went well.
    Good,
    /// It is not over.
    Open,
    /// It went wrong.
    Bad,
}

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    color: bool,
}

impl Paint {
    /// With colours or without.
    pub const fn new(color: bool) -> Self {
        Self { color }
    }

    /// The text in the colour of its meaning.
    pub fn tint(self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Strong => text.bold().to_string(),
            Tone::Faint => text.dimmed().to_string(),
            Tone::Good => text.green().to_string(),
            Tone::Open => text.yellow().to_string(),
            Tone::Bad => text.red().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_a_text_stays_as_it_is() {
        for tone in [Tone::Plain, Tone::Strong, Tone::Faint, Tone::Good, Tone::Open, Tone::Bad] {
            assert_eq!(Paint::new(false).tint(tone, "text"), "text");
        }
    }

    #[test]
    fn colours_end_where_the_text_ends() {
        let painted = Paint::new(true).tint(Tone::Bad, "no");
        assert!(painted.starts_with("\u{1b}[") && painted.ends_with('m'), "{painted:?}");
        assert_eq!(Paint::new(true).tint(Tone::Bad, ""), "");
    }
}
