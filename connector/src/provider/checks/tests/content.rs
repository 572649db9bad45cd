//! P6 to P8: what is asked, by which permission, and until when.

use super::*;
use crate::consumer::query::LegalPersonQuery;

#[test]
fn p6_a_record_that_is_not_the_intents_is_refused() {
    assert_eq!(
        refused(forward(|forward| flip(&mut forward.sealed_record, 300))),
        CheckName::P6
    );
    let other = Plan::default().build().forward.sealed_record;
    assert_eq!(
        refused(forward(move |forward| forward.sealed_record = other.clone())),
        CheckName::P6
    );
    assert_eq!(
        refused(part(|content| content.shared_key = PartKey([1; 32]))),
        CheckName::P6
    );
}

#[test]
fn p6_every_field_of_the_record_is_compared() {
    type Change = fn(&mut ExchangeRecord);
    let changes: [(&str, Change); 21] = [
        ("exchange", |r| r.ids.exchange = uuid::Uuid::nil()),
        ("message", |r| r.ids.message = uuid::Uuid::nil()),
        ("reference", |r| r.ids.request_reference = "x".into()),
        ("trace", |r| r.ids.trace = "x".into()),
        ("test", |r| r.ids.test = false),
        ("consumer", |r| r.consumer.name = "x".into()),
        ("consumer's component", |r| r.consumer.component = "x".into()),
        ("provider", |r| r.provider = r.consumer.clone()),
        ("evidence", |r| r.evidence.id = "x".into()),
        ("purpose", |r| r.why.purpose = "x".into()),
        ("request digest", |r| r.request_digest = Hash([0; 32])),
        ("subject", |r| r.subject = record::Subject::Legal),
        ("role", |r| r.role = record::SubjectRole::ThirdPerson),
        ("IDNr used", |r| r.idnr_used = false),
        ("assurance", |r| r.assurance = record::Assurance::Low),
        ("mode", |r| r.synchronous = false),
        ("S1", |r| r.consumer_signatures.s1[0] ^= 1),
        ("S2", |r| r.consumer_signatures.s2[0] ^= 1),
        ("S1's digest", |r| r.consumer_signatures.s1_digest = Hash([0; 32])),
        ("sealed request", |r| {
            r.consumer_signatures.sealed_request = Hash([0; 32])
        }),
        ("answer key", |r| r.consumer_signatures.answer_key[0] ^= 1),
    ];
    for (what, change) in changes {
        assert_eq!(
            refused(Plan {
                record: Box::new(change),
                ..Plan::default()
            }),
            CheckName::P6,
            "{what}"
        );
    }
    let closed = |record: &mut ExchangeRecord| {
        record.result = Some(record::ExchangeResult {
            outcome: Outcome::Delivered,
            told: String::new(),
            checks: Vec::new(),
            evidence_digest: None,
            answer_digest: None,
            provider_signature: None,
        });
    };
    assert_eq!(
        refused(Plan {
            record: Box::new(closed),
            ..Plan::default()
        }),
        CheckName::P6,
        "already closed"
    );
}

/// A plan about a legal person, by a permission that covers both.
fn legal() -> Plan {
    let mut plan = Plan::nobody();
    plan.rule.subjects = registerlandkarte::Subjects::Both;
    plan.rule.idnr = false;
    plan.query.person = None;
    plan.query.legal_person = Some(LegalPersonQuery {
        name: "Müller GmbH".into(),
        euid: "DEF1103R.HRB116737".into(),
    });
    plan
}

#[test]
fn a_legal_person_passes_under_nobodys_label_alone() {
    let checked = run(&legal().build(), 1).unwrap();
    assert!(checked.idnr().is_nobody() && checked.record().subject == record::Subject::Legal);
    // Under a person's label it would be in that person's cockpit.
    let of_a_person = Plan {
        idnr: Plan::default().idnr,
        number: Plan::default().number,
        ..legal()
    };
    assert_eq!(refused(of_a_person), CheckName::P6);
    // Without such a permission it is refused, too.
    let natural_only = Plan {
        rule: rule(),
        ..legal()
    };
    assert_eq!(refused(natural_only), CheckName::P7);
}

/// A consumer that calls a natural person a legal one would have the exchange recorded in no cockpit.
#[test]
fn p6_a_natural_person_is_not_hidden_as_a_legal_one() {
    let hidden = |named: bool| Plan {
        xml: Box::new(move |x| {
            let emma = Plan::default().build().pending.xnachweis.unwrap().query.subject;
            let Subject::Natural(mut emma) = emma else {
                panic!("a natural person")
            };
            emma.idnr = emma.idnr.filter(|_| named);
            x.query.subject = Subject::Natural(emma);
        }),
        ..legal()
    };
    assert_eq!(refused(hidden(true)), CheckName::P6);
    assert_eq!(refused(hidden(false)), CheckName::P6);
}

/// The person of a request.
fn person(request: &mut EvidenceRequest0101) -> &mut NaturalPerson {
    match &mut request.query.subject {
        Subject::Natural(person) => person,
        Subject::Legal(_) => panic!("the request is about a legal person"),
    }
}

#[test]
fn p6_a_request_that_differs_from_the_metadata_is_refused() {
    type Change = fn(&mut EvidenceRequest0101);
    let changes: [(&str, Change); 10] = [
        ("message", |x| x.head.message = uuid::Uuid::nil()),
        ("test", |x| x.head.test = false),
        ("consumer", |x| x.head.consumer.name = "x".into()),
        ("provider", |x| x.head.provider.identifier = "x".into()),
        ("evidence", |x| x.query.evidence_type.id = "x".into()),
        ("assurance", |x| person(x).assurance = record::Assurance::Low),
        ("no IDNr", |x| person(x).idnr = None),
        ("another person", |x| {
            person(x).idnr = Idnr::parse(OTHER_IDNR, TestNumbers::Allowed).ok()
        }),
        ("legal person", |x| {
            let name = "Müller GmbH".parse().unwrap();
            x.query.subject = LegalPerson::new(name, person(x).assurance).into();
        }),
        ("representative", |x| {
            let NaturalPerson {
                date_of_birth,
                family_name,
                given_name,
                assurance,
                ..
            } = person(x).clone();
            let representative = Representative::new(date_of_birth, family_name, given_name, assurance);
            x.query.representative = Some(Box::new(representative));
        }),
    ];
    for (what, change) in changes {
        assert_eq!(
            refused(Plan {
                xml: Box::new(change),
                ..Plan::default()
            }),
            CheckName::P6,
            "{what}"
        );
    }
}

#[test]
fn p6_test_messages_are_refused_in_production() {
    let prepared = Plan::default().build();
    let mut context = prepared.world.context("kba");
    context.test = false;
    assert_eq!(prepared.check(&context, 1).unwrap_err().check, CheckName::P6);
}

#[test]
fn p7_a_record_that_differs_from_the_permission_is_refused() {
    type Change = fn(&mut ExchangeRecord);
    let changes: [(&str, Change); 10] = [
        ("permission", |r| r.allowed_by.permission = "bewohnerparken@2".into()),
        ("Registerlandkarte", |r| r.allowed_by.registerlandkarte = Hash([0; 32])),
        ("title", |r| r.evidence.title = "x".into()),
        ("categories", |r| r.evidence.categories.truncate(1)),
        ("occasion", |r| r.why.occasion = "x".into()),
        ("procedure", |r| r.why.procedure = "x".into()),
        ("legal basis", |r| r.why.legal_basis = "x".into()),
        ("retention", |r| r.lifecycle.retention = record::RetentionClass::Eu12m),
        ("disclosure", |r| {
            r.lifecycle.disclosure = record::DisclosureClass::Delayed
        }),
        ("expiry", |r| r.lifecycle.expiry.0 += 1),
    ];
    for (what, change) in changes {
        assert_eq!(
            refused(Plan {
                record: Box::new(change),
                ..Plan::default()
            }),
            CheckName::P7,
            "{what}"
        );
    }
}

#[test]
fn p7_an_exchange_without_permission_is_refused() {
    let ended = Interval {
        from: NOW.before(100),
        until: Some(NOW),
    };
    let mut over = rule();
    over.valid = ended;
    assert_eq!(
        refused(Plan {
            rule: over,
            ..Plan::default()
        }),
        CheckName::P7,
        "no longer valid"
    );
    let mut corrected = rule();
    corrected.recorded = ended;
    assert_eq!(
        refused(Plan {
            rule: corrected,
            ..Plan::default()
        }),
        CheckName::P7,
        "corrected"
    );
    let mut without_number = rule();
    without_number.idnr = false;
    assert_eq!(
        refused(Plan {
            rule: without_number,
            ..Plan::default()
        }),
        CheckName::P7,
        "IDNr"
    );
    let mut asked = query();
    asked.purpose = "other".into();
    let mut other = Plan {
        query: asked,
        ..Plan::default()
    };
    other.record = Box::new(|record| record.why.purpose = "other".into());
    assert_eq!(refused(other), CheckName::P7, "purpose");
}

#[test]
fn p7_a_series_of_another_disclosure_class_is_refused() {
    assert_eq!(
        refused(Plan {
            series: Series::DelayedExchanges,
            ..Plan::default()
        }),
        CheckName::P7
    );
    let mut delayed = rule();
    delayed.disclosure = record::DisclosureClass::Delayed;
    let plan = Plan {
        rule: delayed.clone(),
        series: Series::DelayedExchanges,
        ..Plan::default()
    };
    assert!(run(&plan.build(), 1).is_ok());
    assert_eq!(
        refused(Plan {
            rule: delayed,
            ..Plan::default()
        }),
        CheckName::P7
    );
}

#[test]
fn p8_a_forward_after_the_deadline_is_refused() {
    let prepared = Plan::default().build();
    assert!(run(&prepared, crate::fixture::DEADLINE).is_ok());
    let failure = run(&prepared, crate::fixture::DEADLINE + 1).unwrap_err();
    assert_eq!(
        failure,
        CheckFailed {
            check: CheckName::P8,
            why: "the deadline has passed"
        }
    );
}
