//! A connection to the hub: one HTTP/2 connection, every request with its author and its trace.

use std::sync::Arc;

use shared_kernel::application::TraceParent;
use shared_kernel::infrastructure::system::SystemIds;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::error::ClientError;
use super::proto::banking::banking_service_client::BankingServiceClient;
use super::proto::pix_keys::pix_keys_service_client::PixKeysServiceClient;
use super::proto::transfers::transfers_service_client::TransfersServiceClient;

/// What the stubs speak through.
pub type HubChannel = InterceptedService<Channel, Identity>;

/// Adds `authorization` and a `traceparent` of its own to each request.
#[derive(Clone, Default)]
pub struct Identity {
    authorization: Option<MetadataValue<Ascii>>,
}

impl Identity {
    /// The bearer of `token`; `None` when it cannot be sent.
    pub(super) fn new(token: Option<&str>) -> Option<Self> {
        let Some(token) = token.map(str::trim).filter(|token| !token.is_empty()) else {
            return Some(Self::default());
        };
        let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().ok()?;
        value.set_sensitive(true);
        Some(Self { authorization: Some(value) })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.authorization.is_some();
        formatter.debug_struct("Identity").field("token", &known).finish()
    }
}

impl Interceptor for Identity {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        if let Some(authorization) = &self.authorization {
            metadata.insert("authorization", authorization.clone());
        }
        if let Ok(trace) = TraceParent::begin(&SystemIds).as_str().parse() {
            metadata.insert("traceparent", trace);
        }
        Ok(request)
    }
}

/// A connection to a hub. Clones share it.
#[derive(Clone, Debug)]
pub struct Hub {
    address: Arc<str>,
    channel: HubChannel,
    has_token: bool,
}

impl Hub {
    pub(super) fn new(address: String, channel: Channel, identity: Identity) -> Self {
        let has_token = identity.authorization.is_some();
        Self {
            address: address.into(),
            channel: InterceptedService::new(channel, identity),
            has_token,
        }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether requests carry a token, which may stand for a bank.
    pub const fn has_token(&self) -> bool {
        self.has_token
    }

    /// What any other stub speaks through.
    pub fn channel(&self) -> HubChannel {
        self.channel.clone()
    }

    /// The banks.
    pub fn banking(&self) -> BankingServiceClient<HubChannel> {
        BankingServiceClient::new(self.channel.clone())
    }

    /// The directory.
    pub fn pix_keys(&self) -> PixKeysServiceClient<HubChannel> {
        PixKeysServiceClient::new(self.channel.clone())
    }

    /// The hub's transfers.
    pub fn transfers(&self) -> TransfersServiceClient<HubChannel> {
        TransfersServiceClient::new(self.channel.clone())
    }

    /// What a failed call means.
    pub fn error(&self, status: &Status) -> ClientError {
        ClientError::of_status(&self.address, status)
    }

    /// The answer of a call, or what its failure means.
    ///
    /// # Errors
    /// [`ClientError`] as [`Hub::error`].
    pub fn answer<T>(&self, called: Result<tonic::Response<T>, Status>) -> Result<T, ClientError> {
        called.map(tonic::Response::into_inner).map_err(|status| self.error(&status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_carries_its_author_and_a_trace_of_its_own() {
        let mut identity = Identity::new(Some("0123456789abcdef")).unwrap();
        let first = identity.call(Request::new(())).unwrap();
        let second = identity.call(Request::new(())).unwrap();
        let trace = |request: &Request<()>| {
            let header = request.metadata().get("traceparent").unwrap().to_str().unwrap();
            TraceParent::parse(header).unwrap()
        };
        assert_eq!(first.metadata().get("authorization").unwrap(), "Bearer 0123456789abcdef");
        assert_ne!(trace(&first), trace(&second));
        assert!(!format!("{identity:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn without_a_token_no_author_is_named() {
        for token in [None, Some(""), Some("  ")] {
            let request = Identity::new(token).unwrap().call(Request::new(())).unwrap();
            assert!(request.metadata().get("authorization").is_none());
        }
    }
}
