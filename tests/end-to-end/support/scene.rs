//! Banks, accounts, keys and transfers, asked of whichever process has them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use codepix::client::banking::banking_service_client::BankingServiceClient;
use codepix::client::{Hub, HubChannel, banking, pix_keys, transfers};
use tonic::{Code, Response, Status};

use super::{Refused, eventually, people};

/// Makes names unique within a run.
static COUNTER: AtomicU64 = AtomicU64::new(1);

/// A name that nobody else uses: idempotency keys, emails.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// An account of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// UUID.
    pub(crate) id: String,
    /// Its bank.
    pub(crate) ispb: String,
    /// Its owner.
    pub(crate) owner_name: String,
    /// The owner's CPF or CNPJ.
    pub(crate) tax_id: String,
}

/// Whom to ask for what.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// The hub proper.
    pub(crate) transfers: Hub,
    /// The directory.
    pub(crate) directory: Hub,
    /// The read side.
    pub(crate) balances: Hub,
    /// The banks.
    pub(crate) banking: Hub,
    /// Banks that run in a process of their own.
    pub(crate) own: BTreeMap<String, Hub>,
    /// What was paid in.
    deposited: Arc<AtomicI64>,
}

/// Asks again while an answer is on its way through the log, or the hub is busy.
pub(crate) async fn patiently<T>(
    not_yet: &[&str],
    ask: impl AsyncFn() -> Result<Response<T>, Status>,
) -> T {
    let answer = eventually(async || match ask().await {
        Ok(answer) => Ok(Ok(answer.into_inner())),
        Err(status) if status.code() == Code::Unavailable => Err(status),
        Err(status) if not_yet.contains(&Refused::of(&status).reason.as_str()) => Err(status),
        Err(status) => Ok(Err(status)),
    });
    answer.await.unwrap()
}

impl Scene {
    /// Everything is in one process.
    pub(crate) fn on(hub: &Hub) -> Self {
        Self {
            transfers: hub.clone(),
            directory: hub.clone(),
            balances: hub.clone(),
            banking: hub.clone(),
            own: BTreeMap::new(),
            deposited: Arc::default(),
        }
    }

    /// The same, after everything was started again.
    #[must_use]
    pub(crate) fn moved_to(&self, hub: &Hub) -> Self {
        Self { deposited: Arc::clone(&self.deposited), ..Self::on(hub) }
    }

    /// What was paid in, and must still be there.
    pub(crate) fn deposited(&self) -> i64 {
        self.deposited.load(Ordering::SeqCst)
    }

    /// Something was paid in past this scene.
    pub(crate) fn also_deposited(&self, centavos: i64) {
        self.deposited.fetch_add(centavos, Ordering::SeqCst);
    }

    /// The process of a bank.
    pub(crate) fn bank(&self, ispb: &str) -> BankingServiceClient<HubChannel> {
        self.own.get(ispb).unwrap_or(&self.banking).banking()
    }

    /// Enrols a native bank; answers its ISPB.
    pub(crate) async fn enrol(&self, code: &str) -> String {
        self.enrol_with(enrolment(code)).await
    }

    /// Enrols a participant; answers its ISPB.
    pub(crate) async fn enrol_with(&self, asked: transfers::EnrolParticipantRequest) -> String {
        let ask = async || self.transfers.transfers().enrol_participant(asked.clone()).await;
        patiently(&[], ask).await.participant.unwrap().ispb
    }

    /// Opens a person's account with cash on it.
    pub(crate) async fn account(&self, ispb: &str, owner_name: &str, centavos: i64) -> Account {
        self.open(opening(ispb, owner_name, people::cpf()), centavos).await
    }

    /// Opens an account with cash on it.
    pub(crate) async fn open(&self, asked: banking::OpenAccountRequest, centavos: i64) -> Account {
        // The bank hears of its enrolment through the log.
        let ask = async || self.bank(&asked.ispb).open_account(asked.clone()).await;
        let opened = patiently(&["bank_not_hosted"], ask).await.account.unwrap();
        let banking::Account { account_id: id, ispb, owner_name, owner_tax_id: tax_id, .. } =
            opened;
        let account = Account { id, ispb, owner_name, tax_id };
        if centavos > 0 {
            self.deposit(&account, centavos).await;
        }
        account
    }

    /// Pays cash in.
    pub(crate) async fn deposit(&self, account: &Account, centavos: i64) -> banking::Account {
        let asked = banking::DepositRequest {
            idempotency_key: unique("deposit"),
            account_id: account.id.clone(),
            amount_centavos: centavos,
        };
        let ask = async || self.bank(&account.ispb).deposit(asked.clone()).await;
        let after = patiently(&[], ask).await.account.unwrap();
        self.deposited.fetch_add(centavos, Ordering::SeqCst);
        after
    }

    /// Registers an email as the account's key.
    pub(crate) async fn key(&self, account: &Account) -> String {
        let email = format!("{}@example.com", unique("someone"));
        self.key_of_kind(account, pix_keys::PixKeyKind::Email, &email).await
    }

    /// Registers a key; answers its text.
    pub(crate) async fn key_of_kind(
        &self,
        account: &Account,
        kind: pix_keys::PixKeyKind,
        key: &str,
    ) -> String {
        let asked = registration(account, kind, key);
        // The directory hears of account and bank through the log.
        let ask = async || self.directory.pix_keys().register_key(asked.clone()).await;
        let not_yet = ["account_not_found", "participant_not_found"];
        patiently(&not_yet, ask).await.entry.unwrap().key
    }

    /// Orders a transfer, which must be taken on; answers it as the payer sees it.
    pub(crate) async fn send(
        &self,
        payer: &Account,
        key: &str,
        centavos: i64,
    ) -> banking::Transfer {
        let asked = order(payer, key, centavos);
        let ask = async || self.bank(&payer.ispb).request_transfer(asked.clone()).await;
        patiently(&[], ask).await.transfer.unwrap()
    }

    /// A transfer as the hub sees it; `None` when it has not heard of it.
    pub(crate) async fn at_hub(&self, end_to_end_id: &str) -> Option<transfers::Transfer> {
        let end_to_end_id = end_to_end_id.to_owned();
        let asked = transfers::GetTransferRequest { end_to_end_id, ..Default::default() };
        match self.transfers.transfers().get_transfer(asked).await {
            Ok(answer) => answer.into_inner().transfer,
            Err(status) if status.code() == Code::NotFound => None,
            Err(status) => panic!("{status:?}"),
        }
    }

    /// Waits until a transfer is in a state at the hub; a final one that is another fails.
    pub(crate) async fn reaches(
        &self,
        end_to_end_id: &str,
        wanted: transfers::TransferState,
    ) -> transfers::Transfer {
        let found = eventually(async || match self.at_hub(end_to_end_id).await {
            Some(it) if it.state() == wanted || is_final(it.state()) => Ok(it),
            other => Err(other.map(|it| it.state())),
        });
        let found = found.await;
        assert_eq!(found.state(), wanted, "{found:?}");
        found
    }

    /// A transfer as one of its accounts sees it.
    pub(crate) async fn seen_by(&self, account: &Account, id: &str) -> Option<banking::Transfer> {
        let asked = banking::GetTransferRequest {
            end_to_end_id: id.to_owned(),
            account_id: account.id.clone(),
        };
        match self.bank(&account.ispb).get_transfer(asked).await {
            Ok(answer) => answer.into_inner().transfer,
            Err(status) if status.code() == Code::NotFound => None,
            Err(status) => panic!("{status:?}"),
        }
    }

    /// Waits until one of its accounts sees a transfer in a state.
    pub(crate) async fn shows(
        &self,
        account: &Account,
        id: &str,
        wanted: banking::TransferState,
    ) -> banking::Transfer {
        eventually(async || match self.seen_by(account, id).await {
            Some(it) if it.state() == wanted => Ok(it),
            other => Err(other),
        })
        .await
    }

    /// An account as it is now.
    pub(crate) async fn now(&self, account: &Account) -> banking::Account {
        let asked = banking::GetAccountRequest { account_id: account.id.clone() };
        let answer = self.bank(&account.ispb).get_account(asked).await.unwrap();
        answer.into_inner().account.unwrap()
    }

    /// Waits until an account has exactly this available and held.
    pub(crate) async fn has(&self, account: &Account, available: i64, held: i64) {
        eventually(async || {
            let now = self.now(account).await;
            let has = (now.available_centavos, now.held_centavos);
            if has == (available, held) { Ok(()) } else { Err(has) }
        })
        .await;
    }

    /// Blocks an account.
    pub(crate) async fn block(&self, account: &Account) {
        let asked = banking::BlockAccountRequest { account_id: account.id.clone() };
        self.bank(&account.ispb).block_account(asked).await.unwrap();
    }

    /// Closes an account.
    pub(crate) async fn close(
        &self,
        account: &Account,
    ) -> Result<Response<banking::CloseAccountResponse>, Status> {
        let asked = banking::CloseAccountRequest { account_id: account.id.clone() };
        self.bank(&account.ispb).close_account(asked).await
    }
}

/// Whether nothing follows any more.
pub(crate) fn is_final(state: transfers::TransferState) -> bool {
    match state {
        transfers::TransferState::Unspecified
        | transfers::TransferState::Pending
        | transfers::TransferState::Confirmed => false,
        transfers::TransferState::Completed
        | transfers::TransferState::Rejected
        | transfers::TransferState::Expired => true,
    }
}

/// The enrolment of a native bank without a limit.
pub(crate) fn enrolment(code: &str) -> transfers::EnrolParticipantRequest {
    transfers::EnrolParticipantRequest {
        ispb: String::new(),
        code: code.to_owned(),
        name: format!("Bank {code}"),
        protocol: transfers::ParticipantProtocol::Native.into(),
        position_limit_centavos: None,
        no_position_limit: false,
    }
}

/// The opening of an account.
pub(crate) fn opening(ispb: &str, owner_name: &str, tax_id: String) -> banking::OpenAccountRequest {
    banking::OpenAccountRequest {
        idempotency_key: unique("open"),
        ispb: ispb.to_owned(),
        owner_name: owner_name.to_owned(),
        owner_tax_id: tax_id,
        number: String::new(),
        branch: String::new(),
        account_id: String::new(),
    }
}

/// The registration of a key.
pub(crate) fn registration(
    account: &Account,
    kind: pix_keys::PixKeyKind,
    key: &str,
) -> pix_keys::RegisterKeyRequest {
    pix_keys::RegisterKeyRequest {
        request_id: unique("key"),
        kind: kind.into(),
        key: key.to_owned(),
        account_id: account.id.clone(),
    }
}

/// An order.
pub(crate) fn order(payer: &Account, key: &str, centavos: i64) -> banking::RequestTransferRequest {
    banking::RequestTransferRequest {
        idempotency_key: unique("order"),
        account_id: payer.id.clone(),
        payee_key: key.to_owned(),
        amount_centavos: centavos,
        description: "dinner".to_owned(),
    }
}
