//! The reference Data Provider: answers with evidence from a schema file and a data file.
//!
//! The register is behind a provider's connector, which alone has its credential, and has no connection to the ledger.
//! The connector ensures that an exchange is recorded before it asks the register; the register's own access log shows
//! when it was asked.
//!
//! ```text
//! POST /evidence   Authorization: Bearer <64 hex>
//!                  Accept: the form, by its media type ([`messages::document`]); JSON if it names none
//!   { "idnr": "…", "evidence_type": "zb1", "exchange"?: "<uuid>", "may_wait"?: true }    about a natural person
//!   { "euid": "…", "evidence_type": "…", "exchange"?: "<uuid>", "may_wait"?: true }      about a legal person
//!   200 { "title": "…", "issued_at": "2027-01-15T08:00:00Z", "fields": { "…": "…" } }, or the XML or PDF document
//!   202 { "available": "2027-01-20T08:00:00Z" } with Retry-After: the query may wait, and the evidence is being
//!       prepared ([`preparation`]); the connector asks again with the same query when the time is over
//! POST /stock      Authorization: Bearer <64 hex>              everything about a natural person ([`stock`])
//!   { "idnr": "…", "exchange"?: "<uuid>" }
//!   200 { "title": "…", "issued_at": "…",                    as JSON alone
//!         "sections": [ { "title": "…", "fields": [ { "title": "…", "value": "…" } ] } ] }
//!
//! both:
//!   422 problem `evidence-too-large`: the evidence exceeds what an answer can carry
//!   404 problem: no evidence for this subject   401 no valid credential      400 malformed
//!   406 problem `form`: the register does not have this form
//!   503 problem: the access log cannot be written, so no evidence is returned; or too much is being prepared
//! ```
//!
//! | File | Form |
//! | --- | --- |
//! | schema | `{ "name", "evidence_types": [ { "id", "title", "fields": [ { "name", "title", "category" } ] } ] }` |
//! | data | `{ "<IDNr or EUID>": { "<evidence type>": { "<field>": "<value>" } } }`, with the fields of the schema |
//! | `access.log` | one JSON line per lookup, synced before the answer: `time`, `evidence_type`, `found`, `exchange` |
//!
//! A register of a test can have faults ([`faults`]).
//!
//! For everything about a person, `evidence_type` is `stock`. A query that gets 202 is not looked up. The access log
//! has no IDNr: accesses can be counted, but persons cannot be identified.

pub mod access_log;
pub mod data;
pub mod document;
pub mod faults;
pub mod preparation;
pub mod stock;
pub mod xml_schema;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use messages::limits::MAX_EVIDENCE;
use messages::{EvidenceForm, FailureReason};
use record::Timestamp;
use serde::{Deserialize, Serialize};
use service::Listener;
use service::secret::CredentialDigest;
use service::workers::Workers;
use service::{Clock, Problem, Shutdown};
use text::Title;
use uuid::Uuid;

use access_log::AccessLog;
use data::{DataError, RegisterData, STOCK};
use document::{Found, WriteError, WrittenEvidence};
use faults::{Fault, Faults, MAX_DELAY_MS, with_faults};
use preparation::{MAX_PREPARATION_SECONDS, Preparations, Progress, Query};
use stock::{Stock, StockLookup};

/// Configuration (JSON).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The register's own directory; contains `access.log`.
    pub directory: PathBuf,
    /// Schema file.
    pub schema: PathBuf,
    /// Data file.
    pub data: PathBuf,
    /// SHA-256 of the connector's credential, 64 hexadecimal digits.
    pub credential_digest: String,
    /// Evidence type → how many seconds its evidence takes to prepare for a query that may wait, at most
    /// [`MAX_PREPARATION_SECONDS`]. All others, and queries that may not wait, are answered at once.
    #[serde(default)]
    pub preparation_seconds: BTreeMap<String, u64>,
    /// What the bar at the top of each page of a PDF document says, such as that the data are invented. Without it
    /// there is no bar.
    #[serde(default)]
    pub banner: Option<Title>,
    /// Whether this is the register of a test. Only then may it have faults.
    #[serde(default)]
    pub test: bool,
    /// What a test wants to be wrong with it.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

impl Config {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(self, base: &Path) -> Self {
        Self {
            directory: service::config::resolve(base, &self.directory),
            schema: service::config::resolve(base, &self.schema),
            data: service::config::resolve(base, &self.data),
            ..self
        }
    }
}

/// Why the register does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credential's digest is not 64 hexadecimal digits.
    #[error("credential_digest must be 64 hexadecimal digits")]
    Credential,
    /// The schema or data file cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A preparation time is too long, or is that of an evidence type that the schema does not have.
    #[error("preparation_seconds: {0} is not in the schema, or takes more than {MAX_PREPARATION_SECONDS} seconds")]
    Preparation(String),
    /// A register has faults and is not one of a test, or a fault's numbers are out of range.
    #[error("faults: allowed only with `test: true`, with percent 1 to 100 and delay_ms up to {MAX_DELAY_MS}")]
    Faults,
    /// The access log cannot be opened.
    #[error("cannot open the access log: {0}")]
    AccessLog(std::io::Error),
    /// The listener failed.
    #[error("cannot serve: {0}")]
    Serve(std::io::Error),
}

/// Query of the connector.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceLookup {
    idnr: Option<String>,
    euid: Option<String>,
    evidence_type: String,
    exchange: Option<Uuid>,
    /// Whether the consumer can wait for days. Otherwise it gets its answer now or never.
    #[serde(default)]
    may_wait: bool,
}

impl EvidenceLookup {
    /// The key of the row: an IDNr or an EUID, which have different forms.
    fn key(&self) -> Result<&str, Problem> {
        match (&self.idnr, &self.euid) {
            (Some(idnr), None) if data::is_idnr(idnr) => Ok(idnr),
            (None, Some(euid)) if data::is_euid(euid) => Ok(euid),
            _ => Err(Problem::bad_request(
                "evidence",
                "name an idnr of eleven digits or an euid, and not both",
            )),
        }
    }
}

struct Register {
    data: RegisterData,
    banner: Option<Title>,
    log: AccessLog,
    credential: CredentialDigest,
    preparation_seconds: BTreeMap<String, u64>,
    preparations: Preparations,
    /// Bounds the PDF documents that are drawn at the same time.
    workers: Arc<Workers>,
    clock: Arc<dyn Clock>,
}

/// What the register answers to a query that it takes.
enum Answer {
    Evidence(WrittenEvidence),
    /// The evidence is being prepared, for so many seconds from the given time.
    Later {
        now: u64,
        seconds: u64,
    },
}

/// Serves until `shutdown` is requested.
///
/// # Errors
/// See [`Error`]. A register starts with the rows that match the schema; see [`RegisterData`].
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    let routes = routes(&config, clock)?;
    let address = listener.local_addr().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
    tracing::info!(%address, "register serves");
    service::listen::serve(listener, routes, shutdown)
        .await
        .map_err(Error::Serve)
}

/// The register's routes, with the time from `clock`.
///
/// # Errors
/// See [`Error`].
pub fn routes(config: &Config, clock: Arc<dyn Clock>) -> Result<Router, Error> {
    let data = RegisterData::load(&config.schema, &config.data)?;
    for (evidence_type, seconds) in &config.preparation_seconds {
        if data.evidence_type(evidence_type).is_none() || *seconds > MAX_PREPARATION_SECONDS {
            return Err(Error::Preparation(evidence_type.clone()));
        }
    }
    let sound = config.test && config.faults.iter().all(Fault::is_valid);
    if !(sound || config.faults.is_empty()) {
        return Err(Error::Faults);
    }
    let set_aside = data.set_aside();
    service::rows::report("data", &config.data, set_aside.len() as u64, set_aside);
    let credential = CredentialDigest::from_hex(&config.credential_digest).ok_or(Error::Credential)?;
    let register = Register {
        data,
        banner: config.banner.clone(),
        log: AccessLog::open(&config.directory).map_err(Error::AccessLog)?,
        credential,
        preparation_seconds: config.preparation_seconds.clone(),
        preparations: Preparations::default(),
        workers: Arc::default(),
        clock,
    };
    let routes = Router::new()
        .route("/evidence", post(evidence))
        .route("/stock", post(stock))
        .with_state(Arc::new(register));
    if config.faults.is_empty() {
        return Ok(routes);
    }
    tracing::warn!("this register is one of a test: it has faults");
    let faults = Arc::new(Faults::new(&config.faults, credential));
    Ok(routes.layer(axum::middleware::from_fn_with_state(faults, with_faults)))
}

async fn evidence(
    State(register): State<Arc<Register>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    register.credential.require(&headers)?;
    // The parser's own message would quote the query.
    let lookup: EvidenceLookup =
        text::json::from_slice(&body).map_err(|_| Problem::bad_request("evidence", "the query is malformed"))?;
    lookup.key()?;
    let form = document::requested(&headers)?;
    let answer = match form {
        EvidenceForm::Pdf => {
            let workers = Arc::clone(&register.workers);
            // A query whose turn does not come has left no line in the access log.
            let drawn = workers.run(move || register.answer(&lookup, form)).await;
            drawn.map_err(|error| Problem::unavailable("busy", 10, error.to_string()))?
        }
        EvidenceForm::Json | EvidenceForm::Xml => {
            let written = tokio::task::spawn_blocking(move || register.answer(&lookup, form)).await;
            written.map_err(|_| Problem::internal())?
        }
    };
    Ok(match answer? {
        Answer::Evidence(evidence) => evidence.into_response(),
        Answer::Later { now, seconds } => {
            let body = Json(serde_json::json!({ "available": utc(now.saturating_add(seconds)) }));
            (StatusCode::ACCEPTED, [(header::RETRY_AFTER, seconds.to_string())], body).into_response()
        }
    })
}

async fn stock(
    State(register): State<Arc<Register>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Stock>, Problem> {
    register.credential.require(&headers)?;
    let lookup = StockLookup::parse(&body)?;
    let answer = tokio::task::spawn_blocking(move || register.stock(&lookup)).await;
    answer.map_err(|_| Problem::internal())?.map(Json)
}

impl Register {
    /// Looks up everything about the person, writes the access log, and only then answers. Evidence that is prepared
    /// for some time is shown at once, as it is stored.
    fn stock(&self, lookup: &StockLookup) -> Result<Stock, Problem> {
        let issued_at = utc(self.clock.now());
        let stock = Stock::of(&self.data, &lookup.idnr, issued_at.clone());
        self.access(&issued_at, STOCK, stock.is_some(), lookup.exchange)?;
        let stock = stock.ok_or_else(|| Problem::not_found("nothing found"))?;
        self.check_size(&lookup.idnr, STOCK, &stock)?;
        Ok(stock)
    }

    /// Looks up the evidence when it is ready, writes the access log, and only then answers.
    fn answer(&self, lookup: &EvidenceLookup, form: EvidenceForm) -> Result<Answer, Problem> {
        let now = self.clock.now();
        let issued_at = utc(now);
        let evidence_type = self
            .data
            .evidence_type(&lookup.evidence_type)
            .ok_or_else(|| Problem::bad_request("evidence-type", "this register has no such evidence type"))?;
        let key = lookup.key()?;
        if let Some(seconds) = self.remaining(lookup, key, now)? {
            return Ok(Answer::Later { now, seconds });
        }
        let fields = self.data.fields(key, &evidence_type.id);
        self.access(&issued_at, &evidence_type.id, fields.is_some(), lookup.exchange)?;
        let fields = fields.ok_or_else(|| Problem::not_found("nothing found"))?;
        let found = Found {
            register: self.data.name(),
            banner: self.banner.as_ref(),
            evidence_type,
            fields,
            issued_at: Timestamp(now),
        };
        found.write(form).map(Answer::Evidence).map_err(|error| match error {
            WriteError::TooLarge => self.too_large(key, &evidence_type.id),
            error => {
                tracing::error!(row = self.data.row(key), evidence_type = %evidence_type.id, %error, "no evidence");
                Problem::internal()
            }
        })
    }

    /// Writes a lookup into the access log. Without the line, nothing is answered.
    fn access(&self, time: &str, what: &str, found: bool, exchange: Option<Uuid>) -> Result<(), Problem> {
        self.log.append(time, what, found, exchange).map_err(|error| {
            tracing::error!(%error, "the access log cannot be written: returning nothing");
            Problem::unavailable("access-log", 10, "the access log cannot be written")
        })
    }

    /// How many seconds the evidence still takes to prepare; `None` if it is ready, or the query may not wait.
    fn remaining(&self, lookup: &EvidenceLookup, key: &str, now: u64) -> Result<Option<u64>, Problem> {
        if !lookup.may_wait {
            return Ok(None);
        }
        let Some(seconds) = self.preparation_seconds.get(&lookup.evidence_type) else {
            return Ok(None);
        };
        let query = Query {
            exchange: lookup.exchange,
            key: key.to_owned(),
            evidence_type: lookup.evidence_type.clone(),
        };
        match self.preparations.progress(query, *seconds, now) {
            Progress::Ready => Ok(None),
            Progress::Remaining(seconds) => Ok(Some(seconds)),
            Progress::Full => {
                tracing::error!("too many queries are being prepared: no other one is begun");
                Err(Problem::unavailable("busy", 60, "too many queries are being prepared"))
            }
        }
    }

    /// Refuses what no answer can carry.
    fn check_size(&self, key: &str, what: &str, answer: &impl Serialize) -> Result<(), Problem> {
        let bytes = serde_json::to_vec(answer).map_err(|_| Problem::internal())?.len();
        if bytes <= MAX_EVIDENCE {
            return Ok(());
        }
        Err(self.too_large(key, what))
    }

    /// The log names the row for the register's operator.
    fn too_large(&self, key: &str, what: &str) -> Problem {
        tracing::error!(
            row = self.data.row(key),
            evidence_type = what,
            limit = MAX_EVIDENCE,
            "the evidence of this row is too large for an answer: shorten its fields"
        );
        Problem::unprocessable(
            FailureReason::EvidenceTooLarge.as_str(),
            format!("the evidence exceeds {MAX_EVIDENCE} bytes"),
        )
    }
}

fn utc(seconds: u64) -> String {
    Timestamp(seconds).to_string()
}

#[cfg(test)]
mod tests;
