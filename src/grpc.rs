//! gRPC at the edge: the contexts' services, health and reflection on one listener.

use std::sync::Arc;
use std::time::Duration;

use pix_keys::infrastructure::ClassicService;
use tokio::net::TcpListener;
use tonic::service::{Routes, RoutesBuilder};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::limits::{Limits, limited};
use crate::traces::traced;

/// Calls that one connection may have under way at a time, streams included.
const CALLS_PER_CONNECTION_MAX: u32 = 512;
/// How often a silent client is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long it may take to answer before its connection is closed.
const KEEPALIVE_WAIT: Duration = Duration::from_secs(10);

/// What health and reflection say of the services.
#[derive(Debug)]
pub struct Described {
    /// Full names: `codepix.banking.v1.BankingService`.
    pub services: Vec<&'static str>,
    /// Encoded file descriptor sets.
    pub descriptors: Vec<&'static [u8]>,
    /// Services under names that are settings.
    pub others: Vec<Other>,
}

/// A service under names that are settings.
#[derive(Debug)]
pub struct Other {
    /// Its routes.
    pub routes: axum::Router,
    /// Each name in full, with its encoded file descriptor set.
    pub names: Vec<(String, Vec<u8>)>,
}

impl From<&ClassicService> for Other {
    fn from(service: &ClassicService) -> Self {
        let packages = service.packages().iter();
        let names = packages.map(|it| (it.service(), it.descriptors())).collect();
        Self { routes: service.routes(), names }
    }
}

/// Serves until `stop` resolves; health says `NOT_SERVING` first.
///
/// # Errors
/// When the listener fails or a descriptor is malformed.
pub async fn serve(
    listener: TcpListener,
    mut routes: RoutesBuilder,
    described: Described,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    for service in &described.services {
        reporter.set_service_status(*service, tonic_health::ServingStatus::Serving).await;
    }
    routes.add_service(health);
    let mut reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    for descriptors in &described.descriptors {
        reflection = reflection.register_encoded_file_descriptor_set(descriptors);
    }
    let names = || described.others.iter().flat_map(|other| &other.names);
    for (service, descriptors) in names() {
        reporter.set_service_status(service, tonic_health::ServingStatus::Serving).await;
        reflection = reflection.register_encoded_file_descriptor_set(descriptors);
    }
    routes.add_service(reflection.build_v1()?);
    let limits = Arc::new(Limits::new(&described.services));
    let limits = axum::middleware::from_fn_with_state(limits, limited);
    let own = routes.routes().into_axum_router();
    let others = described.others.iter().map(|other| other.routes.clone());
    let routes = others.fold(own, axum::Router::merge).layer(limits);
    let routes = Routes::from(routes.layer(axum::middleware::from_fn(traced)));
    let stopping = async move {
        stop.await;
        for service in &described.services {
            reporter.set_service_status(*service, tonic_health::ServingStatus::NotServing).await;
        }
        for (service, _) in described.others.iter().flat_map(|other| &other.names) {
            reporter.set_service_status(service, tonic_health::ServingStatus::NotServing).await;
        }
        reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    };
    Server::builder()
        .tcp_nodelay(true)
        .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
        .concurrency_limit_per_connection(usize::try_from(CALLS_PER_CONNECTION_MAX)?)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_WAIT))
        .add_routes(routes)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEPALIVE)),
            stopping,
        )
        .await
        .map_err(Into::into)
}
