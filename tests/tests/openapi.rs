//! The description of the connector's interface (OpenAPI) and the idempotency key, against the running programs.
//!
//! Every path and method of the description is called, at the mock and at a real connector, and every answer is judged
//! by the description: its status, its media type and its schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::processes::Processes;
use tests::routes::{Route, routes};
use tests::surrounded::Surrounded;
use tests::{Process, evidence_request, http, program, wait_for};

const CHECKED_IN: &str = include_str!("../../docs/connector.openapi.json");
const LOGIN: &str = "session-7f3a91c0d2e84b65a1f09c3e5d7b2846";
const FOREIGN: &str = "session-00000000000000000000000000000000";

/// A server of the interface, and what its description says.
struct Api {
    url: String,
    document: Value,
    credential: Option<String>,
    /// Method, path and status of each answer.
    seen: BTreeSet<(String, String, u16)>,
}

impl Api {
    /// Fetches the description, which must be the one in the repository.
    fn at(url: &str, credential: Option<String>) -> Result<Self> {
        let answer = http()?.get(format!("{url}/openapi.json")).send()?;
        let text = answer.text()?;
        ensure!(text == CHECKED_IN, "the served description is another one");
        Ok(Self {
            url: url.to_owned(),
            document: serde_json::from_str(&text)?,
            credential,
            seen: BTreeSet::new(),
        })
    }

    fn validator(&self, schema: &Value) -> Result<Validator> {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        jsonschema::draft202012::new(&schema).context("a schema of the description")
    }

    /// Calls an operation, and judges the answer.
    fn call(&mut self, method: &str, (template, exchange): (&str, &str), body: Option<&Value>) -> Result<(u16, Value)> {
        let body = body.map(Value::to_string);
        self.call_with(method, (template, exchange), body, None)
    }

    fn call_with(
        &mut self,
        method: &str,
        (template, exchange): (&str, &str),
        body: Option<String>,
        key: Option<&str>,
    ) -> Result<(u16, Value)> {
        let url = format!("{}{}", self.url, template.replace("{exchange}", exchange));
        let mut request = http()?.request(method.parse()?, url).timeout(Duration::from_secs(120));
        if let Some(credential) = &self.credential {
            request = request.bearer_auth(credential);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", format!("\"{key}\""));
        }
        if let Some(body) = &body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        let answer = request.send()?;
        let status = answer.status().as_u16();
        let media = answer
            .headers()
            .get("content-type")
            .context("a media type")?
            .to_str()?
            .to_owned();
        let media = media.split(';').next().unwrap_or_default().to_owned();
        let text = answer.text()?;
        let operation = &self.document["paths"][template][method.to_lowercase()];
        let named = &operation["responses"][status.to_string()];
        ensure!(
            named.is_object(),
            "{method} {template}: {status} is not described: {text}"
        );
        let content = &named["content"][&media];
        ensure!(content.is_object(), "{method} {template}: {status} has not {media}");
        self.seen.insert((method.to_owned(), template.to_owned(), status));
        if !media.ends_with("json") {
            return Ok((status, Value::Null));
        }
        let value: Value = serde_json::from_str(&text)?;
        let judged = self
            .validator(&content["schema"])?
            .validate(&value)
            .map_err(|error| error.to_string());
        ensure!(judged.is_ok(), "{method} {template} {status}: {judged:?}: {value:#}");
        if media == "application/problem+json" {
            ensure!(value["status"] == status, "{value:#}");
        } else if status < 300
            && let Some(body) = &body
        {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let judged = self
                .validator(schema)?
                .validate(&serde_json::from_str(body)?)
                .map_err(|error| error.to_string());
            ensure!(
                judged.is_ok(),
                "an accepted request is not described: {judged:?}: {body}"
            );
        }
        Ok((status, value))
    }

    /// Every operation of the description was called and has succeeded, and every other method is refused.
    fn all_were_called(&self) -> Result<()> {
        for route in described(&self.document) {
            let called = |wanted: &dyn Fn(u16) -> bool| {
                let mut seen = self.seen.iter();
                seen.any(|(method, path, status)| *method == route.method && *path == route.path && wanted(*status))
            };
            ensure!(called(&|status| status < 300), "{route:?} has not succeeded");
            ensure!(
                route.path == "/openapi.json" || called(&|status| status >= 400),
                "{route:?} has not failed"
            );
        }
        let known = described(&self.document);
        for path in known.iter().map(|route| &route.path).collect::<BTreeSet<_>>() {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                if known.iter().any(|route| route.path == *path && route.method == method) {
                    continue;
                }
                let url = format!("{}{}", self.url, path.replace("{exchange}", &nobody()));
                let answer = http()?.request(method.parse()?, url).send()?;
                ensure!(answer.status() == 405, "{method} {path}: {}", answer.status());
            }
        }
        Ok(())
    }
}

/// The operations of a description.
fn described(document: &Value) -> BTreeSet<Route> {
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, _) in item.as_object().unwrap() {
            routes.insert(Route {
                file: String::new(),
                method: method.to_uppercase(),
                path: path.clone(),
            });
        }
    }
    routes
}

/// The number of no exchange.
fn nobody() -> String {
    uuid::Uuid::nil().to_string()
}

fn question(change: impl FnOnce(&mut Value)) -> Value {
    let mut question: Value = serde_json::from_str(&evidence_request()).unwrap();
    change(&mut question);
    question
}

const EVIDENCE: &str = "/evidence";
const STATE: &str = "/evidence/{exchange}";
const PREVIEW: &str = "/evidence/{exchange}/preview";
const DECISION: &str = "/evidence/{exchange}/decision";

/// The calls that mock and connector answer alike. Returns the exchange whose evidence was delivered.
fn calls_of_every_operation(api: &mut Api) -> Result<String> {
    api.call("GET", ("/openapi.json", ""), None)?;
    let (status, awaiting) = api.call("POST", (EVIDENCE, ""), Some(&question(|_| {})))?;
    ensure!(status == 202, "{status} {awaiting:#}");
    let exchange = awaiting["exchange"].as_str().context("an exchange")?.to_owned();
    ensure!(api.call("GET", (STATE, &exchange), None)?.0 == 202);
    let login = |login: &str| json!({ "login": login });
    let decision = |decision: &str| json!({ "login": LOGIN, "decision": decision });
    ensure!(api.call("POST", (PREVIEW, &exchange), Some(&login(FOREIGN)))?.0 == 404);
    ensure!(api.call("POST", (PREVIEW, &exchange), Some(&login("short")))?.0 == 400);
    ensure!(api.call("POST", (PREVIEW, &exchange), Some(&login(LOGIN)))?.0 == 200);
    ensure!(api.call("POST", (DECISION, &exchange), Some(&decision("perhaps")))?.0 == 400);
    ensure!(api.call("POST", (DECISION, &nobody()), Some(&decision("accept")))?.0 == 404);
    wait_for(Duration::from_secs(60), || {
        Ok(api.call("POST", (DECISION, &exchange), Some(&decision("accept")))?.0 == 200)
    })?;
    ensure!(api.call("POST", (DECISION, &exchange), Some(&decision("reject")))?.0 == 409);
    ensure!(api.call("POST", (PREVIEW, &exchange), Some(&login(LOGIN)))?.0 == 409);
    ensure!(api.call("GET", (STATE, &exchange), None)?.0 == 200);
    ensure!(api.call("GET", (STATE, &nobody()), None)?.0 == 404);
    ensure!(api.call("GET", (STATE, "no-number"), None)?.0 == 400);
    for wrong in [
        json!({}),
        question(|question| question["unknown"] = 1.into()),
        question(|question| question["assurance"] = "very-high".into()),
        question(|question| question["legal_person"] = json!({ "name": "A", "euid": "B" })),
        question(|question| question["login"] = Value::Null),
        question(|question| question["login_proof"] = Value::Null),
        question(|question| question["login_proof"]["token_digest"] = "5a".into()),
        question(|question| question["login_proof"]["authenticated_at"] = "2026-01-01T08:00:00Z".into()),
        question(|question| question["assurance"] = "low".into()),
    ] {
        ensure!(api.call("POST", (EVIDENCE, ""), Some(&wrong))?.0 == 400, "{wrong:#}");
    }
    Ok(exchange)
}

#[test]
fn every_route_of_the_interface_is_described() -> Result<()> {
    let document: Value = serde_json::from_str(CHECKED_IN)?;
    let mut built = BTreeSet::new();
    for route in routes()? {
        if ["connector/src/consumer/interface.rs", "connector/src/openapi.rs"].contains(&route.file.as_str()) {
            let path = if route.path == "PATH" {
                "/openapi.json".to_owned()
            } else {
                route.path
            };
            built.insert(Route {
                file: String::new(),
                path,
                method: route.method,
            });
        }
    }
    ensure!(built == described(&document), "{built:?}");
    Ok(())
}

#[test]
fn the_mock_answers_as_its_description_says() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let url = "http://127.0.0.1:24900";
    let mut mock = Command::new(program("connector"));
    mock.args(["mock", "--listen", "127.0.0.1:24900"]);
    let _mock = Process::start(&mut mock, &scratch.path().join("mock.log"))?;
    let client = http()?;
    wait_for(Duration::from_secs(30), || {
        Ok(client.get(format!("{url}/openapi.json")).send().is_ok())
    })?;
    let mut api = Api::at(url, None)?;
    calls_of_every_operation(&mut api)?;
    for (name, status) in [
        ("Unbekannt", 200),
        ("Verboten", 403),
        ("Abgelehnt", 403),
        ("Ausfall", 503),
        ("Zuspät", 504),
        ("Geduld", 503),
    ] {
        let asked = question(|question| question["person"]["family_name"] = name.into());
        let (got, body) = api.call("POST", (EVIDENCE, ""), Some(&asked))?;
        ensure!(got == status, "{name}: {got} {body:#}");
        let key = format!("key-of-{name:-<40}").replace('ä', "ae");
        let twice = [0; 2].map(|_| api.call_with("POST", (EVIDENCE, ""), Some(asked.to_string()), Some(&key)));
        let [first, second] = twice;
        ensure!(first? == second?, "{name}");
    }
    same_key_same_exchange(&mut api)?;
    let patient = question(|question| question["person"]["family_name"] = "Geduld".into());
    waits_and_is_withdrawn(&mut api, patient)?;
    api.all_were_called()
}

/// An asynchronous request whose answer is not there yet is withdrawn.
fn waits_and_is_withdrawn(api: &mut Api, mut question: Value) -> Result<()> {
    question["asynchronous"] = true.into();
    ensure!(
        api.call("POST", (EVIDENCE, ""), Some(&question))?.0 == 400,
        "it has no key"
    );
    let (key, body) = (uuid::Uuid::new_v4().to_string(), question.to_string());
    let ask = |api: &mut Api| api.call_with("POST", (EVIDENCE, ""), Some(body.clone()), Some(&key));
    let (status, pending) = ask(api)?;
    ensure!(status == 202 && pending["outcome"] == "pending", "{status} {pending:#}");
    let exchange = pending["exchange"].as_str().context("an exchange")?;
    let state = api.call("GET", (STATE, exchange), None)?;
    ensure!(state == (202, pending.clone()), "{state:?}");
    wait_for(Duration::from_secs(60), || {
        let (_, withdrawn) = api.call("DELETE", (STATE, exchange), None)?;
        Ok(withdrawn["outcome"] == "withdrawn" && withdrawn["outcome_entry"].is_u64())
    })?;
    let (status, withdrawn) = ask(api)?;
    ensure!(
        status == 200 && withdrawn["outcome"] == "withdrawn",
        "{status} {withdrawn:#}"
    );
    ensure!(api.call("GET", (STATE, exchange), None)? == (200, withdrawn));
    ensure!(api.call("DELETE", (STATE, &nobody()), None)?.0 == 404);
    ensure!(api.call("DELETE", (STATE, "no-number"), None)?.0 == 400);
    Ok(())
}

/// Requests with the same key: one after another, at once, and with another body.
fn same_key_same_exchange(api: &mut Api) -> Result<()> {
    let (key, other) = (uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string());
    let body = question(|_| {}).to_string();
    let mut ask = |body: &str, key: &str| api.call_with("POST", (EVIDENCE, ""), Some(body.to_owned()), Some(key));
    let first = ask(&body, &key)?;
    ensure!(first.0 == 202 && ask(&body, &key)? == first, "{first:?}");
    let (status, another) = ask(&body, &other)?;
    ensure!(status == 202 && another["exchange"] != first.1["exchange"]);
    let (status, problem) = ask(
        &question(|question| question["official"] = "other".into()).to_string(),
        &key,
    )?;
    let kind = problem["type"].as_str().unwrap_or_default();
    ensure!(
        status == 422 && kind.ends_with(":idempotency-key-reused"),
        "{problem:#}"
    );
    let (status, problem) = ask(&body, "short")?;
    ensure!(status == 400, "{problem:#}");
    Ok(())
}

#[test]
fn a_connector_answers_as_its_description_says_and_needs_its_credential() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let credential = "5e".repeat(32);
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:25600")?;
    processes.configure("connector-rheinfurt", |config| {
        let digest = hex::encode(Sha256::digest(hex::decode(&credential).unwrap()));
        config["role"]["consumer"]["credential_digest"] = digest.into();
    })?;
    processes.configure("register-meldewesen", |config| {
        config["preparation_seconds"]["melde-anschrift"] = 86_400.into();
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.start_residents()?;
    let url = processes.info.connectors["rheinfurt"].clone();
    let mut stranger = Api::at(&url, None)?;
    for (method, path) in [
        ("POST", EVIDENCE),
        ("GET", STATE),
        ("DELETE", STATE),
        ("POST", PREVIEW),
        ("POST", DECISION),
    ] {
        let body = (method == "POST").then(|| question(|_| {}));
        ensure!(stranger.call(method, (path, &nobody()), body.as_ref())?.0 == 401);
    }
    let mut api = Api::at(&url, Some(credential))?;
    wait_for(Duration::from_secs(60), || {
        Ok(api.call("POST", (EVIDENCE, ""), Some(&question(|_| {})))?.0 == 202)
    })?;
    calls_of_every_operation(&mut api)?;
    let not_permitted = question(|question| question["purpose"] = "neugier".into());
    ensure!(api.call("POST", (EVIDENCE, ""), Some(&not_permitted))?.0 == 403);
    let unknown = question(|question| {
        question["person"] = json!({ "family_name": "Unbekannt", "given_name": "Person", "date_of_birth": "1970-01-01",
            "postal_code": "73614", "place": "Rheinfurt" });
    });
    ensure!(api.call("POST", (EVIDENCE, ""), Some(&unknown))?.1["outcome"] == "nothing_found");
    same_key_same_exchange(&mut api)?;
    let asynchronous = question(|question| question["asynchronous"] = true.into()).to_string();
    let key = uuid::Uuid::new_v4().to_string();
    let (status, problem) = api.call_with("POST", (EVIDENCE, ""), Some(asynchronous), Some(&key))?;
    ensure!(status == 400, "with a preview: {problem:#}");
    // None of Rheinfurt's permissions is without a preview.
    let mut seewalde = Api::at(&processes.info.connectors["seewalde"], None)?;
    let registration = question(|question| {
        question["provider"] = "land:lam:melderegister".into();
        question["evidence_type"] = "melde-anschrift".into();
        question["purpose"] = "gewerbeanzeige".into();
        question["person"]["idnr"] = Value::Null;
    });
    waits_and_is_withdrawn(&mut seewalde, registration)?;
    api.seen.extend(seewalde.seen);
    api.all_were_called()
}

/// The consumer's connector with an intermediary before its broker.
struct Repeating {
    around: Surrounded,
    url: String,
    /// The same words for each request.
    body: String,
}

impl Repeating {
    fn api(&self) -> Result<Api> {
        Api::at(&self.url, None)
    }

    /// Asks in a thread of its own.
    fn ask(&self, key: &str) -> Result<std::thread::JoinHandle<Result<(u16, Value)>>> {
        let (mut api, key) = (self.api()?, key.to_owned());
        let body = self.body.clone();
        Ok(std::thread::spawn(move || {
            api.call_with("POST", (EVIDENCE, ""), Some(body), Some(&key))
        }))
    }

    fn restart_consumer(&mut self) -> Result<()> {
        let running = &mut self.around.processes.running;
        running
            .remove("connector-rheinfurt")
            .context("the connector runs")?
            .kill()?;
        self.around
            .processes
            .up("connector-rheinfurt", "connector", &self.url)?;
        self.around.processes.healthy(&self.url)
    }

    /// How many exchanges the broker was asked for.
    fn exchanges(&self) -> Result<usize> {
        let mut exchanges = BTreeSet::new();
        for passed in self.around.consumer.passed() {
            if passed.path == "/exchanges" {
                let request: messages::ExchangeRequest = record::cbor::from_slice(&passed.request)?;
                exchanges.insert(request.metadata.exchange);
            }
        }
        Ok(exchanges.len())
    }
}

#[test]
fn a_key_has_one_exchange_also_while_it_runs_and_after_a_restart() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let around = Surrounded::start(&scratch.path().join("demo"), "127.0.0.1:25100", |processes| {
        processes.configure("connector-rheinfurt", |config| {
            config["role"]["consumer"]["deadline_seconds"] = 60.into();
        })
    })?;
    let url = around.processes.info.connectors["rheinfurt"].clone();
    let body = question(|_| {}).to_string();
    let mut repeating = Repeating { around, url, body };
    let before = repeating.exchanges()?;
    let keys: Vec<String> = (0..3).map(|_| uuid::Uuid::new_v4().to_string()).collect();

    // Three callers at once, while the first exchange runs.
    repeating.around.provider.hold_answers("/forward");
    let callers = [0; 3].map(|_| repeating.ask(&keys[0]));
    wait_for(Duration::from_secs(60), || Ok(repeating.around.provider.held() > 0))?;
    repeating.around.provider.release();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller?.join().expect("a caller")?);
    }
    ensure!(answers[0].0 == 202, "{answers:?}");
    ensure!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    ensure!(repeating.exchanges()? == before + 1, "a second exchange");

    // The connector is killed while the exchange runs, and the caller asks again.
    repeating.around.provider.hold_answers("/forward");
    let lost = repeating.ask(&keys[1])?;
    wait_for(Duration::from_secs(60), || Ok(repeating.around.provider.held() > 0))?;
    repeating.restart_consumer()?;
    ensure!(lost.join().expect("a caller").is_err(), "the connector was not killed");
    let again = repeating.ask(&keys[1])?;
    repeating.around.provider.release();
    let (status, answer) = again.join().expect("a caller")?;
    ensure!(status == 202, "{status} {answer:#}");
    ensure!(repeating.exchanges()? == before + 2, "a second exchange");

    // The answer is there after another restart, and its evidence can be shown.
    repeating.restart_consumer()?;
    let once_more = repeating.ask(&keys[1])?.join().expect("a caller")?;
    ensure!(once_more == (202, answer.clone()), "{once_more:?}");
    let exchange = answer["exchange"].as_str().context("an exchange")?;
    let shown = repeating
        .api()?
        .call("POST", (PREVIEW, exchange), Some(&json!({ "login": LOGIN })))?;
    ensure!(shown.0 == 200, "{shown:?}");
    ensure!(repeating.exchanges()? == before + 2, "a second exchange");
    repeating.around.processes.every_intent_is_closed()
}
