#![allow(clippy::unwrap_used)]

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::http::{CallError, Client};
use crate::problem::Problem;
use crate::secret::Credential;

const QUICK: Limits = Limits {
    connections: 8,
    requests: 4,
    body_bytes: 64 << 10,
    idle: Duration::from_millis(300),
    body_grace: Duration::from_millis(300),
};

async fn start(limits: Limits, routes: Router) -> (SocketAddr, Shutdown, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let server = tokio::spawn(serve_within(limits, listener, routes, shutdown.clone()));
    (address, shutdown, server)
}

fn echo() -> Router {
    Router::new()
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/empty", get(|| async {}))
}

/// Sends bytes and reads until the server closes the connection.
async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    // The server may reset the connection, because it has not read everything.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn it_serves_until_shutdown() {
    let (address, shutdown, server) = start(Limits::default(), echo()).await;
    let (client, url) = (Client::new().unwrap(), format!("http://{address}"));
    assert_eq!(client.post_cbor(&format!("{url}/echo"), vec![7]).await.unwrap(), [7]);
    for path in ["health", "metrics", "nothing"] {
        assert!(client.get_optional(&format!("{url}/{path}")).await.unwrap().is_none());
    }
    shutdown.trigger();
    server.await.unwrap().unwrap();
    assert!(matches!(
        client.get_bytes(&format!("{url}/empty")).await,
        Err(CallError::NotConnected(_) | CallError::Unreachable(_))
    ));
}

#[tokio::test]
async fn callers_receive_problems_and_the_body_limit() {
    let credential = Credential::from_bytes([3; 32]);
    let expected = credential.clone();
    let routes = Router::new().route(
        "/echo",
        post(move |headers: HeaderMap, body: Bytes| async move {
            expected.require(&headers)?;
            if body.is_empty() {
                Err(Problem::too_many(7, "empty"))
            } else {
                Ok(body)
            }
        }),
    );
    let (address, shutdown, _server) = start(Limits::default(), routes).await;
    let url = format!("http://{address}/echo");
    let stranger = Client::new().unwrap();
    let client = stranger.with_credential(credential);
    assert_eq!(client.post_cbor(&url, vec![1, 2]).await.unwrap(), [1, 2]);
    let status = async |client: &Client, body: Vec<u8>| {
        client
            .post_cbor(&url, body)
            .await
            .unwrap_err()
            .problem()
            .map(|problem| (problem.status, problem.retry_after))
    };
    assert_eq!(status(&stranger, vec![1]).await, Some((401, None)));
    assert_eq!(status(&client, vec![]).await, Some((429, Some(7))));
    assert_eq!(status(&client, vec![0; MAX_BODY + 1]).await, Some((413, None)));
    shutdown.trigger();
}

#[tokio::test]
async fn a_connection_without_a_complete_request_is_closed() {
    let (address, shutdown, _server) = start(QUICK, echo()).await;
    for half in [
        "",
        "GET /emp",
        "PRI * HTTP/2.0\r\n",
        "GET /empty HTTP/1.1\r\nhost: a\r\n",
    ] {
        assert_eq!(exchange(address, half.as_bytes()).await, "", "{half:?}");
    }
    let kept_alive = exchange(address, b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(kept_alive.starts_with("HTTP/1.1 200"), "{kept_alive}");
    shutdown.trigger();
}

#[tokio::test]
async fn a_body_that_stops_is_answered_with_408() {
    let (address, shutdown, _server) = start(QUICK, echo()).await;
    let answer = exchange(
        address,
        b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf",
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("problem:too-slow"),
        "{answer}"
    );
    shutdown.trigger();
}

#[tokio::test]
async fn bodies_above_the_budget_are_answered_with_503_and_their_room_is_free_again() {
    let (address, shutdown, _server) = start(QUICK, echo()).await;
    let (client, url) = (Client::new().unwrap(), format!("http://{address}/echo"));
    for _ in 0..3 {
        assert_eq!(client.post_cbor(&url, vec![0; 20 << 10]).await.unwrap().len(), 20 << 10);
        let refused = client.post_cbor(&url, vec![0; 40 << 10]).await.unwrap_err();
        let refused = refused.problem().map(|problem| (problem.status, problem.retry_after));
        assert_eq!(refused, Some((503, Some(1))));
    }
    shutdown.trigger();
}

#[tokio::test]
async fn more_requests_than_allowed_are_answered_with_503() {
    let gate = Arc::new(Semaphore::new(0));
    let handler = gate.clone();
    let routes = Router::new().route(
        "/wait",
        get(move || async move { drop(handler.acquire().await.unwrap()) }),
    );
    let limits = Limits {
        idle: Duration::from_secs(60),
        ..QUICK
    };
    let (address, shutdown, _server) = start(limits, routes).await;
    let url = format!("http://{address}/wait");
    let client = Client::new().unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..limits.requests + 1 {
        let (client, url) = (client.clone(), url.clone());
        calls.spawn(async move { client.get(&url).await.unwrap().status });
    }
    assert_eq!(
        calls.join_next().await.unwrap().unwrap(),
        503,
        "one is refused while the others wait"
    );
    gate.add_permits(1);
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    shutdown.trigger();
}

#[tokio::test]
async fn requests_that_wait_leave_their_place_to_others() {
    let gate = Arc::new(Semaphore::new(0));
    let handler = gate.clone();
    let wait = move |axum::Extension(turn): axum::Extension<super::Turn>| async move {
        turn.give_back();
        drop(handler.acquire().await.unwrap());
    };
    let limits = Limits {
        idle: Duration::from_secs(60),
        ..QUICK
    };
    let routes = echo().route("/wait", get(wait));
    let (address, shutdown, _server) = start(limits, routes).await;
    let client = Client::new().unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..limits.requests + 1 {
        let (client, url) = (client.clone(), format!("http://{address}/wait"));
        calls.spawn(async move { client.get(&url).await.unwrap().status });
    }
    let answer = client.get(&format!("http://{address}/empty")).await.unwrap();
    assert_eq!(answer.status, 200);
    gate.add_permits(1);
    while let Some(status) = calls.join_next().await {
        assert_eq!(status.unwrap(), 200, "none was refused");
    }
    shutdown.trigger();
}

#[tokio::test]
async fn idle_connections_do_not_keep_a_client_out() {
    let limits = Limits {
        idle: Duration::from_secs(600),
        ..QUICK
    };
    let (address, shutdown, _server) = start(limits, echo()).await;
    let mut idle = Vec::new();
    for _ in 0..3 * limits.connections {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /empty HTTP/1.1\r\n").await.unwrap();
        idle.push(stream);
    }
    let answer = Client::new().unwrap().get(&format!("http://{address}/empty")).await;
    assert_eq!(answer.unwrap().status, 200);
    let mut buffer = [0];
    assert!(
        matches!(idle[0].read(&mut buffer).await, Ok(0) | Err(_)),
        "the oldest one is closed"
    );
    shutdown.trigger();
}

/// A body without an end, which reports its drop.
struct Endless(Option<tokio::sync::oneshot::Sender<()>>);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let data = Bytes::from_static(&[0; 16 << 10]);
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(data))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.0.take().unwrap().send(());
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_disconnected() {
    let (dropped, disconnected) = tokio::sync::oneshot::channel();
    let body = Arc::new(std::sync::Mutex::new(Some(Endless(Some(dropped)))));
    let routes = Router::new().route(
        "/endless",
        get(move || {
            let body = body.lock().unwrap().take().unwrap();
            async move { axum::body::Body::new(body) }
        }),
    );
    let (address, shutdown, server) = start(QUICK, routes).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    disconnected.await.unwrap();
    shutdown.trigger();
    server.await.unwrap().unwrap();
}
