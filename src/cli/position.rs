//! `codepix position`: what the participants owe each other.

use std::collections::BTreeMap;

use serde::Serialize;
use shared_kernel::domain::Money;

use crate::cli::output::{Align, Cell, Output, Paint, Shown, Table, Tone};
use crate::client::transfers::{ListParticipantsRequest, ListPositionsRequest, Participant};
use crate::client::{ClientError, ClientOptions, Hub};

/// Settlement positions: what each participant owes or is owed.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum PositionCommand {
    /// List the positions of all participants; their sum is zero
    List,
}

/// Runs `codepix position`.
///
/// # Errors
/// [`ClientError`] when the hub refuses or does not answer.
pub async fn run(
    command: PositionCommand,
    client: &ClientOptions,
    output: &Output,
) -> anyhow::Result<()> {
    let hub = client.connect().await?;
    match command {
        PositionCommand::List => output.show(&list(&hub).await?),
    }
}

/// One participant's position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PositionView {
    ispb: String,
    name: String,
    position: Money,
    reserved: Money,
    position_limit: Option<Money>,
}

/// All positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PositionList {
    positions: Vec<PositionView>,
    sum: Money,
}

async fn list(hub: &Hub) -> anyhow::Result<PositionList> {
    let known = hub.answer(hub.transfers().list_participants(ListParticipantsRequest {}).await)?;
    let mut participants: BTreeMap<String, Participant> =
        known.participants.into_iter().map(|known| (known.ispb.clone(), known)).collect();
    let found = hub.answer(hub.transfers().list_positions(ListPositionsRequest {}).await)?;
    let positions = found.positions.into_iter().map(|position| {
        let participant = participants.remove(&position.ispb).unwrap_or_default();
        PositionView {
            ispb: position.ispb,
            name: participant.name,
            position: Money::from_centavos(position.position_centavos),
            reserved: Money::from_centavos(position.reserved_centavos),
            position_limit: participant.position_limit_centavos.map(Money::from_centavos),
        }
    });
    Ok(PositionList::of(positions.collect())?)
}

impl PositionList {
    fn of(positions: Vec<PositionView>) -> Result<Self, ClientError> {
        let mut sum = Money::ZERO;
        for position in &positions {
            sum = sum.checked_add(position.position)?;
        }
        Ok(Self { positions, sum })
    }
}

impl Shown for PositionList {
    fn text(&self, paint: Paint) -> String {
        let columns = [
            ("ISPB", Align::Left),
            ("NAME", Align::Left),
            ("POSITION", Align::Right),
            ("RESERVED", Align::Right),
            ("LIMIT", Align::Right),
        ];
        let mut table = Table::new(columns, "no participants");
        for entry in &self.positions {
            let tone = if entry.position.is_negative() { Tone::Bad } else { Tone::Plain };
            let limit = entry.position_limit.map_or_else(|| "none".to_owned(), Money::in_english);
            table.row([
                entry.ispb.as_str().into(),
                entry.name.as_str().into(),
                Cell::new(tone, entry.position.in_english()),
                entry.reserved.in_english().into(),
                limit.into(),
            ]);
        }
        let tone = if self.sum.is_zero() { Tone::Good } else { Tone::Bad };
        format!("{}\nsum  {}", table.render(paint), paint.tint(tone, &self.sum.in_english()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::undocumented;

    fn position(ispb: &str, centavos: i64) -> PositionView {
        PositionView {
            ispb: ispb.to_owned(),
            name: "Bank".to_owned(),
            position: Money::from_centavos(centavos),
            reserved: Money::ZERO,
            position_limit: None,
        }
    }

    #[test]
    fn every_word_is_explained() {
        assert_eq!(undocumented::<PositionCommand>(), Vec::<String>::new());
    }

    #[test]
    fn the_sum_is_shown() {
        let list = PositionList::of(vec![position("00000001", -500), position("00000002", 500)]);
        let text = list.unwrap().text(Paint::new(false));
        assert!(text.contains("-BRL 5.00"), "{text}");
        assert!(text.ends_with("sum  BRL 0.00"), "{text}");
    }

    #[test]
    fn a_sum_beyond_the_range_is_refused() {
        let list = PositionList::of(vec![position("1", i64::MAX), position("2", 1)]);
        assert_eq!(list.unwrap_err().code(), "money_overflow");
    }
}
