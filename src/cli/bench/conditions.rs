//! Under which conditions something was measured: without them a figure says nothing.

use serde::Serialize;

use crate::cli::output::Fields;

/// The machine and the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Conditions {
    hub: String,
    cores: Option<usize>,
    /// Of the last 1, 5 and 15 minutes, before the run.
    load_average: Option<String>,
    /// Profile that this command was built with; the same program is the hub.
    profile: &'static str,
    version: &'static str,
}

impl Conditions {
    /// Those of this machine, now.
    pub(super) fn now(hub: &str) -> Self {
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        Self {
            hub: hub.to_owned(),
            cores: std::thread::available_parallelism().ok().map(usize::from),
            load_average: load.as_deref().and_then(first_three),
            profile: env!("CODEPIX_PROFILE"),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// The same as fields.
    pub(super) fn fields(&self, fields: Fields) -> Fields {
        let unknown = || "unknown".to_owned();
        fields
            .field("hub", self.hub.as_str())
            .field("cores", self.cores.map_or_else(unknown, |cores| cores.to_string()))
            .field("load average", self.load_average.clone().unwrap_or_else(unknown))
            .field("profile", self.profile)
    }
}

/// The load averages of Linux's `/proc/loadavg`.
fn first_three(text: &str) -> Option<String> {
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    (averages.len() == 3).then(|| averages.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_average_is_three_numbers() {
        assert_eq!(first_three("1.41 0.57 0.38 2/345 6789\n").unwrap(), "1.41 0.57 0.38");
        assert_eq!(first_three(""), None);
    }
}
