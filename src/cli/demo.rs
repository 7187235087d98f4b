//! `codepix demo`: everything starts, two banks are filled in, money moves before your eyes.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::cli::doctor;
use crate::cli::embedded::EmbeddedArguments;
use crate::cli::output::{Align, Cell, Output, Paint, Shown, Table, Tone, money};
use crate::cli::serve::{announce, interrupted, own_client};
use crate::client::{ClientOptions, Hub as HubClient, banking};
use crate::compose::{Hub, Listeners};
use crate::config::{ClassicBanks, HubArguments, ServerArguments};
use crate::demo_data::{ACCOUNTS, BANKS, DemoData, FixtureAccount};
use crate::demo_transfer::{DemoTransfer, Step};
use crate::{supervisor, telemetry};

/// Settings of `codepix demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArguments {
    #[command(flatten)]
    servers: ServerArguments,
    #[command(flatten)]
    embedded: EmbeddedArguments,
    #[command(flatten)]
    hub: HubArguments,
    /// Ends by itself after the transfers and stops the servers that it started.
    #[arg(long)]
    once: bool,
}

/// Runs the demo.
///
/// # Errors
/// What kept it from starting, or a transfer that did not end as it should.
pub async fn run(arguments: DemoArguments, output: &Output) -> anyhow::Result<ExitCode> {
    let DemoArguments { mut servers, embedded, mut hub, once } = arguments;
    hub.demo_data = true;
    let classic = hub.classic.banks.clone().unwrap_or_default();
    let listeners = Listeners::bind(&hub, true).await?;
    for (setting, wanted, taken) in &listeners.moved {
        output.remark(&format!("{setting}: {wanted} is busy, took {taken}"));
    }
    let folder = embedded.folder(output)?;
    let were_running = supervisor::status(&folder)?.supervisor.is_some();
    let lease = embedded.provide(&mut servers, true, output).await?;
    let ours = lease.lease.is_some() && !were_running;
    let running = Hub::start(&servers, &hub, listeners, telemetry::metrics()?).await?;
    let addresses = running.addresses;
    let client = own_client(&running);
    let (shown, stop) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(running.run_until(async move {
        drop(stop.await);
    }));
    let outcome = show(&servers, &client, &classic, output).await;
    if outcome.is_ok() {
        announce(output, addresses, &servers)?;
        if !once {
            output.line(&next_steps(addresses.grpc))?;
            output.remark("the hub stays up until Ctrl-C");
            interrupted().await;
        }
    }
    drop(shown);
    serving.await??;
    drop(lease);
    if once && ours {
        output.remark("stopping PostgreSQL and Kafka");
        tokio::task::spawn_blocking(move || supervisor::stop(&folder)).await??;
    }
    outcome
}

fn next_steps(grpc: std::net::SocketAddr) -> String {
    let hub = if grpc.port() == 50051 { String::new() } else { format!(" --hub http://{grpc}") };
    let [payer, ..] = ACCOUNTS;
    format!(
        "\nTry it yourself in another terminal:\n  \
         ./codepix{hub} transfer send --from {} --key user1@cter.example --amount 12.34 --watch\n  \
         ./codepix{hub} account statement {}\n",
        payer.account_id, payer.account_id
    )
}

/// What to do where programs of others keep the books.
fn programs_wanted(classic: &[&str]) -> String {
    let banks: Vec<&str> =
        BANKS.iter().filter(|bank| classic.contains(&bank.ispb)).map(|bank| bank.code).collect();
    format!(
        "\nBanks {} keep their books outside: start their programs against this hub, as \
         docs/classic.md says. They register the keys and order the transfers.",
        banks.join(" and ")
    )
}

/// Demo data, transfers, balances and the check of the ledgers.
async fn show(
    servers: &ServerArguments,
    client: &ClientOptions,
    classic: &ClassicBanks,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let data = {
        let mut progress = |step: &str| output.remark(step);
        DemoData::fill(client, classic, &mut progress).await?
    };
    if !data.classic().is_empty() {
        output.line(&programs_wanted(data.classic()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let moved = move_money(data.hub(), output).await?;
    output.show(&balances(data.hub()).await?)?;
    let checked = doctor::check(servers, true, output).await?;
    Ok(if moved && checked { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Transfers while an account is blocked, which it is no more afterwards, whatever happens.
async fn move_money(hub: &HubClient, output: &Output) -> anyhow::Result<bool> {
    let [.., blocked] = ACCOUNTS;
    block(hub, blocked, true).await?;
    let moved = tokio::select! {
        moved = transfers(hub, output) => moved,
        () = interrupted() => Err(anyhow::anyhow!("the demo was interrupted")),
    };
    block(hub, blocked, false).await?;
    moved
}

/// One line per transfer, alive on a terminal.
async fn transfers(hub: &HubClient, output: &Output) -> anyhow::Result<bool> {
    let [bbx1, bbx2, cter1, cter2] = ACCOUNTS;
    let plans = vec![
        DemoTransfer::new(bbx1, cter1.email, cter1, 10_000, "completed"),
        // With the next: what the first has sent comes back, however often the demo runs.
        DemoTransfer::new(cter1, bbx1.cpf, bbx1, 9_850, "completed"),
        DemoTransfer::new(bbx2, bbx1.email, bbx1, 150, "settled"),
        DemoTransfer::new(bbx1, cter2.email, cter2, 2_500, "rejected"),
    ];
    output.remark(&format!(
        "account {} of {} is blocked: the last transfer must come back",
        cter2.number, cter2.owner_name
    ));
    let target =
        if output.is_json() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bars = MultiProgress::with_draw_target(target);
    let mut running = tokio::task::JoinSet::new();
    for plan in plans {
        let bar = bars.add(line(&plan));
        let hub = hub.clone();
        running.spawn(async move {
            let show = Arc::new(move |steps: &[Step]| bar.set_message(describe(steps)));
            let tell = Arc::clone(&show);
            let steps = plan.run(&hub, &mut move |steps| tell(steps)).await;
            (plan, steps)
        });
    }
    let mut all = true;
    let mut finished = Vec::new();
    while let Some(ended) = running.join_next().await {
        finished.push(ended?);
    }
    finished.sort_by_key(|(plan, _)| plan.order());
    bars.clear()?;
    for (plan, steps) in finished {
        let told = Told { plan, steps: steps? };
        all &= told.plan.ended_well(&told.steps);
        output.show(&told)?;
    }
    Ok(all)
}

async fn block(hub: &HubClient, account: FixtureAccount, blocked: bool) -> anyhow::Result<()> {
    let account_id = account.account_id.to_owned();
    let mut service = hub.banking();
    let answer = if blocked {
        let request = banking::BlockAccountRequest { account_id };
        service.block_account(request).await.map(drop)
    } else {
        let request = banking::UnblockAccountRequest { account_id };
        service.unblock_account(request).await.map(drop)
    };
    answer.map_err(|status| hub.error(&status).into())
}

fn line(plan: &DemoTransfer) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(plan.title());
    bar.set_message("requested");
    bar.enable_steady_tick(Duration::from_millis(80));
    bar
}

fn describe(steps: &[Step]) -> String {
    let words: Vec<String> =
        steps.iter().map(|step| format!("{} {} ms", step.state, step.after.as_millis())).collect();
    words.join(" → ")
}

/// A transfer that ended, with its life cycle.
#[derive(Debug, Serialize)]
struct Told {
    plan: DemoTransfer,
    steps: Vec<Step>,
}

impl Shown for Told {
    fn text(&self, paint: Paint) -> String {
        let well = self.plan.ended_well(&self.steps);
        let mark = if well { paint.tint(Tone::Good, "✓") } else { paint.tint(Tone::Bad, "✗") };
        let reason = self.steps.last().and_then(|step| step.reason.as_deref());
        let reason = reason.map(|why| format!("\n      {why}")).unwrap_or_default();
        format!("{mark} {}  {}{reason}", self.plan.title(), describe(&self.steps))
    }
}

/// Balances after the transfers.
#[derive(Debug, Serialize)]
struct Balances(Vec<Balance>);

#[derive(Debug, Serialize)]
struct Balance {
    bank: &'static str,
    number: &'static str,
    owner: &'static str,
    available_centavos: i64,
    held_centavos: i64,
}

impl Shown for Balances {
    fn text(&self, paint: Paint) -> String {
        let mut table = Table::new(
            [
                ("BANK", Align::Left),
                ("ACCOUNT", Align::Left),
                ("OWNER", Align::Left),
                ("AVAILABLE", Align::Right),
                ("HELD", Align::Right),
            ],
            "no accounts",
        );
        for row in &self.0 {
            table.row([
                Cell::from(row.bank),
                Cell::from(row.number),
                Cell::from(row.owner),
                Cell::from(money(row.available_centavos)),
                Cell::from(money(row.held_centavos)),
            ]);
        }
        format!("\n{}\n", table.render(paint))
    }
}

async fn balances(hub: &HubClient) -> anyhow::Result<Balances> {
    let mut rows = Vec::new();
    for account in ACCOUNTS {
        let request = banking::GetAccountRequest { account_id: account.account_id.to_owned() };
        let answer = hub.answer(hub.banking().get_account(request).await)?;
        let found = answer.account.unwrap_or_default();
        let bank = BANKS.iter().find(|bank| bank.ispb == account.ispb);
        rows.push(Balance {
            bank: bank.map_or("?", |bank| bank.name),
            number: account.number,
            owner: account.owner_name,
            available_centavos: found.available_centavos,
            held_centavos: found.held_centavos,
        });
    }
    Ok(Balances(rows))
}
