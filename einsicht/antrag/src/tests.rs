//! The services against a connector that answers as the test says.

#![allow(clippy::unwrap_used)]
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::BodyExt as _;
use record::Timestamp;
use serde_json::{Value, json};
use service::clock::{Clock as _, SystemClock};
use tower::ServiceExt as _;

use crate::config::Config;
use crate::login::{Applicant, ProvedLogin};
use crate::routes::{Desk, routes};

const EXCHANGE: &str = "01890a5d-0000-7000-8000-000000000001";

/// A path, the status and the body that the connector answers there.
type Answer = (&'static str, u16, Value);
/// A path, and the body that was sent there.
type Asked = (String, Value);

/// What the connector answers to each path, and what it was asked.
#[derive(Clone, Default)]
struct Connector(Arc<Mutex<(Vec<Answer>, Vec<Asked>)>>);

impl Connector {
    fn answers(&self, path: &'static str, status: u16, body: Value) {
        let mut both = self.0.lock().unwrap();
        both.0.retain(|(known, ..)| *known != path);
        both.0.push((path, status, body));
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().1.clone()
    }

    async fn serve(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(answer).with_state(self);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }
}

async fn answer(State(connector): State<Connector>, request: Request) -> (StatusCode, Json<Value>) {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut both = connector.0.lock().unwrap();
    both.1
        .push((path.clone(), serde_json::from_slice(&body).unwrap_or_default()));
    let found = both.0.iter().find(|(suffix, ..)| path.ends_with(suffix));
    let (_, status, body) = found.cloned().unwrap();
    (StatusCode::from_u16(status).unwrap(), Json(body))
}

/// The services with a person who is logged in.
struct World {
    connector: Connector,
    routes: Router,
    desk: Arc<Desk>,
    cookie: String,
}

impl World {
    async fn new() -> Self {
        let connector = Connector::default();
        let url = connector.clone().serve().await;
        let config: Config = serde_json::from_value(json!({
            "public_url": "http://127.0.0.1:9",
            "cockpit": "http://cockpit.example/de/",
            "login": { "issuer": "http://login.example", "client_id": "antrag", "acr": "high" },
            "services": [{
                "id": "parken", "title": "Bewohnerparkausweis", "authority": "Stadt Rheinfurt",
                "about": "Damit parken Sie vor Ihrer Tür.", "connector": url, "official": "online-parken",
                "needs": [{
                    "title": "Fahrzeug", "register": "Fahrzeugregister", "categories": ["Kennzeichen"],
                    "laws": [{ "citation": "§ 35 StVG", "permits": "Das Amt darf fragen." }],
                    "evidence_type": "fahrzeug-parken", "purpose": "bewohnerparken", "provider": "bund:kba:zfzr"
                }]
            }]
        }))
        .unwrap();
        let desk = Arc::new(Desk::new(config, SystemClock::shared()).unwrap());
        let token = desk
            .sessions()
            .begin(
                Applicant::for_tests(),
                ProvedLogin::for_tests(),
                Timestamp(SystemClock.now()),
            )
            .unwrap();
        Self {
            connector,
            routes: routes(desk.clone()),
            desk,
            cookie: format!("antrag={token}"),
        }
    }

    async fn send(&self, request: Request) -> (StatusCode, axum::http::HeaderMap, String) {
        let (parts, body) = self.routes.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> String {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.send(request.body(Body::empty()).unwrap()).await.2
    }

    async fn headers(&self, path: &str) -> axum::http::HeaderMap {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.send(request.body(Body::empty()).unwrap()).await.1
    }

    /// The token that this session's forms contain.
    async fn form(&self) -> String {
        let page = self.get("/parken").await;
        let (_, rest) = page.split_once("name=\"form\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    async fn post(&self, path: &str, form: &str, more: &str) -> StatusCode {
        let request = Request::post(path).header(header::COOKIE, &self.cookie);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(format!("form={form}{more}").into()).unwrap())
            .await
            .0
    }

    async fn upload(&self, form: &str, bytes: usize) -> StatusCode {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n{form}\r\n--x\r\nContent-Disposition: form-data; \
             name=\"datei\"; filename=\"a.pdf\"\r\n\r\n{}\r\n--x--\r\n",
            "y".repeat(bytes)
        );
        let request = Request::post("/parken/0/hochladen").header(header::COOKIE, &self.cookie);
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
        self.send(request.body(body.into()).unwrap()).await.0
    }

    /// Waits until the evidence is in a stage, and returns the page.
    async fn until(&self, stage: &str) -> String {
        loop {
            let page = self.get("/parken").await;
            if page.contains(&format!("data-stage=\"{stage}\"")) {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn fetch(&self) {
        assert_eq!(
            self.post("/parken/0/abrufen", &self.form().await, "").await,
            StatusCode::SEE_OTHER
        );
    }

    /// Has the evidence fetched, up to its preview.
    async fn previewed(&self) {
        self.connector.answers(
            "/evidence",
            202,
            json!({ "exchange": EXCHANGE, "outcome": "awaiting_preview", "intent": 7, "evidence": null }),
        );
        self.fetch().await;
        self.until("preview").await;
    }
}

const PDF: &[u8] = b"%PDF-1.7 \xff";

fn evidence() -> Value {
    let fields = json!({ "Kennzeichen": "RF-<b>1</b>" });
    let document = json!({ "media_type": "application/pdf", "content": BASE64.encode(PDF) });
    json!({ "title": "Fahrzeug", "issued_at": "2026-11-29", "fields": fields, "document": document })
}

#[tokio::test]
async fn accepted_evidence_completes_the_application() {
    let world = World::new().await;
    world.previewed().await;
    assert!(!world.get("/parken").await.contains("RF-"), "shown before the preview");
    world
        .connector
        .answers("/preview", 200, json!({ "exchange": EXCHANGE, "evidence": evidence() }));
    let page = world.get("/parken/0/vorschau").await;
    assert!(
        page.contains("RF-&lt;b&gt;1&lt;/b&gt;") && !page.contains("<b>"),
        "{page}"
    );
    let recording = json!({ "exchange": EXCHANGE, "outcome": "recording_decision", "evidence": null });
    world.connector.answers("/decision", 202, recording);
    let form = world.form().await;
    world.post("/parken/absenden", &form, "").await;
    assert!(
        !world.get("/parken").await.contains("angekommen"),
        "sent without its evidence"
    );
    world
        .post("/parken/0/entscheidung", &form, "&entscheidung=accept")
        .await;
    world.until("deciding").await;
    assert_eq!(world.headers("/parken").await[header::REFRESH], "2; url=/parken");
    let delivered = json!({ "exchange": EXCHANGE, "outcome": "delivered", "evidence": evidence() });
    world.connector.answers("/decision", 200, delivered);
    world.until("received").await;
    world.post("/parken/absenden", &form, "").await;
    let page = world.get("/parken").await;
    assert!(
        page.contains("angekommen") && page.contains("http://cockpit.example/de/"),
        "{page}"
    );

    let asked = world.connector.asked();
    let login = |(_, body): &(String, Value)| body["login"].as_str().unwrap().to_owned();
    let logins: Vec<String> = asked.iter().map(login).collect();
    assert!(logins.len() >= 3 && logins.windows(2).all(|pair| pair[0] == pair[1]) && logins[0] != form);
    assert_eq!(asked[0].1["person"]["date_of_birth"], "1964-08-12");
    assert_eq!(asked.last().unwrap().1["decision"], "accept");
}

#[tokio::test]
async fn refused_evidence_is_not_used_and_may_be_fetched_again() {
    let world = World::new().await;
    world.previewed().await;
    let rejected = json!({ "exchange": EXCHANGE, "outcome": "rejected", "evidence": null });
    world.connector.answers("/decision", 200, rejected);
    let form = world.form().await;
    world
        .post("/parken/0/entscheidung", &form, "&entscheidung=reject")
        .await;
    assert!(world.until("refused").await.contains("abrufen-0"));
    assert_eq!(world.connector.asked().last().unwrap().1["decision"], "reject");
    world.previewed().await;
}

#[tokio::test]
async fn what_the_register_does_not_give_can_be_uploaded() {
    let nothing = json!({ "exchange": EXCHANGE, "outcome": "nothing_found", "evidence": null });
    let problem = |status: u16| json!({ "type": "urn:einsicht:problem:x", "title": "x", "status": status });
    for (status, answer, stage, again) in [
        (200, nothing, "nothing-found", false),
        (403, problem(403), "failed", false),
        (503, problem(503), "failed", true),
    ] {
        let world = World::new().await;
        world.connector.answers("/evidence", status, answer);
        world.fetch().await;
        let page = world.until(stage).await;
        assert_eq!(page.contains("id=\"abrufen-0\""), again, "{status}");
        let form = world.form().await;
        assert_eq!(world.upload(&form, 3_000).await, StatusCode::SEE_OTHER);
        assert!(world.until("uploaded").await.contains("3 kB"));
        assert_eq!(world.upload(&form, 6 << 20).await, StatusCode::PAYLOAD_TOO_LARGE);
    }
}

/// A request for which the register takes a day.
async fn pending() -> World {
    let world = World::new().await;
    let in_a_day = Timestamp(SystemClock.now()).after(86_400).to_string();
    let pending = json!({ "exchange": EXCHANGE, "outcome": "pending", "available_at": in_a_day, "evidence": null });
    world.connector.answers("/evidence", 202, pending.clone());
    world.connector.answers(EXCHANGE, 202, pending);
    world.fetch().await;
    let page = world.until("pending").await;
    for expected in [
        "Fahrzeug: Kennzeichen",
        "Fahrzeugregister",
        "zurueckziehen-0",
        "später wieder anmelden",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert_eq!(world.headers("/parken").await[header::REFRESH], "60; url=/parken");
    assert!(
        !world
            .headers("/parken?neuladen=aus")
            .await
            .contains_key(header::REFRESH)
    );
    world
}

#[tokio::test]
async fn an_answer_that_comes_later_is_collected_with_the_same_request() {
    let world = pending().await;
    let available = json!({ "exchange": EXCHANGE, "outcome": "available", "evidence": null });
    world.connector.answers(EXCHANGE, 200, available);
    let delivered = json!({ "exchange": EXCHANGE, "outcome": "delivered", "evidence": evidence() });
    world.connector.answers("/evidence", 200, delivered);
    assert!(world.until("received").await.contains("RF-&lt;b&gt;1"));
    let asked = world.connector.asked();
    let sent: Vec<_> = asked.iter().filter(|(path, _)| path == "/evidence").collect();
    assert!(sent.len() == 2 && sent[0] == sent[1], "{}", sent.len());
}

#[tokio::test]
async fn a_request_that_is_withdrawn_may_be_made_again_as_another_one() {
    let world = pending().await;
    let withdrawn = json!({ "exchange": EXCHANGE, "outcome": "withdrawn", "evidence": null });
    world.connector.answers(EXCHANGE, 200, withdrawn);
    let form = world.form().await;
    assert_eq!(
        world.post("/parken/0/zurueckziehen", &form, "").await,
        StatusCode::SEE_OTHER
    );
    assert!(world.until("withdrawn").await.contains("abrufen-0"));
}

#[tokio::test]
async fn a_form_of_another_session_changes_nothing() {
    let world = World::new().await;
    let own = world.form().await;
    let other = World::new().await.form().await;
    for path in [
        "/parken/0/abrufen",
        "/parken/0/zurueckziehen",
        "/parken/absenden",
        "/parken/neu",
        "/abmelden",
    ] {
        assert_eq!(world.post(path, &other, "").await, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(world.upload(&other, 5).await, StatusCode::FORBIDDEN);
    assert!(world.get("/parken").await.contains("data-stage=\"open\""));
    assert!(world.connector.asked().is_empty());
    assert_eq!(world.post("/abmelden", &own, "").await, StatusCode::SEE_OTHER);
    assert_eq!(world.post("/parken/0/abrufen", &own, "").await, StatusCode::FORBIDDEN);
    let page = world.get("/parken").await;
    assert!(page.contains("anmelden") && !page.contains("Emma"), "{page}");
}

#[tokio::test]
async fn every_page_has_its_headers_and_unknown_addresses_are_not_found() {
    let world = World::new().await;
    for (path, expected) in [
        ("/", StatusCode::OK),
        ("/parken", StatusCode::OK),
        ("/andere", StatusCode::NOT_FOUND),
        ("/parken/7/vorschau", StatusCode::NOT_FOUND),
        ("/anmelden?dienst=andere", StatusCode::NOT_FOUND),
        ("/anmeldung/rueckkehr?state=x&code=y", StatusCode::BAD_REQUEST),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (status, headers, page) = world.send(request).await;
        assert_eq!(status, expected, "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && headers[header::CACHE_CONTROL] == "no-store");
        assert!(
            page.contains("<html lang=\"de\">") && !page.contains("<script"),
            "{path}"
        );
    }
    assert_eq!(world.desk.sessions().len(), 1);
}

#[tokio::test]
async fn the_document_is_a_download_for_the_person_at_the_preview_and_afterwards() {
    let world = World::new().await;
    let document = async |cookie: &str| {
        let request = Request::get("/parken/0/dokument").header(header::COOKIE, cookie);
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = world.routes.clone().oneshot(request).await.unwrap().into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    };
    assert_eq!(
        document(&world.cookie).await.0.status,
        StatusCode::SEE_OTHER,
        "nothing is fetched"
    );
    world.previewed().await;
    let shown = json!({ "exchange": EXCHANGE, "evidence": evidence() });
    world.connector.answers("/preview", 200, shown);
    let page = world.get("/parken/0/vorschau").await;
    assert!(page.contains("href=\"/parken/0/dokument\""), "{page}");
    assert_eq!(
        document("antrag=x").await.0.status,
        StatusCode::SEE_OTHER,
        "another session"
    );
    let accepted = async || {
        let (parts, body) = document(&world.cookie).await;
        assert_eq!((parts.status, body.as_ref()), (StatusCode::OK, PDF));
        for (name, value) in [
            (header::CONTENT_TYPE, "application/pdf"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"nachweis.pdf\""),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            assert_eq!(parts.headers[&name], value);
        }
    };
    accepted().await;
    let delivered = json!({ "exchange": EXCHANGE, "outcome": "delivered", "evidence": evidence() });
    world.connector.answers("/decision", 200, delivered);
    let form = world.form().await;
    world
        .post("/parken/0/entscheidung", &form, "&entscheidung=accept")
        .await;
    assert!(world.until("received").await.contains("href=\"/parken/0/dokument\""));
    accepted().await;
    assert_eq!(world.connector.asked()[0].1["form"], "pdf");
}

#[tokio::test]
async fn what_is_no_pdf_file_is_not_given_out() {
    let world = World::new().await;
    world.previewed().await;
    for (media_type, content) in [
        ("text/html", BASE64.encode(PDF)),
        ("application/pdf", BASE64.encode("<script>")),
        ("application/pdf", "?".to_owned()),
    ] {
        let mut evidence = evidence();
        evidence["document"] = json!({ "media_type": media_type, "content": content });
        let shown = json!({ "exchange": EXCHANGE, "evidence": evidence });
        world.connector.answers("/preview", 200, shown);
        let request = Request::get("/parken/0/dokument").header(header::COOKIE, &world.cookie);
        let (status, ..) = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{media_type}");
    }
}
