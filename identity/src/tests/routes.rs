//! The HTTP interface: each route serves its caller only, and no answer quotes an invalid message.

use std::sync::Arc;

use certificates::Callers;
use messages::{DisclosureRequest, LabelAnswer};
use service::http::Client;
use service::secret::Credential;
use service::{Shutdown, listen};

use super::issuer::NONCE;
use super::world::{NOON, World, emma};
use crate::routes::{RouteCallers, routes};

const BROKER: [u8; 32] = [11; 32];
const PORTAL: [u8; 32] = [12; 32];

async fn serve(world: &World, shutdown: &Shutdown) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let caller = |bytes| Callers::Credentials(vec![Credential::from_bytes(bytes).digest()]);
    let callers = RouteCallers {
        broker: caller(BROKER),
        cockpit: caller(PORTAL),
    };
    let routes = routes(Arc::clone(&world.identity), callers);
    tokio::spawn(listen::serve(listener, routes, shutdown.clone()));
    url
}

async fn post(url: &str, credential: Option<[u8; 32]>, body: Vec<u8>) -> (u16, String, Vec<u8>) {
    let mut request = service::http::client(|builder| builder).unwrap().post(url).body(body);
    if let Some(bytes) = credential {
        request = request.header("authorization", format!("Bearer {}", hex::encode(bytes)));
    }
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_serves_its_caller_only() {
    let world = World::new().await;
    let shutdown = Shutdown::new();
    let url = serve(&world, &shutdown).await;
    let request = record::cbor::to_vec(&world.request(&emma()));
    for (path, right) in [
        ("/labels", BROKER),
        ("/labels/outcome-key", BROKER),
        ("/labels/denial-key", BROKER),
        ("/disclosures", PORTAL),
    ] {
        let wrong = if right == BROKER { PORTAL } else { BROKER };
        for credential in [None, Some(wrong), Some([0; 32])] {
            let (status, kind, _) = post(&format!("{url}{path}"), credential, request.clone()).await;
            assert_eq!((status, kind.as_str()), (401, "application/problem+json"), "{path}");
        }
        let (status, _, body) = post(&format!("{url}{path}"), Some(right), b"Mustermann".to_vec()).await;
        assert_eq!(status, 400, "{path}");
        assert!(!String::from_utf8_lossy(&body).contains("Muster"));
        let (status, _, _) = post(&format!("{url}{path}"), Some(right), vec![0; 65 * 1024]).await;
        assert_eq!(status, 413, "{path}");
    }
    assert!(world.identity.state.pending().unwrap().is_empty());
    shutdown.trigger();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_cbor_and_not_cached() {
    let world = World::new().await;
    let shutdown = Shutdown::new();
    let url = serve(&world, &shutdown).await;
    let request = record::cbor::to_vec(&world.request(&emma()));
    let (status, kind, body) = post(&format!("{url}/labels"), Some(BROKER), request).await;
    assert_eq!((status, kind.as_str()), (200, "application/cbor"));
    let answer: LabelAnswer = record::cbor::from_slice(&body).unwrap();
    world.use_label(&answer);
    let disclosure_request = DisclosureRequest {
        id_token: world.issuer.token(&world.issuer.claims("sub-emma", NOON)),
        nonce: NONCE.into(),
    };
    let client = Client::new().unwrap().with_credential(Credential::from_bytes(PORTAL));
    let body = client
        .post_cbor(&format!("{url}/disclosures"), record::cbor::to_vec(&disclosure_request))
        .await
        .unwrap();
    let disclosure: messages::Disclosure = record::cbor::from_slice(&body).unwrap();
    assert_eq!(disclosure.entries.len(), 2);
    shutdown.trigger();
}
