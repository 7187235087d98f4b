//! Where the hub is and who asks.

use std::fmt;
use std::time::Duration;

use tonic::transport::Endpoint;

use super::connection::{Hub, Identity};
use super::error::ClientError;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How often an idle connection is probed, so that a watch notices a hub that vanished.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// Where the hub is and who asks.
#[derive(Clone, PartialEq, Eq, clap::Args)]
pub struct ClientOptions {
    /// Address of the hub's gRPC port
    #[arg(
        long,
        global = true,
        env = "CODEPIX_HUB",
        value_name = "URL",
        default_value = Self::HUB_DEFAULT,
        help_heading = "Connection"
    )]
    pub hub: String,
    /// Token of an operator or a bank; none is needed on loopback
    #[arg(
        long,
        global = true,
        env = "CODEPIX_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub token: Option<String>,
}

impl ClientOptions {
    /// Where a hub listens by default.
    pub const HUB_DEFAULT: &str = "http://127.0.0.1:50051";

    /// Connects to the hub.
    ///
    /// # Errors
    /// [`ClientError`]: the address or the token is malformed, or nothing listens there.
    pub async fn connect(&self) -> Result<Hub, ClientError> {
        let channel = self
            .endpoint()?
            .connect()
            .await
            .map_err(|error| ClientError::unreachable(&self.address(), &error))?;
        Ok(Hub::new(self.address(), channel, self.identity()?))
    }

    /// The address with its scheme: `127.0.0.1:50051` is taken as `http://127.0.0.1:50051`.
    pub fn address(&self) -> String {
        let hub = self.hub.trim();
        let hub = hub.strip_suffix('/').filter(|bare| !bare.ends_with('/')).unwrap_or(hub);
        if hub.contains("://") { hub.to_owned() } else { format!("http://{hub}") }
    }

    /// The endpoint, not connected yet.
    fn endpoint(&self) -> Result<Endpoint, ClientError> {
        let address = self.address();
        if !address.starts_with("http://") {
            return Err(ClientError::usage(
                "hub_address_shape",
                "hub",
                format!(
                    "the address of a hub is written http://host:port, and {address} is not \
                     (for TLS, put a proxy beside this command)"
                ),
            ));
        }
        let endpoint = Endpoint::from_shared(address.clone()).map_err(|_invalid| {
            let sentence =
                format!("the address of a hub is written http://host:port, not {address}");
            ClientError::usage("hub_address_shape", "hub", sentence)
        })?;
        Ok(endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .http2_keep_alive_interval(PROBE_INTERVAL)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true))
    }

    /// What every request says about its author.
    fn identity(&self) -> Result<Identity, ClientError> {
        Identity::new(self.token.as_deref()).ok_or_else(|| {
            let sentence = "a token is made of visible ASCII characters";
            ClientError::usage("token_shape", "token", sentence)
        })
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { hub: Self::HUB_DEFAULT.to_owned(), token: None }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_secret| "***");
        formatter
            .debug_struct("ClientOptions")
            .field("hub", &self.hub)
            .field("token", &token)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(hub: &str, token: Option<&str>) -> ClientOptions {
        ClientOptions { hub: hub.to_owned(), token: token.map(str::to_owned) }
    }

    #[test]
    fn an_address_without_a_scheme_is_http() {
        assert_eq!(options("127.0.0.1:50051", None).address(), "http://127.0.0.1:50051");
        assert_eq!(options(" http://hub:1/ ", None).address(), "http://hub:1");
        assert!(options("localhost:50051", None).endpoint().is_ok());
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_a_sentence() {
        for hub in ["https://hub:50051", "ftp://hub", "http://", "http://a b:1"] {
            let refusal = options(hub, None).endpoint().unwrap_err();
            assert_eq!(refusal.code(), "hub_address_shape", "{hub}");
            assert_eq!(refusal.exit_code(), 1);
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let printed = format!("{:?}", options("hub:1", Some("0123456789abcdef")));
        assert!(!printed.contains("0123456789abcdef"), "{printed}");
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_unquoted() {
        let refusal = options("hub:1", Some("line\nbreak")).identity().unwrap_err();
        assert_eq!(refusal.code(), "token_shape");
        assert!(!refusal.to_string().contains("line"));
    }

    #[tokio::test]
    async fn where_nothing_listens_the_error_says_what_to_start() {
        let refusal = options("127.0.0.1:1", None).connect().await.unwrap_err();
        assert_eq!(refusal.exit_code(), 2);
        let said = refusal.to_string();
        assert!(said.contains("no hub answers at http://127.0.0.1:1"), "{said}");
        assert!(said.contains("./codepix up"), "{said}");
    }
}
