//! The interface: `POST /certificates`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use certificates::request::MAX_REQUEST;
use certificates::{Admission, CertificateRequest, EngineError, Host, RequestRefused, Subject};
use ledger_client::LiveTrust;
use record::Timestamp;
use service::{Clock, Problem};

use crate::engines::Engines;
use crate::points;

pub(crate) const CERTIFICATES: &str = "join_certificates_total";
/// RFC 8555 §9.1.
const PEM_CHAIN: &str = "application/pem-certificate-chain";

/// What issues certificates.
pub(crate) struct Issuer {
    pub(crate) admission: Admission,
    pub(crate) engines: Engines,
    /// The hosts of writers, by their names in the directory.
    pub(crate) hosts: BTreeMap<String, Vec<Host>>,
    pub(crate) live: LiveTrust,
    pub(crate) clock: Arc<dyn Clock>,
}

pub(crate) fn routes(issuer: Arc<Issuer>) -> Router {
    Router::new()
        .route(
            "/certificates",
            post(certificates).layer(DefaultBodyLimit::max(MAX_REQUEST)),
        )
        .with_state(issuer)
}

async fn certificates(State(issuer): State<Arc<Issuer>>, body: Bytes) -> Result<Response, Problem> {
    let issued = issuer.issue(&body).await;
    let result = if issued.is_ok() { "issued" } else { "refused" };
    metrics::counter!(CERTIFICATES, "result" => result).increment(1);
    Ok(([(header::CONTENT_TYPE, PEM_CHAIN)], issued?).into_response())
}

impl Issuer {
    async fn issue(&self, body: &[u8]) -> Result<String, Problem> {
        let request = CertificateRequest::from_bytes(body)
            .map_err(|error| Problem::bad_request("malformed-request", error.to_string()))?;
        let history = self.live.confirmed()?;
        let directory = history.state().directory();
        let subject = &request.statement.subject;
        let writer = match subject {
            Subject::Writer(id) => directory.writer(id),
            Subject::Component(_) => None,
        };
        let hosts = writer.and_then(|grant| self.hosts.get(&grant.name));
        let hosts = hosts.map_or(&[][..], Vec::as_slice);
        let now = Timestamp(self.clock.now());
        let order = self.admission.check(&request, directory, hosts, now).map_err(refused)?;
        let engine = self.engines.issuing(directory).map_err(|error| {
            tracing::error!(%error, "no certificate is issued");
            Problem::unavailable("authority", 5, error.to_string())
        })?;
        let chain = engine.issue(&order).await.map_err(|error| failed(&error))?;
        service::failpoints::reach(points::ISSUED);
        tracing::info!(%subject, "a certificate is issued");
        Ok(chain.0)
    }
}

fn refused(error: RequestRefused) -> Problem {
    tracing::info!(%error, "a certificate is refused");
    let detail = error.to_string();
    match error {
        RequestRefused::NotYet(_) => Problem::unavailable("directory-behind", 1, detail),
        RequestRefused::Busy => Problem::unavailable("busy", 60, detail),
        RequestRefused::Signer => Problem::forbidden("not-listed", detail),
        RequestRefused::Time { .. } => Problem::bad_request("clock", detail),
        RequestRefused::Csr(_) => Problem::bad_request("csr", detail),
        RequestRefused::OtherNames => Problem::forbidden("names", detail),
        RequestRefused::Used => Problem::conflict("used", detail),
    }
}

fn failed(error: &EngineError) -> Problem {
    tracing::error!(%error, "no certificate is issued");
    match error {
        EngineError::NotReached(_) => Problem::unavailable("authority", 5, "the certificate authority does not answer"),
        EngineError::Failed(_) => Problem::internal(),
    }
}
