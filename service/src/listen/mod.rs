//! The HTTP server of every compartment.
//!
//! The server adds to the compartment's routes:
//!
//! * `GET /health` (200 `ok` while it serves) and `GET /metrics` (Prometheus text);
//! * a body limit of 8 MiB, which a route may replace with `axum::extract::DefaultBodyLimit`;
//! * one log event per request with method, path, status and duration, but never a query, a header or a body.
//!
//! When [`Shutdown`] is requested, the server accepts no new requests, and waits up to ten seconds for those in
//! progress.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tower_http::trace::TraceLayer;

use crate::shutdown::Shutdown;

/// The most bytes of a request's body, unless its route sets another limit.
pub const MAX_BODY: usize = 8 << 20;
/// How long requests in progress may take after shutdown is requested.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Serves until shutdown is requested.
///
/// # Errors
/// If the listener fails.
pub async fn serve(listener: TcpListener, routes: Router, shutdown: Shutdown) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Otherwise small answers wait for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(upkeep(shutdown.clone()));
    let end = shutdown.clone();
    let server =
        axum::serve(listener, with_common_routes(routes)).with_graceful_shutdown(async move { end.wait().await });
    tokio::select! {
        result = async { server.await } => result,
        () = async { shutdown.wait().await; tokio::time::sleep(SHUTDOWN_GRACE).await } => {
            tracing::warn!("requests still in progress after {SHUTDOWN_GRACE:?} are cancelled");
            Ok(())
        }
    }
}

/// The compartment's routes with the common routes, limits and logging.
pub fn with_common_routes(routes: Router) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(|request: &Request| {
            tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
        })
        .on_request(())
        .on_body_chunk(())
        .on_eos(())
        // The handler that returns an error logs what an operator needs; a 503 during start-up is not an error.
        .on_failure(())
        .on_response(|response: &Response, latency: Duration, _: &tracing::Span| {
            let status = response.status().as_u16();
            metrics::counter!("http_responses_total", "class" => class(status)).increment(1);
            tracing::debug!(status, micros = latency.as_micros() as u64, "answered");
        });
    routes
        .route("/health", get(|| async { "ok\n" }))
        .route(
            "/metrics",
            get(|| async { metrics_handle().map(PrometheusHandle::render).unwrap_or_default() }),
        )
        // One layer, because each layer costs a boxed service per request.
        .layer((trace, DefaultBodyLimit::max(MAX_BODY)))
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// Installs the process's metrics recorder, so that a compartment can describe its metrics before it serves.
pub fn install_metrics() {
    // Without a recorder, descriptions and values have no effect.
    let _ = metrics_handle();
}

/// The process's recorder; `None` if other code has installed one.
fn metrics_handle() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| PrometheusBuilder::new().install_recorder().ok())
        .as_ref()
}

/// Drains the histograms, which otherwise keep all their samples.
async fn upkeep(shutdown: Shutdown) {
    let Some(handle) = metrics_handle() else { return };
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(UPKEEP_INTERVAL) => handle.run_upkeep(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::{CallError, Client};
    use crate::problem::Problem;
    use crate::secret::Credential;
    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use axum::routing::post;

    async fn start(routes: Router) -> (String, Shutdown, tokio::task::JoinHandle<std::io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = Shutdown::new();
        (url, shutdown.clone(), tokio::spawn(serve(listener, routes, shutdown)))
    }

    #[tokio::test]
    async fn it_serves_health_and_metrics_until_shutdown() {
        let (url, shutdown, server) = start(Router::new()).await;
        let client = Client::new().unwrap();
        assert_eq!(client.get_bytes(&format!("{url}/health")).await.unwrap(), b"ok\n");
        metrics::counter!("sample_total").increment(2);
        let text = String::from_utf8(client.get_bytes(&format!("{url}/metrics")).await.unwrap()).unwrap();
        assert!(text.contains("sample_total 2"), "{text}");
        assert!(client.get_optional(&format!("{url}/nothing")).await.unwrap().is_none());
        shutdown.trigger();
        server.await.unwrap().unwrap();
        assert!(matches!(
            client.get_bytes(&format!("{url}/health")).await,
            Err(CallError::Unreachable(_))
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
        let (url, shutdown, _server) = start(routes).await;
        let url = format!("{url}/echo");
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
}
