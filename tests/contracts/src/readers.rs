//! Producers and consumers: what readers refuse, and what they wait for in vain.
//!
//! Each reader is handed every example of what stands on its channels, and every variant of it that
//! the schema allows: a value that an enumeration has grown by is an addition only as long as all
//! who read it take it.

use shared_kernel::application::InboundRecord;
use shared_kernel::application::catalogue::Reader;

use crate::registry::{Catalogue, EventDoc, ReaderDoc};
use crate::variants::{self, Known, Variant};

/// What readers refuse, and what they wait for in vain: each in a sentence.
pub fn disagreements(catalogue: &Catalogue) -> Vec<String> {
    let mut known = Known::default();
    catalogue.events.iter().for_each(|event| known.remember(&event.schema, &event.example));
    let readers = || catalogue.contexts.iter().flat_map(|context| context.readers);
    let mut found: Vec<String> = Vec::new();
    for event in &catalogue.events {
        let variants = variants::of(&event.schema, &event.example, &known);
        for (channel, record) in event.entry.channels.iter().zip(&event.records) {
            for reader in readers().filter(|it| it.channels.contains(&channel.address)) {
                found.extend(refusals(event, record, reader, &variants));
            }
        }
    }
    readers().for_each(|reader| found.extend(in_vain(catalogue, reader)));
    found
}

fn name_of(reader: &Reader) -> String {
    format!("{} ({})", reader.context, reader.consumer)
}

/// What a reader makes of an example and its variants, and should not.
fn refusals(
    event: &EventDoc,
    record: &InboundRecord,
    reader: &Reader,
    variants: &[Variant],
) -> Vec<String> {
    let (who, event_type) = (name_of(reader), event.entry.event_type);
    let takes = match (reader.read)(record) {
        Ok(takes) => takes,
        Err(refused) => {
            return vec![format!(
                "{who} cannot read {event_type} of {}: {}: {refused}. Its example is a real \
                 value: mend inbound.rs there, or publish what it reads",
                event.context.as_str(),
                refused.code,
            )];
        }
    };
    let mut found = Vec::new();
    for Variant { what, body } in variants {
        let payload = Some(body.to_string().into_bytes());
        match (reader.read)(&InboundRecord { payload, ..record.clone() }) {
            Ok(same) if same == takes => {}
            Ok(_) => found.push(format!(
                "{who} does not treat {event_type} as its example when {what}, which its schema \
                 allows: mend inbound.rs there"
            )),
            Err(refused) => found.push(format!(
                "{who} cannot read {event_type} when {what}, which its schema allows: {}: \
                 {refused}. Mend inbound.rs there before it is published, or publish a new type",
                refused.code
            )),
        }
    }
    found
}

/// What a reader names and never gets.
fn in_vain(catalogue: &Catalogue, reader: &Reader) -> Vec<String> {
    let (who, mut found) = (name_of(reader), Vec::new());
    for known in reader.knows {
        let is_taken = catalogue.events.iter().any(|event| {
            let reads =
                |it: &ReaderDoc| it.context == reader.context && it.consumer == reader.consumer;
            event.entry.event_type == *known && event.readers.iter().any(reads)
        });
        if !is_taken {
            found.push(format!(
                "{who} names {known}, which it never gets: no registry has it on a channel that \
                 is read there"
            ));
        }
    }
    for address in reader.channels {
        if !catalogue.channels().iter().any(|(_, channel)| channel.address == *address) {
            found.push(format!("{who} reads {address}, on which nobody publishes"));
        }
    }
    found
}
