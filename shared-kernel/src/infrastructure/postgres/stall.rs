//! A process that stands still: stopped, paused with its machine, or cut from the network.
//!
//! It answers nothing and closes nothing, and what it has locked stays locked. So the server ends
//! a transaction that waits for its client, and a session with a lock of its own that asks
//! nothing; both sides of a connection look whether the other machine is still there. A process
//! that goes on afterwards finds its connections closed, which is a rollback, and tries again.

use std::time::Duration;

/// How long an open transaction may wait for its client between two statements.
pub const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_secs(15);

/// What the server is told of every connection: how long an open transaction waits for its
/// client, when a machine that does not answer counts as gone (25 s; 20 s with data under way),
/// and how often a statement looks whether its client is still there.
pub(crate) const LIMITS: &str = "SET idle_in_transaction_session_timeout = '15s'; \
                                 SET tcp_keepalives_idle = 10; \
                                 SET tcp_keepalives_interval = 5; \
                                 SET tcp_keepalives_count = 3; \
                                 SET tcp_user_timeout = '20s'; \
                                 SET client_connection_check_interval = '5s'";

/// What the server is told of a session beside a pool, which may hold a session lock: one that
/// asks nothing for so long is ended.
///
/// Longer than a relay needs between two statements: it asks every few milliseconds while it is
/// idle, and while the log is away at least once in the producer's time-out for a message (30 s)
/// and the longest pause before it tries again (5 s).
pub(crate) const SESSION_LIMITS: &str = "SET idle_session_timeout = '60s'";

/// What the driver is told, in seconds: the same, seen from this side.
const DRIVER: &[(&str, u8)] = &[
    ("connect_timeout", 10),
    ("tcp_user_timeout", 20),
    ("keepalives_idle", 10),
    ("keepalives_interval", 5),
    ("keepalives_retries", 3),
];

/// The database URL with what the driver is told; what the operator wrote there stands.
pub(crate) fn watched(url: &str) -> String {
    let is_url = url.contains("://");
    let from = url.rfind('@').unwrap_or(0);
    let mut asked = url.get(from..).is_some_and(|place| place.contains('?'));
    let mut watched = url.to_owned();
    for (name, value) in DRIVER {
        if url.contains(&format!("{name}=")) {
            continue;
        }
        watched.push(match (is_url, asked) {
            (false, _) => ' ',
            (true, false) => '?',
            (true, true) => '&',
        });
        watched.extend([name, "=", &value.to_string()]);
        asked = true;
    }
    watched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_told_whatever_the_form_of_the_url() {
        let all = "connect_timeout=10&tcp_user_timeout=20&keepalives_idle=10\
                   &keepalives_interval=5&keepalives_retries=3";
        assert_eq!(watched("postgres://u:p@h/d"), format!("postgres://u:p@h/d?{all}"));
        assert_eq!(watched("postgres://u:p?@h/d"), format!("postgres://u:p?@h/d?{all}"));
        assert_eq!(
            watched("postgres://u@h/d?application_name=x"),
            format!("postgres://u@h/d?application_name=x&{all}")
        );
        assert_eq!(watched("host=h user=u"), format!("host=h user=u {}", all.replace('&', " ")));
    }

    #[test]
    fn the_server_is_told_the_limit_that_others_reckon_with() {
        let seconds = IDLE_IN_TRANSACTION_MAX.as_secs();
        let told = format!("idle_in_transaction_session_timeout = '{seconds}s'");
        assert!(LIMITS.contains(&told), "{LIMITS}");
    }

    #[test]
    fn what_the_operator_wrote_stands() {
        let own = watched("postgres://u@h/d?connect_timeout=3");
        assert!(own.contains("connect_timeout=3&"), "{own}");
        assert_eq!(own.matches("connect_timeout").count(), 1, "{own}");
    }
}
