//! Accounts, keys and money of a bench: made once, found again by the next run.
//!
//! Names follow from numbers, so that a run needs no memory of the one before; what exists is left
//! as it is. An account has at most [`KEYS_PER_ACCOUNT`] keys, as the rules of the directory say.
//! Bound: `TASKS_MAX` calls at once.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use shared_kernel::domain::{AccountId, Ispb, TaxId};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::cli::key::register_patiently;
use crate::cli::output::Output;
use crate::client::banking::{DepositRequest, GetAccountRequest, OpenAccountRequest};
use crate::client::pix_keys::{ListKeysRequest, PixKeyKind, RegisterKeyRequest};
use crate::client::{ClientError, ClientOptions, Hub};

/// Keys of one account: what a natural person may have.
const KEYS_PER_ACCOUNT: u32 = 5;
/// Calls at once.
const TASKS_MAX: usize = 64;
/// How long a hub may be away before the preparation gives up.
const ABSENCE_MAX: Duration = Duration::from_secs(30);
/// Pause before a call is repeated.
const PAUSE: Duration = Duration::from_millis(200);
/// First nine digits of the tax id of the first owner.
const TAX_ID_ROOT: u32 = 700_000_000;
/// Namespace of the ids of these accounts.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b0f_7a52_3f0c_4c7e_9a8e_2d51_c0de_be0c);

/// An account of a bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BenchAccount {
    pub(super) id: AccountId,
    pub(super) bank: Ispb,
    number: u32,
    keys: u32,
}

impl BenchAccount {
    fn new(bank: Ispb, number: u32, keys: u32) -> Self {
        let name = format!("{bank}/{number}");
        let id = AccountId::from_uuid(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
        Self { id, bank, number, keys }
    }

    /// Its keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        (0..self.keys).map(|key| self.key(key))
    }

    /// The key that payers use.
    pub(super) fn key(&self, key: u32) -> String {
        let bank = self.bank.as_str().to_ascii_lowercase();
        format!("bench-{bank}-{}-{key}@codepix.example", self.number)
    }
}

/// `count` accounts with a key each, the banks in turn; rounded up so that each bank has as many.
pub(super) fn paying(banks: &[Ispb], count: u32) -> Vec<BenchAccount> {
    let share = usize::try_from(count).unwrap_or(usize::MAX).div_ceil(banks.len().max(1));
    let numbers = 0..u32::try_from(share).unwrap_or(u32::MAX);
    numbers
        .flat_map(|number| banks.iter().map(move |bank| BenchAccount::new(*bank, number, 1)))
        .collect()
}

/// Accounts with `count` keys in all, the banks in turn.
pub(super) fn keyed(banks: &[Ispb], count: u32) -> Vec<BenchAccount> {
    let mut accounts = Vec::new();
    let mut missing = count;
    let places = (0..count).flat_map(|number| banks.iter().map(move |bank| (*bank, number)));
    for (bank, number) in places {
        if missing == 0 {
            break;
        }
        let keys = missing.min(KEYS_PER_ACCOUNT);
        missing = missing.saturating_sub(keys);
        accounts.push(BenchAccount::new(bank, number, keys));
    }
    accounts
}

/// A valid CPF for the owner of that number.
fn tax_id(number: u32) -> Option<TaxId> {
    let root = TAX_ID_ROOT.checked_add(number)?;
    (0..100).find_map(|digits| TaxId::parse(&format!("{root:09}{digits:02}")).ok())
}

/// Connections to the hub, used in turn.
#[derive(Clone, Debug)]
pub(super) struct Hubs(Vec<Hub>);

impl Hubs {
    /// Opens so many.
    pub(super) async fn connect(client: &ClientOptions, count: u16) -> Result<Self, ClientError> {
        let mut hubs = vec![client.connect().await?];
        while hubs.len() < usize::from(count) {
            hubs.push(client.connect().await?);
        }
        Ok(Self(hubs))
    }

    /// The connection of a turn.
    pub(super) fn turn(&self, turn: u64) -> Option<&Hub> {
        let count = u64::try_from(self.0.len()).ok()?;
        self.0.get(usize::try_from(turn.checked_rem(count)?).ok()?)
    }
}

/// Makes what is missing: accounts, keys, and `centavos` in each account.
pub(super) async fn prepare(
    hubs: &Hubs,
    accounts: &[BenchAccount],
    centavos: i64,
    output: &Output,
) -> anyhow::Result<()> {
    let bar = output.progress(u64::try_from(accounts.len()).unwrap_or(u64::MAX), "preparing");
    let tasks = (0_u64..).zip(accounts).filter_map(|(turn, account)| {
        let hub = hubs.turn(turn)?;
        Some(prepare_one(hub, account, centavos))
    });
    let mut prepared = futures::stream::iter(tasks).buffer_unordered(TASKS_MAX);
    while let Some(()) = prepared.try_next().await? {
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

async fn prepare_one(hub: &Hub, account: &BenchAccount, centavos: i64) -> anyhow::Result<()> {
    let known = patiently(|| known_keys(hub, account)).await?;
    let missing: Vec<String> = account.keys().filter(|key| !known.contains(key)).collect();
    if missing.is_empty() && centavos == 0 {
        return Ok(());
    }
    let available = patiently(|| present_or_open(hub, account)).await?;
    for key in missing {
        let request = RegisterKeyRequest {
            request_id: Uuid::new_v5(&NAMESPACE, key.as_bytes()).to_string(),
            kind: PixKeyKind::Email.into(),
            key,
            account_id: account.id.to_string(),
        };
        patiently(|| register_patiently(hub, request.clone())).await?;
    }
    if available < centavos {
        deposit(hub, account.id.to_string(), centavos).await?;
    }
    Ok(())
}

/// The keys that the directory knows of the account; none of one that it has not heard of.
async fn known_keys(hub: &Hub, account: &BenchAccount) -> Result<Vec<String>, ClientError> {
    let request = ListKeysRequest { account_id: account.id.to_string() };
    match hub.answer(hub.pix_keys().list_keys(request).await) {
        Ok(listed) => Ok(listed.entries.into_iter().map(|entry| entry.key).collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What is available in the account, which is opened if it is not there.
async fn present_or_open(hub: &Hub, account: &BenchAccount) -> Result<i64, ClientError> {
    let account_id = account.id.to_string();
    let request = GetAccountRequest { account_id: account_id.clone() };
    let found = match hub.answer(hub.banking().get_account(request).await) {
        Ok(found) => found.account,
        Err(error) if error.is_not_found() => {
            let owner_tax_id = tax_id(account.number).map(|id| id.as_str().to_owned());
            let request = OpenAccountRequest {
                idempotency_key: format!("bench-open-{account_id}"),
                ispb: account.bank.to_string(),
                owner_name: format!("Bench {}", account.number),
                owner_tax_id: owner_tax_id.unwrap_or_default(),
                account_id,
                ..OpenAccountRequest::default()
            };
            hub.answer(hub.banking().open_account(request).await)?.account
        }
        Err(error) => return Err(error),
    };
    Ok(found.map(|account| account.available_centavos).unwrap_or_default())
}

async fn deposit(hub: &Hub, account_id: String, centavos: i64) -> Result<(), ClientError> {
    let idempotency_key = crate::client::IdempotencyOptions::default().key();
    let request = DepositRequest { idempotency_key, account_id, amount_centavos: centavos };
    let call = || async { hub.answer(hub.banking().deposit(request.clone()).await).map(drop) };
    patiently(call).await
}

/// Repeats a call that is safe to repeat, while its answer may still come.
pub(super) async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let started = Instant::now();
    loop {
        match call().await {
            Err(error) if error.may_pass() && started.elapsed() < ABSENCE_MAX => {
                sleep(PAUSE).await;
            }
            answered => return answered,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn banks() -> Vec<Ispb> {
        ["00000001", "0000NLB2"].map(|text| Ispb::parse(text).unwrap()).into()
    }

    #[test]
    fn a_second_run_plans_the_same_accounts() {
        assert_eq!(paying(&banks(), 100), paying(&banks(), 100));
        let few: BTreeSet<_> = paying(&banks(), 10).into_iter().map(|it| it.id).collect();
        let many: BTreeSet<_> = paying(&banks(), 100).into_iter().map(|it| it.id).collect();
        assert!(few.is_subset(&many));
        assert_eq!(many.len(), 100);
    }

    #[test]
    fn every_bank_has_as_many_accounts() {
        let accounts = paying(&banks(), 7);
        assert_eq!(accounts.len(), 8);
        assert!(accounts.chunks(2).all(|pair| pair[0].bank != pair[1].bank));
    }

    #[test]
    fn keys_are_spread_five_to_an_account() {
        let accounts = keyed(&banks(), 12);
        let keys: BTreeSet<String> = accounts.iter().flat_map(BenchAccount::keys).collect();
        assert_eq!((accounts.len(), keys.len()), (3, 12));
        assert!(keys.contains("bench-0000nlb2-0-4@codepix.example"), "{keys:?}");
        assert!(keyed(&[], 12).is_empty());
    }

    #[test]
    fn every_owner_has_a_valid_tax_id() {
        for number in [0, 1, 77_777, 99_999_999] {
            assert!(tax_id(number).is_some(), "{number}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_repeated() {
        let calls = std::cell::Cell::new(0);
        let refused = patiently(|| async {
            calls.set(calls.get() + 1);
            Err::<(), _>(ClientError::refused("bank_not_found", None, "no such bank"))
        });
        assert!(refused.await.is_err());
        assert_eq!(calls.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hub_that_is_away_is_asked_again_for_a_while() {
        let calls = std::cell::Cell::new(0);
        let away = patiently(|| async {
            calls.set(calls.get() + 1);
            let status = tonic::Status::unavailable("connection refused");
            if calls.get() < 10 {
                Err(ClientError::of_status("http://hub", &status))
            } else {
                Ok(7)
            }
        });
        assert_eq!(away.await.unwrap(), 7);
    }
}
