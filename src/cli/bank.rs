//! `codepix bank`: the participants of the hub.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::ValueEnum;
use serde::Serialize;
use shared_kernel::domain::{Amount, BankCode, Ispb, Money, Timestamp};

use crate::cli::output::{
    Align, Cell, Fields, Output, Paint, Shown, Table, Tone, instant, label, moment, text_or_dash,
};
use crate::client::banking::{Bank, ListBanksRequest};
use crate::client::transfers::{
    EnrolParticipantRequest, ListParticipantsRequest, Participant, ParticipantProtocol,
};
use crate::client::{ClientError, ClientOptions, Hub};

/// Banks: who takes part in the hub.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum BankCommand {
    /// Add a bank, or change the name, the limit or the protocol of one
    #[command(after_help = "Examples:\n  \
        codepix bank enrol --code 003 --name \"Banco Três\"\n  \
        codepix bank enrol --code 003 --name \"Banco Três\" --position-limit 100000.00\n  \
        codepix bank enrol --code 003 --name \"Banco Três\" --no-position-limit\n  \
        codepix bank enrol --code NLB --ispb 0000NLB0 --name \"Nova\" --protocol classic\n\n\
        What is not given stays as it is.")]
    Enrol(EnrolBank),
    /// List all banks
    List,
}

/// A bank to enrol.
#[derive(Clone, Debug, clap::Args)]
pub struct EnrolBank {
    /// Short code, 1 to 10 digits or letters, such as 003
    #[arg(long, value_name = "CODE")]
    pub code: BankCode,
    /// Name
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// ISPB, 8 characters [default: the code with zeros before it]
    #[arg(long, value_name = "ISPB")]
    pub ispb: Option<Ispb>,
    /// How the bank speaks with the hub [default: as it does; native for a new bank]
    #[arg(long, value_name = "PROTOCOL")]
    pub protocol: Option<Protocol>,
    /// Most that the bank may owe the others [default: as it is; no limit for a new bank]
    #[arg(long, value_name = "AMOUNT", value_parser = Amount::parse)]
    pub position_limit: Option<Amount>,
    /// Lets the bank owe whatever it likes
    #[arg(long, conflicts_with = "position_limit")]
    pub no_position_limit: bool,
}

/// How a bank speaks with the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// By the events of the hub; this hub keeps the bank's books
    Native,
    /// By the messages of existing bank programs, which keep their own books
    Classic,
}

/// Runs `codepix bank`.
///
/// # Errors
/// [`ClientError`] when the hub refuses or does not answer.
pub async fn run(
    command: BankCommand,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<()> {
    let hub = client.connect().await?;
    match command {
        BankCommand::Enrol(wanted) => output.show(&enrol(&hub, wanted).await?),
        BankCommand::List => output.show(&list(&hub).await?),
    }
}

fn asked(wanted: EnrolBank) -> EnrolParticipantRequest {
    let protocol = match wanted.protocol {
        None => ParticipantProtocol::Unspecified,
        Some(Protocol::Native) => ParticipantProtocol::Native,
        Some(Protocol::Classic) => ParticipantProtocol::Classic,
    };
    EnrolParticipantRequest {
        ispb: wanted.ispb.map(|ispb| ispb.to_string()).unwrap_or_default(),
        code: wanted.code.to_string(),
        name: wanted.name,
        protocol: protocol.into(),
        position_limit_centavos: wanted.position_limit.map(Amount::centavos),
        no_position_limit: wanted.no_position_limit,
    }
}

async fn enrol(hub: &Hub, wanted: EnrolBank) -> anyhow::Result<BankView> {
    let answer = hub.answer(hub.transfers().enrol_participant(asked(wanted)).await)?;
    let participant = answer.participant.context("the hub answered without the bank")?;
    Ok(BankView::of(participant, None))
}

async fn list(hub: &Hub) -> Result<BankList, ClientError> {
    let known = hub.answer(hub.transfers().list_participants(ListParticipantsRequest {}).await)?;
    let mut hosted: BTreeMap<String, Bank> =
        hosted(hub).await?.into_iter().map(|bank| (bank.ispb.clone(), bank)).collect();
    let banks = known.participants.into_iter().map(|participant| {
        let bank = hosted.remove(&participant.ispb);
        BankView::of(participant, bank)
    });
    Ok(BankList { banks: banks.collect() })
}

/// The banks whose books are kept here; none where this hub keeps no books at all.
async fn hosted(hub: &Hub) -> Result<Vec<Bank>, ClientError> {
    match hub.answer(hub.banking().list_banks(ListBanksRequest {}).await) {
        Ok(known) => Ok(known.banks),
        Err(error) if error.code() == "not_served_here" => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// A participant as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct BankView {
    ispb: String,
    code: String,
    name: String,
    protocol: String,
    position_limit: Option<Money>,
    enrolled_at: Option<Timestamp>,
    primary_color: Option<String>,
    secondary_color: Option<String>,
}

impl BankView {
    fn of(participant: Participant, hosted: Option<Bank>) -> Self {
        let protocol = label(participant.protocol().as_str_name(), "PARTICIPANT_PROTOCOL");
        let (primary_color, secondary_color) =
            hosted.map(|bank| (bank.primary_color, bank.secondary_color)).unzip();
        Self {
            protocol,
            enrolled_at: instant(participant.enrolled_at.as_ref()),
            ispb: participant.ispb,
            code: participant.code,
            name: participant.name,
            position_limit: participant.position_limit_centavos.map(Money::from_centavos),
            primary_color,
            secondary_color,
        }
    }

    fn limit(&self) -> String {
        self.position_limit.map_or_else(|| "none".to_owned(), Money::in_english)
    }
}

impl Shown for BankView {
    fn text(&self, paint: Paint) -> String {
        Fields::new()
            .field("bank", Cell::new(Tone::Strong, self.ispb.as_str()))
            .field("code", self.code.as_str())
            .field("name", self.name.as_str())
            .field("protocol", self.protocol.as_str())
            .field("position limit", self.limit())
            .field("enrolled", moment(self.enrolled_at))
            .render(paint)
    }
}

/// All participants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct BankList {
    banks: Vec<BankView>,
}

impl Shown for BankList {
    fn text(&self, paint: Paint) -> String {
        let columns = [
            ("ISPB", Align::Left),
            ("CODE", Align::Left),
            ("NAME", Align::Left),
            ("PROTOCOL", Align::Left),
            ("COLORS", Align::Left),
            ("LIMIT", Align::Right),
            ("ENROLLED", Align::Left),
        ];
        let mut table = Table::new(columns, "no banks");
        for bank in &self.banks {
            let colors = [&bank.primary_color, &bank.secondary_color];
            let colors: Vec<&str> = colors.into_iter().flatten().map(String::as_str).collect();
            table.row([
                Cell::new(Tone::Strong, bank.ispb.as_str()),
                bank.code.as_str().into(),
                bank.name.as_str().into(),
                bank.protocol.as_str().into(),
                text_or_dash(&colors.join(" ")).into(),
                bank.limit().into(),
                moment(bank.enrolled_at).into(),
            ]);
        }
        table.render(paint)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::help::undocumented;

    fn participant() -> Participant {
        Participant {
            ispb: "00000001".to_owned(),
            code: "001".to_owned(),
            name: "BBX".to_owned(),
            protocol: ParticipantProtocol::Native.into(),
            ..Participant::default()
        }
    }

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<BankCommand>(), Vec::<String>::new());
    }

    #[derive(clap::Parser)]
    struct Probe {
        #[command(subcommand)]
        command: BankCommand,
    }

    #[test]
    fn only_what_is_given_is_asked_for() {
        let request = |more: &[&str]| {
            let words = [&["codepix", "enrol", "--code", "003", "--name", "X"], more].concat();
            Probe::try_parse_from(words).map(|probe| match probe.command {
                BankCommand::Enrol(wanted) => asked(wanted),
                BankCommand::List => panic!("it was enrol"),
            })
        };
        let silent = request(&[]).unwrap();
        assert_eq!(silent.protocol(), ParticipantProtocol::Unspecified);
        assert_eq!((silent.position_limit_centavos, silent.no_position_limit), (None, false));
        let native = request(&["--protocol", "native"]).unwrap();
        assert_eq!(native.protocol(), ParticipantProtocol::Native);
        assert!(request(&["--no-position-limit"]).unwrap().no_position_limit);
        let limited = request(&["--position-limit", "1.00"]).unwrap();
        assert_eq!(limited.position_limit_centavos, Some(100));
        assert!(request(&["--position-limit", "1", "--no-position-limit"]).is_err());
    }

    #[test]
    fn a_bank_shows_its_colours_where_its_books_are_kept_here() {
        let bank = Bank {
            primary_color: "#112233".to_owned(),
            secondary_color: "#445566".to_owned(),
            ..Bank::default()
        };
        let banks =
            vec![BankView::of(participant(), Some(bank)), BankView::of(participant(), None)];
        let text = BankList { banks }.text(Paint::new(false));
        assert!(text.contains("native    #112233 #445566   none"), "{text}");
        assert!(text.contains("native    -"), "{text}");
    }

    #[test]
    fn the_protocol_is_a_word() {
        let json = serde_json::to_value(BankView::of(participant(), None)).unwrap();
        assert_eq!(json["protocol"], "native");
        assert_eq!(json["position_limit"], serde_json::Value::Null);
    }
}
