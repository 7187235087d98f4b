//! gRPC at the edge: the contexts' services, health and reflection on one listener.

use tokio::net::TcpListener;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// What health and reflection say of the services.
#[derive(Debug)]
pub struct Described {
    /// Full names: `codepix.banking.v1.BankingService`.
    pub services: Vec<&'static str>,
    /// Encoded file descriptor sets.
    pub descriptors: Vec<&'static [u8]>,
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
    routes.add_service(reflection.build_v1()?);
    let stopping = async move {
        stop.await;
        for service in &described.services {
            reporter.set_service_status(*service, tonic_health::ServingStatus::NotServing).await;
        }
        reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    };
    Server::builder()
        .tcp_nodelay(true)
        .add_routes(routes.routes())
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stopping,
        )
        .await
        .map_err(Into::into)
}
