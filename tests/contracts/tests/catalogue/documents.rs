//! `AsyncAPI` and the other documents that are attached.

use std::collections::BTreeSet;

use codepix::config::ContextName;
use contracts::asyncapi::{dangling, message_id, of_context, whole};
use serde_json::Value;

use crate::support::{code, committed};

#[test]
fn every_reference_leads_somewhere() {
    let code = code();
    let mut documents: Vec<Value> =
        ContextName::ALL.into_iter().map(|context| of_context(&code, context)).collect();
    documents.push(whole(&code));
    for mut document in documents {
        assert_eq!(dangling(&document), Vec::<String>::new(), "{}", document["info"]["title"]);
        document["components"]["messages"] = Value::Null;
        assert!(!dangling(&document).is_empty(), "{}", document["info"]["title"]);
    }
}

#[test]
fn the_whole_document_has_every_event_on_every_channel() {
    let code = code();
    let document = whole(&code);
    assert_eq!(document["components"]["messages"].as_object().unwrap().len(), code.events.len());
    for event in &code.events {
        let message = message_id(event);
        for channel in event.entry.channels {
            let id = contracts::channels::id(channel);
            let found = &document["channels"][&id]["messages"][&message];
            assert!(found.is_object(), "{message} is not on {id}");
        }
    }
}

#[test]
fn a_context_has_what_it_sends_and_what_it_receives_and_no_more() {
    let document = of_context(&code(), ContextName::Transfers);
    let operations: BTreeSet<&str> =
        document["operations"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        operations,
        BTreeSet::from([
            "transfers.receive.codepix.banking.transfers",
            "transfers.receive.codepix.transfers",
            "transfers.receive.codepix.transfers.delivered",
            "transfers.receive.transaction_confirmation",
            "transfers.receive.transactions",
            "transfers.send.bankcode",
            "transfers.send.codepix.bank.ispb",
            "transfers.send.codepix.transfers",
            "transfers.send.codepix.transfers.delivered",
            "transfers.send.codepix.transfers.participants",
        ])
    );
}

#[test]
fn attached_documents_are_those_of_the_code() {
    let tree = committed();
    for context in ContextName::ALL {
        let folder = contracts::house::of(context).folder();
        let sdl = tree.get(&format!("{folder}/schema.graphql"));
        assert_eq!(sdl, Some(codepix::graph::sdl::sdl(context).as_str()), "{folder}");
        let proto = format!("{folder}/{}.proto", contracts::house::of(context).proto);
        let text = contracts::doors::proto(context).unwrap();
        assert_eq!(tree.get(&proto), Some(text.as_str()), "{proto}");
        let openapi = tree.get(&format!("{folder}/openapi.json"));
        let openapi = openapi.map(|text| serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(openapi, codepix::catalogue::openapi(context), "{folder}");
    }
    let classic = tree.get("domains/PixKeys/services/PixKeysService/pix_service.proto");
    assert_eq!(
        classic.map(str::to_owned),
        contracts::doors::classic_proto(ContextName::PixKeys).unwrap()
    );
}
