//! Accounts and cash.

use codepix::client::banking::{
    BlockAccountRequest, DepositRequest, GetAccountRequest, GetStatementRequest,
    GetTransferRequest, ListAccountsRequest, ListTransfersRequest, OpenAccountRequest,
    SetAccountLimitsRequest, UnblockAccountRequest, WithdrawRequest,
};

use super::{NOBODY, Stage, exists, invalid, not_found, not_now};
use crate::support::scene::opening;
use crate::support::{people, refused, unique};

/// A transfer that never was.
const NEVER: &str = "E0000000120260101120000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn openings() {
    let stage = Stage::set().await;
    stage.without_a_trace(open_accounts).await;
}

async fn open_accounts(stage: &Stage) {
    let bank = &stage.ana.ispb;
    let right = || opening(bank, "Nina Alves", people::cpf());
    let taken = stage.scene.now(&stage.ana).await.number;
    let ana = stage.ana.id.clone();
    let text = |text: &str| text.to_owned();
    let cases = [
        (OpenAccountRequest { ispb: text("1"), ..right() }, invalid("ispb_shape", "ispb")),
        (
            OpenAccountRequest { ispb: text("00000077"), ..right() },
            not_found("bank_not_hosted", "ispb"),
        ),
        (
            OpenAccountRequest { owner_name: text(" "), ..right() },
            invalid("owner_name_shape", "owner_name"),
        ),
        (
            OpenAccountRequest { owner_tax_id: text("123"), ..right() },
            invalid("tax_id_length", "owner_tax_id"),
        ),
        (
            OpenAccountRequest { owner_tax_id: text("12345678901"), ..right() },
            invalid("cpf_check_digit", "owner_tax_id"),
        ),
        (
            OpenAccountRequest { owner_tax_id: text("11222333000150"), ..right() },
            invalid("cnpj_check_digit", "owner_tax_id"),
        ),
        (OpenAccountRequest { branch: text("x"), ..right() }, invalid("branch_shape", "branch")),
        (
            OpenAccountRequest { number: text("12-3"), ..right() },
            invalid("account_number_shape", "number"),
        ),
        (OpenAccountRequest { number: taken, ..right() }, exists("account_number_taken", "number")),
        (
            OpenAccountRequest { account_id: text("x"), ..right() },
            invalid("account_id_shape", "account_id"),
        ),
        (
            OpenAccountRequest { account_id: ana, ..right() },
            exists("account_id_taken", "account_id"),
        ),
        (
            OpenAccountRequest { idempotency_key: String::new(), ..right() },
            invalid("idempotency_key_shape", "idempotency_key"),
        ),
        (
            OpenAccountRequest { idempotency_key: "k".repeat(129), ..right() },
            invalid("idempotency_key_shape", "idempotency_key"),
        ),
    ];
    for (asked, expected) in cases {
        let answer = stage.scene.bank(bank).open_account(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cash() {
    let stage = Stage::set().await;
    stage.without_a_trace(move_cash).await;
}

async fn move_cash(stage: &Stage) {
    let ana = &stage.ana.id;
    let cases = [
        (ana.as_str(), 0, invalid("amount_out_of_range", "amount_centavos")),
        (ana, -1, invalid("amount_out_of_range", "amount_centavos")),
        (ana, 1_000_000_000_000, invalid("amount_out_of_range", "amount_centavos")),
        ("x", 1, invalid("account_id_shape", "account_id")),
        (NOBODY, 1, not_found("account_not_found", "account_id")),
        (&stage.blocked.id, 1, not_now("account_blocked", "account_id")),
        (&stage.closed.id, 1, not_now("account_closed", "account_id")),
    ];
    for (account_id, amount_centavos, expected) in cases {
        let (account_id, key) = (account_id.to_owned(), unique("cash"));
        let asked = DepositRequest {
            idempotency_key: key.clone(),
            account_id: account_id.clone(),
            amount_centavos,
        };
        let answer = stage.scene.banking.banking().deposit(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
        let asked = WithdrawRequest { idempotency_key: key, account_id, amount_centavos };
        let answer = stage.scene.banking.banking().withdraw(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
    let withdraw = |idempotency_key: &str, amount_centavos| WithdrawRequest {
        idempotency_key: idempotency_key.to_owned(),
        account_id: ana.clone(),
        amount_centavos,
    };
    let bank = || stage.scene.bank(&stage.ana.ispb);
    let answer = bank().withdraw(withdraw(&unique("cash"), 10_001)).await;
    assert_eq!(refused(answer), not_now("insufficient_funds", "amount_centavos"));
    let answer = bank().withdraw(withdraw("", 1)).await;
    assert_eq!(refused(answer), invalid("idempotency_key_shape", "idempotency_key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_command() {
    let stage = Stage::set().await;
    let key = unique("cash");
    let bank = || stage.scene.bank(&stage.ana.ispb);
    let withdraw = |amount_centavos| WithdrawRequest {
        idempotency_key: key.clone(),
        account_id: stage.ana.id.clone(),
        amount_centavos,
    };
    let first = bank().withdraw(withdraw(100)).await.unwrap().into_inner();
    let again = bank().withdraw(withdraw(100)).await.unwrap().into_inner();
    assert_eq!(first, again);
    let deposit = DepositRequest {
        idempotency_key: key.clone(),
        account_id: stage.ana.id.clone(),
        amount_centavos: 100,
    };
    // The same key of another operation is another key.
    bank().deposit(deposit.clone()).await.unwrap();
    stage
        .without_a_trace(async |stage: &Stage| {
            let bank = || stage.scene.bank(&stage.ana.ispb);
            let reused = exists("idempotency_key_reused", "idempotency_key");
            let answer = bank().deposit(DepositRequest { amount_centavos: 101, ..deposit }).await;
            assert_eq!(refused(answer), reused);
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_and_limits() {
    let stage = Stage::set().await;
    stage.without_a_trace(change_accounts).await;
}

async fn change_accounts(stage: &Stage) {
    let bank = || stage.scene.banking.banking();
    let closed = || stage.closed.id.clone();
    let gone = not_now("account_closed", "account_id");
    let missing = not_found("account_not_found", "account_id");
    let block = |account_id| BlockAccountRequest { account_id };
    assert_eq!(refused(bank().block_account(block(closed())).await), gone);
    assert_eq!(refused(bank().block_account(block(NOBODY.into())).await), missing);
    let unblock = |account_id| UnblockAccountRequest { account_id };
    assert_eq!(refused(bank().unblock_account(unblock(closed())).await), gone);
    assert_eq!(refused(bank().unblock_account(unblock(NOBODY.into())).await), missing);
    let full = not_now("account_not_empty", "account_id");
    assert_eq!(refused(stage.scene.close(&stage.ana).await), full);
    assert_eq!(refused(stage.scene.close(&stage.blocked).await), full);

    let limits = |account_id: &str, per_transfer, per_day| SetAccountLimitsRequest {
        account_id: account_id.to_owned(),
        limit_per_transfer_centavos: per_transfer,
        limit_per_day_centavos: per_day,
    };
    let ana = &stage.ana.id;
    let cases = [
        (limits(ana, Some(-1), None), invalid("limit_negative", "limit_per_transfer_centavos")),
        (limits(ana, None, Some(-1)), invalid("limit_negative", "limit_per_day_centavos")),
        (limits(&stage.closed.id, Some(1), None), gone),
        (limits(NOBODY, Some(1), None), missing),
    ];
    for (asked, expected) in cases {
        let answer = bank().set_account_limits(asked.clone()).await;
        assert_eq!(refused(answer), expected, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions() {
    let stage = Stage::set().await;
    stage.without_a_trace(ask_the_banks).await;
}

async fn ask_the_banks(stage: &Stage) {
    let bank = || stage.scene.banking.banking();
    let (ana, nobody) = (stage.ana.id.clone(), NOBODY.to_owned());
    let missing = not_found("account_not_found", "account_id");
    let shape = invalid("account_id_shape", "account_id");
    let size = invalid("page_size_range", "page_size");
    let token = invalid("page_token_shape", "page_token");

    let get = |account_id: &str| GetAccountRequest { account_id: account_id.to_owned() };
    assert_eq!(refused(bank().get_account(get(NOBODY)).await), missing);
    assert_eq!(refused(bank().get_account(get("x")).await), shape);

    let seen_by = |id: &str, account_id: &str| GetTransferRequest {
        end_to_end_id: id.to_owned(),
        account_id: account_id.to_owned(),
    };
    let never = not_found("transfer_not_found", "end_to_end_id");
    assert_eq!(refused(bank().get_transfer(seen_by(NEVER, &ana)).await), never);
    assert_eq!(refused(bank().get_transfer(seen_by(NEVER, "x")).await), shape);
    let length = invalid("end_to_end_id_length", "end_to_end_id");
    assert_eq!(refused(bank().get_transfer(seen_by("E1", &ana)).await), length);

    for (page_size, page_token, expected) in [(201, "", &size), (-1, "", &size), (1, "x", &token)] {
        let page_token = page_token.to_owned();
        let (ispb, token) = (stage.ana.ispb.clone(), page_token.clone());
        let asked = ListAccountsRequest { ispb, page_size, page_token: token };
        assert_eq!(refused(bank().list_accounts(asked).await), *expected);
        let (account_id, token) = (ana.clone(), page_token.clone());
        let asked = ListTransfersRequest { account_id, page_size, page_token: token };
        assert_eq!(refused(bank().list_transfers(asked).await), *expected);
        let asked = GetStatementRequest { account_id: ana.clone(), page_size, page_token };
        assert_eq!(refused(bank().get_statement(asked).await), *expected);
    }
    let asked = GetStatementRequest { account_id: nobody, page_size: 0, page_token: String::new() };
    assert_eq!(refused(bank().get_statement(asked).await), missing);
}
