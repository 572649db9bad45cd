//! Which answers are compressed, for which clients.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read as _;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, Method};
use flate2::read::GzDecoder;
use service::Shutdown;
use tokio::net::TcpListener;

use super::compression::{allow, get_compressible};
use super::reply::{BINARY, IMMUTABLE, reply};
use super::testing::*;
use crate::rules::testing::*;

const BUNDLE: &str = "/tile/entries/000";

/// A server with more than 256 entries.
async fn server() -> Server {
    let (server, _, _) = Server::started().await;
    let mut broker = TimedWriter::new(BROKER);
    let raws: Vec<_> = (0..300u32)
        .map(|number| {
            let [.., label] = number.to_be_bytes();
            let commitment = record::Commitment(tlog::Hash::of(&record(label)));
            raw(&broker.write(record::Body::Denial { commitment }), label)
        })
        .collect();
    assert!(answers(&server.post(&raws).await.body).iter().all(Result::is_ok));
    server
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut content).unwrap();
    content
}

async fn asking(server: &Server, method: Method, path: &str, accept: &str) -> HttpResponse {
    server
        .request(method, path, &[("accept-encoding", accept)], Vec::new())
        .await
}

#[tokio::test]
async fn a_full_bundle_is_compressed_for_clients_that_prefer_gzip() {
    let server = server().await;
    let plain = server.get(BUNDLE).await;
    assert_eq!(
        (plain.header("content-encoding"), plain.header("vary")),
        ("", "accept-encoding")
    );
    for (accept, encoding) in [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("br, gzip;q=0.2", "gzip"),
        ("identity;q=0.5, gzip", "gzip"),
        ("*", "gzip"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("", ""),
        ("identity", ""),
        ("br, zstd, deflate", ""),
        ("gzip;q=0", ""),
        ("gzip;q=0.5, identity", ""),
        ("gzip;q=0, *", ""),
        ("gzip;q=7", ""),
    ] {
        let got = asking(&server, Method::GET, BUNDLE, accept).await;
        let (weak, body) = match encoding {
            "gzip" => ("W/", gunzip(&got.body)),
            _ => ("", got.body.clone()),
        };
        assert_eq!(
            (got.status, got.header("content-encoding")),
            (200, encoding),
            "{accept}"
        );
        assert_eq!(got.header("vary"), "accept-encoding", "{accept}");
        assert_eq!(
            got.header("etag"),
            format!("{weak}{}", plain.header("etag")),
            "{accept}"
        );
        assert!(body == plain.body, "{accept}");
        let head = asking(&server, Method::HEAD, BUNDLE, accept).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{accept}");
        for name in ["content-encoding", "etag", "vary", "cache-control"] {
            assert_eq!(head.header(name), got.header(name), "{accept} {name}");
        }
        let known = [("accept-encoding", accept), ("if-none-match", got.header("etag"))];
        let again = server.request(Method::GET, BUNDLE, &known, Vec::new()).await;
        assert_eq!(
            (again.status, again.header("vary")),
            (304, "accept-encoding"),
            "{accept}"
        );
        assert_eq!(
            (again.body.len(), again.header("content-encoding")),
            (0, ""),
            "{accept}"
        );
    }
    let smaller = asking(&server, Method::GET, BUNDLE, "gzip").await.body.len();
    assert!(smaller * 4 < plain.body.len() * 3, "{smaller} of {}", plain.body.len());
}

#[tokio::test]
async fn a_client_that_excludes_every_encoding_gets_406() {
    let server = server().await;
    for accept in ["*;q=0", "identity;q=0", "gzip;q=0, identity;q=0"] {
        let got = asking(&server, Method::GET, BUNDLE, accept).await;
        assert_eq!(got.problem(), (406, "not-acceptable".into()), "{accept}");
        assert_eq!(got.header("cache-control"), "no-store", "{accept}");
    }
}

#[tokio::test]
async fn answers_that_are_small_short_lived_or_not_public_are_not_compressed() {
    let server = server().await;
    for path in [
        "/checkpoint",
        "/head",
        "/tile/0/000",
        "/tile/entries/001.p/44",
        "/entries/2/receipt",
        "/tile/entries/009",
    ] {
        let plain = server.get(path).await;
        let got = asking(&server, Method::GET, path, "gzip").await;
        assert_eq!(
            (got.status, got.header("content-encoding")),
            (plain.status, ""),
            "{path}"
        );
        assert!(got.body == plain.body, "{path}");
    }
}

#[tokio::test]
async fn only_bodies_within_the_bounds_are_compressed() {
    let body = |Path(length): Path<usize>, headers: HeaderMap| async move {
        allow(reply(&headers, BINARY, IMMUTABLE, vec![7; length]))
    };
    let routes = Router::new().route("/{length}", get_compressible(body));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = Shutdown::new();
    tokio::spawn(service::listen::serve(listener, routes, shutdown));
    let client = service::http::client(|builder| builder).unwrap();
    for (length, compressed) in [
        (0, false),
        (1023, false),
        (1024, true),
        (1 << 20, true),
        ((1 << 20) + 1, false),
    ] {
        let request = client.get(format!("{url}/{length}")).header("accept-encoding", "gzip");
        let response = request.send().await.unwrap();
        assert_eq!(
            response.headers().contains_key("content-encoding"),
            compressed,
            "{length}"
        );
    }
}
