//! The services around the portal: the real test login, and fakes of ledger and identity, which serve a small log made
//! with `tlog` and `record` over HTTP. A [`Mode`] makes the fakes misbehave.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use citizen_ui::proof::verify::{AccessVerifier, TrustText};
use citizen_ui_server::{Config, LoginConfig, SessionLimits};
use http_body_util::BodyExt;
use messages::{DisclosedEntry, Disclosure, DisclosureRequest, EntryKeys, PeriodInfo};
use proof::bundle::CompletenessProof;
use record::{DayKey, Kind, PartName, Period, Phase, Series};
use service::secret::Credential;
use service::{Problem, Shutdown, SystemClock};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt;

use fixtures::sample_log::{self, SampleLog};

const PUBLIC: &str = "http://portal.test";
const CLIENT: &str = "cockpit";

/// How the fakes of ledger and identity behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Sound,
    /// One byte of every sealed record is changed.
    TamperedRecords,
    /// No witness has cosigned yet.
    Unwitnessed,
    /// Every call to the ledger fails.
    LedgerDown,
    /// Identity refuses the login.
    IdentityRefuses,
    /// Identity sends the receipt of an entry that is not an inspection.
    WrongInspection,
    /// Identity discloses an outcome under another number.
    WrongNumber,
    /// Identity withholds the last exchange, in the list and in the proof of completeness.
    Withheld,
    /// Identity withholds the last exchange in the list alone.
    Unlisted,
    /// Identity has no published checkpoint.
    Unpublished,
    /// Every record has expired, so identity discloses no keys.
    Expired,
}

pub(crate) struct Backend {
    pub log: SampleLog,
    pub mode: Mode,
    pub ledger: Credential,
    pub identity: Credential,
    /// Log indices of intent and outcome of each exchange.
    pub exchanges: Vec<(u64, Option<u64>)>,
    pub inspection: u64,
    /// Requests that identity has received.
    pub tokens: Vec<DisclosureRequest>,
}

type SharedBackend = Arc<Mutex<Backend>>;

pub(crate) struct World {
    pub portal: Router,
    pub backend: SharedBackend,
    pub shutdown: Shutdown,
    _dir: TempDir,
}

pub(crate) struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestResponse {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn location(&self) -> String {
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    /// The session cookie that the response sets, in the form in which a request sends it.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

impl World {
    /// Starts the services with `exchanges` closed exchanges and one inspection. The login's tokens claim `acr`.
    pub(crate) async fn new(exchanges: usize, acr: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shutdown = Shutdown::new();
        let backend = Arc::new(Mutex::new(backend(exchanges, dir.path())));
        let ledger = serve(ledger_routes(Arc::clone(&backend)), &shutdown).await;
        let identity = serve(identity_routes(Arc::clone(&backend)), &shutdown).await;
        let issuer = login(acr, &shutdown).await;
        let (policy, genesis) = {
            let backend = lock(&backend);
            (backend.log.policy(), backend.log.genesis().to_string())
        };
        std::fs::write(dir.path().join("trust.policy"), policy).unwrap();
        let config = Config {
            public_url: PUBLIC.into(),
            ledger,
            ledger_public: Some("https://log.example".into()),
            ledger_credential: "ledger".into(),
            identity,
            identity_credential: "identity".into(),
            policy: "trust.policy".into(),
            genesis,
            login: LoginConfig {
                issuer,
                client_id: CLIENT.into(),
                client_secret: None,
                acr: test_login::ACR_HIGH.into(),
            },
            banner: None,
            sessions: SessionLimits::default(),
        };
        let portal = citizen_ui_server::router(config.resolved(dir.path()), Arc::new(SystemClock)).unwrap();
        Self {
            portal,
            backend,
            shutdown,
            _dir: dir,
        }
    }

    pub(crate) fn backend(&self) -> MutexGuard<'_, Backend> {
        lock(&self.backend)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.backend().mode = mode;
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> TestResponse {
        self.send(Method::GET, path, cookie, Body::empty(), &[]).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &str, headers: &[(&str, &str)]) -> TestResponse {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, cookie, Body::from(form.to_owned()), &all)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        cookie: &str,
        body: Body,
        headers: &[(&str, &str)],
    ) -> TestResponse {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "portal.test");
        if !cookie.is_empty() {
            request = request.header(header::COOKIE, cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.portal.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        TestResponse {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// Begins a login and chooses the citizen. Returns the login's cookie, and path and query of the callback.
    pub(crate) async fn choose(&self, lang: &str) -> (String, String) {
        let begun = self.get(&format!("/{lang}/anmelden"), "").await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
        let url = url::Url::parse(&begun.location()).unwrap();
        let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        form.push(("user".into(), "emma".into()));
        let client = service::http::client(|builder| builder).unwrap();
        let page = client.get(url.clone()).send().await.unwrap();
        assert!(page.text().await.unwrap().contains("Testanmeldung"));
        let chosen = client.post(url).form(&form).send().await.unwrap();
        assert_eq!(chosen.status(), StatusCode::SEE_OTHER);
        let location = chosen.headers()[header::LOCATION.as_str()].to_str().unwrap().to_owned();
        let back = url::Url::parse(&location).unwrap();
        assert_eq!(back.origin().ascii_serialization(), PUBLIC);
        (begun.cookie(), format!("{}?{}", back.path(), back.query().unwrap()))
    }

    /// Logs in. Returns the response of the callback.
    pub(crate) async fn login(&self, lang: &str) -> TestResponse {
        let (cookie, callback) = self.choose(lang).await;
        self.get(&callback, &cookie).await
    }

    pub(crate) fn verifier(&self) -> AccessVerifier {
        let backend = self.backend();
        let trust = TrustText {
            policy: backend.log.policy(),
            genesis: backend.log.genesis().to_string(),
        };
        AccessVerifier::new(trust.parse().unwrap())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

fn lock(backend: &Mutex<Backend>) -> MutexGuard<'_, Backend> {
    backend.lock().unwrap()
}

fn backend(exchanges: usize, dir: &std::path::Path) -> Backend {
    let mut log = SampleLog::new();
    let exchanges = (0..exchanges)
        .map(|_| {
            let (intent, number) = log.intent();
            log.map();
            let outcome = log.outcome(intent, number);
            log.map();
            (intent, Some(outcome))
        })
        .collect();
    let inspection = log.inspection(0);
    log.map();
    Backend {
        log,
        mode: Mode::Sound,
        ledger: Credential::create(&dir.join("ledger")).unwrap(),
        identity: Credential::create(&dir.join("identity")).unwrap(),
        exchanges,
        inspection,
        tokens: Vec::new(),
    }
}

async fn serve(routes: Router, shutdown: &Shutdown) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let end = shutdown.clone();
    tokio::spawn(async move {
        axum::serve(listener, routes)
            .with_graceful_shutdown(async move { end.wait().await })
            .await
    });
    url
}

async fn login(acr: &str, shutdown: &Shutdown) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let config = test_login::Config {
        issuer: issuer.clone(),
        users: vec![test_login::User {
            sub: "sub-emma".into(),
            user: "emma".into(),
            name: "Emma Mustermann".into(),
        }],
        client_id: CLIENT.into(),
        redirect_uris: vec![format!("{PUBLIC}/anmeldung/rueckkehr")],
        acr: acr.into(),
    };
    tokio::spawn(test_login::run(config, listener, shutdown.clone()));
    issuer
}

fn ledger_routes(backend: SharedBackend) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/records/{index}", get(sealed_record))
        .route("/entries/{index}/receipt", get(receipt))
        .route("/documents/{digest}", get(document))
        .with_state(backend)
}

fn down() -> Response {
    Problem::unavailable("down", 1, "the ledger is down").into_response()
}

async fn checkpoint(State(backend): State<SharedBackend>) -> Response {
    let backend = lock(&backend);
    match backend.mode {
        Mode::LedgerDown => down(),
        Mode::Unwitnessed => backend.log.checkpoint(0).into_response(),
        _ => backend.log.checkpoint(2).into_response(),
    }
}

async fn sealed_record(State(backend): State<SharedBackend>, headers: HeaderMap, Path(index): Path<u64>) -> Response {
    let backend = lock(&backend);
    if backend.mode == Mode::LedgerDown {
        return down();
    }
    if let Err(problem) = backend.ledger.require(&headers) {
        return problem.into_response();
    }
    let mut record = backend.log.records[&index].clone();
    if backend.mode == Mode::TamperedRecords {
        let last = record.len() - 1;
        record[last] ^= 1;
    }
    record.into_response()
}

async fn receipt(State(backend): State<SharedBackend>, RawQuery(query): RawQuery, Path(index): Path<u64>) -> Response {
    let backend = lock(&backend);
    match (backend.mode, query.as_deref()) {
        (Mode::LedgerDown, _) => down(),
        (Mode::Unwitnessed, Some("witnessed")) => Problem::unavailable("unwitnessed", 1, "not yet").into_response(),
        (_, Some("witnessed")) => backend.log.receipt(index, 2).into_response(),
        _ => backend.log.receipt(index, 0).into_response(),
    }
}

async fn document(State(backend): State<SharedBackend>, Path(digest): Path<String>) -> Response {
    lock(&backend).log.documents[&digest].clone().into_response()
}

fn identity_routes(backend: SharedBackend) -> Router {
    Router::new().route("/disclosures", post(disclose)).with_state(backend)
}

async fn disclose(State(backend): State<SharedBackend>, headers: HeaderMap, body: Bytes) -> Response {
    let mut backend = lock(&backend);
    if let Err(problem) = backend.identity.require(&headers) {
        return problem.into_response();
    }
    let Ok(request) = record::cbor::from_slice::<DisclosureRequest>(&body) else {
        return (StatusCode::BAD_REQUEST, Json("no request")).into_response();
    };
    backend.tokens.push(request);
    if backend.mode == Mode::IdentityRefuses {
        return Problem::forbidden("login", "refused").into_response();
    }
    record::cbor::to_vec(&disclosure(&backend)).into_response()
}

fn disclosure(backend: &Backend) -> Disclosure {
    let mut entries = Vec::new();
    let withheld = usize::from(matches!(backend.mode, Mode::Withheld | Mode::Unlisted));
    let shown = backend.exchanges.len() - withheld;
    for (number, (intent, outcome)) in (0_u32..).zip(&backend.exchanges[..shown]) {
        entries.push(entry(
            backend,
            *intent,
            Kind::Intent,
            Series::Exchanges,
            number,
            Phase::Intent,
        ));
        let other = u32::from(backend.mode == Mode::WrongNumber);
        entries.extend(outcome.map(|outcome| {
            let mut disclosed = entry(
                backend,
                outcome,
                Kind::Outcome,
                Series::Exchanges,
                number,
                Phase::Outcome,
            );
            let (_, proof) = backend.log.label_of(number + other, Series::Exchanges, Phase::Outcome);
            disclosed.vrf_proof = proof;
            disclosed
        }));
    }
    entries.push(entry(
        backend,
        backend.inspection,
        Kind::Inspection,
        Series::Inspections,
        0,
        Phase::Intent,
    ));
    let inspection = match backend.mode {
        Mode::WrongInspection => backend.exchanges[0].0,
        _ => backend.inspection,
    };
    Disclosure {
        idnr: sample_log::idnr(),
        display_name: "Emma Mustermann".into(),
        inspection_receipt: backend.log.receipt(inspection, 0),
        checkpoint: backend.log.checkpoint(0).into_bytes(),
        periods: vec![PeriodInfo {
            period: Period(1),
            begin_receipt: backend.log.receipt(3, 0),
        }],
        entries,
        complete: (backend.mode != Mode::Unpublished).then(|| complete(backend, shown)),
    }
}

/// Identity's proof of completeness, which has no entries and records.
fn complete(backend: &Backend, shown: usize) -> CompletenessProof<()> {
    let last = backend.log.snapshots.len() - 1;
    let bundle = backend
        .log
        .bundle_showing(&sample_log::idnr(), last, &|_, series, number, _| {
            backend.mode != Mode::Withheld || series != Series::Exchanges || (number as usize) < shown
        });
    let cosigners = if backend.mode == Mode::Unwitnessed { 0 } else { 2 };
    let proof = CompletenessProof {
        checkpoint: backend.log.checkpoint(cosigners).into_bytes(),
        ..bundle.proof
    };
    proof.fill(|_, _| Ok::<_, ()>(())).unwrap()
}

fn entry(backend: &Backend, index: u64, kind: Kind, series: Series, number: u32, phase: Phase) -> DisclosedEntry {
    let (label, vrf_proof) = backend.log.label_of(number, series, phase);
    // The day key with which the small log seals its records.
    let key = DayKey([8; 32]).record_key(&label);
    DisclosedEntry {
        index,
        kind,
        period: Period(1),
        series,
        number,
        phase,
        vrf_proof,
        keys: if backend.mode == Mode::Expired {
            Vec::new()
        } else {
            // Like an identity that no longer knows the record's expiry day, this one sends two candidates; the second
            // is right.
            let keys = |key: record::RecordKey| EntryKeys {
                shared: key.part(PartName::Shared),
                citizen: key.part(PartName::Citizen),
            };
            vec![keys(DayKey([9; 32]).record_key(&label)), keys(key)]
        },
    }
}
