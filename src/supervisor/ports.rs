//! Which port a server gets.
//!
//! Free ports are taken below the range from which the system serves outgoing connections. A
//! client that keeps knocking at the port of a server that is down may otherwise be given that very
//! port, connect to itself and keep the server from coming back.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SupervisorError;

/// Where free ports are looked for first.
const FIRST_FREE: u16 = 20_000;
/// How many ports are looked at from there on.
const FREE_SPAN: u16 = 10_000;
/// How far apart two processes that start together begin to look.
const STRIDE: u32 = 16;
/// Loopback answers at once or not at all.
const CONNECT_LIMIT: Duration = Duration::from_millis(250);

/// How a port is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PortChoice {
    /// This one, or an error.
    Wanted(u16),
    /// This one, or else any free one, which is then said.
    WantedOrFree(u16),
    /// Any free one.
    Free,
}

/// Whose port it is and how a user sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PortSetting {
    /// The server.
    pub(super) server: &'static str,
    /// The command line's setting.
    pub(super) flag: &'static str,
    /// The environment's setting.
    pub(super) variable: &'static str,
}

/// A port that was free a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenPort {
    /// The port.
    pub(super) port: u16,
    /// What the user should know about it.
    pub(super) notice: Option<String>,
}

/// Chooses a port on loopback that nobody listens on and that is not in `taken`.
///
/// # Errors
/// `port_busy` if exactly this port was wanted, `no_free_port` if there is none at all.
pub(super) fn choose_port(
    setting: PortSetting,
    choice: PortChoice,
    taken: &[u16],
) -> Result<ChosenPort, SupervisorError> {
    choose(setting, choice, |port| !taken.contains(&port) && is_free(port))
}

fn choose(
    setting: PortSetting,
    choice: PortChoice,
    free: impl Fn(u16) -> bool,
) -> Result<ChosenPort, SupervisorError> {
    let any = || {
        candidates(process::id())
            .find(|port| free(*port))
            .ok_or(SupervisorError::NoFreePort { server: setting.server })
    };
    match choice {
        PortChoice::Wanted(port) | PortChoice::WantedOrFree(port) if free(port) => {
            Ok(ChosenPort { port, notice: None })
        }
        PortChoice::Wanted(port) => Err(SupervisorError::PortBusy {
            server: setting.server,
            port,
            flag: setting.flag,
            variable: setting.variable,
        }),
        PortChoice::WantedOrFree(wanted) => {
            let port = any()?;
            let notice = format!("{}: wanted port {wanted}, took {port}", setting.server);
            Ok(ChosenPort { port, notice: Some(notice) })
        }
        PortChoice::Free => Ok(ChosenPort { port: any()?, notice: None }),
    }
}

/// Every port of our range once, from a place that differs between processes.
fn candidates(process: u32) -> impl Iterator<Item = u16> {
    let offset = process.wrapping_mul(STRIDE).checked_rem(u32::from(FREE_SPAN)).unwrap_or(0);
    let start = FIRST_FREE.saturating_add(u16::try_from(offset).unwrap_or(0));
    let end = FIRST_FREE.saturating_add(FREE_SPAN);
    (start..end).chain(FIRST_FREE..start)
}

/// Nobody listens there. Both looks are needed: where a wildcard listener does not keep us from
/// binding loopback (macOS), it answers the connection.
pub(super) fn is_free(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    port != 0
        && TcpStream::connect_timeout(&address, CONNECT_LIMIT).is_err()
        && TcpListener::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: PortSetting =
        PortSetting { server: "Kafka", flag: "--kafka-port", variable: "CODEPIX_KAFKA_PORT" };

    #[test]
    fn a_wanted_port_is_taken_when_free() {
        let chosen = choose(SETTING, PortChoice::Wanted(9092), |_| true).unwrap();
        assert_eq!(chosen, ChosenPort { port: 9092, notice: None });
    }

    #[test]
    fn a_wanted_port_that_is_busy_is_an_error() {
        let error = choose(SETTING, PortChoice::Wanted(9092), |_| false).unwrap_err();
        assert!(error.to_string().contains("port 9092 for Kafka is busy"));
        assert!(error.to_string().contains("--kafka-port or CODEPIX_KAFKA_PORT"));
    }

    #[test]
    fn another_port_is_reported() {
        let free = |port: u16| port != 9092;
        let chosen = choose(SETTING, PortChoice::WantedOrFree(9092), free).unwrap();
        let notice = chosen.notice.unwrap();
        assert_eq!(notice, format!("Kafka: wanted port 9092, took {}", chosen.port));
    }

    #[test]
    fn no_port_at_all_is_an_error() {
        let error = choose(SETTING, PortChoice::Free, |_| false).unwrap_err();
        assert_eq!(error.code(), "no_free_port");
    }

    #[test]
    fn every_candidate_comes_once_and_none_is_ephemeral() {
        for process in [0, 1, 4711, u32::MAX] {
            let mut ports = candidates(process).collect::<Vec<_>>();
            assert_eq!(ports.len(), usize::from(FREE_SPAN));
            ports.sort_unstable();
            ports.dedup();
            assert_eq!(ports.len(), usize::from(FREE_SPAN));
            assert!(ports.iter().all(|port| (20_000..30_000).contains(port)));
        }
    }

    #[test]
    fn a_listener_makes_a_port_busy() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        let error = choose_port(SETTING, PortChoice::Wanted(port), &[]).unwrap_err();
        assert_eq!(error.code(), "port_busy");
        let chosen = choose_port(SETTING, PortChoice::Free, &[]).unwrap().port;
        assert_ne!(choose_port(SETTING, PortChoice::Free, &[chosen]).unwrap().port, chosen);
    }
}
