//! Keys.

use codepix::client::pix_keys::{
    EnrolAccountRequest, FindAccountRequest, FindKeyRequest, ListKeysRequest, PixKeyKind,
    RegisterKeyRequest, RemoveKeyRequest,
};

use super::{NOBODY, Stage, exists, invalid, not_found, not_now};
use crate::support::scene::{opening, registration};
use crate::support::{people, refused, unique};

#[tokio::test(flavor = "multi_thread")]
async fn registrations() {
    let stage = Stage::set().await;
    // The same person at another bank, with a key there; and an account with all that it may have.
    let twin = opening(&stage.bia.ispb, "Ana Souza", stage.ana.tax_id.clone());
    let twin = stage.scene.open(twin, 0).await;
    let elsewhere = stage.scene.key(&twin).await;
    let full = stage.scene.account(&stage.ana.ispb, "Hugo Dias", 0).await;
    for _ in 0..5 {
        stage.scene.key(&full).await;
    }
    stage
        .without_a_trace(async |stage: &Stage| {
            register_malformed_keys(stage).await;
            let email = || format!("{}@example.com", unique("new"));
            let cases = [
                (&stage.ana, stage.ana_key.clone(), exists("key_already_registered", "key")),
                (&stage.ana, stage.bia_key.clone(), exists("key_owned_by_another_person", "key")),
                (&stage.ana, elsewhere, exists("key_at_another_participant", "key")),
                (&full, email(), not_now("key_limit_reached", "account_id")),
                (&stage.blocked, email(), not_now("account_not_active", "account_id")),
                (&stage.closed, email(), not_now("account_not_active", "account_id")),
            ];
            for (account, key, expected) in cases {
                let asked = registration(account, PixKeyKind::Email, &key);
                let answer = stage.scene.directory.pix_keys().register_key(asked).await;
                assert_eq!(refused(answer), expected);
            }
        })
        .await;
}

async fn register_malformed_keys(stage: &Stage) {
    let ask = |kind, key: &str| registration(&stage.ana, kind, key);
    let cases = [
        (ask(PixKeyKind::Unspecified, "a@example.com"), invalid("key_kind_unknown", "kind")),
        (ask(PixKeyKind::Cpf, ""), invalid("key_empty", "key")),
        (ask(PixKeyKind::Cpf, "12345678901"), invalid("cpf_check_digit", "key")),
        (ask(PixKeyKind::Cpf, "529.982.247-25"), invalid("cpf_shape", "key")),
        (ask(PixKeyKind::Cpf, &people::cpf()), invalid("key_of_another_person", "key")),
        (ask(PixKeyKind::Cnpj, &people::cnpj()), invalid("key_of_another_person", "key")),
        (ask(PixKeyKind::Email, "Ana@example.com"), invalid("email_upper_case", "key")),
        (ask(PixKeyKind::Email, "ana"), invalid("email_shape", "key")),
        (ask(PixKeyKind::Phone, "5511"), invalid("phone_shape", "key")),
        (ask(PixKeyKind::Evp, NOBODY), invalid("evp_key_given", "key")),
        (
            RegisterKeyRequest { account_id: NOBODY.into(), ..ask(PixKeyKind::Evp, "") },
            not_found("account_not_found", "account_id"),
        ),
        (
            RegisterKeyRequest { account_id: "x".into(), ..ask(PixKeyKind::Evp, "") },
            invalid("account_id_shape", "account_id"),
        ),
        (
            RegisterKeyRequest { request_id: String::new(), ..ask(PixKeyKind::Evp, "") },
            invalid("idempotency_key_shape", "request_id"),
        ),
    ];
    for (asked, expected) in cases {
        let answer = stage.scene.directory.pix_keys().register_key(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removals_and_repeats_with_other_content() {
    let stage = Stage::set().await;
    let directory = || stage.scene.directory.pix_keys();
    let first = registration(&stage.ana, PixKeyKind::Evp, "");
    let evp = directory().register_key(first.clone()).await.unwrap().into_inner().entry.unwrap();
    let remove = |key: &str, account_id: &str| RemoveKeyRequest {
        request_id: unique("remove"),
        key: key.to_owned(),
        account_id: account_id.to_owned(),
        reason: 0,
    };
    let removal = remove(&evp.key, &stage.ana.id);
    let once = directory().remove_key(removal.clone()).await.unwrap().into_inner();
    assert_eq!(directory().remove_key(removal.clone()).await.unwrap().into_inner(), once);
    stage
        .without_a_trace(async |stage: &Stage| {
            let missing = not_found("key_not_found", "key");
            let reused = exists("idempotency_key_reused", "request_id");
            let cases = [
                (remove(&evp.key, &stage.ana.id), missing.clone()),
                (remove("nobody@example.com", &stage.ana.id), missing.clone()),
                (remove(&stage.bia_key, &stage.ana.id), missing),
                (remove("?", &stage.ana.id), invalid("key_shape", "key")),
                (
                    RemoveKeyRequest { reason: 99, ..remove(&stage.ana_key, &stage.ana.id) },
                    invalid("removal_reason_unknown", "reason"),
                ),
                (RemoveKeyRequest { key: stage.ana_key.clone(), ..removal }, reused.clone()),
            ];
            for (asked, expected) in cases {
                let answer = stage.scene.directory.pix_keys().remove_key(asked.clone()).await;
                assert_eq!(refused(answer), expected, "{asked:?}");
            }
            let other = RegisterKeyRequest {
                kind: PixKeyKind::Email.into(),
                key: format!("{}@example.com", unique("other")),
                ..first
            };
            let answer = stage.scene.directory.pix_keys().register_key(other).await;
            assert_eq!(refused(answer), reused);
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_and_enrolments() {
    let stage = Stage::set().await;
    stage
        .without_a_trace(async |stage: &Stage| {
            look_up(stage).await;
            enrol_accounts(stage).await;
        })
        .await;
}

async fn look_up(stage: &Stage) {
    let directory = || stage.scene.directory.pix_keys();
    let right = || FindKeyRequest {
        key: stage.bia_key.clone(),
        requester_ispb: stage.ana.ispb.clone(),
        payer_tax_id: String::new(),
        end_to_end_id: String::new(),
    };
    let cases = [
        (
            FindKeyRequest { key: "nobody@example.com".into(), ..right() },
            not_found("key_not_found", "key"),
        ),
        (FindKeyRequest { key: "?".into(), ..right() }, invalid("key_shape", "key")),
        (
            FindKeyRequest { requester_ispb: String::new(), ..right() },
            invalid("requester_ispb_missing", "requester_ispb"),
        ),
        (
            FindKeyRequest { requester_ispb: "1".into(), ..right() },
            invalid("ispb_shape", "requester_ispb"),
        ),
        (
            FindKeyRequest { payer_tax_id: "1".into(), ..right() },
            invalid("tax_id_length", "payer_tax_id"),
        ),
        (
            FindKeyRequest { end_to_end_id: "E1".into(), ..right() },
            invalid("end_to_end_id_length", "end_to_end_id"),
        ),
    ];
    for (asked, expected) in cases {
        let answer = directory().find_key(asked.clone()).await;
        if expected.reason == "key_not_found" {
            let said = answer.as_ref().unwrap_err().message();
            assert_eq!(said, "no key was found", "programs compare this text");
        }
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
    let missing = not_found("account_not_found", "account_id");
    let asked = FindAccountRequest { account_id: NOBODY.into() };
    assert_eq!(refused(directory().find_account(asked).await), missing);
    let asked = ListKeysRequest { account_id: NOBODY.into() };
    assert_eq!(refused(directory().list_keys(asked).await), missing);
}

async fn enrol_accounts(stage: &Stage) {
    let tax_id = people::cpf();
    let right = || EnrolAccountRequest {
        account_id: NOBODY.to_owned(),
        ispb: stage.bia.ispb.clone(),
        branch: "0001".to_owned(),
        number: "77".to_owned(),
        owner_name: "Hugo Dias".to_owned(),
        owner_tax_id: tax_id.clone(),
    };
    let cases = [
        (
            EnrolAccountRequest { ispb: "00000077".into(), ..right() },
            not_found("participant_not_found", "ispb"),
        ),
        (EnrolAccountRequest { ispb: "7".into(), ..right() }, invalid("ispb_shape", "ispb")),
        (
            EnrolAccountRequest { account_id: stage.bia.id.clone(), ..right() },
            exists("account_id_taken", "account_id"),
        ),
        (
            EnrolAccountRequest { account_id: "x".into(), ..right() },
            invalid("account_id_shape", "account_id"),
        ),
        (
            EnrolAccountRequest { branch: "main".into(), ..right() },
            invalid("branch_shape", "branch"),
        ),
        (
            EnrolAccountRequest { number: "1-1".into(), ..right() },
            invalid("account_number_shape", "number"),
        ),
        (
            EnrolAccountRequest { owner_name: String::new(), ..right() },
            invalid("owner_name_shape", "owner_name"),
        ),
        (
            EnrolAccountRequest { owner_tax_id: "1".into(), ..right() },
            invalid("tax_id_length", "owner_tax_id"),
        ),
    ];
    for (asked, expected) in cases {
        let answer = stage.scene.directory.pix_keys().enrol_account(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
}
