//! Producers and consumers.

use codepix::catalogue;
use codepix::config::ContextName;
use contracts::readers::disagreements;
use contracts::{Catalogue, history};
use serde_json::{Value, json};
use shared_kernel::application::catalogue::Reader;
use shared_kernel::application::{InboundRecord, Unreadable};

use crate::support::{code, committed, names, none};

#[test]
fn every_reader_takes_every_example_of_what_it_reads() {
    none(&disagreements(&code()));
}

#[test]
fn every_reader_takes_every_old_version_as_it_takes_the_newest() {
    let (code, tree) = (code(), committed());
    assert!(history::old_versions(&code, &tree).unwrap().len() >= 5);
    none(&history::disagreements(&code, &tree).unwrap());
}

/// Whether the body has that field; a reader that cannot do without it.
fn has(record: &InboundRecord, field: &str) -> bool {
    let body = record.payload.as_deref().unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap();
    body.get(field).is_some()
}

#[test]
fn a_reader_that_wants_a_later_field_of_an_old_event_is_named() {
    const FORGETFUL: &[Reader] = &[Reader {
        context: "balances",
        consumer: "forgetful",
        channels: &["codepix.transfers"],
        knows: &[],
        read: |record| {
            let lacking = || Unreadable::new("payload_json", "missing field `overdue_at`");
            has(record, "overdue_at").then_some(true).ok_or_else(lacking)
        },
    }];
    let code = with(FORGETFUL);
    none(&disagreements(&code));
    let found = history::disagreements(&code, &committed()).unwrap();
    let event = "codepix.transfers.TransferPending.v1 1.0.0";
    names(&found, &["balances (forgetful)", event, "missing field `overdue_at`"]);
}

#[test]
fn a_reader_that_lets_an_old_event_pass_by_is_named() {
    const PICKY: &[Reader] = &[Reader {
        context: "balances",
        consumer: "picky",
        channels: &["codepix.transfers"],
        knows: &[],
        read: |record| Ok(has(record, "overdue_at")),
    }];
    let found = history::disagreements(&with(PICKY), &committed()).unwrap();
    names(&found, &["balances (picky)", "TransferPending.v1 1.0.0", "does not treat"]);
}

#[test]
fn who_reads_what_is_as_the_code_reads_it() {
    let code = code();
    let readers = |name: &str| {
        let event = code.events.iter().find(|event| event.entry.name == name).unwrap();
        let mut contexts: Vec<&str> = event.readers.iter().map(|reader| reader.context).collect();
        contexts.dedup();
        contexts
    };
    assert_eq!(readers("TransferRequested"), ["transfers"]);
    assert_eq!(readers("AccountClosed"), ["pix-keys", "banking", "balances"]);
    let limits = readers("AccountLimitsChanged");
    assert_eq!(limits, ["banking", "balances"], "Pix Keys lets it pass by");
    assert_eq!(readers("PixKeyRegistered"), ["banking"]);
}

/// The catalogue with another consumer in it.
fn with(reader: &'static [Reader]) -> Catalogue {
    let mut contexts: Vec<_> = catalogue::contexts().into();
    for context in &mut contexts {
        context.readers = &[];
    }
    contexts.push(catalogue::ContextCatalogue {
        readers: reader,
        ..catalogue::of(ContextName::Balances)
    });
    Catalogue::of(contexts).unwrap()
}

#[test]
fn a_reader_that_cannot_read_is_named_with_the_event() {
    const STRICT: &[Reader] = &[Reader {
        context: "balances",
        consumer: "strict",
        channels: &["codepix.pix-keys"],
        knows: &["codepix.pix_keys.PixKeyRegistered.v1"],
        read: |_record| Err(Unreadable::new("payload_json", "the field `nome` is missing")),
    }];
    let found = disagreements(&with(STRICT));
    names(
        &found,
        &["balances (strict)", "PixKeyRegistered.v1", "payload_json", "`nome` is missing"],
    );
    names(&found, &["never gets"]);
}

/// The code, where the schema of one event allows more.
fn allowing(name: &str, edit: impl FnOnce(&mut Value)) -> Catalogue {
    let mut code = code();
    let event = code.events.iter_mut().find(|event| event.entry.name == name).unwrap();
    edit(&mut event.schema["properties"]);
    code
}

#[test]
fn a_value_that_a_reader_does_not_know_is_named_with_the_reader() {
    let code = allowing("ParticipantEnrolled", |fields| {
        fields["protocol"]["enum"].as_array_mut().unwrap().push(json!("instant"));
    });
    let found = disagreements(&code);
    let event = "codepix.transfers.ParticipantEnrolled.v1";
    names(
        &found,
        &["banking (codepix.banking)", event, "`protocol` is \"instant\"", "Mend inbound.rs"],
    );
    assert_eq!(found.len(), 1, "Pix Keys reads no protocol: {found:#?}");
}

#[test]
fn null_and_absence_that_a_reader_does_not_take_are_named_with_it() {
    let code = allowing("PixKeyRegistered", |fields| {
        fields["owner_name"]["type"] = json!(["string", "null"]);
    });
    let event = "codepix.pix_keys.PixKeyRegistered.v1";
    names(&disagreements(&code), &["banking (codepix.banking)", event, "`owner_name` is null"]);
    let mut code = code;
    let event = code.events.iter_mut().find(|event| event.entry.name == "AccountOpened").unwrap();
    event.schema["required"].as_array_mut().unwrap().retain(|it| it != "available");
    names(&disagreements(&code), &["balances", "AccountOpened.v1", "`available` is missing"]);
}

#[test]
fn a_reader_that_lets_a_value_pass_by_is_named() {
    const PICKY: &[Reader] = &[Reader {
        context: "balances",
        consumer: "picky",
        channels: &["codepix.transfers.participants"],
        knows: &[],
        read: |record| {
            let body = record.payload.as_deref().unwrap_or_default();
            let body: Value = serde_json::from_slice(body).unwrap();
            Ok(!body["position_limit"].is_null())
        },
    }];
    let found = disagreements(&with(PICKY));
    names(&found, &["balances (picky)", "ParticipantChanged.v1", "`position_limit` is"]);
}

#[test]
fn a_reader_that_waits_for_what_nobody_sends_is_named() {
    const HOPEFUL: &[Reader] = &[Reader {
        context: "balances",
        consumer: "hopeful",
        channels: &["codepix.pix-keys", "codepix.nowhere"],
        knows: &["codepix.pix_keys.PixKeyRenamed.v1"],
        read: |_record| Ok(true),
    }];
    let found = disagreements(&with(HOPEFUL));
    names(&found, &["hopeful", "PixKeyRenamed", "never gets"]);
    names(&found, &["hopeful", "codepix.nowhere", "nobody publishes"]);
}

#[test]
fn whoever_makes_a_topic_makes_it_as_its_owner_does() {
    let code = code();
    for context in &code.contexts {
        for plan in &context.topics {
            let owned = code.channels().into_iter().find(|(_, channel)| channel.holds(&plan.name));
            let (owner, channel) = owned.unwrap_or_else(|| {
                panic!(
                    "{} makes {}, on which nobody publishes",
                    context.context.as_str(),
                    plan.name
                )
            });
            let said = (plan.partitions, plan.retention);
            assert_eq!(
                said,
                (channel.partitions, channel.retention),
                "{} makes {} otherwise than {}",
                context.context.as_str(),
                plan.name,
                owner.as_str()
            );
        }
    }
}
