//! One trace from the request through the log to the last consumer, as a collector of
//! OpenTelemetry sees it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::support::{HubOptions, TestHub, eventually};

/// What begins the trace: the customer's order, which its client gives a trace.
const REQUEST: &str = "POST /codepix.banking.v1.BankingService/RequestTransfer";

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|it| it.scope_spans);
        self.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Listens; answers where.
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = TraceServiceServer::new(self.clone());
        let serving = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(serving);
        format!("http://{address}")
    }

    /// Names of all spans, with their traces.
    fn spans(&self) -> BTreeSet<(Vec<u8>, String)> {
        let named = |span: &Span| (span.trace_id.clone(), span.name.clone());
        self.0.lock().unwrap().iter().map(named).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_one_trace_from_the_request_to_the_last_consumer() {
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let options = HubOptions {
        variables: vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)],
        ..HubOptions::default()
    };
    let hub = TestHub::with(options).await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let payer = scene.account(&one, "Ana Souza", 10_000).await;
    let payee = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&payee).await;
    scene.send(&payer, &key, 100).await;
    let wanted = [
        "POST /codepix.pix_keys.v1.PixKeysService/FindKey",
        "codepix.transfers codepix.banking.TransferRequested.v1",
        "codepix.banking codepix.transfers.TransferConfirmed.v1",
        "codepix.balances codepix.banking.AccountCredited.v1",
        "codepix.balances.transfers codepix.transfers.TransferCompleted.v1",
    ];
    eventually(async || {
        let spans = collector.spans();
        let begun = spans
            .iter()
            .find(|(_, name)| name == REQUEST)
            .ok_or_else(|| "no request was seen".to_owned())?;
        // Groups have the prefix of the test.
        let is_missing = |wanted: &&str| {
            !spans.iter().any(|(trace, name)| *trace == begun.0 && name.ends_with(wanted))
        };
        let missing: Vec<&str> = wanted.into_iter().filter(is_missing).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} of {spans:?}")) }
    })
    .await;
}
