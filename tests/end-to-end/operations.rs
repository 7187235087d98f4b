//! What an orchestrator sees: health, metrics, reflection, ports, signals.

use std::net::TcpListener;

use serde_json::Value;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::support::binary::{command, run};
use crate::support::http::get;
use crate::support::hub::{ADDRESSES, serve};
use crate::support::{HubOptions, TestHub, at_rest, eventually};

/// The services of a whole hub.
const SERVICES: [&str; 4] = [
    "codepix.balances.v1.BalancesService",
    "codepix.banking.v1.BankingService",
    "codepix.pix_keys.v1.PixKeysService",
    "codepix.transfers.v1.TransfersService",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_says_that_it_lives_and_is_ready_and_how_it_fares() {
    let hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 1_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    let id = scene.send(&ana, &key, 100).await.end_to_end_id;
    scene.reaches(&id, codepix::client::transfers::TransferState::Completed).await;

    let (status, body) = get(&hub.addresses().http, "/health/live").await;
    assert_eq!((status, body.as_str()), (200, r#"{"status":"live"}"#));
    let (status, body) = get(&hub.addresses().http, "/health/ready").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["status"]), (200, &"ready".into()));
    let parts = body["parts"].as_object().unwrap();
    let stores = ["pix-keys", "transfers", "banking", "balances"].map(|it| format!("{it}.store"));
    for part in stores.iter().map(String::as_str).chain(["log"]) {
        assert_eq!(parts[part], "ready", "{part}: {parts:?}");
    }
    let (status, _) = get(&hub.addresses().http, "/nothing/here").await;
    assert_eq!(status, 404);
    let (status, _) = get(&hub.addresses().http, "/metrics").await;
    assert_eq!(status, 404, "metrics are not for everyone");

    let (status, metrics) = get(&hub.addresses().internal, "/metrics").await;
    assert_eq!(status, 200);
    for context in ["banking", "transfers", "pix-keys"] {
        let counted = metrics
            .lines()
            .any(|line| !line.starts_with('#') && line.contains(&format!("context=\"{context}\"")));
        assert!(counted, "nothing of {context}:\n{metrics}");
    }
    assert!(!metrics.contains(&ana.tax_id) && !metrics.contains(&key), "no personal data");
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_know_every_service() {
    let hub = TestHub::start().await;
    for service in SERVICES.into_iter().chain([""]) {
        let asked = HealthCheckRequest { service: service.to_owned() };
        let answer = HealthClient::new(hub.client().channel()).check(asked).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service}");
    }
    let asked = HealthCheckRequest { service: "codepix.nothing".to_owned() };
    let answer = HealthClient::new(hub.client().channel()).check(asked).await;
    assert_eq!(answer.unwrap_err().code(), tonic::Code::NotFound);

    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(hub.client().channel());
    let questions = futures::stream::iter([question]);
    let answer = reflection.server_reflection_info(questions).await.unwrap();
    let answer = answer.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let listed: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
    for service in SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
        assert!(listed.iter().any(|name| name == service), "{service}: {listed:?}");
    }

    let ran = run(command(&["health", "--hub", &hub.url(), "--json"])).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let said: Value = serde_json::from_str(&ran.printed).unwrap();
    assert_eq!(said["serving"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_serves_its_own_services_and_no_other() {
    let pix_keys_url = "http://127.0.0.1:1".to_owned();
    let options = HubOptions { contexts: "transfers", pix_keys_url, ..HubOptions::default() };
    let hub = TestHub::with(options).await;
    hub.scene().enrol("001").await;
    let asked = codepix::client::banking::ListBanksRequest {};
    let refusal = hub.client().banking().list_banks(asked).await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::Unimplemented);
    let (status, body) = get(&hub.addresses().http, "/health/ready").await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("transfers.store") && !body.contains("banking.store"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_port_is_named_by_its_setting() {
    let hub = TestHub::start().await;
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    for name in ADDRESSES {
        let mut command = serve(&hub.servers, &HubOptions::default(), &[]);
        command.env(name, &address);
        let ran = run(command).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.said.contains(name) && ran.said.contains(&address), "{}", ran.said);
        let said = ran.said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok());
        assert!(said.unwrap()["error"]["message"].as_str().unwrap().contains(name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_hub_in_order_and_another_takes_over() {
    let mut hub = TestHub::start().await;
    let scene = hub.scene();
    let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
    let ana = scene.account(&one, "Ana Souza", 5_000).await;
    let bia = scene.account(&two, "Bia Lima", 0).await;
    let key = scene.key(&bia).await;
    let mut sent = Vec::new();
    for _ in 0..20 {
        sent.push(scene.send(&ana, &key, 100).await.end_to_end_id);
    }
    // A watcher does not keep it from ending.
    let watch = codepix::client::transfers::WatchTransferRequest { end_to_end_id: sent[0].clone() };
    let watching =
        eventually(async || scene.transfers.transfers().watch_transfer(watch.clone()).await).await;
    let status = hub.terminate().await;
    assert!(status.success(), "{status}");
    drop(watching);

    hub.restart().await;
    let scene = scene.moved_to(hub.client());
    for id in &sent {
        scene.reaches(id, codepix::client::transfers::TransferState::Completed).await;
    }
    scene.has(&bia, 2_000, 0).await;
    at_rest(&hub, &scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_missing_are_named() {
    let ran = run(command(&[
        "serve",
        "--json",
        "--grpc-address",
        "127.0.0.1:0",
        "--http-address",
        "127.0.0.1:0",
        "--internal-address",
        "127.0.0.1:0",
        "--balances-address",
        "127.0.0.1:0",
    ]))
    .await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.said.contains("KAFKA_BROKERS"), "{}", ran.said);
    let mut command = command(&["serve", "--json"]);
    command.env("KAFKA_BROKERS", "127.0.0.1:1");
    for name in ADDRESSES {
        command.env(name, "127.0.0.1:0");
    }
    let ran = run(command).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.said.contains("DATABASE_URL"), "{}", ran.said);
}
