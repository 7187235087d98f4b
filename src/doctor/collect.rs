//! Asks the contexts.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use balances::infrastructure::{AuditedBalance, BalancesAudit};
use banking::infrastructure::postgres::audit::BankingAudit;
use pix_keys::infrastructure::postgres::Auditor;
use shared_kernel::application::{Clock as _, StoreError};
use shared_kernel::domain::{AccountId, EndToEndId};
use shared_kernel::infrastructure::postgres::Database;
use shared_kernel::infrastructure::system::SystemClock;
use transfers::infrastructure::audit::TransfersAudit;

use super::books::{Banks, Hub, acknowledged, compare};
use super::report::{Finding, Report};
use crate::config::{ContextName, ServerArguments};
use crate::demo_data::made_up_owners;

/// Rows read together.
const PAGE: u32 = 10_000;

/// Differences named of one kind.
const NAMED_MAX: i64 = 100;

/// How long money under way has to arrive between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Examines a hub through its databases; the hub itself may be down.
#[derive(Debug)]
pub struct Doctor {
    transfers: TransfersAudit,
    banking: BankingAudit,
    pix_keys: Auditor,
    balances: BalancesAudit,
}

impl Doctor {
    /// A doctor of the contexts behind these databases.
    ///
    /// # Errors
    /// When a database is not named.
    pub fn new(servers: &ServerArguments) -> anyhow::Result<Self> {
        let of = |context| servers.database(context);
        Ok(Self {
            transfers: TransfersAudit::new(&of(ContextName::Transfers)?)?,
            banking: BankingAudit::new(Database::new(&of(ContextName::Banking)?)?),
            pix_keys: Auditor::new(Database::new(&of(ContextName::PixKeys)?)?),
            balances: BalancesAudit::new(&of(ContextName::Balances)?)?,
        })
    }

    /// Two looks, or one if the first finds nothing.
    ///
    /// # Errors
    /// When a database does not answer.
    pub async fn examine(&self) -> anyhow::Result<Report> {
        let first = self.look().await?;
        if first.is_clean() {
            return Ok(first);
        }
        SystemClock.sleep(BETWEEN_LOOKS).await;
        Ok(self.look().await?.confirmed_by(&first))
    }

    /// Looks until nothing is under way and nothing is wrong, at most `patience`; then examines.
    ///
    /// # Errors
    /// When a database does not answer.
    pub async fn examine_when_quiet(
        &self,
        patience: Duration,
        progress: &mut (dyn FnMut(&Report) + Send),
    ) -> anyhow::Result<Report> {
        let until = SystemClock.now().saturating_add(patience);
        loop {
            let report = self.look().await?;
            if report.is_quiet() && report.is_clean() {
                return Ok(report);
            }
            if SystemClock.now() >= until {
                return self.examine().await;
            }
            progress(&report);
            SystemClock.sleep(Duration::from_millis(500)).await;
        }
    }

    async fn look(&self) -> anyhow::Result<Report> {
        let now = SystemClock.now();
        // The banks first: what they know, the hub knows or will know.
        let banks = self.banks().await?;
        let hub = self.hub().await?;
        let mut findings = compare(&hub, &banks, now);
        let directory = self.pix_keys.audit(&made_up_owners()).await?;
        if !directory.is_sound() {
            findings.push(Finding::new("directory", "pix-keys", format!("{directory:?}")));
        }
        let accounts = self.read_side(&mut findings).await?;
        let unapplied = self.banking.unapplied(None, NAMED_MAX).await?;
        let mut notes = acknowledged(&hub.audit);
        notes.extend(unapplied.iter().map(|side| {
            format!(
                "{} of {} centavos could not be credited to account {} and waits in the \
                     unapplied credits of bank {}",
                side.end_to_end_id,
                side.amount.centavos(),
                side.account_id,
                side.ispb
            )
        }));
        Ok(Report {
            transfers: hub.transfers.len(),
            open: usize::try_from(hub.audit.open).unwrap_or(usize::MAX),
            unsent: hub
                .audit
                .unsent_rows
                .saturating_add(self.banking.unsent().await?)
                .saturating_add(self.pix_keys.unsent().await?),
            accounts,
            findings,
            notes,
        })
    }

    async fn hub(&self) -> anyhow::Result<Hub> {
        let audit = self.transfers.hub(SystemClock.now()).await?;
        let transfers =
            all(|after| self.transfers.transfers(after, PAGE), |transfer| transfer.end_to_end_id)
                .await?;
        Ok(Hub { audit, transfers })
    }

    async fn banks(&self) -> anyhow::Result<Banks> {
        let page = i64::from(PAGE);
        let banking = &self.banking;
        Ok(Banks {
            totals: banking.totals().await?,
            differences: banking.differences(NAMED_MAX).await?,
            outgoing: all(|after| banking.outgoing(after, page), |side| side.end_to_end_id).await?,
            incoming: all(|after| banking.incoming(after, page), |side| side.end_to_end_id).await?,
            // After both sides: what is not posted in these balances is not posted there either.
            internal: banking.internal_balances().await?,
        })
    }

    /// All balances of the read side, which may have those of banks elsewhere too.
    async fn seen(&self) -> Result<BTreeMap<AccountId, AuditedBalance>, StoreError> {
        let (mut after, mut seen) = (None, BTreeMap::new());
        loop {
            let page = self.balances.balances(after, i64::from(PAGE)).await?;
            let Some(last) = page.last() else { return Ok(seen) };
            after = Some(last.account_id);
            seen.extend(page.into_iter().map(|balance| (balance.account_id, balance)));
        }
    }

    /// The read side agrees with the ledger, account by account, at equal versions.
    async fn read_side(&self, findings: &mut Vec<Finding>) -> anyhow::Result<usize> {
        findings.extend(self.balances.gaps(NAMED_MAX).await?.into_iter().map(|gap| {
            let (first, last) = gap.versions.into_inner();
            let sentence = format!("its versions {first} to {last} never arrived");
            Finding::new("read_side_gap", gap.account_id.to_string(), sentence)
        }));
        findings.extend(self.balances.torn_histories(NAMED_MAX).await?.into_iter().map(
            |account| {
                let sentence = "its history is not that of its balance: codepix replay balances";
                Finding::new("read_side_history", account.to_string(), sentence)
            },
        ));
        let seen = self.seen().await?;
        let (mut after, mut count) = (None, 0_usize);
        loop {
            let page = self.banking.accounts(after, i64::from(PAGE)).await?;
            let Some(last) = page.last() else { return Ok(count) };
            for account in &page {
                let agrees = seen.get(&account.account_id).is_some_and(|balance| {
                    balance.version == account.version
                        && balance.available == account.available
                        && balance.held == account.held
                });
                if !agrees {
                    findings.push(Finding::new(
                        "read_side_differs",
                        account.account_id.to_string(),
                        "the read side is not where the ledger is",
                    ));
                }
            }
            count = count.saturating_add(page.len());
            after = Some(last.account_id);
        }
    }
}

/// All pages of one list, by id.
async fn all<T, F>(
    page: impl Fn(Option<EndToEndId>) -> F,
    id: impl Fn(&T) -> EndToEndId,
) -> Result<BTreeMap<EndToEndId, T>, StoreError>
where
    F: Future<Output = Result<Vec<T>, StoreError>>,
{
    let mut found = BTreeMap::new();
    let mut after = None;
    loop {
        let rows = page(after).await?;
        let Some(last) = rows.last().map(&id) else { return Ok(found) };
        found.extend(rows.into_iter().map(|row| (id(&row), row)));
        after = Some(last);
    }
}
