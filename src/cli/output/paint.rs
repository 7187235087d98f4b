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

    /// Whether links are more than text: where colours are wanted, a terminal reads.
    pub const fn has_links(self) -> bool {
        self.color
    }

    /// The text as a link (OSC 8), or as it is where nothing reads links.
    pub fn link(self, text: &str, address: &str) -> String {
        if !self.color || address.chars().any(char::is_control) {
            return text.to_owned();
        }
        format!("\u{1b}]8;;{address}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
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
    fn a_link_is_there_where_colours_are_and_ends_with_its_text() {
        let link = Paint::new(true).link("a", "http://b");
        assert_eq!(link, "\u{1b}]8;;http://b\u{1b}\\a\u{1b}]8;;\u{1b}\\");
        assert_eq!(Paint::new(false).link("a", "http://b"), "a");
        assert_eq!(Paint::new(true).link("a", "http://b\u{7}"), "a");
    }

    #[test]
    fn colours_end_where_the_text_ends() {
        let painted = Paint::new(true).tint(Tone::Bad, "no");
        assert!(painted.starts_with("\u{1b}[") && painted.ends_with('m'), "{painted:?}");
        assert_eq!(Paint::new(true).tint(Tone::Bad, ""), "");
    }
}
