//! Release with the real register, and the checks of an outcome notice against the answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use messages::ReplyOutcome;
use record::Outcome;
use service::ManualClock;
use service::http::Client;
use service::secret::Credential;
use tokio::net::TcpListener;

use super::*;
use crate::consumer::checks as consumer_checks;
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
    let receipt = Receipt::parse(&prepared.forward.intent_receipt).unwrap();
    let digest = served::digest(&prepared.forward, &receipt);
    let index = receipt.index().get();
    let ServedBefore::Never(fresh) = served.before(index, digest).await.unwrap().unwrap() else {
        panic!("served")
    };
    let key = &prepared.world.provider;
    let reply = release::release(register, key, &prepared.forward, &checked, &fresh, NOW.after(1))
        .await
        .unwrap();
    let exchange = prepared.forward.metadata.exchange;
    served
        .keep(fresh, &reply, exchange, Some(checked.record().clone()), NOW)
        .await
        .unwrap();
    reply
}

fn served() -> (tempfile::TempDir, ServedIntents) {
    let directory = tempfile::tempdir().unwrap();
    let served = ServedIntents::open(directory.path()).unwrap();
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
        let evidence = accepted.open(&prepared.pending.answer_key, asked).unwrap();
        assert_eq!(evidence.is_some(), expected == ReplyOutcome::Delivered);
    }
    assert_eq!(
        register.questions(),
        2,
        "the register is asked for the number of nobody as well"
    );
}

#[tokio::test]
async fn answers_of_every_kind_have_the_same_size() {
    let register = register().await;
    let (_directory, served) = served();
    let found = serve(&Plan::default().build(), &register.register, &served).await;
    let prepared = Plan::default().build();
    let failure = CheckFailed {
        check: CheckName::P4,
        why: "",
    };
    let context = prepared.world.context("kba");
    let refused = release::refuse(&context, &prepared.world.provider, &prepared.forward, 4, failure, NOW).unwrap();
    assert_eq!(found.sealed_answer.len(), refused.sealed_answer.len());
    assert_eq!(refused.statement.refusal, Some(CheckName::P4));
}

/// Seconds between the intent and the provider's clock: a clock that is wrong, and a deadline that has passed.
#[test]
fn times_that_do_not_fit_are_a_technical_failure_and_no_refusal() {
    for (seconds, check, outcome) in [
        (61, CheckName::Clock, ReplyOutcome::Failed),
        (60, CheckName::P8, ReplyOutcome::Failed),
    ] {
        let mut prepared = Plan::default().build();
        let context = prepared.world.context("kba");
        let failure = prepared.check(&context, seconds).unwrap_err();
        let now = NOW.after(seconds);
        let reply = release::refuse(&context, &prepared.world.provider, &prepared.forward, 4, failure, now).unwrap();
        assert_eq!(
            (reply.statement.outcome, reply.statement.refusal),
            (outcome, Some(check))
        );
        reply.verify(&prepared.world.provider.public()).unwrap();
        // The consumer accepts the record that says so, and no other one.
        for (recorded, accepted) in [(Outcome::Failed, true), (Outcome::Refused, false)] {
            let completion = prepared.close(Some(reply.clone()), recorded);
            let context = prepared.world.context("stadt-a");
            let checked = consumer_checks::check(&context, &prepared.pending.request, &completion);
            assert_eq!(checked.is_ok(), accepted);
            let Ok(checked) = checked else { continue };
            let asked = prepared.pending.xnachweis.as_ref().unwrap();
            assert!(checked.open(&prepared.pending.answer_key, asked).unwrap().is_none());
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
    assert_eq!(reply.statement.evidence_digest, None);
}

#[tokio::test]
async fn p9_the_digest_ignores_only_the_proof_of_the_receipt() {
    let mut prepared = Plan::default().build();
    let digest = |forward: &Forward| served::digest(forward, &Receipt::parse(&forward.intent_receipt).unwrap());
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
async fn closed(change: impl Fn(&mut record::ExchangeRecord) + 'static) -> Result<(), &'static str> {
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
    let row = served.row(closed.intent().index().get()).await.unwrap().unwrap();
    closed.check_answer(&row)
}

#[tokio::test]
async fn an_outcome_that_matches_the_answer_is_accepted() {
    assert_eq!(closed(|_| ()).await, Ok(()));
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
