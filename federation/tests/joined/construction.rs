//! A graph whose parts do not fit is refused when it is built.

use std::sync::Arc;

use federation::{BuildError, Builder, Federated};

use crate::shop::{SUPERGRAPH, builder};
use crate::subgraphs::{catalog, people, reviews, stock};

fn complete() -> Builder {
    builder()
        .subgraph("catalog", Arc::new(catalog::schema()))
        .subgraph("people", Arc::new(people::schema()))
        .subgraph("reviews", Arc::new(reviews::schema()))
}

#[test]
fn every_subgraph_of_the_supergraph_is_needed_and_no_other() {
    let stock = || Arc::new(stock::schema());
    let missing = complete().build().unwrap_err();
    assert_eq!(missing, BuildError::SubgraphMissing("stock".to_owned()));
    assert!(missing.to_string().contains("\"stock\""));
    let unknown = complete().subgraph("STOCK", stock()).build().unwrap_err();
    assert_eq!(unknown, BuildError::SubgraphUnknown("STOCK".to_owned()));
    let twice = complete().subgraph("stock", stock()).subgraph("stock", stock()).build();
    assert_eq!(twice.unwrap_err(), BuildError::SubgraphTwice("stock".to_owned()));
    assert!(complete().subgraph("stock", stock()).build().is_ok());
}

#[test]
fn what_is_no_supergraph_is_refused() {
    let no_query = SUPERGRAPH.replace("type Query ", "type Other ");
    for text in ["type Query {", "type Query { a: Int }", "", "{ a }", &no_query] {
        let refused = Federated::builder(text).build().unwrap_err();
        assert!(matches!(refused, BuildError::Supergraph(_)), "{text}: {refused:?}");
    }
}
