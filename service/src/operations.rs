//! The listener for the operator: `GET /health` and `GET /metrics`.
//!
//! | Endpoint | Answer |
//! | --- | --- |
//! | `GET /health` | 200 `ok` and a ledger's role; 503 with the problem `starting`, `behind` or `halted` |
//! | `GET /metrics` | Prometheus text |
//!
//! It is a listener of its own, because metrics tell when something happened: read beside the public log, they would
//! tell which entry it was. It is bound to a loopback address unless the operator chooses another one, and then every
//! request must present a credential.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use clap::Args;
use metrics::{Unit, describe_counter, describe_gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::coarse;
use crate::health::{Health, describe_all, report_all};
use crate::listen;
use crate::problem::Problem;
use crate::secret::CredentialDigest;
use crate::shutdown::Shutdown;

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Arguments of a program for its operator's listener.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Address for GET /health and GET /metrics. The default is a free port of this machine, which the log names.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    pub operations: SocketAddr,
    /// SHA-256 of the credential that --operations requires, 64 hexadecimal digits. Without it the address must be a
    /// loopback address.
    #[arg(long, value_name = "DIGEST")]
    pub operations_credential: Option<String>,
}

/// Why the listener cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    /// The digest is malformed.
    #[error("--operations-credential is not 64 hexadecimal digits")]
    Credential,
    /// Anybody could read the metrics.
    #[error("--operations {0} can be reached from other machines: add --operations-credential")]
    Open(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, std::io::Error),
}

/// The bound listener.
#[derive(Debug)]
pub struct Operations {
    socket: TcpListener,
    credential: Option<CredentialDigest>,
}

impl Operations {
    /// Binds the address, and installs the recorder of the metrics.
    ///
    /// # Errors
    /// [`OperationsError`], also for an address that other machines can reach, without a credential.
    pub async fn bind(arguments: &Arguments) -> Result<Self, OperationsError> {
        let parse = |text: &String| CredentialDigest::from_hex(text).ok_or(OperationsError::Credential);
        let credential = arguments.operations_credential.as_ref().map(parse).transpose()?;
        let address = arguments.operations;
        if credential.is_none() && !address.ip().is_loopback() {
            return Err(OperationsError::Open(address));
        }
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|error| OperationsError::Bind(address, error))?;
        install_metrics();
        Ok(Self { socket, credential })
    }

    /// The bound address.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves the health of these compartments, by name, and the metrics of the process, until shutdown is requested.
    pub fn serve(self, members: Vec<(String, Health)>, shutdown: Shutdown) {
        match self.socket.local_addr() {
            Ok(address) => tracing::info!(%address, "health and metrics"),
            Err(error) => tracing::warn!(%error, "health and metrics"),
        }
        tokio::spawn(upkeep(shutdown.clone()));
        tokio::spawn(coarse::publish(shutdown.clone()));
        tokio::spawn(listen::serve(self.socket, routes(members, self.credential), shutdown));
    }
}

fn routes(members: Vec<(String, Health)>, credential: Option<CredentialDigest>) -> Router {
    let health = move || async move {
        let report = report_all(&members).map(|()| describe_all(&members));
        report.map_err(|found| found.problem())
    };
    Router::new()
        .route("/health", get(health))
        .route(
            "/metrics",
            get(|| async { metrics_handle().map(PrometheusHandle::render).unwrap_or_default() }),
        )
        .layer(middleware::from_fn_with_state(credential, authorised))
}

async fn authorised(
    State(credential): State<Option<CredentialDigest>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(credential) = credential {
        credential.require(request.headers())?;
    }
    Ok(next.run(request).await)
}

/// Installs the process's metrics recorder, so that a compartment can describe its metrics before it serves.
pub fn install_metrics() {
    // Without a recorder, descriptions and values have no effect.
    let _ = metrics_handle();
    for (name, help) in [
        (
            "http_responses_total",
            "Responses of all listeners by class of status, in steps of ten.",
        ),
        (
            "http_closed_connections_total",
            "Connections closed before their client closed them, by reason.",
        ),
        ("clock_jumps_total", "Jumps of the clock, each an alarm."),
    ] {
        describe_counter!(name, Unit::Count, help);
    }
    describe_gauge!(
        "directory_version",
        Unit::Count,
        "The version of the directory and of the Registerlandkarte that the process relies on."
    );
    describe_gauge!(
        "clock_in_doubt",
        Unit::Count,
        "1 while the clock is in doubt, otherwise 0."
    );
    describe_gauge!(
        "rows_set_aside",
        Unit::Count,
        "Faulty rows that are set aside, by file."
    );
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
    use crate::health::Impairment;
    use crate::http::Client;
    use crate::secret::Credential;

    fn arguments(address: &str, credential: Option<&Credential>) -> Arguments {
        Arguments {
            operations: address.parse().unwrap(),
            operations_credential: credential.map(|credential| hex::encode(credential.digest().0)),
        }
    }

    async fn start(arguments: &Arguments, health: Health) -> (String, Shutdown) {
        let operations = Operations::bind(arguments).await.unwrap();
        let url = format!("http://127.0.0.1:{}", operations.local_addr().unwrap().port());
        let shutdown = Shutdown::new();
        operations.serve(vec![("ledger".into(), health)], shutdown.clone());
        (url, shutdown)
    }

    #[tokio::test]
    async fn health_says_what_is_wrong_and_metrics_are_served() {
        let health = Health::default();
        let (url, shutdown) = start(&arguments("127.0.0.1:0", None), health.clone()).await;
        let client = Client::new().unwrap();
        let problem = async || {
            let answer = client.get(&format!("{url}/health")).await.unwrap();
            let problem = Problem::from_response(answer.status, &answer.body, answer.retry_after);
            (answer.status, problem.slug, problem.detail)
        };
        let text = |text: &str| text.to_owned();
        assert_eq!(
            problem().await,
            (503, text("starting"), text("ledger: it does not serve yet"))
        );
        health.serves();
        assert_eq!(client.get_bytes(&format!("{url}/health")).await.unwrap(), b"ok\n");
        health.check(|| Err(Impairment::Halted("the disk is full".into())));
        assert_eq!(problem().await, (503, text("halted"), text("ledger: the disk is full")));
        metrics::counter!("sample_total").increment(2);
        let metrics = client.get_bytes(&format!("{url}/metrics")).await.unwrap();
        assert!(String::from_utf8(metrics).unwrap().contains("sample_total 2"));
        shutdown.trigger();
    }

    #[tokio::test]
    async fn an_address_that_others_reach_needs_a_credential() {
        let bound = Operations::bind(&arguments("0.0.0.0:0", None)).await;
        assert!(matches!(bound, Err(OperationsError::Open(_))));
        let credential = Credential::from_bytes([5; 32]);
        let health = Health::default();
        health.serves();
        let (url, shutdown) = start(&arguments("0.0.0.0:0", Some(&credential)), health).await;
        let stranger = Client::new().unwrap();
        for path in ["health", "metrics"] {
            let url = format!("{url}/{path}");
            assert_eq!(stranger.get(&url).await.unwrap().status, 401);
            let operator = stranger.with_credential(credential.clone());
            assert_eq!(operator.get(&url).await.unwrap().status, 200);
        }
        shutdown.trigger();
    }
}
