//! What the words of `codepix key` do.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use super::command::{FindKey, KeyCommand, KeyKind, RegisterKey, RemoveKey};
use super::view::{EntryList, EntryView, RemovedKey};
use crate::cli::output::Output;
use crate::client::banking::ListBanksRequest;
use crate::client::pix_keys::{
    FindKeyRequest, ListKeysRequest, RegisterKeyRequest, RegisterKeyResponse, RemoveKeyRequest,
};
use crate::client::{ClientError, ClientOptions, Hub};

/// How long the directory may take to hear of an account that was just opened.
const ACCOUNT_WAIT: Duration = Duration::from_secs(3);
/// Pause between two tries.
const ACCOUNT_PAUSE: Duration = Duration::from_millis(100);

/// Runs `codepix key`.
///
/// # Errors
/// [`ClientError`] when the hub refuses or does not answer.
pub async fn run(
    command: KeyCommand,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<()> {
    let hub = client.connect().await?;
    match command {
        KeyCommand::Register(wanted) => output.show(&register(&hub, wanted).await?),
        KeyCommand::Find(wanted) => output.show(&find(&hub, wanted).await?),
        KeyCommand::List(which) => {
            let request = ListKeysRequest { account_id: which.account.to_string() };
            let found = hub.answer(hub.pix_keys().list_keys(request).await)?;
            output.show(&EntryList { keys: found.entries.into_iter().map(Into::into).collect() })
        }
        KeyCommand::Remove(which) => output.show(&remove(&hub, which).await?),
    }
}

async fn register(hub: &Hub, wanted: RegisterKey) -> anyhow::Result<EntryView> {
    let command_key = wanted.idempotency.key();
    let kind = wanted.kind.or_else(|| wanted.key.as_deref().map(KeyKind::of));
    let request = RegisterKeyRequest {
        request_id: command_key.clone(),
        kind: kind.unwrap_or(KeyKind::Evp).on_the_wire().into(),
        key: wanted.key.unwrap_or_default(),
        account_id: wanted.account.to_string(),
    };
    let answer = register_patiently(hub, request).await;
    let answer = answer.map_err(|error| error.with_key(&command_key))?;
    Ok(answer.entry.context("the hub answered without the key")?.into())
}

/// Registers a key. The directory hears of a new account from the log, a moment after the bank
/// opened it: so long, `account_not_found` is asked again.
pub(in crate::cli) async fn register_patiently(
    hub: &Hub,
    request: RegisterKeyRequest,
) -> Result<RegisterKeyResponse, ClientError> {
    let started = Instant::now();
    loop {
        match hub.answer(hub.pix_keys().register_key(request.clone()).await) {
            Err(error)
                if error.code() == "account_not_found" && started.elapsed() < ACCOUNT_WAIT =>
            {
                sleep(ACCOUNT_PAUSE).await;
            }
            answered => return answered,
        }
    }
}

async fn find(hub: &Hub, wanted: FindKey) -> anyhow::Result<EntryView> {
    let requester_ispb = match wanted.bank {
        Some(bank) => bank.to_string(),
        None if hub.has_token() => String::new(),
        None => first_bank(hub).await?,
    };
    let request = FindKeyRequest { key: wanted.key, requester_ispb, ..FindKeyRequest::default() };
    let answer = hub.answer(hub.pix_keys().find_key(request).await)?;
    Ok(answer.entry.context("the hub answered without the key")?.into())
}

/// The bank in whose name an operator on loopback asks; none where the hub keeps no banks.
async fn first_bank(hub: &Hub) -> Result<String, ClientError> {
    match hub.answer(hub.banking().list_banks(ListBanksRequest {}).await) {
        Ok(known) => Ok(known.banks.into_iter().map(|bank| bank.ispb).next().unwrap_or_default()),
        Err(error) if error.code() == "not_served_here" => Ok(String::new()),
        Err(error) => Err(error),
    }
}

async fn remove(hub: &Hub, which: RemoveKey) -> Result<RemovedKey, ClientError> {
    let command_key = which.idempotency.key();
    let request = RemoveKeyRequest {
        request_id: command_key.clone(),
        key: which.key,
        account_id: which.account.to_string(),
        reason: which.reason.on_the_wire().into(),
    };
    let answer = hub.answer(hub.pix_keys().remove_key(request).await);
    Ok(answer.map_err(|error| error.with_key(&command_key))?.into())
}
