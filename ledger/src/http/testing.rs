//! A server on the in-memory store, and a client that shares no code with the server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use axum::http::Method;
use record::Receipt;
use reqwest::header::HeaderMap;
use service::Shutdown;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::policy::Policy;
use tokio::net::TcpListener;

use super::{Roles, Shared, routes};
use crate::rules::RawSubmission;
use crate::rules::testing::*;
use crate::store::memory::MemoryStore;

pub(super) struct Server {
    pub(super) url: String,
    pub(super) client: reqwest::Client,
    pub(super) shared: Arc<Shared>,
    pub(super) shutdown: Shutdown,
    pub(super) task: tokio::task::JoinHandle<std::io::Result<()>>,
}

pub(super) struct HttpResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl HttpResponse {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = service::Problem::from_response(self.status, &self.body, None);
        (self.status, problem.slug)
    }
}

impl Server {
    pub(super) async fn of(shared: Arc<Shared>) -> Self {
        Self::at(routes(Roles::new(shared.clone())), shared).await
    }

    /// Serves these routes.
    pub(super) async fn at(routes: axum::Router, shared: Arc<Shared>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = Shutdown::new();
        let task = tokio::spawn(service::listen::serve(listener, routes, shutdown.clone()));
        Self {
            url,
            client: service::http::client(|builder| builder).unwrap(),
            shared,
            shutdown,
            task,
        }
    }

    pub(super) async fn started() -> (Self, World, TimedWriter) {
        let world = World::new();
        let (shared, identity) = world.started(Arc::new(MemoryStore::new())).await;
        (Self::of(shared).await, world, identity)
    }

    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> HttpResponse {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        HttpResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> HttpResponse {
        self.request(Method::GET, path, &[], Vec::new()).await
    }

    pub(super) async fn post(&self, raws: &[RawSubmission]) -> HttpResponse {
        self.request(
            Method::POST,
            "/entries",
            &[
                ("content-type", "application/cbor-seq"),
                ("accept", "application/cbor-seq"),
            ],
            sequence(raws),
        )
        .await
    }

    pub(super) async fn checkpoint(&self, path: &str) -> Checkpoint {
        let got = self.get(path).await;
        let keys = [log_key().verifier_key().unwrap()];
        SignedCheckpoint::open(&got.body, &ORIGIN.parse().unwrap(), &keys)
            .unwrap()
            .checkpoint()
            .clone()
    }

    /// Stops the server and the log, so that the store can be reopened.
    pub(super) async fn end(self) {
        self.shutdown.trigger();
        self.task.await.unwrap().unwrap();
        self.shared.log.end();
    }
}

/// The body of a request.
pub(super) fn sequence(raws: &[RawSubmission]) -> Vec<u8> {
    let mut body = Vec::new();
    for raw in raws {
        let (leaf, record, document) = (&*raw.leaf, raw.record.as_deref(), raw.document.as_deref());
        record::Submitted { leaf, record, document }.write(&mut body);
    }
    body
}

/// The index of a recorded entry; or slug, status and the stored entry's index of a refusal.
pub(super) type EntryOutcome = Result<u64, (String, u16, Option<u64>)>;

/// Reads the answers of a sequence and verifies every receipt.
pub(super) fn answers(mut bytes: &[u8]) -> Vec<EntryOutcome> {
    let policy = policy();
    let index_of = |receipt: &[u8]| Receipt::parse(receipt).unwrap().verify(&policy).unwrap().index().get();
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let (value, rest) = take(bytes);
        bytes = rest;
        answers.push(match value {
            Value::Array(items) => {
                let (Value::Number(index), Value::Bytes(receipt)) = (&items[0], &items[1]) else {
                    panic!()
                };
                assert_eq!(index_of(receipt), *index);
                Ok(*index)
            }
            Value::Map(pairs) => {
                let find = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value);
                let Some(Value::Text(kind)) = find("type") else {
                    panic!()
                };
                let Some(Value::Number(status)) = find("status") else {
                    panic!()
                };
                assert!(
                    matches!(find("title"), Some(Value::Text(_))) && matches!(find("detail"), Some(Value::Text(_)))
                );
                let stored = find("receipt").map(|value| {
                    if let Value::Bytes(bytes) = value {
                        index_of(bytes)
                    } else {
                        panic!()
                    }
                });
                Err((
                    service::Problem::slug_of(kind).unwrap().to_owned(),
                    *status as u16,
                    stored,
                ))
            }
            _ => panic!(),
        });
    }
    answers
}

pub(super) enum Value {
    Number(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// Reads one CBOR value; shares no code with the writer under test.
pub(super) fn take(bytes: &[u8]) -> (Value, &[u8]) {
    let (major, small) = (bytes[0] >> 5, bytes[0] & 31);
    let extra = match small {
        0..24 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        _ => 8,
    };
    let argument = if extra == 0 {
        u64::from(small)
    } else {
        bytes[1..=extra].iter().fold(0, |n, b| n * 256 + u64::from(*b))
    };
    let mut rest = &bytes[1 + extra..];
    let length = argument as usize;
    match major {
        0 => (Value::Number(argument), rest),
        2 => (Value::Bytes(rest[..length].to_vec()), &rest[length..]),
        3 => (
            Value::Text(String::from_utf8(rest[..length].to_vec()).unwrap()),
            &rest[length..],
        ),
        4 => {
            let mut items = Vec::new();
            for _ in 0..length {
                let (item, after) = take(rest);
                items.push(item);
                rest = after;
            }
            (Value::Array(items), rest)
        }
        5 => {
            let mut pairs = Vec::new();
            for _ in 0..length {
                let (Value::Text(key), after) = take(rest) else {
                    panic!()
                };
                let (value, after) = take(after);
                pairs.push((key, value));
                rest = after;
            }
            (Value::Map(pairs), rest)
        }
        _ => panic!(),
    }
}

pub(super) fn policy() -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", log_key().verifier_key().unwrap()).as_bytes()).unwrap()
}
