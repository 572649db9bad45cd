//! The HTTP interface: each route serves its caller only, and no answer quotes an invalid message.

use std::sync::Arc;

use axum::Extension;
use certificates::Subject;
use messages::{DisclosureRequest, LabelAnswer};
use record::ParticipantId;
use service::http::Client;
use service::tls::PeerName;
use service::{Shutdown, listen};

use super::issuer::NONCE;
use super::log::broker_key;
use super::world::{NOON, World, emma};
use crate::access;
use crate::routes::routes;

/// The component that the cockpit is here.
const COCKPIT: &str = "city";
const STRANGER: &str = "urn:einsicht:component:register";

fn broker() -> String {
    Subject::Writer(broker_key().id()).to_string()
}

fn cockpit() -> ParticipantId {
    COCKPIT.parse().unwrap()
}

/// Serves the client whose certificate has this name, or one over a connection without a certificate.
async fn serve(world: &World, name: Option<&str>, shutdown: &Shutdown) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let callers = access::callers(Arc::new(world.identity.live.clone()), &cockpit());
    let mut routes = routes(Arc::clone(&world.identity), callers);
    if let Some(name) = name {
        routes = routes.layer(Extension(PeerName(name.into())));
    }
    tokio::spawn(listen::serve(listener, routes, shutdown.clone()));
    url
}

async fn post(url: &str, body: Vec<u8>) -> (u16, String, Vec<u8>) {
    let request = service::http::client(|builder| builder).unwrap().post(url).body(body);
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_serves_its_caller_only() {
    let world = World::new().await;
    let shutdown = Shutdown::new();
    let (broker, portal) = (broker(), Subject::Component(cockpit()).to_string());
    let mut urls = Vec::new();
    for name in [None, Some(STRANGER), Some(&*broker), Some(&*portal)] {
        urls.push((name, serve(&world, name, &shutdown).await));
    }
    let request = record::cbor::to_vec(&world.request(&emma()));
    for (path, right) in [
        ("/labels", &broker),
        ("/labels/outcome-key", &broker),
        ("/labels/denial-key", &broker),
        ("/disclosures", &portal),
    ] {
        for (name, url) in &urls {
            let url = format!("{url}{path}");
            if *name != Some(right) {
                let (status, kind, _) = post(&url, request.clone()).await;
                assert_eq!((status, kind.as_str()), (403, "application/problem+json"), "{path}");
                continue;
            }
            let (status, _, body) = post(&url, b"Mustermann".to_vec()).await;
            assert_eq!(status, 400, "{path}");
            assert!(!String::from_utf8_lossy(&body).contains("Muster"));
            let (status, _, _) = post(&url, vec![0; 65 * 1024]).await;
            assert_eq!(status, 413, "{path}");
        }
    }
    assert!(world.identity.state.pending().unwrap().is_empty());
    shutdown.trigger();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_cbor_and_not_cached() {
    let world = World::new().await;
    let shutdown = Shutdown::new();
    let url = serve(&world, Some(&broker()), &shutdown).await;
    let request = record::cbor::to_vec(&world.request(&emma()));
    let (status, kind, body) = post(&format!("{url}/labels"), request).await;
    assert_eq!((status, kind.as_str()), (200, "application/cbor"));
    let answer: LabelAnswer = record::cbor::from_slice(&body).unwrap();
    world.use_label(&answer);
    let disclosure_request = DisclosureRequest {
        id_token: world.issuer.token(&world.issuer.claims("sub-emma", NOON)),
        nonce: NONCE.into(),
    };
    let portal = Subject::Component(cockpit()).to_string();
    let url = serve(&world, Some(&portal), &shutdown).await;
    let client = Client::new().unwrap();
    let body = client
        .post_cbor(&format!("{url}/disclosures"), record::cbor::to_vec(&disclosure_request))
        .await
        .unwrap();
    let disclosure: messages::Disclosure = record::cbor::from_slice(&body).unwrap();
    assert_eq!(disclosure.entries.len(), 2);
    shutdown.trigger();
}
