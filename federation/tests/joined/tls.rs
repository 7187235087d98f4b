//! Remote subgraphs behind TLS: they prove who they are, or are not asked.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_graphql::{Request, Response};
use axum::serve;
use axum::serve::Listener;
use federation::{RemoteSubgraph, RemoteSubgraphBuilder, Subgraph};
use futures::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::shop::{Shop, subgraphs};
use crate::subscriptions::each_event_is_completed;

/// A certificate authority that no system knows.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// The subgraphs of the shop at a server that says it has this name; its port.
    async fn serves(&self, name: &str) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let listener = TlsListener { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
        tokio::spawn(async move { serve(listener, subgraphs()).await.unwrap() });
        port
    }
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, peer) = self.tcp.accept().await.unwrap();
            // A client that does not believe hangs up.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

#[tokio::test]
async fn queries_and_subscriptions_go_over_tls() {
    let authority = Authority::new();
    let port = authority.serves("localhost").await;
    let shop = Shop::reached(|name| {
        let address = format!("https://localhost:{port}/{name}");
        RemoteSubgraph::builder(name, address).authorities(authority.pem.as_bytes())
    });
    let answer = shop.ask("{ product(id: \"p-1\") { name quantity } }", json!({})).await;
    let product = json!({ "data": { "product": { "name": "Product 1", "quantity": 7 } } });
    assert_eq!(answer, product);
    shop.asked();
    each_event_is_completed(&shop).await;
}

/// The codes of a query and of a subscription.
async fn codes(remote: RemoteSubgraphBuilder) -> Vec<String> {
    let remote = remote.build().unwrap();
    let mut answers: Vec<Response> = vec![remote.execute(Request::new("{ __typename }")).await];
    answers.extend(remote.subscribe(Request::new("subscription { a }")).collect::<Vec<_>>().await);
    let told = answers.iter().flat_map(|answer| &answer.errors);
    let told = told.map(|error| error.extensions.as_ref().unwrap().get("code").unwrap());
    told.map(|code| code.to_string().trim_matches('"').to_owned()).collect()
}

#[tokio::test]
async fn who_cannot_prove_to_be_the_subgraph_is_not_asked() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let at = |port: u16, trusted: &Authority| {
        RemoteSubgraph::builder("stock", format!("https://localhost:{port}/stock"))
            .authorities(trusted.pem.as_bytes())
    };
    let own = authority.serves("localhost").await;
    let of_another_name = authority.serves("elsewhere.example").await;
    let unavailable = ["subgraph_unavailable"; 2];
    assert_eq!(codes(at(own, &stranger)).await, unavailable);
    assert_eq!(codes(at(of_another_name, &authority)).await, unavailable);
    let without_tls = RemoteSubgraph::builder("stock", format!("http://localhost:{own}/stock"));
    assert_eq!(codes(without_tls).await, unavailable);
}
