//! Decisions in opened records: what the versions in force at the intent permitted is sound, everything else is a
//! finding.

use fixtures::sample_log::SampleLog;
use fixtures::values;
use proof::bundle::Bundle;
use proof::opening::Opening;
use record::{ExchangeRecord, ExchangeResult, Outcome, Phase, Power, SigningKey, Timestamp};
use registerlandkarte::{AreaRelation, Rule, Subjects};
use tlog::Hash;
use tlog::policy::Policy;
use trust::{Body, Component, ComponentState, Operation, TrustKind, Value};
use verifier::audit::{OpenedExchange, Options, Report};

use super::{options, run};

const DIRECTORY: TrustKind = TrustKind::Directory;
const REGISTERLANDKARTE: TrustKind = TrustKind::Registerlandkarte;

fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

fn consumer() -> Component {
    values::consumer("musterhausen", SigningKey::from_seed([70; 32]).public(), [70; 32])
}

fn provider() -> Component {
    values::provider("kba", SigningKey::from_seed([71; 32]).public(), [71; 32])
}

fn rule() -> Rule {
    values::rule(
        "parken",
        "zulassung-1",
        "bewohnerparken",
        "Antrag auf einen Bewohnerparkausweis",
    )
}

fn evidence() -> registerlandkarte::EvidenceType {
    values::evidence("zulassung-1", "Zulassungsbescheinigung Teil I", &["Fahrzeug", "Halter"])
}

/// A log whose rules permit the exchange of [`record`].
fn permitting() -> SampleLog {
    let mut log = SampleLog::new();
    let components = [consumer(), provider()].map(|component| put(&Value::Component(Box::new(component))));
    log.change(DIRECTORY, components.to_vec());
    let rows = [Value::Evidence(Box::new(evidence())), Value::Permission(rule().into())];
    log.change(REGISTERLANDKARTE, rows.iter().map(put).collect());
    log
}

/// The record that follows from [`permitting`]'s rules.
fn record(log: &SampleLog) -> ExchangeRecord {
    let map = log.trust().state().registerlandkarte();
    let versions = log.trust().newest_versions();
    let relation = log.trust().relation(versions).unwrap();
    let mut record = fixtures::exchange(None);
    let body = values::body();
    record.consumer = consumer().party(&body, &body);
    record.provider = provider().party(&body, &body);
    record.evidence = evidence().info();
    record.why = rule().why(&relation.norms_of(&rule()));
    record.allowed_by.permission = rule().reference();
    record.allowed_by.registerlandkarte = map.header();
    record.lifecycle.expiry = rule().retention.expiry(Timestamp(log.now));
    record
}

fn opened(log: &SampleLog, opening: &Opening) -> OpenedExchange {
    let policy = Policy::parse(log.policy().as_bytes()).unwrap();
    OpenedExchange::of_opening(&opening.verify(&policy, None).unwrap()).unwrap()
}

/// Audits a log with an opening of its exchange 0.
fn judge(mut log: SampleLog, intent: u64) -> Report {
    log.map();
    log.publish();
    let opening = log.opening(intent, 0, Phase::Intent);
    audited(&log, vec![opened(&log, &opening)])
}

fn audited(log: &SampleLog, opened: Vec<OpenedExchange>) -> Report {
    let folder = tempfile::tempdir().unwrap();
    log.export(folder.path(), 2);
    let options = Options { opened, ..options(log) };
    run(folder.path(), &options)
}

/// The one finding of a log in which the exchange is recorded after a change.
fn finding(change: impl FnOnce(&mut SampleLog), alter: impl FnOnce(&mut ExchangeRecord)) -> String {
    let mut log = permitting();
    change(&mut log);
    let mut record = record(&log);
    alter(&mut record);
    let intent = log.intent_recording(record).0;
    let report = judge(log, intent);
    assert_eq!(report.decisions_judged, Some(1));
    let [finding] = report.findings.as_slice() else {
        panic!("{:?}", report.findings);
    };
    assert_eq!(finding.entry, Some(intent));
    finding.what.clone()
}

#[test]
fn a_permitted_exchange_is_sound_also_after_its_rule_has_ended() {
    let mut log = permitting();
    let record = record(&log);
    let intent = log.intent_recording(record.clone()).0;
    let ended = Operation::end(trust::Key::named(trust::Section::Permission, &rule().reference()).unwrap());
    log.change(REGISTERLANDKARTE, vec![ended]);
    let result = ExchangeResult {
        outcome: Outcome::Delivered,
        told: "delivered".into(),
        checks: Vec::new(),
        evidence_digest: None,
        answer_digest: None,
        provider_signature: None,
    };
    let closing = ExchangeRecord {
        result: Some(result),
        ..record
    };
    let outcome = log.outcome_recording(intent, 0, closing);
    log.map();
    log.publish();
    let openings = [(intent, Phase::Intent), (outcome, Phase::Outcome)];
    let openings = openings.map(|(index, phase)| opened(&log, &log.opening(index, 0, phase)));
    let report = audited(&log, openings.to_vec());
    assert_eq!(
        (report.findings.as_slice(), report.notes.as_slice()),
        (&[][..], &[][..])
    );
    assert_eq!(report.decisions_judged, Some(2));
    assert!(
        report
            .to_string()
            .contains("decisions     2 in opened records were judged"),
        "{report}"
    );
}

#[test]
fn an_exchange_that_a_version_did_not_permit_is_found() {
    type Change = fn(&mut SampleLog);
    let cases: [(&str, Change); 9] = [
        ("musterhausen was no active component", |log| {
            change_component(
                log,
                Component {
                    state: ComponentState::Suspended,
                    ..consumer()
                },
            );
        }),
        ("kba was no active component", |log| {
            change_component(
                log,
                Component {
                    state: ComponentState::Retired,
                    ..provider()
                },
            );
        }),
        ("the consumer may request nothing", |log| {
            change_component(
                log,
                Component {
                    consumer: false,
                    ..consumer()
                },
            );
        }),
        ("parken@1 does not concern the consumer", |log| {
            let body = Body {
                classes: [].into(),
                ..values::body()
            };
            log.change(DIRECTORY, vec![put(&Value::Body(Box::new(body)))]);
        }),
        ("parken@1 does not concern the provider", |log| {
            change_component(
                log,
                Component {
                    serves: [].into(),
                    ..provider()
                },
            );
        }),
        ("parken@1 was not in force", |log| {
            let mut rule = rule();
            rule.recorded.until = Some(Timestamp(log.now));
            change_rule(log, rule);
        }),
        ("parken@1 does not permit it for this person", |log| {
            change_rule(
                log,
                Rule {
                    subjects: Subjects::Legal,
                    idnr: false,
                    ..rule()
                },
            );
        }),
        ("parken@1 does not permit the use of the IDNr", |log| {
            change_rule(log, Rule { idnr: false, ..rule() });
        }),
        ("parken@1 demands areas that fit, and they do not", |log| {
            let mut served = provider();
            let areas = ["16".parse().unwrap()].into();
            served.serves = [trust::ServedRegister {
                areas,
                ..served.serves[0].clone()
            }]
            .into();
            change_component(log, served);
            change_rule(
                log,
                Rule {
                    area: AreaRelation::Own,
                    ..rule()
                },
            );
        }),
    ];
    for (expected, change) in cases {
        let found = finding(change, |_| {});
        assert!(
            found.ends_with(expected) || found.contains(expected),
            "{expected}: {found}"
        );
    }
}

fn change_component(log: &mut SampleLog, component: Component) {
    log.change(DIRECTORY, vec![put(&Value::Component(Box::new(component)))]);
}

fn change_rule(log: &mut SampleLog, rule: Rule) {
    log.change(REGISTERLANDKARTE, vec![put(&Value::Permission(rule.into()))]);
}

#[test]
fn a_record_that_says_something_else_than_the_versions_is_found() {
    type Alter = fn(&mut ExchangeRecord);
    let cases: [(&str, Alter); 12] = [
        ("has no permission parken@2", |record| {
            record.allowed_by.permission = "parken@2".into()
        }),
        ("names no version of the Registerlandkarte", |record| {
            record.allowed_by.registerlandkarte = Hash([9; 32]);
        }),
        ("does not permit it for this person", |record| {
            record.representation = Some(Power::Parent)
        }),
        ("does not permit it for this person", |record| {
            record.subject = record::Subject::Legal
        }),
        ("its evidence is not that of", |record| {
            record.evidence.title = "Führerschein".into()
        }),
        ("its purpose or law is not that of", |record| {
            record.why.legal_basis = "§ 1 StVO".into()
        }),
        ("its purpose or law is not that of", |record| {
            record.why.purpose = "steuer".into()
        }),
        ("its retention or disclosure is not that of", |record| {
            record.lifecycle.expiry.0 += 3
        }),
        ("it names the parties otherwise", |record| {
            record.consumer.name = "Stadt Anderswo".into()
        }),
        ("it names the parties otherwise", |record| {
            record.provider.operating = "Jemand".into()
        }),
        ("it names the parties otherwise", |record| {
            record.consumer.contact = "betrug@anderswo.example".into();
        }),
        ("it names the parties otherwise", |record| {
            record.provider.at = "bei jemand anderem".into();
        }),
    ];
    for (expected, alter) in cases {
        let found = finding(|_| {}, alter);
        assert!(found.contains(expected), "{expected}: {found}");
    }
}

#[test]
fn a_version_may_be_named_until_a_minute_and_the_difference_of_clocks_have_passed() {
    for (seconds, sound) in [(600, true), (700, false)] {
        let mut log = permitting();
        let record = record(&log);
        log.change(REGISTERLANDKARTE, Vec::new());
        log.now += seconds;
        let mut record = record;
        record.lifecycle.expiry = rule().retention.expiry(Timestamp(log.now));
        let intent = log.intent_recording(record).0;
        let found = judge(log, intent).findings;
        assert_eq!(found.is_empty(), sound, "{found:?}");
        if let [found] = found.as_slice() {
            assert!(found.what.contains("superseded 701 s before"), "{found}");
        }
    }
}

#[test]
fn an_opening_of_another_version_of_the_log_is_found() {
    let fork = |extra: bool| {
        let mut log = permitting();
        if extra {
            log.denial();
        }
        let record = record(&log);
        let intent = log.intent_recording(record).0;
        log.map();
        log.publish();
        (log, intent)
    };
    let (log, intent) = fork(false);
    let (other, other_intent) = fork(true);
    let opening = opened(&other, &other.opening(other_intent, 0, Phase::Intent));
    let found = audited(&log, vec![opening]).findings;
    assert!(
        found
            .iter()
            .any(|found| found.what.contains("two versions of this log")),
        "{found:?}"
    );
    assert_ne!(intent, other_intent);
}

#[test]
fn what_the_audit_does_not_reach_is_noted() {
    let mut log = permitting();
    log.publish();
    let folder = tempfile::tempdir().unwrap();
    log.export(folder.path(), 2);
    let record = record(&log);
    let intent = log.intent_recording(record).0;
    log.map();
    log.publish();
    let opened = vec![opened(&log, &log.opening(intent, 0, Phase::Intent))];
    let report = run(
        folder.path(),
        &Options {
            opened,
            ..options(&log)
        },
    );
    assert_eq!((report.decisions_judged, report.findings.len()), (Some(0), 0));
    assert!(
        report.notes[0]
            .what
            .starts_with("1 decisions in opened records were not judged"),
        "{report}"
    );
}

#[test]
fn a_bundle_brings_all_its_exchanges() {
    let mut log = permitting();
    let record = record(&log);
    log.intent_recording(record);
    log.map();
    log.publish();
    let bundle = Bundle::parse(&log.bundle(&fixtures::sample_log::idnr()).to_bytes().unwrap()).unwrap();
    let policy = Policy::parse(log.policy().as_bytes()).unwrap();
    let opened = OpenedExchange::of_bundle(&bundle.verify(&policy, None).unwrap());
    assert_eq!(opened.len(), 1);
    assert_eq!(audited(&log, opened).decisions_judged, Some(1));
}
