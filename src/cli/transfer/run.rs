//! What the words of `codepix transfer` do.

use std::time::Duration;

use anyhow::Context as _;

use super::command::{
    AcknowledgeCredit, HubState, ListTransfers, OneTransfer, Outcome, ResolveTransfer,
    SendTransfer, TransferCommand, TransferId,
};
use super::life_cycle::{LifeCycle as _, Timeline};
use super::view::{
    BankTransfer, BankTransfers, HubTransfer, HubTransfers, ReasonView, SentTransfer,
};
use super::watch::{FromBank, FromHub, Watch};
use crate::cli::output::Output;
use crate::client::banking::RequestTransferRequest;
use crate::client::transfers::TransferState;
use crate::client::{ClientError, ClientOptions, Hub, Page, banking, collect_pages, transfers};

/// Most characters of a description.
const DESCRIPTION_LENGTH_MAX: usize = 140;
/// How long an order may be on its way from the bank to the hub.
const ORDER_PATIENCE: Duration = Duration::from_mins(1);
/// How long a transfer that is watched by its id may be unknown.
const WATCH_PATIENCE: Duration = Duration::from_secs(3);
/// What no hub of ours does.
const MISSING: &str = "the hub answered without the transfer";

/// Runs `codepix transfer`.
///
/// # Errors
/// [`ClientError`] when the hub refuses or does not answer, or when a watched transfer that was
/// sent did not happen.
pub async fn run(
    command: TransferCommand,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<()> {
    match command {
        TransferCommand::Send(order) => {
            check_description(&order.description)?;
            send(&client.connect().await?, order, output).await
        }
        TransferCommand::Show(which) => show(&client.connect().await?, which, output).await,
        TransferCommand::List(which) => list(&client.connect().await?, which, output).await,
        TransferCommand::Watch(which) => watch(&client.connect().await?, which, output).await,
        TransferCommand::Resolve(wanted) => resolve(&client.connect().await?, wanted, output).await,
        TransferCommand::Acknowledge(wanted) => {
            acknowledge(&client.connect().await?, wanted, output).await
        }
    }
}

async fn resolve(hub: &Hub, wanted: ResolveTransfer, output: &Output) -> anyhow::Result<()> {
    let resolution = match wanted.outcome {
        Outcome::Credited => transfers::Resolution::Credited,
        Outcome::Refused => transfers::Resolution::Refused,
    };
    let (end_to_end_id, order_id) = wanted.id.on_the_wire();
    let request = transfers::ResolveTransferRequest {
        end_to_end_id,
        order_id,
        resolution: resolution.into(),
        reason: wanted.reason,
    };
    let answer = hub.answer(hub.transfers().resolve_transfer(request).await)?;
    output.show(&HubTransfer::from(answer.transfer.context(MISSING)?))
}

async fn acknowledge(hub: &Hub, wanted: AcknowledgeCredit, output: &Output) -> anyhow::Result<()> {
    let (end_to_end_id, order_id) = wanted.id.on_the_wire();
    let reason = wanted.reason;
    let request = transfers::AcknowledgeCreditRequest { end_to_end_id, order_id, reason };
    let answer = hub.answer(hub.transfers().acknowledge_credit(request).await)?;
    let transfer = HubTransfer::from(answer.transfer.context(MISSING)?);
    output.show(&transfer.resolved(answer.resolution))
}

/// The id from end to end of a transfer that may be named otherwise.
async fn end_to_end_id(hub: &Hub, id: TransferId) -> anyhow::Result<String> {
    let (end_to_end_id, order_id) = id.on_the_wire();
    if order_id.is_empty() {
        return Ok(end_to_end_id);
    }
    let request = transfers::GetTransferRequest { end_to_end_id, order_id };
    let answer = hub.answer(hub.transfers().get_transfer(request).await)?;
    Ok(answer.transfer.context(MISSING)?.end_to_end_id)
}

fn check_description(text: &str) -> Result<(), ClientError> {
    if text.chars().count() <= DESCRIPTION_LENGTH_MAX {
        return Ok(());
    }
    let sentence = format!("a description has at most {DESCRIPTION_LENGTH_MAX} characters");
    Err(ClientError::usage("description_too_long", "description", sentence))
}

async fn send(hub: &Hub, order: SendTransfer, output: &Output) -> anyhow::Result<()> {
    let idempotency_key = order.idempotency.key();
    let request = RequestTransferRequest {
        idempotency_key: idempotency_key.clone(),
        account_id: order.from.to_string(),
        payee_key: order.key,
        amount_centavos: order.amount.centavos(),
        description: order.description,
    };
    let answer = hub.answer(hub.banking().request_transfer(request).await);
    let answer = answer.map_err(|error| error.with_key(&idempotency_key))?;
    let transfer = answer.transfer.context(MISSING)?;
    let sent = SentTransfer { idempotency_key, transfer: transfer.into() };
    output.show(&sent)?;
    if order.watch { follow_sent(hub, &sent.transfer, output).await } else { Ok(()) }
}

/// Follows an order of our own to its end, which decides over the exit code.
async fn follow_sent(hub: &Hub, sent: &BankTransfer, output: &Output) -> anyhow::Result<()> {
    output.line("")?;
    let mut timeline = Timeline::default();
    for line in timeline.advance(sent, output.paint()) {
        output.line(&line)?;
    }
    if sent.is_final() {
        return happened(&sent.state, sent.reason.as_ref());
    }
    let watch = Watch { hub, output, timeline, patience: ORDER_PATIENCE };
    let last = watch.follow(&FromHub(sent.end_to_end_id.clone())).await?;
    happened(&last.state, last.reason.as_ref())
}

/// An error unless the money moved.
fn happened(state: &str, reason: Option<&ReasonView>) -> anyhow::Result<()> {
    let code = match state {
        "rejected" => "transfer_rejected",
        "expired" => "transfer_expired",
        _ => return Ok(()),
    };
    let why = reason.map_or_else(String::new, |reason| format!(": {}", reason.in_words()));
    Err(ClientError::refused(code, None, format!("the transfer was {state}{why}")).into())
}

async fn show(hub: &Hub, which: OneTransfer, output: &Output) -> anyhow::Result<()> {
    if let Some(account) = which.account {
        let end_to_end_id = end_to_end_id(hub, which.id).await?;
        let request =
            banking::GetTransferRequest { end_to_end_id, account_id: account.to_string() };
        let answer = hub.answer(hub.banking().get_transfer(request).await)?;
        return output.show(&BankTransfer::from(answer.transfer.context(MISSING)?));
    }
    let (end_to_end_id, order_id) = which.id.on_the_wire();
    let request = transfers::GetTransferRequest { end_to_end_id, order_id };
    let answer = hub.answer(hub.transfers().get_transfer(request).await)?;
    let transfer = HubTransfer::from(answer.transfer.context(MISSING)?);
    output.show(&transfer.resolved(answer.resolution))
}

async fn list(hub: &Hub, which: ListTransfers, output: &Output) -> anyhow::Result<()> {
    if let Some(account) = which.account {
        let found = collect_pages(which.limit, async |page_size, page_token| {
            let account_id = account.to_string();
            let request = banking::ListTransfersRequest { account_id, page_size, page_token };
            let page = hub.answer(hub.banking().list_transfers(request).await)?;
            Ok(Page { entries: page.transfers, next: page.next_page_token })
        });
        let transfers = found.await?.into_iter().map(Into::into).collect();
        return output.show(&BankTransfers { transfers });
    }
    let ispb = which.bank.map(|bank| bank.to_string()).unwrap_or_default();
    let state = which.state.map_or(TransferState::Unspecified, HubState::on_the_wire);
    let found = collect_pages(which.limit, async |page_size, page_token| {
        let ispb = ispb.clone();
        let request =
            transfers::ListTransfersRequest { ispb, state: state.into(), page_size, page_token };
        let page = hub.answer(hub.transfers().list_transfers(request).await)?;
        Ok(Page { entries: page.transfers, next: page.next_page_token })
    });
    let transfers = found.await?.into_iter().map(Into::into).collect();
    output.show(&HubTransfers { transfers })
}

async fn watch(hub: &Hub, which: OneTransfer, output: &Output) -> anyhow::Result<()> {
    let watch = Watch { hub, output, timeline: Timeline::default(), patience: WATCH_PATIENCE };
    let end_to_end_id = end_to_end_id(hub, which.id).await?;
    match which.account {
        Some(account) => {
            let account_id = account.to_string();
            watch.follow(&FromBank { end_to_end_id, account_id }).await.map(drop)
        }
        None => watch.follow(&FromHub(end_to_end_id)).await.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_counted_in_characters() {
        assert!(check_description(&"ç".repeat(140)).is_ok());
        let refusal = check_description(&"ç".repeat(141)).unwrap_err();
        assert_eq!(refusal.code(), "description_too_long");
    }

    #[test]
    fn a_sent_transfer_that_did_not_happen_is_a_failure() {
        let reason = ReasonView { code: "AB03".to_owned(), sentence: "Too late.".to_owned() };
        let failure = happened("expired", Some(&reason)).unwrap_err();
        assert_eq!(failure.to_string(), "the transfer was expired: Too late. (AB03)");
        assert!(happened("completed", None).is_ok());
        assert!(happened("settled", None).is_ok());
    }
}
