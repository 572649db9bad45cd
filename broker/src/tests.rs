//! Tests of authentication, permission, records and journal; in [`trust_in_force`] those of a directory that changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod trust_in_force;
pub(crate) mod world;

use std::sync::Arc;
use store::StoreConfig;

use fixtures::{FirstValues, Founders, values as samples};
use messages::{
    AnswerResult, ExchangeRequest, FailureReason, LabelAnswer, Metadata, PersonQuery, Reply, RequestContent, S1,
    S2Statement, SealingKey,
};
use record::{
    Assurance, ExpiryDay, Label, PartName, ParticipantId, Period, RecordKey, RetentionClass, SigningKey, SubjectRole,
    Timestamp,
};
use registerlandkarte::Rule;
use tlog::Hash;
use tlog::merkle::Index;
use tlog::note::SignerKey;
use trust::{Component, History, Operation, Position, TrustKind, TrustMap};
use uuid::Uuid;

use crate::authenticate::{Authenticated, AuthenticationError, authenticate};
use crate::config::Config;
use crate::journal::{ClosedExchange, Closing, Journal, JournalEntry, OpenExchange, request_digest};
use crate::permit::{Permitted, permit};
use crate::problems;
use crate::records::{self, Ending, NotServed};

const NOW: Timestamp = Timestamp(1_800_000_000);
const CITY: &str = "city";
const REGISTER: &str = "register";
const SEED: [u8; 32] = [7; 32];

fn id(text: &str) -> ParticipantId {
    ParticipantId::new(text).unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn participant(name: &str, seed: u8, consumer: bool) -> Component {
    let kind = if consumer { samples::consumer } else { samples::provider };
    let sealing = SealingKey::from_seed([seed + 100; 32]);
    kind(name, key(seed).public(), sealing.public().0)
}

fn values() -> FirstValues {
    FirstValues {
        components: vec![participant(CITY, SEED[0], true), participant(REGISTER, 8, false)],
        evidence: vec![samples::evidence("vehicle", "Vehicle", &["plate"])],
        rules: vec![rule()],
        identity_sealing: Some(SealingKey::from_seed([109; 32]).public().0),
        supervision: Some(SealingKey::from_seed([110; 32]).public().0),
        ..FirstValues::default()
    }
}

fn founded(values: FirstValues) -> Arc<History> {
    let log = SignerKey::for_notes("log.example".parse().unwrap(), &[13; 32]);
    let founders = Founders {
        origin: "log.example",
        log: &log,
        operator: &key(12),
        authority: &key(10),
        identity: &key(9),
    };
    founders.found_with(values, Timestamp(0)).unwrap().history
}

/// The history after a change set in the entry at `index`.
pub(crate) fn changed(history: &History, kind: TrustKind, operation: Operation, index: u32) -> Arc<History> {
    let reason = "Änderung".parse().unwrap();
    let set = history.state().propose(kind, NOW, reason, vec![operation]).unwrap();
    let position = Position {
        index: Index::from(index),
        time: NOW,
    };
    let set = set.sign(&[&key(10)]).unwrap();
    Arc::new(history.apply(kind, position, &set).unwrap())
}

fn directory() -> TrustMap {
    founded(values()).state().directory().clone()
}

fn metadata(evidence: &str) -> Metadata {
    Metadata {
        exchange: Uuid::from_u128(1),
        message: Uuid::from_u128(2),
        request_reference: "reference".parse().unwrap(),
        trace: "0".repeat(32).parse().unwrap(),
        test: true,
        consumer: id(CITY),
        provider: id(REGISTER),
        evidence_type: evidence.parse().unwrap(),
        purpose: "parking".parse().unwrap(),
        place: None,
        idnr_used: true,
        assurance: Assurance::High,
        subject: record::Subject::Natural,
        role: SubjectRole::DataSubject,
        representation: None,
        synchronous: true,
        request_digest: Hash([1; 32]),
        official: "desk-7".parse().unwrap(),
        deadline: NOW.after(30),
    }
}

/// A request from the city.
fn request(metadata: Metadata) -> ExchangeRequest {
    let key = SigningKey::from_seed(SEED);
    let directory = directory();
    let person = PersonQuery {
        idnr: None,
        family_name: "Muster".parse().unwrap(),
        given_name: "Maria".parse().unwrap(),
        date_of_birth: "1990-01-01".parse().unwrap(),
        postal_code: "12345".parse().unwrap(),
        place: "Ort".parse().unwrap(),
    };
    let identity = messages::SealingPublicKey(directory.identity().unwrap().sealing);
    let sealed_person = person.seal(&identity, metadata.message).unwrap();
    let s1 = S1::sign(&key, id(CITY), id(REGISTER), metadata.message, NOW, sealed_person);
    let provider = messages::SealingPublicKey(directory.component(&id(REGISTER)).unwrap().sealing_key);
    let content = RequestContent {
        salt: [3; 32],
        xml: b"<request/>".to_vec(),
        login: None,
        power: None,
    };
    let sealed_request = content.seal(&provider, &s1.digest()).unwrap();
    let answer_key = SealingKey::from_seed([111; 32]).public();
    let s2 = S2Statement::new(&metadata, answer_key, &sealed_request, &s1).sign(&key);
    ExchangeRequest {
        metadata,
        s1,
        representative: None,
        s2,
        answer_key,
        sealed_request,
    }
}

fn rule() -> Rule {
    Rule {
        representation: true,
        ..samples::rule("parking", "vehicle", "parking", "an application")
    }
}

fn authenticated(evidence: &str) -> Authenticated {
    authenticate(request(metadata(evidence)), &directory(), NOW).unwrap()
}

fn permitted() -> Permitted {
    permit(authenticated("vehicle"), &founded(values()), NOW).unwrap()
}

#[test]
fn a_request_of_the_consumer_is_authenticated() {
    let authenticated = authenticated("vehicle");
    assert_eq!(
        (&authenticated.consumer().id, &authenticated.provider().id),
        (&id(CITY), &id(REGISTER))
    );
}

#[test]
fn a_request_that_the_consumer_did_not_sign_as_it_is_is_refused() {
    let directory = directory();
    let changes: [fn(&mut ExchangeRequest); 6] = [
        |request| request.metadata.purpose = "housing".parse().unwrap(),
        |request| request.metadata.official = "desk-8".parse().unwrap(),
        |request| request.sealed_request[40] ^= 1,
        |request| request.s1.sealed_person[40] ^= 1,
        |request| request.s2.0[0] ^= 1,
        |request| request.answer_key.0[0] ^= 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut request = request(metadata("vehicle"));
        change(&mut request);
        let result = authenticate(request, &directory, NOW);
        assert!(
            matches!(result, Err(AuthenticationError::Message(_))),
            "change {number}"
        );
    }
    let late = authenticate(request(metadata("vehicle")), &directory, NOW.after(3600));
    assert!(matches!(late, Err(AuthenticationError::Message(_))));
}

/// The problem for a request whose first signature was made `away` seconds before or after the broker's time.
fn problem_of(mut request: ExchangeRequest, now: Timestamp, signed: bool) -> service::Problem {
    if !signed {
        request.s2.0[0] ^= 1;
    }
    problems::not_authenticated(&authenticate(request, &directory(), now).unwrap_err())
}

#[test]
fn a_wrong_clock_is_named_to_the_sender_and_to_no_stranger() {
    for now in [NOW.after(301), Timestamp(NOW.0 - 301)] {
        let problem = problem_of(request(metadata("evidence")), now, true);
        assert_eq!((problem.status, problem.slug.as_str()), (400, "clock"));
        let problem = problem_of(request(metadata("evidence")), now, false);
        assert_eq!((problem.status, problem.slug.as_str()), (403, "not-permitted"));
    }
}

#[test]
fn only_a_consumer_may_send_and_only_a_provider_may_receive_a_request() {
    let mut other = values();
    other.components[0].consumer = false;
    let history = founded(other);
    let result = authenticate(request(metadata("vehicle")), history.state().directory(), NOW);
    assert!(matches!(result, Err(AuthenticationError::UnknownConsumer)));
    let mut other = values();
    other.components[1].provider = false;
    let history = founded(other);
    let result = authenticate(request(metadata("vehicle")), history.state().directory(), NOW);
    assert!(matches!(result, Err(AuthenticationError::UnknownProvider)));
}

#[test]
fn a_request_without_a_rule_is_denied() {
    assert_eq!(permitted().permission().rule.id.as_str(), "parking");
    let denied = permit(authenticated("residence"), &founded(values()), NOW).unwrap_err();
    assert_eq!(denied.0.request().metadata.evidence_type, "residence");
}

#[test]
fn the_record_of_the_outcome_repeats_the_intent_and_adds_the_result() {
    let intent = records::intent(&permitted(), ExpiryDay(21_000));
    assert_eq!(intent.result, None);
    let late = records::outcome(intent.clone(), &Ending::TimedOut, ExpiryDay(21_001));
    let failed = records::outcome(
        intent.clone(),
        &Ending::NotServed(NotServed::Unreachable),
        ExpiryDay(21_001),
    );
    let (late_result, failed_result) = (late.result.clone().unwrap(), failed.result.unwrap());
    // The requester receives the same result for both; only the outcome and the citizen's part tell them apart.
    assert_eq!(late_result.told, failed_result.told);
    assert_ne!(late_result.outcome, failed_result.outcome);
    assert_eq!(late.consumer_signatures, intent.consumer_signatures);
    assert_eq!(late.lifecycle.expiry, ExpiryDay(21_001));
}

#[test]
fn the_citizen_sees_the_internal_reason_and_the_requester_does_not() {
    let (label, key) = (Label([4; 32]), RecordKey([5; 32]));
    let content = records::outcome(
        records::intent(&permitted(), ExpiryDay(1)),
        &Ending::TimedOut,
        ExpiryDay(1),
    );
    let supervision = directory().supervision().unwrap().sealing;
    let sealed = records::seal(content, Some(&Ending::TimedOut), "desk-7", &label, &key, &supervision).unwrap();
    let citizen = sealed.open_citizen(&key.part(PartName::Citizen), Some(&label)).unwrap();
    assert!(citizen.internal_reason.as_deref() == Some("no-answer"));
    // The requester gets the key of the shared part. It opens no other part, and the shared part does not have the
    // reason.
    let shared_key = key.part(PartName::Shared);
    assert!(sealed.open_citizen(&shared_key, Some(&label)).is_err());
    let shared = sealed.open_shared(&shared_key, Some(&label)).unwrap();
    assert!(!format!("{shared:?}").contains("no-answer"));
    assert!(!format!("{shared:?}").contains("desk-7"));
}

/// The provider signs that the request was late or that a clock was wrong. Neither becomes a refusal.
#[test]
fn times_that_do_not_fit_are_recorded_with_their_reason_and_are_no_refusal() {
    let key = SigningKey::from_seed([9; 32]);
    for (result, outcome, code) in [
        (AnswerResult::TimedOut, record::Outcome::TimedOut, "too-late"),
        (
            AnswerResult::Failed(FailureReason::Clock),
            record::Outcome::Failed,
            "clock",
        ),
    ] {
        let ending = Ending::Replied(Reply::sign(&key, (Uuid::nil(), 1), result, vec![1]));
        let content = records::outcome(records::intent(&permitted(), ExpiryDay(1)), &ending, ExpiryDay(1));
        let recorded = content.result.clone().unwrap();
        assert_eq!((recorded.outcome, recorded.told.as_str()), (outcome, "not available"));
        let (label, key) = (Label([4; 32]), RecordKey([5; 32]));
        let supervision = directory().supervision().unwrap().sealing;
        let sealed = records::seal(content, Some(&ending), "desk-7", &label, &key, &supervision).unwrap();
        let citizen = sealed.open_citizen(&key.part(PartName::Citizen), Some(&label)).unwrap();
        assert_eq!(citizen.internal_reason.as_deref(), Some(code));
    }
}

pub(crate) fn open_exchange() -> OpenExchange {
    OpenExchange {
        content: records::intent(&permitted(), ExpiryDay(1)),
        request: request(metadata("vehicle")),
        labels: LabelAnswer {
            period: Period(1),
            intent: Label([1; 32]),
            intent_key: RecordKey([1; 32]),
            outcome_key: RecordKey([2; 32]),
            class: RetentionClass::IdnrG2y,
            expiry: ExpiryDay(1),
            token: vec![1],
            for_provider: vec![2],
        },
        intent_record: vec![3],
        preview: false,
        closing: None,
        intent_receipt: None,
        representative: None,
    }
}

#[tokio::test]
async fn the_journal_survives_a_restart_and_an_update_changes_one_row() {
    let scratch = tempfile::tempdir().unwrap();
    let open = open_exchange();
    let entry = JournalEntry::Open(Box::new(open.clone()));
    let exchange = entry.exchange();
    {
        let journal = Journal::open(&StoreConfig::Redb, scratch.path()).unwrap();
        journal.put(&entry).await.unwrap();
        assert!(
            Journal::open(&StoreConfig::Redb, scratch.path()).is_err(),
            "one broker per directory"
        );
    }
    let journal = Journal::open(&StoreConfig::Redb, scratch.path()).unwrap();
    let Some(JournalEntry::Open(read)) = journal.get(exchange).await.unwrap() else {
        panic!("no open row")
    };
    assert_eq!(
        (&read.request, &read.content, read.intent_record.as_slice()),
        (&open.request, &open.content, &[3][..])
    );
    let closing = Closing {
        sealed_record: vec![4],
        shared_key: RecordKey([2; 32]).part(PartName::Shared),
        previewed: None,
        reply: None,
        outcome: record::Outcome::TimedOut,
        representative: None,
    };
    journal
        .update(exchange, |entry| {
            let JournalEntry::Open(open) = entry else { return false };
            open.closing = Some(closing);
            true
        })
        .await
        .unwrap();
    let Some(JournalEntry::Open(read)) = journal.all().await.unwrap().pop() else {
        panic!("no open row")
    };
    assert_eq!(read.closing.unwrap().sealed_record, [4]);
    journal.update(exchange, |_| false).await.unwrap();
    assert!(journal.all().await.unwrap().is_empty());
    journal.update(exchange, |_| panic!("there is no row")).await.unwrap();
}

#[test]
fn a_provider_that_certainly_has_not_served_needs_no_notice() {
    let key = SigningKey::from_seed([9; 32]);
    let reply = Reply::sign(&key, (Uuid::nil(), 1), AnswerResult::NothingFound, vec![1]);
    for (reply, outcome, served) in [
        (Some(reply), record::Outcome::NothingFound, true),
        (None, record::Outcome::TimedOut, true),
        (None, record::Outcome::Failed, false),
    ] {
        let closing = Closing {
            sealed_record: vec![4],
            shared_key: RecordKey([2; 32]).part(PartName::Shared),
            previewed: None,
            reply,
            outcome,
            representative: None,
        };
        assert_eq!(closing.may_be_served(), served, "{outcome:?}");
    }
}

#[test]
fn a_closed_row_keeps_the_reply_only_for_the_consumer() {
    let open = open_exchange();
    let mut closed = ClosedExchange {
        exchange: open.request.metadata.exchange,
        request: request_digest(&open.request),
        consumer: id(CITY),
        provider: id(REGISTER),
        closed: NOW,
        notice: messages::OutcomeNotice {
            intent_receipt: vec![1],
            outcome_receipt: vec![2],
            sealed_record: vec![3],
            shared_key: RecordKey([2; 32]).part(PartName::Shared),
            representative: None,
        },
        reply: None,
        waited: false,
        acknowledged: false,
        notified: false,
        preview: None,
    };
    assert!(closed.completion().is_some());
    closed.acknowledged = true;
    assert!(closed.completion().is_none());
}

#[test]
fn limits_of_time_that_would_race_are_refused() {
    let config = |forward: u64, give_up: u64| {
        let text = format!(
            r#"{{ "data": "", "ledger": "", "identity": "", "routes": {{}}, "policy": "", "genesis": "",
            "writer_key": "", "ledger_writing": "", "tls": {{ "issuer": "", "authorities": "" }}, "forward_seconds": {forward}, "give_up_seconds": {give_up} }}"#
        );
        serde_json::from_str::<Config>(&text).unwrap().check().is_ok()
    };
    let shortest = messages::limits::MIN_FORWARD_SECONDS;
    assert!(!config(shortest - 1, 3600) && config(shortest, 3600) && config(shortest + 1, 3600));
    assert!(!config(30, 59) && config(30, 60) && config(30, 61));
    let longest = messages::limits::MAX_GIVE_UP_SECONDS;
    assert!(config(30, longest - 1) && config(30, longest) && !config(30, longest + 1));
}
