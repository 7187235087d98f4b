//! One transfer of the demo, followed from its request to its end.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tonic::Code;

use crate::client::{Hub, banking, transfers};
use crate::demo_data::{FixtureAccount, patiently};

/// A transfer that the demo makes and the end that it must have.
#[derive(Clone, Debug, Serialize)]
pub struct DemoTransfer {
    from: &'static str,
    to: &'static str,
    key: &'static str,
    amount_centavos: i64,
    expected: &'static str,
    #[serde(skip)]
    account_id: &'static str,
    #[serde(skip)]
    on_us: bool,
}

/// A state that a transfer reached.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// `requested`, `pending`, `confirmed`, …
    pub state: String,
    /// Since the request was sent.
    #[serde(rename = "after_millis", serialize_with = "millis")]
    pub after: Duration,
    /// Why it failed, if it did: a sentence with its ISO code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn millis<S: serde::Serializer>(after: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}

impl DemoTransfer {
    /// A transfer of `amount_centavos` to the owner of `key`, which must end as `expected`.
    pub fn new(
        from: FixtureAccount,
        key: &'static str,
        to: FixtureAccount,
        amount_centavos: i64,
        expected: &'static str,
    ) -> Self {
        Self {
            from: from.owner_name,
            to: to.owner_name,
            key,
            amount_centavos,
            expected,
            account_id: from.account_id,
            on_us: from.ispb == to.ispb,
        }
    }

    /// One line that tells it from the others.
    pub fn title(&self) -> String {
        let amount = crate::cli::output::money(self.amount_centavos);
        let way = if self.on_us { "on us" } else { "hub" };
        format!("{:<11} → {:<11} {amount:>12}  {way:<5} {:<18}", self.from, self.to, self.key)
    }

    /// Its place in a list.
    pub fn order(&self) -> (bool, bool, &'static str) {
        (self.expected == "rejected", self.on_us, self.from)
    }

    /// True when it reached the end that it must have.
    pub fn ended_well(&self, steps: &[Step]) -> bool {
        steps.last().is_some_and(|step| step.state == self.expected)
    }

    /// Sends it and follows it; `tell` hears every new state.
    ///
    /// # Errors
    /// A refused request, or a hub that does not answer.
    pub async fn run(
        &self,
        hub: &Hub,
        tell: &mut (dyn FnMut(&[Step]) + Send),
    ) -> anyhow::Result<Vec<Step>> {
        let started = Instant::now();
        let mut steps = Vec::new();
        let mut reached = |state: String, reason: Option<String>| {
            steps.push(Step { state, after: started.elapsed(), reason });
            tell(&steps);
        };
        let sent = self.send(hub).await?;
        reached("requested".to_owned(), None);
        if self.on_us {
            reached("settled".to_owned(), None);
            return Ok(steps);
        }
        let request = transfers::WatchTransferRequest { end_to_end_id: sent.end_to_end_id };
        let service = hub.transfers();
        // The order reaches the hub through the log: the first word may take a moment.
        let watch = || {
            let (mut service, request) = (service.clone(), request.clone());
            async move {
                let mut stream = service.watch_transfer(request).await?.into_inner();
                Ok((stream.message().await?, stream))
            }
        };
        let watched = patiently(watch, |status| status.code() == Code::NotFound).await;
        let (mut update, mut stream) = watched.map_err(|status| hub.error(&status))?;
        while let Some(transfer) = update.and_then(|update| update.transfer) {
            let state = transfer.state().as_str_name();
            let state = state.trim_start_matches("TRANSFER_STATE_").to_lowercase();
            let reason = transfer.reason.map(|why| format!("{} ({})", why.sentence, why.code));
            reached(state, reason);
            update = stream.message().await.map_err(|status| hub.error(&status))?;
        }
        Ok(steps)
    }

    async fn send(&self, hub: &Hub) -> anyhow::Result<banking::Transfer> {
        let request = banking::RequestTransferRequest {
            idempotency_key: crate::client::IdempotencyOptions::default().key(),
            account_id: self.account_id.to_owned(),
            payee_key: self.key.to_owned(),
            amount_centavos: self.amount_centavos,
            description: "demo".to_owned(),
        };
        let service = hub.banking();
        let ask = || {
            let (mut service, request) = (service.clone(), request.clone());
            async move { service.request_transfer(request).await }
        };
        let answer = hub.answer(patiently(ask, |_status| false).await)?;
        Ok(answer.transfer.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_data::{ACCOUNTS, BANKS};

    #[test]
    fn only_the_expected_end_is_a_good_one() {
        let [from, _, to, _] = ACCOUNTS;
        let plan = DemoTransfer::new(from, to.email, to, 100, "completed");
        let step = |state: &str| Step {
            state: state.to_owned(),
            after: Duration::from_millis(1),
            reason: None,
        };
        assert!(plan.ended_well(&[step("pending"), step("completed")]));
        assert!(!plan.ended_well(&[step("rejected")]));
        assert!(!plan.ended_well(&[]));
        assert!(BANKS.iter().any(|bank| bank.ispb == from.ispb));
    }
}
