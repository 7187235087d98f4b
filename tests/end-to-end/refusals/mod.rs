//! Every command that can be refused: its gRPC code, its stable code, its field; and nothing is
//! stored or published by any of them.

mod at_the_banks;
mod at_the_directory;
mod at_the_hub;
mod of_orders;

use std::collections::BTreeMap;

use codepix::client::pix_keys::PixKeyKind;
use tonic::Code;

use crate::support::ledger::Snapshot;
use crate::support::log::{ACCOUNTS, KEYS, PARTICIPANTS};
use crate::support::scene::enrolment;
use crate::support::{Account, Log, Refused, Scene, TestHub, at_rest, eventually};

/// An account that no bank has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// A customer of each sort, at rest.
struct Stage {
    hub: TestHub,
    scene: Scene,
    log: Log,
    /// Has money and a key.
    ana: Account,
    ana_key: String,
    /// At another bank, with a key.
    bia: Account,
    bia_key: String,
    blocked: Account,
    closed: Account,
    /// Only marks moments.
    marker: Account,
}

impl Stage {
    async fn set() -> Self {
        let hub = TestHub::start().await;
        let scene = hub.scene();
        let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
        let ana = scene.account(&one, "Ana Souza", 10_000).await;
        let bia = scene.account(&two, "Bia Lima", 10_000).await;
        let blocked = scene.account(&one, "Caio Nunes", 10_000).await;
        let closed = scene.account(&one, "Davi Melo", 0).await;
        let marker = scene.account(&one, "Eva Reis", 0).await;
        let (ana_key, bia_key) = (scene.key(&ana).await, scene.key(&bia).await);
        scene.key(&blocked).await;
        scene.block(&blocked).await;
        scene.close(&closed).await.unwrap();
        let log = Log::of(&hub.servers);
        Self { hub, scene, log, ana, ana_key, bia, bia_key, blocked, closed, marker }
    }

    /// Does something that each context publishes, waits until all of it is on the log, and
    /// answers how much there is: whatever was published before is counted.
    async fn mark(&self) -> (BTreeMap<String, i64>, Snapshot) {
        let version = self.scene.deposit(&self.marker, 1).await.version.to_string();
        let key = self.scene.key_of_kind(&self.marker, PixKeyKind::Evp, "").await;
        let name = format!("Bank {version}");
        let bank = codepix::client::transfers::EnrolParticipantRequest {
            name: name.clone(),
            ..enrolment("001")
        };
        let ispb = self.scene.enrol_with(bank).await;
        eventually(async || {
            let accounts = self.log.records_of(ACCOUNTS, &self.marker.id).await;
            let keys = self.log.records_of(KEYS, &key).await;
            let banks = self.log.records_of(PARTICIPANTS, &ispb).await;
            let deposited = accounts
                .iter()
                .any(|record| record.header("ce_aggregateversion") == Some(version.as_str()));
            let renamed = banks.iter().any(|record| {
                let body = record.payload.as_deref().unwrap_or_default();
                String::from_utf8_lossy(body).contains(&name)
            });
            let there = (deposited, !keys.is_empty(), renamed);
            if there == (true, true, true) { Ok(()) } else { Err(there) }
        })
        .await;
        let mut snapshot = self.scene.snapshot().await;
        snapshot.accounts.remove(&self.marker.id);
        (self.log.counts().await, snapshot)
    }

    /// Has some commands refused, and checks that nothing is left of them.
    async fn without_a_trace(self, commands: impl AsyncFnOnce(&Self)) {
        let (mut expected, snapshot) = self.mark().await;
        commands(&self).await;
        for topic in [ACCOUNTS, KEYS, PARTICIPANTS] {
            let count: &mut i64 = expected.get_mut(topic).unwrap();
            *count = count.saturating_add(1);
        }
        let (published, after) = self.mark().await;
        assert_eq!(published, expected, "only the mark was published");
        assert_eq!(after, snapshot, "nothing has moved");
        at_rest(&self.hub, &self.scene).await;
    }
}

/// The input is wrong.
fn invalid(reason: &str, field: &str) -> Refused {
    Refused::new(Code::InvalidArgument, reason, field)
}

/// What it names is not there.
fn not_found(reason: &str, field: &str) -> Refused {
    Refused::new(Code::NotFound, reason, field)
}

/// What it would make is there.
fn exists(reason: &str, field: &str) -> Refused {
    Refused::new(Code::AlreadyExists, reason, field)
}

/// Not in this state.
fn not_now(reason: &str, field: &str) -> Refused {
    Refused::new(Code::FailedPrecondition, reason, field)
}
