//! Logs for people or machines, traces to OTLP when an endpoint is configured, metrics to scrape.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use shared_kernel::infrastructure::traces::TARGET;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line per event, for people.
    Text,
    /// One JSON object per event, for machines.
    Json,
}

/// Settings of logs and traces.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Telemetry")]
pub struct TelemetryArguments {
    /// What is logged, e.g. info or `transfers=debug,warn`.
    #[arg(long, env = "CODEPIX_LOG", global = true, default_value = "warn")]
    pub log: String,
    /// How it looks.
    #[arg(long, env = "CODEPIX_LOG_FORMAT", global = true, value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// OTLP endpoint for traces (gRPC), e.g. `http://localhost:4317`; none when it is not set.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
}

/// Keeps the exporter alive; flushes it when dropped, which must be before the runtime ends.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

/// Starts logging (to standard error) and, when configured, the export of traces, which lives in
/// the runtime that this is called in.
///
/// # Errors
/// When the filter or the endpoint is malformed.
pub fn start(arguments: &TelemetryArguments) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_new(&arguments.log).context("the log filter is malformed")?;
    let endpoint = arguments.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
    let provider = endpoint.map(exporter).transpose()?;
    // Whatever is logged: spans for export are of a target of their own.
    let traces = provider.as_ref().map(|provider| {
        let exported = Targets::new().with_target(TARGET, tracing::Level::INFO);
        let tracer = provider.tracer("codepix");
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(exported)
    });
    let colors = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colors);
    let layer = match arguments.log_format {
        LogFormat::Text => text.with_target(true).boxed(),
        LogFormat::Json => text.json().boxed(),
    };
    let layer = layer.with_filter(filter);
    tracing_subscriber::registry().with(layer).with(traces).init();
    Ok(Telemetry { provider })
}

fn exporter(endpoint: &str) -> anyhow::Result<SdkTracerProvider> {
    use opentelemetry_otlp::WithExportConfig as _;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .context("the OTLP endpoint is malformed")?;
    let resource = opentelemetry_sdk::Resource::builder().with_service_name("codepix").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Installs the process's metrics; the handle renders them.
///
/// # Errors
/// When metrics are installed already.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("metrics could not be installed")
}
