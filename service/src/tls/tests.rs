#![allow(clippy::unwrap_used)]
use std::net::SocketAddr;

use axum::routing::get;
use axum::{Extension, Router};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::clock::ManualClock;
use crate::http::{CallError, Client};
use crate::listen::{self, Listener};
use crate::shutdown::Shutdown;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const SERVER: &str = "urn:einsicht:component:server";
const STRANGER: &str = "urn:einsicht:component:stranger";
const CLIENT: &str = "urn:einsicht:component:client";

fn at(seconds: u64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap()).unwrap()
}

/// A certificate authority.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn ca() -> Ca {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Ca {
        issuer: Issuer::new(params, key),
        pem,
    }
}

impl Ca {
    /// A certificate for a day, with these URIs, and its key, in PEM.
    fn issue(&self, uris: &[&str], from: u64) -> String {
        let mut params = CertificateParams::default();
        params.subject_alt_names = uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().unwrap()))
            .collect();
        (params.not_before, params.not_after) = (at(from), at(from + DAY));
        let key = KeyPair::generate().unwrap();
        params.signed_by(&key, &self.issuer).unwrap().pem() + &key.serialize_pem()
    }

    /// A process with this name.
    fn identity(&self, uri: &str, clock: &Arc<ManualClock>) -> TlsIdentity {
        let identity = TlsIdentity::new(&self.pem, clock.clone()).unwrap();
        let pem = self.issue(&[uri], NOW - 60);
        identity.present(&pem).unwrap();
        identity
    }
}

/// A server that answers with the name of its client.
async fn serve(identity: &TlsIdentity) -> (SocketAddr, Shutdown) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, shutdown) = (socket.local_addr().unwrap(), Shutdown::new());
    let name = |Extension(name): Extension<PeerName>| async move { name.0.to_string() };
    let listener = Listener::from(socket)
        .secured(identity, |name| name != STRANGER)
        .unwrap();
    let routes = Router::new().route("/name", get(name));
    tokio::spawn(listen::serve(listener, routes, shutdown.clone()));
    (address, shutdown)
}

/// Asks with a new connection for the name that the server sees.
async fn ask(client: &TlsIdentity, address: SocketAddr) -> Result<String, CallError> {
    let client = Client::mutual(client, |name| name == SERVER).unwrap();
    let body = client.get_bytes(&format!("https://{address}/name")).await?;
    Ok(String::from_utf8(body).unwrap())
}

/// Sends a request over a connection of rustls' own client. Returns the answer, which is empty after an alert.
async fn send(stream: &mut TlsStream<TcpStream>) -> String {
    let _ = stream.write_all(b"GET /name HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).await.unwrap_or_default();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

async fn connect(config: ClientConfig, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let host = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(host, stream).await
}

/// A client of others: it trusts every server, speaks one version, and presents this certificate or none.
fn foreign(ca: &Ca, version: &'static rustls::SupportedProtocolVersion, certificate: Option<String>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trusting = ca.identity(CLIENT, &ManualClock::new(NOW)).0;
    let verifier = PeerVerifier::new(trusting, provider.clone(), Box::new(|_| true));
    let builder = ClientConfig::builder_with_details(provider, Arc::new(Fixed))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match certificate {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(certificates(&pem).unwrap(), key).unwrap()
        }
    }
}

#[derive(Debug)]
struct Fixed;

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW)))
    }
}

#[tokio::test]
async fn both_ends_know_each_others_name() {
    let (ca, clock) = (ca(), ManualClock::new(NOW));
    let (address, shutdown) = serve(&ca.identity(SERVER, &clock)).await;
    let client = ca.identity(CLIENT, &clock);
    assert_eq!(ask(&client, address).await.unwrap(), CLIENT);
    let other = Client::mutual(&client, |name| name == CLIENT).unwrap();
    let refused = other.get(&format!("https://{address}/name")).await.unwrap_err();
    assert!(
        matches!(refused, CallError::NotConnected(_)),
        "a server of another name: {refused}"
    );
    let plain = other.get(&format!("http://{address}/name")).await;
    assert!(plain.is_err(), "it must not call without TLS");
    shutdown.trigger();
}

#[tokio::test]
async fn a_client_without_a_valid_certificate_gets_no_answer() {
    let (ca, clock) = (ca(), ManualClock::new(NOW));
    let (address, shutdown) = serve(&ca.identity(SERVER, &clock)).await;
    let answer = async |version, certificate| match connect(foreign(&ca, version, certificate), address).await {
        Ok(mut stream) => send(&mut stream).await,
        Err(_) => String::new(),
    };
    let own = ca.issue(&[CLIENT], NOW - 60);
    assert!(answer(&TLS13, Some(own.clone())).await.starts_with("HTTP/1.1 200"));
    assert_eq!(answer(&TLS12, Some(own)).await, "", "TLS 1.2");
    assert_eq!(answer(&TLS13, None).await, "", "no certificate");
    for (certificate, what) in [
        (self::ca().issue(&[CLIENT], NOW - 60), "of another authority"),
        (ca.issue(&[CLIENT], NOW - DAY - 1), "expired"),
        (ca.issue(&[CLIENT], NOW + 1), "not valid yet"),
        (ca.issue(&[STRANGER], NOW - 60), "of a name that is not admitted"),
        (ca.issue(&[], NOW - 60), "without a name"),
        (ca.issue(&[CLIENT, SERVER], NOW - 60), "with two names"),
    ] {
        assert_eq!(answer(&TLS13, Some(certificate)).await, "", "{what}");
    }
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /name HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "plain HTTP");
    shutdown.trigger();
}

#[tokio::test]
async fn a_certificate_is_replaced_while_connections_continue() {
    let (ca, clock) = (ca(), ManualClock::new(NOW));
    let (server, client) = (ca.identity(SERVER, &clock), ca.identity(CLIENT, &clock));
    let (address, shutdown) = serve(&server).await;
    let mut open = connect(client.client(|_| true).unwrap(), address).await.unwrap();
    assert!(send(&mut open).await.ends_with(CLIENT));
    clock.advance(DAY);
    assert!(ask(&client, address).await.is_err(), "both certificates have expired");
    for (identity, name) in [(&server, SERVER), (&client, CLIENT)] {
        let pem = ca.issue(&[name], NOW + DAY - 60);
        identity.present(&pem).unwrap();
    }
    assert_eq!(ask(&client, address).await.unwrap(), CLIENT);
    assert!(send(&mut open).await.ends_with(CLIENT), "the open connection continues");
    shutdown.trigger();
}

#[tokio::test]
async fn an_authority_is_replaced_in_steps_without_a_refusal() {
    let (old, new, clock) = (ca(), ca(), ManualClock::new(NOW));
    let (server, client) = (old.identity(SERVER, &clock), old.identity(CLIENT, &clock));
    let (address, shutdown) = serve(&server).await;
    let both = format!("{}{}", old.pem, new.pem);
    let renew = |identity: &TlsIdentity, ca: &Ca, name| {
        let pem = ca.issue(&[name], NOW - 60);
        identity.present(&pem)
    };
    assert!(
        renew(&client, &new, CLIENT).is_err(),
        "its own authorities are the first to accept it"
    );
    server.trust(certificates(&both).unwrap()).unwrap();
    assert!(ask(&client, address).await.is_ok());
    client.trust(certificates(&both).unwrap()).unwrap();
    renew(&client, &new, CLIENT).unwrap();
    assert!(ask(&client, address).await.is_ok(), "old and new");
    renew(&server, &new, SERVER).unwrap();
    assert!(ask(&client, address).await.is_ok());
    server.trust(certificates(&new.pem).unwrap()).unwrap();
    client.trust(certificates(&new.pem).unwrap()).unwrap();
    assert!(ask(&client, address).await.is_ok());
    let late = old.identity(CLIENT, &clock);
    late.trust(certificates(&both).unwrap()).unwrap();
    assert!(
        ask(&late, address).await.is_err(),
        "the old authority is not trusted any more"
    );
    assert!(server.trust(vec![vec![1].into()]).is_err());
    assert!(ask(&client, address).await.is_ok(), "a wrong file changes nothing");
    shutdown.trigger();
}

#[tokio::test]
async fn without_a_certificate_every_handshake_fails() {
    let (ca, clock) = (ca(), ManualClock::new(NOW));
    let new = || TlsIdentity::new(&ca.pem, clock.clone()).unwrap();
    let (server, client) = (new(), new());
    let (address, shutdown) = serve(&server).await;
    assert!(ask(&ca.identity(CLIENT, &clock), address).await.is_err());
    let pem = ca.issue(&[SERVER], NOW - 60);
    server.present(&pem).unwrap();
    assert!(ask(&ca.identity(CLIENT, &clock), address).await.is_ok());
    assert!(ask(&client, address).await.is_err());
    shutdown.trigger();
}

#[test]
fn a_certificate_that_peers_would_refuse_is_refused_at_once() {
    let (ca, clock) = (ca(), ManualClock::new(NOW));
    let new = |pem: String, roots: &str| {
        let identity = TlsIdentity::new(roots, clock.clone())?;
        identity.present(&pem)
    };
    assert!(new(ca.issue(&[CLIENT], NOW), &ca.pem).is_ok());
    for (certificate, roots) in [
        (ca.issue(&[CLIENT], NOW), self::ca().pem),
        (ca.issue(&[CLIENT], NOW + 1), ca.pem.clone()),
        (ca.issue(&[CLIENT], NOW - DAY - 1), ca.pem.clone()),
        (ca.issue(&[], NOW), ca.pem.clone()),
        (ca.issue(&[CLIENT, CLIENT], NOW), ca.pem.clone()),
    ] {
        assert!(matches!(new(certificate, &roots), Err(TlsError::NotValid(_))));
    }
    let (one, other) = (ca.issue(&[CLIENT], NOW), ca.issue(&[CLIENT], NOW));
    let end = "-----END CERTIFICATE-----";
    let (certificate, _) = one.split_once(end).unwrap();
    let (_, key) = other.split_once(end).unwrap();
    let mixed = format!("{certificate}{end}{key}");
    assert!(matches!(new(mixed, &ca.pem), Err(TlsError::Key(_))));
    assert!(matches!(
        new(format!("{certificate}{end}\n"), &ca.pem),
        Err(TlsError::Key(_))
    ));
    assert!(matches!(new(String::new(), &ca.pem), Err(TlsError::Certificates(_))));
}
