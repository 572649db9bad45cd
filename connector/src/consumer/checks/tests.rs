//! C1 to C3 and the content of the answer, each with what it must refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use messages::xnachweis::{Availability, ErrorCode, Evidence, EvidenceError0103, EvidenceResponse0102, Subject};
use messages::{AnswerResult, CheckName, FailureReason, SealingKey};
use record::SigningKey;
use tlog::Hash;
use tlog::merkle::Index;
use trust::{Operation, Section, TrustKind, Value};
use uuid::Uuid;

use super::*;
use crate::fixture::{NOW, Plan, Prepared, World, broker_grant, component, end, put};

const EVIDENCE: &str = r#"{"title":"Zulassungsbescheinigung Teil I","issued_at":"2027-01-15T08:00:00Z","fields":{"fin":"WVWZZZ1JZXW000001"}}"#;

/// The provider's message with it.
pub(in crate::consumer) fn response(asked: &EvidenceRequest0101) -> EvidenceResponse0102 {
    EvidenceResponse0102 {
        request: asked.id,
        response: Uuid::from_u128(8),
        head: messages::xnachweis::Head {
            created: NOW.after(1),
            ..asked.head.clone()
        },
        availability: Availability::Evidence(Box::new(Evidence {
            object: Uuid::from_u128(9),
            issued: "2027-01-15".parse().unwrap(),
            validity: None,
            evidence_type: asked.query.evidence_type.clone(),
            distribution: asked.query.distribution.clone(),
            languages: Vec::new(),
            content: EVIDENCE.as_bytes().to_vec(),
            subject: asked.query.subject.clone(),
        })),
    }
}

/// The evidence of a response.
fn evidence(response: &mut EvidenceResponse0102) -> &mut Evidence {
    match &mut response.availability {
        Availability::Evidence(evidence) => evidence,
        Availability::From(_) => panic!("the response has no evidence"),
    }
}

fn xnachweis(prepared: &Prepared) -> &EvidenceRequest0101 {
    prepared.pending.xnachweis.as_ref().unwrap()
}

/// The provider's reply with this XML, which delivers it or has another result.
fn reply(prepared: &Prepared, other: Option<AnswerResult>, xml: Vec<u8>) -> Reply {
    let message = prepared.pending.request.metadata.message;
    let answer = AnswerContent { salt: [6; 32], xml };
    let result = other.unwrap_or_else(|| AnswerResult::Delivered(answer.digest()));
    let sealed = answer
        .seal(&prepared.pending.request.answer_key, message, EvidenceForm::Json)
        .unwrap();
    Reply::sign(
        &prepared.world.provider,
        (message, prepared.intent.get()),
        result,
        sealed,
    )
}

/// The provider's reply with the evidence that was asked for.
pub(in crate::consumer) fn delivery(prepared: &Prepared) -> Reply {
    let xml = response(xnachweis(prepared)).to_xml().unwrap();
    reply(prepared, None, xml)
}

fn error_xml(prepared: &Prepared, code: ErrorCode, request: Uuid) -> Vec<u8> {
    let head = messages::xnachweis::Head {
        created: NOW.after(1),
        ..xnachweis(prepared).head.clone()
    };
    EvidenceError0103 {
        request,
        response: Uuid::from_u128(8),
        head,
        exception: code.into(),
    }
    .to_xml()
    .unwrap()
}

fn delivered() -> (Prepared, Completion) {
    delivered_by(Plan::default())
}

fn delivered_by(plan: Plan) -> (Prepared, Completion) {
    let mut prepared = plan.build();
    let reply = delivery(&prepared);
    let completion = prepared.close(Some(reply), record::Outcome::Delivered);
    (prepared, completion)
}

fn run(prepared: &Prepared, completion: &Completion) -> Result<Accepted, CompletionError> {
    check(
        &prepared.world.context("stadt-a"),
        &prepared.pending.request,
        completion,
    )
}

fn open(prepared: &Prepared, accepted: &Accepted) -> Result<Option<AuthorityEvidence>, CompletionError> {
    let opened = accepted.open(&prepared.pending.answer_key, xnachweis(prepared));
    opened.map(Opened::evidence)
}

/// A permission that demands a preview.
fn rule_with_preview() -> registerlandkarte::Rule {
    registerlandkarte::Rule {
        preview: true,
        ..crate::fixture::rule()
    }
}

#[test]
fn evidence_that_awaits_its_preview_is_checked_and_not_returned() {
    let (prepared, completion) = delivered_by(Plan {
        rule: rule_with_preview(),
        ..Plan::default()
    });
    let accepted = run(&prepared, &completion).unwrap();
    assert!(accepted.awaits_preview());
    assert_eq!(open(&prepared, &accepted).unwrap().map(|evidence| evidence.title), None);
    let sealed = accepted.sealed_answer().unwrap();
    let message = prepared.pending.request.metadata.message;
    let shown = read_checked(sealed, &prepared.pending.answer_key, message).unwrap();
    assert_eq!(shown.fields["fin"], "WVWZZZ1JZXW000001");
    // Without such a permission there is nothing to await.
    let (prepared, completion) = delivered();
    assert!(!run(&prepared, &completion).unwrap().awaits_preview());
}

#[test]
fn evidence_is_opened_when_every_check_passes() {
    let (prepared, completion) = delivered();
    let accepted = run(&prepared, &completion).unwrap();
    let evidence = open(&prepared, &accepted).unwrap().unwrap();
    assert_eq!(evidence.fields["fin"], "WVWZZZ1JZXW000001");
    assert_eq!(accepted.indices().0, prepared.intent.get());
    assert_eq!(accepted.outcome(), record::Outcome::Delivered);
}

/// What opens of an answer with this content, of this form and type, to a request for this form.
fn opened_as(
    asked: EvidenceForm,
    answered: EvidenceForm,
    content: &[u8],
) -> Result<AuthorityEvidence, CompletionError> {
    let mut query = crate::fixture::query();
    query.form = asked;
    let mut prepared = Plan {
        query,
        ..Plan::default()
    }
    .build();
    let mut response = response(xnachweis(&prepared));
    let evidence = evidence(&mut response);
    evidence.content = content.to_vec();
    evidence.distribution.media_type = answered.media_type().to_owned();
    let reply = reply(&prepared, None, response.to_xml().unwrap());
    let completion = prepared.close(Some(reply), record::Outcome::Delivered);
    let accepted = run(&prepared, &completion).unwrap();
    open(&prepared, &accepted).map(Option::unwrap)
}

#[test]
fn a_document_is_of_the_form_and_type_that_were_asked_for() {
    let xml = |of: &str| {
        format!(
            "<{of} xmlns=\"{}\" title=\"t\" issued-at=\"2027-01-15T08:00:00Z\"><fin>&lt;W&gt;</fin></{of}>",
            messages::document::NAMESPACE
        )
    };
    let pdf = |xml: &str| {
        let dictionary = format!("/Type/EmbeddedFile/Subtype/text#2Fxml/Length {}", xml.len());
        format!("%PDF-1.7\n1 0 obj<<{dictionary}>>stream\n{xml}\nendstream endobj").into_bytes()
    };
    let good = xml("zb1").into_bytes();
    for (form, content) in [(EvidenceForm::Xml, good.clone()), (EvidenceForm::Pdf, pdf(&xml("zb1")))] {
        let evidence = opened_as(form, form, &content).unwrap();
        assert_eq!(evidence.fields["fin"], "<W>");
        let document = evidence.document.unwrap();
        assert_eq!(document.media_type, form.media_type());
        assert_eq!(BASE64.decode(document.content).unwrap(), content);
    }
    let plain = opened_as(EvidenceForm::Json, EvidenceForm::Json, EVIDENCE.as_bytes()).unwrap();
    assert!(plain.document.is_none());
    let with_document = EVIDENCE.replace(
        "{\"title\"",
        "{\"document\":{\"media_type\":\"a\",\"content\":\"b\"},\"title\"",
    );
    let smuggled = opened_as(EvidenceForm::Json, EvidenceForm::Json, with_document.as_bytes());
    assert!(smuggled.is_ok_and(|evidence| evidence.document.is_none()));
    for (asked, answered, content) in [
        (EvidenceForm::Xml, EvidenceForm::Xml, xml("zb2").into_bytes()),
        (EvidenceForm::Pdf, EvidenceForm::Pdf, pdf(&xml("zb2"))),
        (EvidenceForm::Pdf, EvidenceForm::Pdf, good.clone()),
        (EvidenceForm::Pdf, EvidenceForm::Xml, good.clone()),
        (EvidenceForm::Json, EvidenceForm::Xml, good),
        (EvidenceForm::Xml, EvidenceForm::Xml, EVIDENCE.into()),
    ] {
        let refused = opened_as(asked, answered, &content);
        assert_eq!(refused.unwrap_err().check, "answer", "{asked:?} {answered:?}");
    }
}

#[test]
fn outcomes_without_evidence_are_accepted() {
    for (result, read, code) in [
        (AnswerResult::NothingFound, true, ErrorCode::NotFound),
        (
            AnswerResult::Failed(FailureReason::EvidenceTooLarge),
            true,
            ErrorCode::Unavailable,
        ),
        (
            AnswerResult::Failed(FailureReason::Clock),
            false,
            ErrorCode::Unavailable,
        ),
        (AnswerResult::Refused(CheckName::P4), false, ErrorCode::Refused),
        (AnswerResult::TimedOut, false, ErrorCode::Unavailable),
    ] {
        let mut prepared = Plan::default().build();
        let request = if !read { Uuid::nil() } else { xnachweis(&prepared).id };
        let xml = error_xml(&prepared, code, request);
        let reply = reply(&prepared, Some(result), xml);
        let outcome = reply.statement.outcome.into();
        let completion = prepared.close(Some(reply), outcome);
        let accepted = run(&prepared, &completion).unwrap();
        assert!(open(&prepared, &accepted).unwrap().is_none());
    }
    for outcome in [record::Outcome::TimedOut, record::Outcome::Failed] {
        let mut prepared = Plan::default().build();
        let completion = prepared.close(None, outcome);
        let accepted = run(&prepared, &completion).unwrap();
        assert!(open(&prepared, &accepted).unwrap().is_none());
    }
}

#[test]
fn c1_changed_foreign_or_swapped_receipts_are_refused() {
    type Change = fn(&mut Prepared, &mut Completion);
    let changes: [(&str, Change); 5] = [
        ("intent", |_, c| c.notice.intent_receipt[200] ^= 1),
        ("outcome", |_, c| c.notice.outcome_receipt[200] ^= 1),
        ("swapped", |_, c| {
            std::mem::swap(&mut c.notice.intent_receipt, &mut c.notice.outcome_receipt)
        }),
        ("twice the outcome", |_, c| {
            c.notice.intent_receipt = c.notice.outcome_receipt.clone()
        }),
        ("another log", |p, c| {
            c.notice.intent_receipt = p.log.receipt_of_other(p.intent)
        }),
    ];
    for (what, change) in changes {
        let (mut prepared, mut completion) = delivered();
        change(&mut prepared, &mut completion);
        assert_eq!(run(&prepared, &completion).unwrap_err().check, "C1", "{what}");
    }
}

#[test]
fn c1_an_outcome_that_closes_another_intent_is_refused() {
    let mut prepared = Plan::default().build();
    let reply = delivery(&prepared);
    let completion = prepared.close_referring(Some(reply), record::Outcome::Delivered, Index::new(0).unwrap());
    let fault = run(&prepared, &completion).unwrap_err();
    assert_eq!(
        fault,
        CompletionError {
            check: "C1",
            why: "the outcome closes another intent"
        }
    );
}

/// The person would not find the outcome under such a label. Without an answer there is no signature of the provider
/// either, so the check must not depend on one.
#[test]
fn c1_an_outcome_under_a_foreign_label_is_refused() {
    for answered in [true, false] {
        let mut prepared = Plan::default().build();
        prepared.outcome_label = record::Label([7; 32]);
        let reply = answered.then(|| delivery(&prepared));
        let outcome = if answered {
            record::Outcome::Delivered
        } else {
            record::Outcome::TimedOut
        };
        let completion = prepared.close(reply, outcome);
        let fault = run(&prepared, &completion).unwrap_err();
        assert_eq!(
            fault,
            CompletionError {
                check: "C1",
                why: "the outcome's label does not follow from its intent's"
            }
        );
    }
}

#[test]
fn c2_a_record_of_another_entry_is_refused() {
    let (prepared, mut completion) = delivered();
    completion.notice.sealed_record[300] ^= 1;
    assert_eq!(run(&prepared, &completion).unwrap_err().check, "C2");
    let (prepared, mut completion) = delivered();
    completion.notice.shared_key = record::PartKey([0; 32]);
    assert_eq!(run(&prepared, &completion).unwrap_err().check, "C2");
}

#[test]
fn c2_every_field_is_compared_with_the_request_and_the_permission() {
    type Change = fn(&mut ExchangeRecord);
    let changes: [(&str, Change); 18] = [
        ("exchange", |r| r.ids.exchange = Uuid::nil()),
        ("message", |r| r.ids.message = Uuid::nil()),
        ("reference", |r| r.ids.request_reference = "x".into()),
        ("consumer", |r| r.consumer.name = "x".into()),
        ("provider", |r| r.provider.operating = "x".into()),
        ("evidence", |r| r.evidence.id = "x".into()),
        ("categories", |r| r.evidence.categories.clear()),
        ("request digest", |r| r.request_digest = Hash([0; 32])),
        ("purpose", |r| r.why.purpose = "x".into()),
        ("legal basis", |r| r.why.legal_basis = "x".into()),
        ("permission", |r| r.allowed_by.permission = "x@1".into()),
        ("role", |r| r.role = record::SubjectRole::Representative),
        ("assurance", |r| r.assurance = record::Assurance::Substantial),
        ("retention", |r| r.lifecycle.retention = record::RetentionClass::Eu12m),
        ("expiry", |r| r.lifecycle.expiry.0 -= 1),
        ("disclosure", |r| {
            r.lifecycle.disclosure = record::DisclosureClass::Delayed
        }),
        ("answer key", |r| r.consumer_signatures.answer_key[0] ^= 1),
        ("no result", |r| r.result = None),
    ];
    for (what, change) in changes {
        let plan = Plan {
            outcome_record: Box::new(change),
            ..Plan::default()
        };
        let (prepared, completion) = delivered_by(plan);
        assert_eq!(run(&prepared, &completion).unwrap_err().check, "C2", "{what}");
    }
}

#[test]
fn c2_the_record_of_another_of_our_exchanges_is_refused() {
    let (prepared, _) = delivered();
    let (_, other) = delivered();
    assert_eq!(run(&prepared, &other).unwrap_err().check, "C2");
}

#[test]
fn c3_an_answer_without_the_providers_signature_or_not_in_the_record_is_refused() {
    type Change = fn(&mut Completion);
    let changes: [(&str, Change); 4] = [
        ("signature", |c| c.reply.as_mut().unwrap().signature.0[0] ^= 1),
        ("sealed answer", |c| c.reply.as_mut().unwrap().sealed_answer[60] ^= 1),
        ("statement", |c| c.reply.as_mut().unwrap().statement.intent += 1),
        ("withheld", |c| c.reply = None),
    ];
    for (what, change) in changes {
        let (prepared, mut completion) = delivered();
        change(&mut completion);
        assert_eq!(run(&prepared, &completion).unwrap_err().check, "C3", "{what}");
    }
    type RecordChange = fn(&mut ExchangeResult);
    let changes: [(&str, RecordChange); 4] = [
        ("outcome", |r| r.outcome = record::Outcome::NothingFound),
        ("answer digest", |r| r.answer_digest = Some(Hash([0; 32]))),
        ("evidence digest", |r| r.evidence_digest = None),
        ("provider's signature", |r| r.provider_signature = Some([0; 64])),
    ];
    for (what, change) in changes {
        let outcome_record = move |record: &mut ExchangeRecord| change(record.result.as_mut().unwrap());
        let (prepared, completion) = delivered_by(Plan {
            outcome_record: Box::new(outcome_record),
            ..Plan::default()
        });
        assert_eq!(run(&prepared, &completion).unwrap_err().check, "C3", "{what}");
    }
}

#[test]
fn c3_an_answer_by_another_signer_or_to_another_message_is_refused() {
    for (seed, other_message, intent_off) in [(77, false, 0), (3, true, 0), (3, false, 1)] {
        let mut prepared = Plan::default().build();
        let good = delivery(&prepared);
        let message = if other_message {
            Uuid::nil()
        } else {
            good.statement.message
        };
        let about = (message, good.statement.intent + intent_off);
        let key = SigningKey::from_seed([seed; 32]);
        let result = AnswerResult::Delivered(good.statement.evidence_digest.unwrap());
        let reply = Reply::sign(&key, about, result, good.sealed_answer);
        let completion = prepared.close(Some(reply), record::Outcome::Delivered);
        assert_eq!(run(&prepared, &completion).unwrap_err().check, "C3");
    }
}

#[test]
fn c3_a_time_out_that_hides_an_answer_is_refused() {
    let mut prepared = Plan::default().build();
    let reply = delivery(&prepared);
    let completion = prepared.close(Some(reply), record::Outcome::TimedOut);
    assert_eq!(run(&prepared, &completion).unwrap_err().check, "C3");
    let mut prepared = Plan::default().build();
    let completion = prepared.close(None, record::Outcome::Delivered);
    assert_eq!(run(&prepared, &completion).unwrap_err().check, "C3");
}

/// The provider signed these answers and the record carries them; their content is refused nevertheless.
#[test]
fn the_answer_inside_must_be_the_one_asked_for() {
    type Change = fn(&mut EvidenceResponse0102);
    let changes: [(&str, Change); 7] = [
        ("request", |r| r.request = Uuid::nil()),
        ("message", |r| r.head.message = Uuid::nil()),
        ("consumer", |r| r.head.consumer.name = "x".into()),
        ("evidence type", |r| evidence(r).evidence_type.id = "x".into()),
        ("person", |r| {
            if let Subject::Natural(person) = &mut evidence(r).subject {
                person.given_name = "x".parse().unwrap();
            }
        }),
        ("content", |r| evidence(r).content = b"{}".to_vec()),
        ("later", |r| r.availability = Availability::From(NOW.after(86_400))),
    ];
    for (what, change) in changes {
        let mut prepared = Plan::default().build();
        let mut message = response(xnachweis(&prepared));
        change(&mut message);
        let reply = reply(&prepared, None, message.to_xml().unwrap());
        let completion = prepared.close(Some(reply), record::Outcome::Delivered);
        let accepted = run(&prepared, &completion).unwrap();
        assert_eq!(open(&prepared, &accepted).unwrap_err().check, "answer", "{what}");
    }
    let (prepared, completion) = delivered();
    let accepted = run(&prepared, &completion).unwrap();
    let other = messages::SealingKey::from_seed([1; 32]);
    assert_eq!(accepted.open(&other, xnachweis(&prepared)).unwrap_err().check, "answer");
}

#[test]
fn content_that_contradicts_the_signed_outcome_is_refused() {
    let mut prepared = Plan::default().build();
    let xml = error_xml(&prepared, ErrorCode::NotFound, xnachweis(&prepared).id);
    let wrong = reply(&prepared, None, xml);
    let completion = prepared.close(Some(wrong), record::Outcome::Delivered);
    let accepted = run(&prepared, &completion).unwrap();
    assert_eq!(open(&prepared, &accepted).unwrap_err().check, "answer");
    let mut prepared = Plan::default().build();
    let xml = response(xnachweis(&prepared)).to_xml().unwrap();
    let wrong = reply(&prepared, Some(AnswerResult::NothingFound), xml);
    let completion = prepared.close(Some(wrong), record::Outcome::NothingFound);
    let accepted = run(&prepared, &completion).unwrap();
    assert_eq!(open(&prepared, &accepted).unwrap_err().check, "answer");
}

fn provider_with(seed: u8) -> Vec<Operation> {
    let signing = SigningKey::from_seed([seed; 32]);
    put(&component("kba", &signing, &SealingKey::from_seed([13; 32]), false))
}

/// Whatever changes later: keys, components and rules that are gone count for what was recorded with them.
#[test]
fn what_was_recorded_is_judged_by_the_versions_of_its_index() {
    let (mut prepared, completion) = delivered();
    let later = NOW.after(86_400);
    let next = SigningKey::from_seed([33; 32]);
    for (kind, operations) in [
        (TrustKind::Directory, provider_with(31)),
        (TrustKind::Directory, put(&Value::Writer(broker_grant(&next)))),
        (TrustKind::Directory, end(Section::Component, "kba")),
        (TrustKind::Directory, end(Section::Component, "stadt-a")),
        (
            TrustKind::Registerlandkarte,
            end(Section::Permission, "bewohnerparken@1"),
        ),
    ] {
        prepared.change(kind, later, operations);
        let accepted = run(&prepared, &completion).unwrap();
        assert!(open(&prepared, &accepted).unwrap().is_some());
    }
}

#[test]
fn c1_the_broker_may_close_an_exchange_with_the_key_that_replaced_that_of_the_intent() {
    for (seed, accepted) in [(33, true), (21, false)] {
        let mut prepared = Plan::default().build();
        let reply = delivery(&prepared);
        let next = SigningKey::from_seed([33; 32]);
        prepared.change(TrustKind::Directory, NOW, put(&Value::Writer(broker_grant(&next))));
        prepared.writer = SigningKey::from_seed([seed; 32]);
        let completion = prepared.close(Some(reply), record::Outcome::Delivered);
        let checked = run(&prepared, &completion).map(drop).map_err(|error| error.why);
        let refused = Err("the outcome's receipt does not hold");
        assert_eq!(checked, if accepted { Ok(()) } else { refused }, "{seed}");
    }
}

#[test]
fn c1_an_outcome_of_another_writer_than_the_intents_is_refused() {
    let other = SigningKey::from_seed([34; 32]);
    let mut prepared = Plan::default().build();
    let reply = delivery(&prepared);
    let grant = fixtures::grant("broker-b", &other, &[record::Kind::Outcome]);
    prepared.change(TrustKind::Directory, NOW, put(&Value::Writer(grant)));
    prepared.writer = other;
    let completion = prepared.close(Some(reply), record::Outcome::Delivered);
    let (check, why) = ("C1", "the outcome closes another intent");
    assert_eq!(run(&prepared, &completion).unwrap_err(), CompletionError { check, why });
}

#[test]
fn c3_the_provider_may_sign_with_its_key_at_the_intent_or_at_the_outcome() {
    for (seed, accepted) in [(3, true), (31, true), (32, false)] {
        let mut prepared = Plan::default().build();
        let good = delivery(&prepared);
        prepared.change(TrustKind::Directory, NOW.after(1), provider_with(31));
        let key = SigningKey::from_seed([seed; 32]);
        let about = (good.statement.message, good.statement.intent);
        let result = AnswerResult::Delivered(good.statement.evidence_digest.unwrap());
        let reply = Reply::sign(&key, about, result, good.sealed_answer);
        let completion = prepared.close(Some(reply), record::Outcome::Delivered);
        prepared.change(TrustKind::Directory, NOW.after(3), provider_with(32));
        assert_eq!(run(&prepared, &completion).is_ok(), accepted, "{seed}");
    }
}

/// The record's version may have been superseded before the intent by less than the grace, measured at the intent.
#[test]
fn c2_the_version_is_relied_on_at_the_time_of_the_intent() {
    for (before, accepted) in [(59, true), (60, false)] {
        let first = World::new().registerlandkarte();
        let plan = Plan {
            changes: vec![crate::fixture::TrustChange {
                kind: TrustKind::Registerlandkarte,
                time: NOW.before(before),
                operations: end(Section::Permission, "bewohnerparken@1"),
            }],
            record: Box::new(move |record| record.allowed_by.registerlandkarte = first),
            ..Plan::default()
        };
        let (prepared, completion) = delivered_by(plan);
        let checked = run(&prepared, &completion).map(drop).map_err(|error| error.check);
        assert_eq!(checked, if accepted { Ok(()) } else { Err("C2") }, "{before}");
    }
}
