//! Release with the real register, and the checks of an outcome notice against the answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use axum::routing::post;
use messages::limits::MAX_EVIDENCE;
use messages::{CheckName, EvidenceForm, FailureReason, ReplyOutcome};
use record::Outcome;
use record::receipt::Receipt;
use service::ManualClock;
use service::http::Client;
use service::secret::Credential;
use tokio::net::TcpListener;

mod deferred;
mod login;
mod representation;
mod trust_in_force;

use super::*;
use crate::consumer::checks as consumer_checks;
use crate::consumer::query::EvidenceQuery;
use crate::fixture::{IDNR, NOW, Plan, Prepared};

const SCHEMA: &str = r#"{ "name": "ZFZR", "evidence_types": [ { "id": "zb1", "title": "Zulassungsbescheinigung Teil I",
    "fields": [ { "name": "fin", "title": "E", "category": "Fahrzeug" } ] } ] }"#;

/// A register that has the person of the fixture, and its access log.
struct RegisterFixture {
    directory: tempfile::TempDir,
    register: Register,
}

async fn register() -> RegisterFixture {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("schema.json"), SCHEMA).unwrap();
    let data = format!(r#"{{ "{IDNR}": {{ "zb1": {{ "fin": "WVWZZZ1JZXW000001" }} }} }}"#);
    std::fs::write(path("data.json"), data).unwrap();
    let credential = Credential::create(&path("credential")).unwrap();
    let config = register::Config {
        directory: path("state"),
        schema: path("schema.json"),
        data: path("data.json"),
        credential_digest: hex::encode(credential.digest().0),
        preparation_seconds: Default::default(),
        banner: None,
        test: false,
        faults: Vec::new(),
    };
    let routes = register::routes(&config, ManualClock::new(NOW.0)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(service::listen::serve(listener, routes, Shutdown::new()));
    let register = connect(&url, &path("credential"));
    RegisterFixture { directory, register }
}

fn connect(url: &str, credential: &Path) -> Register {
    let role = ProviderConfig {
        register: url.into(),
        register_credential: credential.into(),
        register_seconds: 5,
        scanner: None,
        collects_from: None,
    };
    Register::new(&role, &Client::new().unwrap()).unwrap()
}

impl RegisterFixture {
    fn questions(&self) -> usize {
        std::fs::read_to_string(self.directory.path().join("state/access.log"))
            .unwrap()
            .lines()
            .count()
    }
}

/// Runs the checks, asks the register and records the answer.
async fn serve(prepared: &Prepared, register: &Register, served: &ServedIntents) -> Reply {
    let context = prepared.world.context("kba");
    let checked = prepared.check(&context, 1).unwrap();
    let digest = digest(&prepared.forward);
    let index = checked.intent().index().get();
    let ServedBefore::Never(fresh) = served.before(index, digest).await.unwrap().unwrap() else {
        panic!("served")
    };
    let key = &prepared.world.provider;
    let login = unused_login().await;
    let tokens = (&fresh, &login);
    let answer = release::release(register, key, &prepared.forward, &checked, tokens, NOW.after(1)).await;
    let ForwardAnswer::Reply(reply) = answer.unwrap() else {
        panic!("deferred")
    };
    let exchange = prepared.forward.metadata.exchange;
    served
        .keep(fresh, &reply, exchange, Some(checked.record().clone()), NOW)
        .await
        .unwrap();
    reply
}

/// The token of a forward without a login.
async fn unused_login() -> logins::LoginUnused {
    let directory = tempfile::tempdir().unwrap();
    let logins = UsedLogins::open(&state::open_file(directory.path()).unwrap()).unwrap();
    logins.use_once(None, 0).await.unwrap()
}

fn digest(forward: &Forward) -> tlog::Hash {
    let receipt = Receipt::parse(&forward.intent_receipt).unwrap();
    served::digest(forward, receipt.index().get(), receipt.entry().bytes())
}

fn served() -> (tempfile::TempDir, ServedIntents) {
    let directory = tempfile::tempdir().unwrap();
    let served = ServedIntents::open(&state::open_file(directory.path()).unwrap()).unwrap();
    (directory, served)
}

#[tokio::test]
async fn evidence_reaches_the_consumer_and_the_number_of_nobody_finds_nothing() {
    let register = register().await;
    for (plan, expected) in [
        (Plan::default(), ReplyOutcome::Delivered),
        (Plan::nobody(), ReplyOutcome::NothingFound),
    ] {
        let (_directory, served) = served();
        let mut prepared = plan.build();
        let reply = serve(&prepared, &register.register, &served).await;
        assert_eq!(reply.statement.outcome, expected);
        reply.verify(&prepared.world.provider.public()).unwrap();
        let completion = prepared.close(Some(reply), expected.into());
        let context = prepared.world.context("stadt-a");
        let accepted = consumer_checks::check(&context, &prepared.pending.request, &completion).unwrap();
        let asked = prepared.pending.xnachweis.as_ref().unwrap();
        let evidence = accepted.open(&prepared.pending.answer_key, asked).unwrap().evidence();
        assert_eq!(evidence.is_some(), expected == ReplyOutcome::Delivered);
    }
    assert_eq!(
        register.questions(),
        2,
        "the register is asked for the number of nobody as well"
    );
}

#[tokio::test]
async fn evidence_reaches_the_consumer_in_the_form_that_it_asked_for() {
    let register = register().await;
    for form in EvidenceForm::ALL {
        let plans = [false, true].map(|nobody| {
            let query = EvidenceQuery {
                form,
                ..crate::fixture::query()
            };
            Plan {
                query,
                ..if nobody { Plan::nobody() } else { Plan::default() }
            }
        });
        let mut lengths = Vec::new();
        for plan in plans {
            let (_directory, served) = served();
            let mut prepared = plan.build();
            let reply = serve(&prepared, &register.register, &served).await;
            lengths.push(reply.sealed_answer.len());
            let outcome = reply.statement.outcome;
            let completion = prepared.close(Some(reply), outcome.into());
            let context = prepared.world.context("stadt-a");
            let accepted = consumer_checks::check(&context, &prepared.pending.request, &completion).unwrap();
            let asked = prepared.pending.xnachweis.as_ref().unwrap();
            let opened = accepted.open(&prepared.pending.answer_key, asked).unwrap();
            let Some(evidence) = opened.evidence() else {
                assert_eq!(outcome, ReplyOutcome::NothingFound);
                continue;
            };
            assert_eq!(evidence.fields["fin"], "WVWZZZ1JZXW000001");
            assert_eq!(&*evidence.issued_at, "2027-01-15T08:00:00Z");
            let media_type = evidence.document.map(|document| document.media_type);
            let document = (form != EvidenceForm::Json).then(|| form.media_type().to_owned());
            assert_eq!(media_type, document);
        }
        assert_eq!(
            lengths[0], lengths[1],
            "{form:?}: the size says whether something was found"
        );
    }
}

#[tokio::test]
async fn a_form_that_does_not_exist_is_answered_without_asking_the_register() {
    let register = register().await;
    let own = |plan: Plan| Plan {
        rule: fixtures::values::rule("bestandsdaten", "zb1", record::content::OWN_REQUEST, "Eigene Daten"),
        query: EvidenceQuery {
            purpose: record::content::OWN_REQUEST.into(),
            ..crate::fixture::query()
        },
        ..plan
    };
    let asking = |media_type: &'static str| Plan {
        xml: Box::new(move |xml| xml.query.distribution.media_type = media_type.into()),
        ..Plan::default()
    };
    for plan in [asking("image/png"), own(asking("application/pdf"))] {
        let (_directory, served) = served();
        let reply = serve(&plan.build(), &register.register, &served).await;
        assert_eq!(reply.statement.failure, Some(FailureReason::EvidenceUnusable));
    }
    assert_eq!(
        std::fs::read_to_string(register.directory.path().join("state/access.log")).unwrap(),
        ""
    );
}

#[tokio::test]
async fn a_persons_own_request_gets_everything_that_the_register_has() {
    let register = register().await;
    let own = |plan: Plan| {
        let occasion = "Die Person lässt sich ihre eigenen Daten zeigen";
        let mut query = crate::fixture::query();
        query.purpose = record::content::OWN_REQUEST.into();
        Plan {
            query,
            rule: fixtures::values::rule("bestandsdaten", "zb1", record::content::OWN_REQUEST, occasion),
            ..plan
        }
    };
    for (plan, expected) in [
        (own(Plan::default()), ReplyOutcome::Delivered),
        (own(Plan::nobody()), ReplyOutcome::NothingFound),
    ] {
        let (_directory, served) = served();
        let mut prepared = plan.build();
        let reply = serve(&prepared, &register.register, &served).await;
        assert_eq!(reply.statement.outcome, expected);
        let completion = prepared.close(Some(reply), expected.into());
        let context = prepared.world.context("stadt-a");
        let accepted = consumer_checks::check(&context, &prepared.pending.request, &completion).unwrap();
        let asked = prepared.pending.xnachweis.as_ref().unwrap();
        let Some(evidence) = accepted.open(&prepared.pending.answer_key, asked).unwrap().evidence() else {
            assert_eq!(expected, ReplyOutcome::NothingFound);
            continue;
        };
        assert!(evidence.fields.is_empty());
        let [section] = &evidence.sections[..] else {
            panic!("{} sections", evidence.sections.len())
        };
        assert_eq!(section.title.as_str(), "Zulassungsbescheinigung Teil I");
        assert_eq!(section.fields[0].title.as_str(), "E");
        assert_eq!(section.fields[0].value.as_str(), "WVWZZZ1JZXW000001");
    }
    let log = std::fs::read_to_string(register.directory.path().join("state/access.log")).unwrap();
    assert_eq!(log.matches(r#""evidence_type":"stock""#).count(), 2);
}

#[tokio::test]
async fn answers_of_every_kind_have_the_same_size() {
    let register = register().await;
    let (_directory, served) = served();
    let found = serve(&Plan::default().build(), &register.register, &served).await;
    let prepared = Plan::default().build();
    let context = prepared.world.context("kba");
    let key = &prepared.world.provider;
    for result in [AnswerResult::Refused(CheckName::P4), AnswerResult::TimedOut] {
        let refused = release::refuse(&context, key, &prepared.forward, 4, result, NOW).unwrap();
        assert_eq!(found.sealed_answer.len(), refused.sealed_answer.len());
        refused.verify(&key.public()).unwrap();
    }
}

/// The answer when the register has evidence of this many bytes.
async fn answer_to(bytes: usize) -> Reply {
    const EACH: usize = 4000;
    let body = |characters: usize| {
        let fields = (0..=MAX_EVIDENCE / EACH).map(|i| {
            let length = characters.saturating_sub(i * EACH).min(EACH);
            (format!("feld{i:03}"), serde_json::Value::from("x".repeat(length)))
        });
        let fields: serde_json::Map<_, _> = fields.collect();
        serde_json::json!({ "title": "Fahrzeug", "issued_at": "2027-01-15T08:00:00Z", "fields": fields })
    };
    let overhead = body(0).to_string().len();
    let body = body(bytes - overhead);
    let routes = axum::Router::new().route("/evidence", post(move || async move { axum::Json(body) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(service::listen::serve(listener, routes, Shutdown::new()));
    let directory = tempfile::tempdir().unwrap();
    Credential::create(&directory.path().join("credential")).unwrap();
    let register = connect(&url, &directory.path().join("credential"));
    let (_directory, served) = served();
    let mut prepared = Plan::default().build();
    let reply = serve(&prepared, &register, &served).await;
    // Whatever the provider signs, the consumer accepts.
    let outcome = reply.statement.outcome.into();
    let completion = prepared.close(Some(reply.clone()), outcome);
    let context = prepared.world.context("stadt-a");
    let accepted = consumer_checks::check(&context, &prepared.pending.request, &completion).unwrap();
    let asked = prepared.pending.xnachweis.as_ref().unwrap();
    let evidence = accepted.open(&prepared.pending.answer_key, asked).unwrap().evidence();
    assert_eq!(evidence.is_some(), outcome == Outcome::Delivered);
    reply
}

#[tokio::test]
async fn evidence_up_to_its_limit_is_delivered_and_larger_evidence_fails_with_a_reason() {
    for bytes in [MAX_EVIDENCE - 1, MAX_EVIDENCE] {
        assert_eq!(answer_to(bytes).await.statement.outcome, ReplyOutcome::Delivered);
    }
    for bytes in [MAX_EVIDENCE + 1, 800_000, 3 << 20] {
        let statement = answer_to(bytes).await.statement;
        assert_eq!(statement.outcome, ReplyOutcome::Failed);
        assert_eq!(statement.failure, Some(FailureReason::EvidenceTooLarge));
    }
}

/// The answer at a time that does not fit the intent's: the provider's clock is behind, the deadline has passed, or the
/// intent is long over.
#[test]
fn times_that_do_not_fit_are_no_refusal() {
    for (ahead, after, result, recorded) in [
        (100, 0, AnswerResult::Failed(FailureReason::Clock), Outcome::Failed),
        (0, 31, AnswerResult::TimedOut, Outcome::TimedOut),
        (0, 3600, AnswerResult::TimedOut, Outcome::TimedOut),
    ] {
        let plan = Plan {
            time: NOW.after(ahead),
            ..Plan::default()
        };
        let mut prepared = plan.build();
        let (context, now) = (prepared.world.context("kba"), NOW.after(after));
        let authentic = checks::authenticate(
            &context,
            &prepared.world.provider_sealing.clone().into(),
            &prepared.forward,
        )
        .unwrap();
        assert_eq!(authentic.untimely(&prepared.forward, now), Some(result));
        let key = &prepared.world.provider;
        let reply = release::refuse(&context, key, &prepared.forward, authentic.index(), result, now).unwrap();
        reply.verify(&key.public()).unwrap();
        // The consumer accepts the record that says so, and no other one.
        for (outcome, accepted) in [(recorded, true), (Outcome::Refused, false)] {
            let completion = prepared.close(Some(reply.clone()), outcome);
            let context = prepared.world.context("stadt-a");
            let checked = consumer_checks::check(&context, &prepared.pending.request, &completion);
            assert_eq!(checked.is_ok(), accepted, "{result:?} {outcome:?}");
            let Ok(checked) = checked else { continue };
            let asked = prepared.pending.xnachweis.as_ref().unwrap();
            assert!(
                checked
                    .open(&prepared.pending.answer_key, asked)
                    .unwrap()
                    .evidence()
                    .is_none()
            );
        }
    }
}

#[tokio::test]
async fn an_unavailable_register_gives_a_failure_without_evidence() {
    let register = register().await;
    let down = connect("http://127.0.0.1:9", &register.directory.path().join("credential"));
    let (_directory, served) = served();
    let reply = serve(&Plan::default().build(), &down, &served).await;
    assert_eq!(reply.statement.outcome, ReplyOutcome::Failed);
    assert_eq!(reply.statement.failure, Some(FailureReason::RegisterUnavailable));
}

#[tokio::test]
async fn p9_the_digest_ignores_only_the_proof_of_the_receipt() {
    let mut prepared = Plan::default().build();
    let first = digest(&prepared.forward);
    let _ = prepared.close(None, Outcome::TimedOut);
    let mut again = prepared.forward.clone();
    again.intent_receipt = prepared.log.receipt(prepared.intent);
    assert_ne!(again.intent_receipt, prepared.forward.intent_receipt);
    assert_eq!(digest(&again), first);
    let mut other = prepared.forward.clone();
    other.answer_key.0[0] ^= 1;
    assert_ne!(digest(&other), first);
    let mut other = prepared.forward.clone();
    other.sealed_record[300] ^= 1;
    assert_ne!(digest(&other), first);
}

/// Answers and closes an exchange, with the broker's record of the outcome changed.
async fn closed(change: impl Fn(&mut record::ExchangeRecord) + 'static) -> Result<AnswerComparison, &'static str> {
    let register = register().await;
    let (_directory, served) = served();
    let mut prepared = Plan {
        outcome_record: Box::new(change),
        ..Plan::default()
    }
    .build();
    let reply = serve(&prepared, &register.register, &served).await;
    let completion = prepared.close(Some(reply), Outcome::Delivered);
    let context = prepared.world.context("kba");
    let closed = ClosedExchange::check(&context, &completion.notice)?;
    let Known::Answered(row) = served.known(closed.intent().index().get()).await.unwrap() else {
        panic!("not answered")
    };
    closed.check_answer(&row)
}

#[tokio::test]
async fn an_outcome_that_matches_the_answer_is_accepted() {
    assert_eq!(closed(|_| ()).await, Ok(AnswerComparison::Same));
}

#[tokio::test]
async fn a_broker_that_has_received_no_answer_is_not_accused_of_another_outcome() {
    let lost = closed(|record| {
        let result = record.result.as_mut().unwrap();
        result.outcome = Outcome::TimedOut;
        (result.evidence_digest, result.answer_digest, result.provider_signature) = (None, None, None);
    });
    assert_eq!(lost.await, Ok(AnswerComparison::Lost));
    let partly = closed(|record| record.result.as_mut().unwrap().outcome = Outcome::TimedOut);
    assert!(partly.await.is_err());
}

#[tokio::test]
async fn an_outcome_that_differs_from_the_answer_is_refused() {
    type Change = fn(&mut record::ExchangeRecord);
    let changes: [(&str, Change); 7] = [
        ("outcome", |r| {
            r.result.as_mut().unwrap().outcome = Outcome::NothingFound
        }),
        ("evidence digest", |r| r.result.as_mut().unwrap().evidence_digest = None),
        ("answer digest", |r| r.result.as_mut().unwrap().answer_digest = None),
        ("signature", |r| r.result.as_mut().unwrap().provider_signature = None),
        ("exchange", |r| r.ids.exchange = uuid::Uuid::nil()),
        ("purpose", |r| r.why.purpose = "x".into()),
        ("no result", |r| r.result = None),
    ];
    for (what, change) in changes {
        assert!(closed(change).await.is_err(), "{what}");
    }
}

#[tokio::test]
async fn an_outcome_under_a_foreign_label_is_refused() {
    let mut prepared = Plan::default().build();
    prepared.outcome_label = record::Label([7; 32]);
    let notice = prepared.close(None, Outcome::TimedOut).notice;
    let refused = ClosedExchange::check(&prepared.world.context("kba"), &notice).err();
    assert_eq!(refused, Some("the outcome's label does not follow from its intent's"));
}

#[tokio::test]
async fn a_notice_with_changed_receipts_is_refused() {
    let mut prepared = Plan::default().build();
    let good = prepared.close(None, Outcome::TimedOut).notice;
    let context = prepared.world.context("kba");
    assert!(ClosedExchange::check(&context, &good).is_ok());
    let mut changed = good.clone();
    changed.outcome_receipt[200] ^= 1;
    assert!(ClosedExchange::check(&context, &changed).is_err());
    let mut changed = good.clone();
    changed.intent_receipt = good.outcome_receipt.clone();
    assert!(ClosedExchange::check(&context, &changed).is_err());
    let mut changed = good;
    changed.intent_receipt = prepared.log.receipt_of_other(prepared.intent);
    assert!(ClosedExchange::check(&context, &changed).is_err());
}
