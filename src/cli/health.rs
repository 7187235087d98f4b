//! `codepix health`: asks a hub whether it serves, for orchestrators without other tools.

use std::process::ExitCode;

use serde::Serialize;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::output::{Output, Paint, Shown, Tone};
use crate::client::ClientOptions;

#[derive(Debug, Serialize)]
struct Health {
    hub: String,
    serving: bool,
}

impl Shown for Health {
    fn text(&self, paint: Paint) -> String {
        let (tone, word) =
            if self.serving { (Tone::Good, "serves") } else { (Tone::Bad, "does not serve") };
        format!("{} {}", self.hub, paint.tint(tone, word))
    }
}

/// Exit code 0 when the hub serves, 1 when it says that it does not, 2 when nothing answers.
///
/// # Errors
/// When nothing answers.
pub async fn run(client: &ClientOptions, output: &Output) -> anyhow::Result<ExitCode> {
    let hub = client.connect().await?;
    let mut service = HealthClient::new(hub.channel());
    let asked = service.check(HealthCheckRequest { service: String::new() }).await;
    let serving = hub.answer(asked)?.status() == ServingStatus::Serving;
    output.show(&Health { hub: hub.address().to_owned(), serving })?;
    Ok(if serving { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
