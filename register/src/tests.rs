//! The register over HTTP, with its access log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use service::ManualClock;
use service::http::{CallError, Client};
use service::secret::Credential;

use super::*;
use crate::access_log::{Access, FILE};
use crate::document::Evidence;

const SCHEMA: &str = r#"{ "name": "ZFZR", "evidence_types": [ { "id": "zb1", "title": "Zulassungsbescheinigung Teil I",
    "fields": [ { "name": "kennzeichen", "title": "A", "category": "Fahrzeug" },
                { "name": "fin", "title": "E", "category": "Fahrzeug" } ] } ] }"#;
const DATA: &str = r#"{ "08214967384": { "zb1": { "kennzeichen": "K-EM 1", "fin": "WVWZZZ1JZXW000001" } } }"#;

struct Fixture {
    directory: tempfile::TempDir,
    url: String,
    client: Client,
}

fn config(directory: &Path, schema: &str, data: &str) -> Config {
    std::fs::write(directory.join("schema.json"), schema).unwrap();
    std::fs::write(directory.join("data.json"), data).unwrap();
    Config {
        directory: "state".into(),
        schema: "schema.json".into(),
        data: "data.json".into(),
        credential_digest: hex::encode(Credential::from_bytes([7; 32]).digest().0),
        preparation_seconds: BTreeMap::new(),
        banner: None,
        test: false,
        faults: Vec::new(),
    }
    .resolved(directory)
}

async fn register() -> Fixture {
    register_with(SCHEMA, DATA).await
}

async fn register_with(schema: &str, data: &str) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), schema, data);
    serve(directory, &config, ManualClock::new(1_800_000_000)).await
}

async fn serve(directory: tempfile::TempDir, config: &Config, clock: Arc<ManualClock>) -> Fixture {
    let routes = routes(config, clock).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/evidence", listener.local_addr().unwrap());
    tokio::spawn(service::listen::serve(listener, routes, Shutdown::new()));
    let client = Client::new().unwrap().with_credential(Credential::from_bytes([7; 32]));
    Fixture { directory, url, client }
}

impl Fixture {
    async fn ask(&self, lookup: &serde_json::Value) -> Result<Evidence, CallError> {
        self.client.post_json(&self.url, lookup).await
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("state").join(FILE)).unwrap()
    }
}

fn status(result: Result<Evidence, CallError>) -> u16 {
    match result.unwrap_err() {
        CallError::Refused(problem) => problem.status,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_access_is_logged_without_the_person() {
    let register = register().await;
    let exchange = Uuid::from_u128(5);
    let found = register
        .ask(&serde_json::json!({ "idnr": "08214967384", "evidence_type": "zb1", "exchange": exchange }))
        .await
        .unwrap();
    assert_eq!(found.title, "Zulassungsbescheinigung Teil I");
    assert_eq!(found.issued_at, "2027-01-15T08:00:00Z");
    assert_eq!(found.fields["fin"], "WVWZZZ1JZXW000001");
    let nothing = register
        .ask(&serde_json::json!({ "idnr": "00000000000", "evidence_type": "zb1" }))
        .await;
    assert_eq!(status(nothing), 404);
    let lines: Vec<Access> = register
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let time = "2027-01-15T08:00:00Z".to_owned();
    let access = Access {
        time,
        evidence_type: "zb1".into(),
        found: true,
        exchange: Some(exchange),
    };
    assert_eq!(
        lines,
        [
            access.clone(),
            Access {
                found: false,
                exchange: None,
                ..access
            }
        ]
    );
    assert!(!register.log().contains("08214967384") && !register.log().contains("WVWZZZ"));
}

#[tokio::test]
async fn a_malformed_or_unauthorised_query_is_refused_and_not_logged() {
    let register = register().await;
    for lookup in [
        serde_json::json!({ "idnr": "0821496738", "evidence_type": "zb1" }),
        serde_json::json!({ "idnr": "08214967384", "evidence_type": "other" }),
        serde_json::json!({ "idnr": "08214967384" }),
        serde_json::json!({ "idnr": "08214967384", "evidence_type": "zb1", "more": 1 }),
    ] {
        let CallError::Refused(problem) = register.ask(&lookup).await.unwrap_err() else {
            panic!("not a problem")
        };
        assert_eq!(problem.status, 400);
        assert!(!problem.detail.contains("0821496738"));
    }
    let lookup = serde_json::json!({ "idnr": "08214967384", "evidence_type": "zb1" });
    let stranger = Client::new().unwrap();
    assert_eq!(status(stranger.post_json(&register.url, &lookup).await), 401);
    let stranger = stranger.with_credential(Credential::from_bytes([8; 32]));
    assert_eq!(status(stranger.post_json(&register.url, &lookup).await), 401);
    assert_eq!(register.log(), "");
}

#[tokio::test]
async fn evidence_that_takes_time_is_looked_up_when_the_time_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path(), SCHEMA, DATA);
    config.preparation_seconds.insert("zb1".into(), 86_400);
    let clock = ManualClock::new(1_800_000_000);
    let register = serve(directory, &config, clock.clone()).await;
    let mut lookups = Vec::new();
    for (idnr, exchange) in [("08214967384", 1), ("00000000000", 2)] {
        let lookup = serde_json::json!({ "idnr": idnr, "evidence_type": "zb1", "exchange": Uuid::from_u128(exchange),
            "may_wait": true });
        let answer = register
            .client
            .post(&register.url, "application/json", lookup.to_string().into());
        let answer = answer.await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body, serde_json::json!({ "available": "2027-01-16T08:00:00Z" }));
        assert_eq!((answer.status, answer.retry_after), (202, Some(86_400)));
        lookups.push(lookup);
    }
    assert_eq!(register.log(), "", "nothing was looked up");
    clock.advance(86_400);
    assert_eq!(
        register.ask(&lookups[0]).await.unwrap().issued_at,
        "2027-01-16T08:00:00Z"
    );
    assert_eq!(status(register.ask(&lookups[1]).await), 404);
    assert_eq!(register.log().lines().count(), 2);
    clock.advance(86_400);
    for lookup in &mut lookups {
        lookup["exchange"] = Uuid::from_u128(3).to_string().into();
        lookup["may_wait"] = false.into();
    }
    let at_once = register.ask(&lookups[0]).await.unwrap().issued_at;
    assert_eq!(
        at_once, "2027-01-17T08:00:00Z",
        "a query that may not wait is answered at once"
    );
    assert_eq!(status(register.ask(&lookups[1]).await), 404);
}

#[test]
fn a_preparation_time_of_no_evidence_type_or_beyond_the_limit_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (evidence_type, seconds, accepted) in [
        ("zb1", MAX_PREPARATION_SECONDS, true),
        ("zb1", MAX_PREPARATION_SECONDS + 1, false),
        ("zb2", 1, false),
    ] {
        let mut config = config(directory.path(), SCHEMA, DATA);
        config.preparation_seconds.insert(evidence_type.into(), seconds);
        let started = routes(&config, ManualClock::new(1_800_000_000));
        assert_eq!(started.is_ok(), accepted, "{evidence_type} {seconds}");
    }
}

#[test]
fn an_invalid_schema_or_data_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let load = |schema: &str, data: &str| {
        let config = config(directory.path(), schema, data);
        RegisterData::load(&config.schema, &config.data)
    };
    load(SCHEMA, DATA).unwrap();
    assert!(matches!(load("{}", DATA), Err(DataError::File(_))));
    assert!(matches!(load(SCHEMA, "[]"), Err(DataError::Data { .. })));
    assert!(matches!(
        load(&SCHEMA.replace("fin", "kennzeichen"), DATA),
        Err(DataError::Schema(_))
    ));
}

/// The data of Emma, with these rows around them.
fn with_rows(before: &str, after: &str) -> String {
    let emma = DATA.trim().strip_prefix('{').and_then(|rows| rows.strip_suffix('}'));
    format!("{{{before}{}{after}}}", emma.unwrap())
}

#[test]
fn a_faulty_row_is_set_aside_and_the_others_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let sound = r#"{ "zb1": { "kennzeichen": "K-XY 2", "fin": "2" } }"#;
    for (row, report) in [
        (
            format!(r#""00000000000": {sound}"#),
            "row 1, key: is neither the IDNr of a person nor an EUID",
        ),
        (
            format!(r#""0247629135": {sound}"#),
            "row 1, key: is neither the IDNr of a person nor an EUID",
        ),
        (
            format!(r#""02476291358": {}"#, sound.replace("zb1", "zb2")),
            "row 1, row: has an evidence type that is not in the schema",
        ),
        (
            format!(r#""02476291358": {}"#, sound.replace("\"fin\"", "\"farbe\"")),
            "row 1, fin: is missing",
        ),
        (
            format!(
                r#""02476291358": {}"#,
                sound.replace("\"2\"", "\"2\", \"farbe\": \"rot\"")
            ),
            "row 1, row: has a field that is not in the schema",
        ),
        (
            format!(r#""02476291358": {}"#, sound.replace("\"2\"", "7")),
            "row 1, row: is not of the form of the file",
        ),
        (
            format!(r#""02476291358": {}"#, sound.replace("\"2\"", "\"2\", \"fin\": \"3\"")),
            "row 1, row: an object in it has a key twice",
        ),
        (
            format!(r#""02476291358": {}"#, sound.replace("\"2\"", "\"2\\u202e\"")),
            "row 1, fin: character 2 is invisible or controls how text is shown",
        ),
    ] {
        let config = config(directory.path(), SCHEMA, &with_rows(&format!("{row}, "), ""));
        let data = RegisterData::load(&config.schema, &config.data).unwrap();
        assert_eq!(
            data.set_aside().iter().map(ToString::to_string).collect::<Vec<_>>(),
            [report]
        );
        assert!(data.fields("08214967384", "zb1").is_some());
        assert!(data.fields("02476291358", "zb1").is_none());
    }
}

#[test]
fn a_person_with_two_rows_gets_neither() {
    let directory = tempfile::tempdir().unwrap();
    let other = r#", "08214967384": { "zb1": { "kennzeichen": "K-XY 2", "fin": "2" } },
        "02476291358": { "zb1": { "kennzeichen": "K-XY 3", "fin": "3" } }"#;
    let config = config(directory.path(), SCHEMA, &with_rows("", other));
    let data = RegisterData::load(&config.schema, &config.data).unwrap();
    assert!(data.fields("08214967384", "zb1").is_none());
    assert_eq!(data.fields("02476291358", "zb1").unwrap()["fin"], "3");
    assert_eq!(data.set_aside().len(), 2);
}

#[test]
fn debug_shows_nothing_personal() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), SCHEMA, DATA);
    let data = RegisterData::load(&config.schema, &config.data).unwrap();
    assert_eq!(format!("{data:?}"), "RegisterData(1 types, 1 rows)");
}

/// Schema and data of a row whose values have this many characters together.
fn row_of(characters: usize) -> (String, String) {
    const EACH: usize = 4000;
    let names = (0..=MAX_EVIDENCE / EACH).map(|i| format!("feld{i:03}"));
    let schema = names
        .clone()
        .map(|name| serde_json::json!({ "name": name, "title": name, "category": "Fahrzeug" }));
    let values = names.enumerate().map(|(i, name)| {
        let length = characters.saturating_sub(i * EACH).min(EACH);
        (name, serde_json::Value::from("x".repeat(length)))
    });
    let schema = serde_json::json!({ "name": "ZFZR", "evidence_types": [
        { "id": "zb1", "title": "Zulassungsbescheinigung Teil I", "fields": schema.collect::<Vec<_>>() },
    ] });
    let values: serde_json::Map<_, _> = values.collect();
    (
        schema.to_string(),
        serde_json::json!({ "08214967384": { "zb1": values } }).to_string(),
    )
}

#[tokio::test]
async fn evidence_up_to_the_limit_of_an_answer_is_returned_and_larger_evidence_is_refused() {
    let lookup = serde_json::json!({ "idnr": "08214967384", "evidence_type": "zb1" });
    let ask = async |characters| {
        let (schema, data) = row_of(characters);
        register_with(&schema, &data).await.ask(&lookup).await
    };
    let empty = ask(0).await.unwrap();
    let largest = MAX_EVIDENCE - serde_json::to_vec(&empty).unwrap().len();
    for characters in [largest - 1, largest] {
        assert!(ask(characters).await.is_ok());
    }
    let Err(CallError::Refused(problem)) = ask(largest + 1).await else {
        panic!("not refused")
    };
    assert_eq!((problem.status, problem.slug.as_str()), (422, "evidence-too-large"));
}

#[tokio::test]
async fn everything_about_a_person_is_given_in_the_schemas_order_and_logged() {
    let schema = SCHEMA.replace(
        "] } ] }",
        r#"] }, { "id": "halter", "title": "Halterdaten",
            "fields": [ { "name": "name", "title": "Name", "category": "Halter" } ] } ] }"#,
    );
    let data = r#"{ "08214967384": { "zb1": { "kennzeichen": "K-EM 1", "fin": "" }, "halter": { "name": "Emma" } } }"#;
    let register = register_with(&schema, data).await;
    let url = register.url.replace("/evidence", "/stock");
    let ask = |lookup: serde_json::Value| {
        let (client, url) = (register.client.clone(), url.clone());
        async move { client.post_json::<_, Stock>(&url, &lookup).await }
    };
    let exchange = Uuid::from_u128(6);
    let found = ask(serde_json::json!({ "idnr": "08214967384", "exchange": exchange })).await;
    let found = found.unwrap();
    assert_eq!(
        (found.title.as_str(), found.issued_at.as_str()),
        ("ZFZR", "2027-01-15T08:00:00Z")
    );
    let shown = found.sections.iter().map(|section| {
        let fields = section.fields.iter();
        let fields: Vec<_> = fields
            .map(|field| (field.title.as_str(), field.value.as_str()))
            .collect();
        (section.title.as_str(), fields)
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("Halterdaten", vec![("Name", "Emma")]),
            ("Zulassungsbescheinigung Teil I", vec![("A", "K-EM 1"), ("E", "")]),
        ]
    );
    for (lookup, status) in [
        (serde_json::json!({ "idnr": "02476291358" }), 404),
        (serde_json::json!({ "idnr": "DEX1234R.HRB4711" }), 400),
        (
            serde_json::json!({ "idnr": "08214967384", "evidence_type": "zb1" }),
            400,
        ),
    ] {
        match ask(lookup).await.unwrap_err() {
            CallError::Refused(problem) => assert_eq!(problem.status, status),
            other => panic!("{other}"),
        }
    }
    let stranger = Client::new().unwrap();
    let query = serde_json::json!({ "idnr": "08214967384" });
    assert!(stranger.post_json::<_, Stock>(&url, &query).await.is_err());
    let lines: Vec<Access> = register
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let logged: Vec<_> = lines
        .iter()
        .map(|line| (line.evidence_type.as_str(), line.found, line.exchange))
        .collect();
    assert_eq!(
        logged,
        [(data::STOCK, true, Some(exchange)), (data::STOCK, false, None)]
    );
    assert!(!register.log().contains("08214967384") && !register.log().contains("Emma"));
    // The word has another meaning in the access log.
    let directory = tempfile::tempdir().unwrap();
    let reserved = config(directory.path(), &SCHEMA.replace("zb1", data::STOCK), "{}");
    assert!(routes(&reserved, ManualClock::new(0)).is_err());
}

/// What a query gets from a register that has this instead of its answer.
async fn faulty(instead: faults::Instead) -> (Result<Evidence, CallError>, usize) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path(), SCHEMA, DATA);
    config.test = true;
    config.faults = vec![Fault {
        evidence_type: None,
        percent: 100,
        delay_ms: 1,
        instead: Some(instead),
    }];
    let register = serve(directory, &config, ManualClock::new(1_800_000_000)).await;
    let lookup = serde_json::json!({ "idnr": "08214967384", "evidence_type": "zb1" });
    let stranger = Client::new().unwrap().post_json(&register.url, &lookup).await;
    assert_eq!(status(stranger), 401);
    let answer = register.ask(&lookup).await;
    (answer, register.log().lines().count())
}

#[tokio::test]
async fn a_register_of_a_test_fails_as_it_is_told() {
    use faults::Instead;
    let (answer, lookups) = faulty(Instead::Refusal).await;
    assert_eq!((status(answer), lookups), (503, 0));
    let (answer, lookups) = faulty(Instead::Cut).await;
    assert!(
        matches!(answer, Err(CallError::Unreachable(_))) && lookups == 1,
        "{answer:?}"
    );
    let (answer, lookups) = faulty(Instead::Half).await;
    assert!(
        matches!(answer, Err(CallError::Invalid(_))) && lookups == 1,
        "{answer:?}"
    );
    let (answer, _) = faulty(Instead::NotXml).await;
    assert!(answer.unwrap().fields["fin"].ends_with('\u{fffe}'));
    let (answer, _) = faulty(Instead::TooLarge).await;
    assert!(serde_json::to_vec(&answer.unwrap()).unwrap().len() > MAX_EVIDENCE);
}

#[test]
fn a_register_with_faults_that_is_not_one_of_a_test_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path(), SCHEMA, DATA);
    let fault = Fault {
        evidence_type: None,
        percent: 100,
        delay_ms: 0,
        instead: None,
    };
    config.faults = vec![fault.clone()];
    let refused = |config: &Config| matches!(routes(config, ManualClock::new(0)), Err(Error::Faults));
    assert!(refused(&config));
    config.test = true;
    assert!(!refused(&config));
    config.faults = vec![Fault { percent: 0, ..fault }];
    assert!(refused(&config));
}
