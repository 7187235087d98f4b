//! Records that nobody should have written: each is set aside with its reason, its partition goes
//! on, and no money moves.

use std::collections::BTreeMap;

use codepix::client::transfers::TransferState;
use serde_json::{Value, json};
use shared_kernel::application::InboundRecord;

use crate::support::log::{
    ACCOUNTS, BANK_MESSAGES, KEYS, PARTICIPANTS, Raw, TRANSFERS, again, bank_topic, codes, event,
};
use crate::support::{Account, Log, Scene, TestHub, at_rest};

/// Two banks that have settled one transfer.
struct Stage {
    hub: TestHub,
    scene: Scene,
    log: Log,
    ana: Account,
    bia: Account,
    bia_key: String,
    /// Completed.
    id: String,
}

impl Stage {
    async fn set() -> Self {
        let hub = TestHub::start().await;
        let scene = hub.scene();
        let (one, two) = (scene.enrol("001").await, scene.enrol("002").await);
        scene.enrol("003").await;
        let ana = scene.account(&one, "Ana Souza", 100_000).await;
        let bia = scene.account(&two, "Bia Lima", 0).await;
        let bia_key = scene.key(&bia).await;
        let id = scene.send(&ana, &bia_key, 1_000).await.end_to_end_id;
        scene.reaches(&id, TransferState::Completed).await;
        at_rest(&hub, &scene).await;
        let log = Log::of(&hub.servers);
        log.read_to_the_end().await;
        Self { hub, scene, log, ana, bia, bia_key, id }
    }

    /// A copy of what was said of the transfer, with another body.
    async fn forged(&self, topic: &str, ce_type: &str, forge: impl FnOnce(&mut Value)) -> Raw {
        let original = self.log.event(topic, &self.id, ce_type).await;
        forged(&original, &self.hub.servers.kafka.topic_prefix, forge)
    }

    /// Puts records in and checks what becomes of them: how many dead letters of which reason on
    /// which topic; nothing moves; the next transfers are served.
    async fn intrude(&self, records: &[Raw], expected: &[(&str, &[(&str, usize)])]) {
        let before = self.scene.snapshot().await;
        self.log.put(records).await;
        for (topic, reasons) in expected {
            let count = reasons.iter().map(|(_, count)| count).sum();
            let letters = self.log.letters(topic, count).await;
            let mut found: BTreeMap<String, usize> = BTreeMap::new();
            for code in codes(&letters) {
                let count = found.entry(code).or_default();
                *count = count.saturating_add(1);
            }
            let wanted = reasons.iter().map(|(code, count)| ((*code).to_owned(), *count));
            assert_eq!(found, wanted.collect(), "on {topic}");
            assert!(letters.iter().all(has_origin));
        }
        self.log.read_to_the_end().await;
        at_rest(&self.hub, &self.scene).await;
        assert_eq!(self.scene.snapshot().await, before, "nothing has moved");
        let mut sent = Vec::new();
        for _ in 0..16 {
            sent.push(self.scene.send(&self.ana, &self.bia_key, 10).await.end_to_end_id);
        }
        for id in &sent {
            self.scene.reaches(id, TransferState::Completed).await;
        }
        at_rest(&self.hub, &self.scene).await;
    }
}

/// Reason in words, and where it came from.
fn has_origin(letter: &InboundRecord) -> bool {
    let names = ["dlq_reason", "dlq_consumer", "dlq_origin_topic", "dlq_origin_offset"];
    names.iter().all(|name| letter.header(name).is_some_and(|value| !value.is_empty()))
}

fn forged(original: &InboundRecord, prefix: &str, forge: impl FnOnce(&mut Value)) -> Raw {
    let mut body: Value = serde_json::from_slice(original.payload.as_deref().unwrap()).unwrap();
    forge(&mut body);
    Raw { payload: Some(body.to_string().into_bytes()), ..again(original, prefix) }
}

/// Bytes that are no event, on every partition.
fn noise(topic: &str, partitions: i32) -> Vec<Raw> {
    let raw = |partition| Raw {
        topic: topic.to_owned(),
        partition: Some(partition),
        key: Some(vec![0xff, 0x00]),
        headers: Vec::new(),
        payload: Some(b"\xde\xad\xbe\xef{".to_vec()),
    };
    (0..partitions).map(raw).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_event() {
    let stage = Stage::set().await;
    let bank = bank_topic(&stage.bia.ispb);
    let records = [
        noise(PARTICIPANTS, 8),
        noise(KEYS, 8),
        noise(ACCOUNTS, 8),
        noise(BANK_MESSAGES, 8),
        noise(TRANSFERS, 8),
        noise(&bank, 2),
    ];
    // One letter of each reader: directory and banks read of participants, directory and balances
    // of accounts, balances of transfers.
    let expected: [(&str, &[(&str, usize)]); 6] = [
        (PARTICIPANTS, &[("envelope_header", 16)]),
        (KEYS, &[("envelope_header", 8)]),
        (ACCOUNTS, &[("envelope_header", 16)]),
        (TRANSFERS, &[("envelope_header", 8)]),
        (BANK_MESSAGES, &[("envelope_header", 8)]),
        (&bank, &[("envelope_header", 2)]),
    ];
    stage.intrude(&records.concat(), &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_with_a_wrong_body_or_without_one() {
    let stage = Stage::set().await;
    let bank = bank_topic(&stage.bia.ispb);
    let (id, account) = (stage.id.as_str(), stage.ana.id.as_str());
    let broken = |topic: &str, ce_type: &str, subject: &str| {
        let wrong = event(topic, ce_type, subject, &json!({ "amount": 12.5 }));
        let none = Raw { payload: None, ..wrong.clone() };
        let text = Raw { payload: Some(b"{\"half\":".to_vec()), ..wrong.clone() };
        vec![wrong, none, text]
    };
    let records = [
        broken(PARTICIPANTS, "codepix.transfers.ParticipantEnrolled.v1", "00000001"),
        broken(KEYS, "codepix.pix_keys.PixKeyRegistered.v1", &stage.bia_key),
        broken(ACCOUNTS, "codepix.banking.AccountOpened.v1", account),
        broken(BANK_MESSAGES, "codepix.banking.TransferRequested.v1", id),
        broken(BANK_MESSAGES, "codepix.banking.TransferRefused.v1", id),
        broken(&bank, "codepix.transfers.TransferConfirmed.v1", id),
    ];
    let expected: [(&str, &[(&str, usize)]); 5] = [
        (PARTICIPANTS, &[("payload_json", 4), ("payload_missing", 2)]),
        (KEYS, &[("payload_json", 2), ("payload_missing", 1)]),
        (ACCOUNTS, &[("payload_json", 4), ("payload_missing", 2)]),
        (BANK_MESSAGES, &[("payload_json", 4), ("payload_missing", 2)]),
        (&bank, &[("payload_json", 2), ("payload_missing", 1)]),
    ];
    stage.intrude(&records.concat(), &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_another_context_or_of_no_known_type() {
    let stage = Stage::set().await;
    let bank = bank_topic(&stage.bia.ispb);
    let (id, account) = (stage.id.as_str(), stage.ana.id.as_str());
    let body = json!({ "end_to_end_id": id, "ispb": stage.ana.ispb });
    let records = [
        // Readers of these two take the types that they know and let others pass.
        event(PARTICIPANTS, "codepix.transfers.ParticipantPraised.v1", "00000001", &body),
        event(KEYS, "codepix.pix_keys.PixKeyPraised.v1", &stage.bia_key, &body),
        event(ACCOUNTS, "codepix.transfers.TransferConfirmed.v1", account, &body),
        event(BANK_MESSAGES, "codepix.transfers.TransferConfirmed.v1", id, &body),
        event(BANK_MESSAGES, "codepix.banking.TransferPraised.v1", id, &body),
        event(&bank, "codepix.banking.TransferSettledByPayer.v1", id, &body),
        event(&bank, "codepix.transfers.TransferPraised.v1", id, &body),
    ];
    let expected: [(&str, &[(&str, usize)]); 3] = [
        // Both of its readers, the directory and the balances.
        (ACCOUNTS, &[("event_misdirected", 2)]),
        (BANK_MESSAGES, &[("event_type_unknown", 2)]),
        (&bank, &[("event_type_unknown", 1)]),
    ];
    stage.intrude(&records, &expected).await;
    let letters = stage.log.dead_letters().await;
    assert_eq!(letters.len(), expected.len(), "{letters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn banks_that_speak_for_another_or_in_a_role_that_is_not_theirs() {
    let stage = Stage::set().await;
    let (id, ana, bia) = (stage.id.as_str(), &stage.ana.ispb, &stage.bia.ispb);
    let say = |name: &str, body: &Value| {
        event(BANK_MESSAGES, &format!("codepix.banking.{name}.v1"), id, body)
    };
    let by = |ispb: &str| {
        json!({
            "end_to_end_id": id, "ispb": ispb, "account_id": stage.bia.id, "unapplied": false,
            "reason_code": "AC03",
        })
    };
    let unknown = "E0000000120260101120000000000001";
    let nothing = json!({ "end_to_end_id": unknown, "ispb": bia });
    let requested = "codepix.banking.TransferRequested.v1";
    let mut foreign_id = stage
        .forged(BANK_MESSAGES, requested, |body| {
            body["end_to_end_id"] = json!("E0000000320260101120000000000001");
        })
        .await;
    foreign_id.key = Some(b"E0000000320260101120000000000001".to_vec());
    let records = [
        say("TransferAccepted", &by("00000003")),
        say("TransferAccepted", &by(ana)),
        say("TransferRefused", &by(ana)),
        say("TransferSettledByPayee", &by(ana)),
        say("TransferSettledByPayer", &by(bia)),
        say("TransferSettledByPayer", &by("00000003")),
        stage.forged(BANK_MESSAGES, requested, |body| body["ispb"] = json!("00000003")).await,
        stage.forged(BANK_MESSAGES, requested, |body| body["ispb"] = json!(bia)).await,
        foreign_id,
        event(BANK_MESSAGES, "codepix.banking.TransferAccepted.v1", unknown, &nothing),
        Raw { key: Some(b"another".to_vec()), ..say("TransferAccepted", &by(bia)) },
    ];
    let expected: [(&str, &[(&str, usize)]); 1] = [(
        BANK_MESSAGES,
        &[
            ("end_to_end_id_of_another_bank", 1),
            ("key_mismatch", 1),
            ("sender_is_not_payee", 4),
            ("sender_is_not_payer", 4),
            ("transfer_unknown", 1),
        ],
    )];
    stage.intrude(&records, &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_to_a_bank_that_do_not_concern_it_or_contradict_what_is_settled() {
    let stage = Stage::set().await;
    let (from, to) = (bank_topic(&stage.ana.ispb), bank_topic(&stage.bia.ispb));
    let stranger = bank_topic("00000003");
    let confirmed = "codepix.transfers.TransferConfirmed.v1";
    let word = stage.forged(&to, confirmed, |_| {}).await;
    let rename = |raw: &Raw, name: &str| {
        let mut renamed = raw.clone();
        for (header, value) in &mut renamed.headers {
            if header == "ce_type" {
                *value = format!("codepix.transfers.{name}.v1").into_bytes();
            }
        }
        renamed
    };
    let sent_to = |raw: &Raw, topic: &str| Raw { topic: topic.to_owned(), ..raw.clone() };
    let dearer =
        stage.forged(&to, confirmed, |body| body["amount"]["amount"] = json!("900.00")).await;
    let mut never = stage
        .forged(&to, confirmed, |body| {
            body["end_to_end_id"] = json!("E0000000120260101120000000000001");
        })
        .await;
    let unheard_of = b"E0000000120260101120000000000001";
    never.key = Some(unheard_of.to_vec());
    for (header, value) in &mut never.headers {
        if header == "ce_subject" {
            *value = unheard_of.to_vec();
        }
    }
    let records = [
        sent_to(&word, &stranger),
        dearer.clone(),
        sent_to(&dearer, &from),
        rename(&word, "TransferRejected"),
        rename(&sent_to(&word, &from), "TransferExpired"),
        // The payer's bank never ordered it.
        sent_to(&never, &from),
        rename(&sent_to(&never, &from), "TransferRejected"),
    ];
    let expected: [(&str, &[(&str, usize)]); 3] = [
        (&stranger, &[("bank_not_concerned", 1)]),
        (&to, &[("transfer_contradicts", 1), ("transfer_differs", 1)]),
        (&from, &[("transfer_contradicts", 1), ("transfer_differs", 1), ("transfer_unknown", 2)]),
    ];
    stage.intrude(&records, &expected).await;
}
