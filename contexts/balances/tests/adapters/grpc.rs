//! The context asked over gRPC.

use balances::infrastructure::FILE_DESCRIPTOR_SET;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::bank::{ISPB, World, account};
use crate::process::{BANK, OPERATOR, OTHER, Process};

/// Code of the status, reason and domain of its `ErrorInfo`, field of its `BadRequest`.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String, String) {
    let status = answer.unwrap_err();
    let details = status.get_error_details();
    let info = details.error_info().expect("every refusal has a reason");
    assert_eq!(info.domain, "codepix");
    let fields = details.bad_request().map(|it| it.field_violations.clone()).unwrap_or_default();
    assert!(fields.iter().all(|field| field.description == status.message()));
    let field = fields.into_iter().map(|field| field.field).collect();
    (status.code(), info.reason.clone(), field)
}

fn expected(code: Code, reason: &str, field: &str) -> (Code, String, String) {
    (code, reason.into(), field.into())
}

#[tokio::test]
async fn a_balance_is_served_a_moment_after_its_event() {
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    world.servers.write(&[world.stated(account(1), 1), world.stated(account(1), 2)]).await;
    let balance = process.arrived(account(1), 2).await;
    let updated_at = balance.updated_at.unwrap();
    assert_eq!((balance.account_id, balance.ispb), (account(1).to_string(), ISPB.into()));
    assert_eq!(balance.owner_name, "Ana");
    let centavos = [balance.available_centavos, balance.held_centavos, balance.total_centavos];
    assert_eq!(centavos, [200, 2, 202]);
    // 2026-11-20T12:00:02Z
    assert_eq!((updated_at.seconds, updated_at.nanos), (1_795_176_002, 0));
    process.stop().await;
}

#[tokio::test]
async fn a_bank_sees_its_own_accounts_and_the_operator_sees_all() {
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    let other = world.stated_by("00000002", account(9), 1);
    world.servers.write(&[world.stated(account(1), 1), other]).await;
    for number in [1, 9] {
        process.arrived(account(number), 1).await;
    }
    assert_eq!(process.get(BANK, account(1)).await.unwrap().ispb, ISPB);
    let denied = |field| expected(Code::PermissionDenied, "caller_may_not_act_for_bank", field);
    let hidden = expected(Code::NotFound, "balance_unknown", "account_id");
    assert_eq!(refusal(process.get(BANK, account(9)).await), hidden);
    assert_eq!(refusal(process.list(BANK, "00000002", 0, "").await), denied("ispb"));
    let own = process.list(OTHER, "00000002", 0, "").await.unwrap();
    assert_eq!(own.balances[0].account_id, account(9).to_string());
    assert_eq!(own.balances.len(), 1);
    let missing = expected(Code::Unauthenticated, "token_missing", "authorization");
    assert_eq!(refusal(process.get("", account(1)).await), missing);
    let unknown = expected(Code::Unauthenticated, "token_unknown", "authorization");
    assert_eq!(refusal(process.list("whoever-that-may-be", ISPB, 0, "").await), unknown);
    process.stop().await;
}

#[tokio::test]
async fn pages_follow_each_other_and_refusals_name_their_field() {
    let world = World::fresh().await;
    let process = Process::start(&world.servers).await;
    let records: Vec<_> = (1..=5).map(|number| world.stated(account(number), 1)).collect();
    world.servers.write(&records).await;
    for number in 1..=5 {
        process.arrived(account(number), 1).await;
    }
    let (mut token, mut pages) = (String::new(), Vec::new());
    loop {
        let page = process.list(BANK, ISPB, 2, &token).await.unwrap();
        pages.push(page.balances.len());
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [2, 2, 1]);
    let invalid = |reason, field| expected(Code::InvalidArgument, reason, field);
    let size = process.list(OPERATOR, ISPB, 201, "").await;
    assert_eq!(refusal(size), invalid("page_size_range", "page_size"));
    let token = process.list(OPERATOR, ISPB, 1, "two").await;
    assert_eq!(refusal(token), invalid("page_token_shape", "page_token"));
    assert_eq!(refusal(process.list(OPERATOR, "1", 1, "").await), invalid("ispb_shape", "ispb"));
    let shape = process.get(OPERATOR, "account 1").await;
    assert_eq!(refusal(shape), invalid("account_id_shape", "account_id"));
    let unknown = expected(Code::NotFound, "balance_unknown", "account_id");
    assert_eq!(refusal(process.get(OPERATOR, account(77)).await), unknown);
    process.stop().await;
}

#[tokio::test]
async fn two_processes_share_the_work_and_either_answers() {
    let world = World::fresh().await;
    let (first, second) =
        tokio::join!(Process::start(&world.servers), Process::start(&world.servers));
    let write = async |version| {
        let records: Vec<_> =
            (1..=20).map(|number| world.stated(account(number), version)).collect();
        world.servers.write(&records).await;
    };
    write(1).await;
    for number in 1..=20 {
        first.arrived(account(number), 1).await;
    }
    first.stop().await;
    write(2).await;
    for number in 1..=20 {
        second.arrived(account(number), 2).await;
    }
    second.stop().await;
    assert_eq!(world.gaps().await, []);
    assert_eq!(world.dead_letters().await, []);
}

#[tokio::test]
async fn reflection_describes_the_service() {
    let text = String::from_utf8_lossy(FILE_DESCRIPTOR_SET);
    assert!(text.contains("codepix.balances.v1") && text.contains("BalancesService"));
}
