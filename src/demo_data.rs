//! The fixture banks 001 BBX and 002 CTER with their accounts and keys: what a new hub starts with.
//!
//! Everything is written through the hub's own services with fixed idempotency keys, so that
//! filling in twice, or after a crash in the middle, changes nothing.

use std::time::Duration;

use shared_kernel::domain::AccountId;
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::client::{ClientOptions, Hub, banking, pix_keys, transfers};
use crate::config::ClassicBanks;

/// A fixture account. The tax ids are valid and made up; the e-mail domains do not exist.
#[derive(Clone, Copy, Debug)]
pub struct FixtureAccount {
    /// UUID, the same on every hub.
    pub account_id: &'static str,
    /// Its bank.
    pub ispb: &'static str,
    /// Number at the bank.
    pub number: &'static str,
    /// Owner.
    pub owner_name: &'static str,
    /// Owner's CPF, also registered as a key.
    pub cpf: &'static str,
    /// Registered as a key.
    pub email: &'static str,
}

/// A fixture bank.
#[derive(Clone, Copy, Debug)]
pub struct FixtureBank {
    /// ISPB.
    pub ispb: &'static str,
    /// Code.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
}

/// The fixture banks.
pub const BANKS: [FixtureBank; 2] = [
    FixtureBank { ispb: "00000001", code: "001", name: "BBX" },
    FixtureBank { ispb: "00000002", code: "002", name: "CTER" },
];

/// The fixture accounts.
pub const ACCOUNTS: [FixtureAccount; 4] = [
    FixtureAccount {
        account_id: "6e4635ce-88d1-4e58-9597-d13fc446ee47",
        ispb: "00000001",
        number: "1111",
        owner_name: "User BBX 1",
        cpf: "10020030088",
        email: "user1@bbx.example",
    },
    FixtureAccount {
        account_id: "51a720b2-5144-4d7f-921d-57023b1e24c1",
        ispb: "00000001",
        number: "2222",
        owner_name: "User BBX 2",
        cpf: "10020030169",
        email: "user2@bbx.example",
    },
    FixtureAccount {
        account_id: "103cc632-78e7-4476-ab63-d5ad3a562d26",
        ispb: "00000002",
        number: "3333",
        owner_name: "User CTER 1",
        cpf: "10020030240",
        email: "user1@cter.example",
    },
    FixtureAccount {
        account_id: "463b1b2a-b5fa-4b88-9c31-e5c894a20ae3",
        ispb: "00000002",
        number: "4444",
        owner_name: "User CTER 2",
        cpf: "10020030320",
        email: "user2@cter.example",
    },
];

/// The fixture accounts: nobody is behind their tax ids.
pub fn made_up_owners() -> Vec<AccountId> {
    ACCOUNTS.iter().filter_map(|account| AccountId::parse(account.account_id).ok()).collect()
}

/// Opening balance of a fixture account: 1,000.00.
pub const OPENING_CENTAVOS: i64 = 100_000;

/// Version of an account that was opened and has seen nothing since.
const OPENED: i64 = 1;

/// How long the contexts may take to hear of each other.
const PATIENCE: Duration = Duration::from_mins(1);

/// Writes the fixtures.
#[derive(Debug)]
pub struct DemoData {
    hub: Hub,
    classic: Vec<&'static str>,
}

impl DemoData {
    /// Fills in whatever is missing; `progress` hears what is being done. `classic` says which
    /// banks keep their books outside, when they are first enrolled; one that is enrolled stays as
    /// it is.
    ///
    /// # Errors
    /// A refusal that is not "already there", or a hub that does not answer.
    pub async fn fill(
        client: &ClientOptions,
        classic: &ClassicBanks,
        progress: &mut (dyn FnMut(&str) + Send),
    ) -> anyhow::Result<Self> {
        let mut data = Self { hub: client.connect().await?, classic: Vec::new() };
        let known = data.participants().await?;
        for bank in BANKS {
            let known = known.iter().find(|it| it.ispb == bank.ispb);
            let protocol = if let Some(known) = known {
                if let Some(sentence) = unlike(bank, known, classic) {
                    tracing::warn!("{sentence}");
                    progress(&sentence);
                }
                known.protocol()
            } else {
                progress(&format!("enrolling bank {} {}", bank.code, bank.name));
                let protocol = wanted(bank, classic);
                data.enrol(bank, protocol).await?;
                protocol
            };
            if protocol == transfers::ParticipantProtocol::Classic {
                data.classic.push(bank.ispb);
            }
        }
        for account in ACCOUNTS {
            if data.classic.contains(&account.ispb) {
                progress(&format!(
                    "enrolling account {} of {}",
                    account.number, account.owner_name
                ));
                data.enrol_account(account).await?;
                continue;
            }
            progress(&format!("opening account {} of {}", account.number, account.owner_name));
            data.open(account).await?;
            progress(&format!("registering the keys of {}", account.owner_name));
            data.register(account, pix_keys::PixKeyKind::Cpf, account.cpf).await?;
            data.register(account, pix_keys::PixKeyKind::Email, account.email).await?;
        }
        Ok(data)
    }

    /// The connection that it was filled in through.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// ISPBs of the fixture banks whose books are outside.
    pub fn classic(&self) -> &[&'static str] {
        &self.classic
    }

    async fn participants(&self) -> anyhow::Result<Vec<transfers::Participant>> {
        let service = self.hub.transfers();
        let ask = || {
            let mut service = service.clone();
            async move { service.list_participants(transfers::ListParticipantsRequest {}).await }
        };
        let known = patiently(ask, |_status| false).await;
        known
            .map(|response| response.into_inner().participants)
            .map_err(|status| self.hub.error(&status).into())
    }

    /// Its program registers the keys: it must know them itself.
    async fn enrol_account(&self, account: FixtureAccount) -> anyhow::Result<()> {
        let request = pix_keys::EnrolAccountRequest {
            account_id: account.account_id.to_owned(),
            ispb: account.ispb.to_owned(),
            branch: "0001".to_owned(),
            number: account.number.to_owned(),
            owner_name: account.owner_name.to_owned(),
            owner_tax_id: account.cpf.to_owned(),
        };
        let service = self.hub.pix_keys();
        let ask = || {
            let (mut service, request) = (service.clone(), request.clone());
            async move { service.enrol_account(request).await }
        };
        // The directory hears of the bank through the log; an account that was opened while its
        // bank was native is there already.
        match patiently(ask, |status| status.code() == Code::NotFound).await {
            Ok(_) => Ok(()),
            Err(status) if status.code() == Code::AlreadyExists => Ok(()),
            Err(status) => Err(self.hub.error(&status).into()),
        }
    }

    async fn enrol(
        &self,
        bank: FixtureBank,
        protocol: transfers::ParticipantProtocol,
    ) -> anyhow::Result<()> {
        let request = transfers::EnrolParticipantRequest {
            ispb: bank.ispb.to_owned(),
            code: bank.code.to_owned(),
            name: bank.name.to_owned(),
            protocol: protocol.into(),
            position_limit_centavos: None,
            no_position_limit: false,
        };
        let service = self.hub.transfers();
        let ask = || {
            let (mut service, request) = (service.clone(), request.clone());
            async move { service.enrol_participant(request).await }
        };
        patiently(ask, |_status| false)
            .await
            .map(drop)
            .map_err(|status| self.hub.error(&status).into())
    }

    async fn open(&self, account: FixtureAccount) -> anyhow::Result<()> {
        let request = banking::OpenAccountRequest {
            idempotency_key: format!("demo-open-{}", account.number),
            ispb: account.ispb.to_owned(),
            owner_name: account.owner_name.to_owned(),
            owner_tax_id: account.cpf.to_owned(),
            number: account.number.to_owned(),
            branch: String::new(),
            account_id: account.account_id.to_owned(),
        };
        let service = self.hub.banking();
        // The bank hears of its enrolment through the log.
        let ask = || {
            let (mut service, request) = (service.clone(), request.clone());
            async move { service.open_account(request).await }
        };
        let opened = patiently(ask, |status| status.code() == Code::NotFound)
            .await
            .map_err(|status| self.hub.error(&status))?;
        // Keys of commands are forgotten one day; an account with a history has its money.
        if opened.into_inner().account.is_some_and(|account| account.version > OPENED) {
            return Ok(());
        }
        let request = banking::DepositRequest {
            idempotency_key: format!("demo-deposit-{}", account.number),
            account_id: account.account_id.to_owned(),
            amount_centavos: OPENING_CENTAVOS,
        };
        let ask = || {
            let (mut service, request) = (service.clone(), request.clone());
            async move { service.deposit(request).await }
        };
        patiently(ask, |_status| false)
            .await
            .map(drop)
            .map_err(|status| self.hub.error(&status).into())
    }

    async fn register(
        &self,
        account: FixtureAccount,
        kind: pix_keys::PixKeyKind,
        key: &str,
    ) -> anyhow::Result<()> {
        let request = pix_keys::RegisterKeyRequest {
            request_id: format!("demo-key-{key}"),
            kind: kind.into(),
            key: key.to_owned(),
            account_id: account.account_id.to_owned(),
        };
        let service = self.hub.pix_keys();
        // The directory hears of the account through the log.
        let ask = || {
            let (mut service, request) = (service.clone(), request.clone());
            async move { service.register_key(request).await }
        };
        match patiently(ask, |status| status.code() == Code::NotFound).await {
            // Its owner may have registered it otherwise since; it is there.
            Ok(_) => Ok(()),
            Err(status) if status.code() == Code::AlreadyExists => Ok(()),
            Err(status) => Err(self.hub.error(&status).into()),
        }
    }
}

/// How a fixture bank that is not enrolled yet is to speak with the hub.
fn wanted(bank: FixtureBank, classic: &ClassicBanks) -> transfers::ParticipantProtocol {
    if classic.contains(bank.code) {
        return transfers::ParticipantProtocol::Classic;
    }
    transfers::ParticipantProtocol::Native
}

/// What to say of a bank that is enrolled otherwise than it was asked for. No bank at all asks for
/// nothing.
fn unlike(
    bank: FixtureBank,
    known: &transfers::Participant,
    classic: &ClassicBanks,
) -> Option<String> {
    let asked = wanted(bank, classic);
    if classic.is_empty() || known.protocol() == asked {
        return None;
    }
    let word = |protocol| match protocol {
        transfers::ParticipantProtocol::Classic => "classic",
        transfers::ParticipantProtocol::Native | transfers::ParticipantProtocol::Unspecified => {
            "native"
        }
    };
    let (is, wanted) = (word(known.protocol()), word(asked));
    Some(format!(
        "CODEPIX_CLASSIC_BANKS is read when a bank is first enrolled, and bank {} is enrolled as \
         {is}: `codepix bank enrol --code {} --name \"{}\" --protocol {wanted}` makes it {wanted}",
        bank.code, bank.code, known.name
    ))
}

/// Asks again, for at most [`PATIENCE`], while the answer is unavailable or `not_yet`.
pub(crate) async fn patiently<T, F>(
    ask: impl Fn() -> F + Send,
    not_yet: impl Fn(&Status) -> bool + Send,
) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>> + Send,
{
    let started = Instant::now();
    loop {
        match ask().await {
            Err(status)
                if started.elapsed() < PATIENCE
                    && (status.code() == Code::Unavailable || not_yet(&status)) =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::domain::{Ispb, TaxId};

    use super::*;

    #[test]
    fn a_bank_that_is_enrolled_otherwise_than_asked_is_named_with_the_command_that_changes_it() {
        let [bank, _] = BANKS;
        let known = |protocol: transfers::ParticipantProtocol| transfers::Participant {
            name: "Renamed".to_owned(),
            protocol: protocol.into(),
            ..transfers::Participant::default()
        };
        let native = known(transfers::ParticipantProtocol::Native);
        let classic = known(transfers::ParticipantProtocol::Classic);
        let asked = |text| ClassicBanks::parse(text).unwrap();
        let sentence = unlike(bank, &native, &asked("001")).unwrap();
        let command = "codepix bank enrol --code 001 --name \"Renamed\" --protocol classic";
        assert!(sentence.contains(command), "{sentence}");
        let sentence = unlike(bank, &classic, &asked("002")).unwrap();
        assert!(sentence.contains("--protocol native"), "{sentence}");
        for (known, text) in [(&native, ""), (&classic, ""), (&classic, "001"), (&native, "002")] {
            assert_eq!(unlike(bank, known, &asked(text)), None);
        }
    }

    #[test]
    fn every_fixture_is_valid_and_belongs_to_a_fixture_bank() {
        for account in ACCOUNTS {
            assert!(TaxId::parse(account.cpf).is_ok(), "{}", account.cpf);
            assert!(AccountId::parse(account.account_id).is_ok());
            assert!(BANKS.iter().any(|bank| bank.ispb == account.ispb));
        }
        assert!(BANKS.iter().all(|bank| Ispb::parse(bank.ispb).is_ok()));
    }
}
