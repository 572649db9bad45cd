//! A representative acts: both persons' entries are demanded, and the power is checked (P11).

use messages::{Completion, PowerProof};
use record::{LegalDay, Power, Series, SubjectRole};

use super::*;
use crate::fixture::{Acting, IDNR, NOW, OTHER_IDNR, power, represented_query};

/// The check that refuses an exchange, if one does.
fn refused(plan: Plan) -> Option<(CheckName, &'static str)> {
    let prepared = plan.build();
    let checked = prepared.check(&prepared.world.context("kba"), 1);
    checked.err().map(|failed| (failed.check, failed.why))
}

fn check_of(plan: Plan) -> Option<CheckName> {
    refused(plan).map(|(check, _)| check)
}

fn acting(change: impl Fn(&mut Acting)) -> Plan {
    let mut plan = Plan::represented();
    change(&mut plan.acting);
    plan
}

fn forward(change: impl Fn(&mut Forward) + 'static) -> Plan {
    Plan {
        forward: Box::new(change),
        ..Plan::represented()
    }
}

#[tokio::test]
async fn evidence_reaches_the_consumer_and_both_persons_have_an_intent_and_an_outcome() {
    let register = register().await;
    let (_directory, served) = served();
    let mut prepared = Plan::represented().build();
    let checked = prepared.check(&prepared.world.context("kba"), 1).unwrap();
    assert_eq!(checked.idnr().expose(), IDNR);
    assert_eq!(checked.checkpoints().len(), 4);
    let reply = serve(&prepared, &register.register, &served).await;
    assert_eq!(reply.statement.outcome, ReplyOutcome::Delivered);
    let completion = prepared.close(Some(reply), record::Outcome::Delivered);
    let context = prepared.world.context("stadt-a");
    let accepted = consumer_checks::check(&context, &prepared.pending.request, &completion).unwrap();
    assert_eq!(accepted.checkpoints().len(), 4);
    let asked = prepared.pending.xnachweis.as_ref().unwrap();
    assert!(
        accepted
            .open(&prepared.pending.answer_key, asked)
            .unwrap()
            .evidence()
            .is_some()
    );
    let closed = ClosedExchange::check(&prepared.world.context("kba"), &completion.notice).unwrap();
    assert_eq!(
        (closed.record().role, closed.record().representation),
        (SubjectRole::DataSubject, Some(Power::Attorney))
    );
}

#[test]
fn a_power_must_be_proved_valid_and_suitable() {
    let p11 = |why| Some((CheckName::P11, why));
    assert_eq!(refused(Plan::represented()), None);
    let proved = |proof: Option<PowerProof>| refused(acting(|acting| acting.power.clone_from(&proof)));
    assert_eq!(proved(None), p11("a representative acts, and no power is proved"));
    assert_eq!(
        proved(Some(power(Power::Notary))),
        p11("the proof is of another power than the record")
    );
    let today = LegalDay::of(NOW.after(1));
    let valid = |from, until| {
        proved(Some(PowerProof {
            from: LegalDay(from),
            until: Some(LegalDay(until)),
            ..power(Power::Attorney)
        }))
    };
    assert_eq!(valid(today.0, today.0), None);
    assert_eq!(valid(today.0 - 9, today.0 - 1), p11("the power has expired"));
    assert_eq!(valid(today.0 + 1, today.0 + 9), p11("the power is not valid yet"));
    // The represented person is an adult.
    for (held, suits) in [
        (Power::Parent, false),
        (Power::Guardian, false),
        (Power::Custodian, true),
        (Power::Notary, true),
    ] {
        let mut plan = acting(|acting| acting.power = Some(power(held)));
        plan.query = represented_query(held);
        let unsuitable = p11("the power does not suit the represented person's age");
        assert_eq!(refused(plan), if suits { None } else { unsuitable }, "{held:?}");
    }
    let mut child = acting(|acting| acting.power = Some(power(Power::Parent)));
    child.query = represented_query(Power::Parent);
    child.query.person.as_mut().unwrap().date_of_birth = "2015-06-01".into();
    assert_eq!(refused(child), None);
}

#[test]
fn a_representative_logs_in_and_the_permission_allows_them() {
    let absent = Plan {
        login: None,
        ..Plan::represented()
    };
    assert_eq!(
        refused(absent),
        Some((CheckName::P10, "a representative acts, and no login is proved"))
    );
    let forbidden = Plan {
        rule: crate::fixture::rule(),
        ..Plan::represented()
    };
    assert_eq!(check_of(forbidden), Some(CheckName::P7));
}

#[test]
fn the_representatives_entry_cannot_be_left_out_swapped_or_borrowed() {
    assert_eq!(
        check_of(forward(|forward| forward.representative = None)),
        Some(CheckName::P2)
    );
    let other = Plan::represented().build().forward.representative;
    let borrowed = move |forward: &mut Forward| forward.representative.clone_from(&other);
    assert_eq!(
        check_of(forward(borrowed)),
        Some(CheckName::P2),
        "another exchange's S1"
    );
    // The subject's own intent a second time, or the representative's in the subject's place.
    let twice = |forward: &mut Forward| {
        let representative = forward.representative.as_mut().unwrap();
        representative.intent_receipt.clone_from(&forward.intent_receipt);
    };
    assert_eq!(check_of(forward(twice)), Some(CheckName::P3));
    let instead = |forward: &mut Forward| {
        let representative = forward.representative.as_ref().unwrap();
        forward.intent_receipt.clone_from(&representative.intent_receipt);
    };
    assert_eq!(check_of(forward(instead)), Some(CheckName::P3));
    let unproved = |forward: &mut Forward| {
        let representative = forward.representative.as_mut().unwrap();
        let middle = representative.intent_receipt.len() / 2;
        representative.intent_receipt[middle] ^= 1;
    };
    assert_eq!(check_of(forward(unproved)), Some(CheckName::P1));
    let record = |forward: &mut Forward| {
        let sealed = forward.sealed_record.clone();
        forward.representative.as_mut().unwrap().sealed_record = sealed;
    };
    assert_eq!(check_of(forward(record)), Some(CheckName::P6));
    // A representative in a forward whose consumer has signed none.
    let added = Plan::represented().build().forward.representative;
    let plan = Plan {
        forward: Box::new(move |forward| forward.representative.clone_from(&added)),
        ..Plan::default()
    };
    assert_eq!(check_of(plan), Some(CheckName::P2));
}

#[test]
fn the_representatives_chain_and_record_are_checked_like_the_persons() {
    let content =
        |change: fn(&mut messages::ProviderContent)| check_of(acting(move |acting| acting.content = Box::new(change)));
    assert_eq!(content(|content| content.number += 1), Some(CheckName::P4));
    assert_eq!(content(|content| drop(content.chain.pop())), Some(CheckName::P5));
    let delayed = acting(|acting| acting.series = Series::DelayedExchanges);
    assert_eq!(check_of(delayed), Some(CheckName::P11));
    let myself = |acting: &mut Acting| acting.idnr = record::Idnr::parse(IDNR, record::TestNumbers::Allowed).unwrap();
    assert_eq!(
        refused(acting(myself)),
        Some((CheckName::P11, "the representative is the represented person"))
    );
    type Change = fn(&mut record::ExchangeRecord);
    let changes: [(&str, Change); 6] = [
        ("role", |record| record.role = SubjectRole::DataSubject),
        ("power", |record| record.representation = Some(Power::Notary)),
        ("exchange", |record| record.ids.exchange = uuid::Uuid::nil()),
        ("provider", |record| record.provider.name = "x".into()),
        ("S1", |record| record.consumer_signatures.s1 = [1; 64]),
        ("expiry", |record| record.lifecycle.expiry.0 += 2),
    ];
    for (what, change) in changes {
        let plan = acting(move |acting| acting.record = Box::new(change));
        assert_eq!(check_of(plan), Some(CheckName::P6), "{what}");
    }
}

#[test]
fn an_unknown_representative_gets_what_an_unknown_person_gets() {
    let unknown = acting(|acting| {
        acting.idnr = record::Idnr::nobody();
        acting.number = 0xdead_beef;
    });
    let prepared = unknown.build();
    let checked = prepared.check(&prepared.world.context("kba"), 1).unwrap();
    assert!(checked.idnr().is_nobody());
    assert_ne!(IDNR, OTHER_IDNR);
}

/// A completion whose notice says something else of the representative.
fn completion(change: impl Fn(&mut Completion, &Completion)) -> Result<(), (&'static str, &'static str)> {
    let mut prepared = Plan::represented().build();
    let other = Plan::represented().build().close(None, record::Outcome::TimedOut);
    let mut completion = prepared.close(None, record::Outcome::TimedOut);
    change(&mut completion, &other);
    let context = prepared.world.context("stadt-a");
    let consumer = consumer_checks::check(&context, &prepared.pending.request, &completion);
    let provider = ClosedExchange::check(&prepared.world.context("kba"), &completion.notice);
    assert_eq!(consumer.is_ok(), provider.is_ok(), "both connectors judge alike");
    consumer.map(drop).map_err(|failed| (failed.check, failed.why))
}

#[test]
fn the_consumer_accepts_no_completion_without_the_representatives_outcome() {
    assert_eq!(completion(|_, _| ()), Ok(()));
    let missing = ("C2", "the exchange is not recorded for the representative");
    assert_eq!(
        completion(|completion, _| completion.notice.representative = None),
        Err(missing)
    );
    let other = ("C2", "the receipt of the representative's intent does not hold");
    let of_another = |completion: &mut Completion, other: &Completion| {
        completion
            .notice
            .representative
            .clone_from(&other.notice.representative);
    };
    assert!(completion(of_another).is_err(), "{other:?}");
    let unclosed = |completion: &mut Completion, _: &Completion| {
        let representative = completion.notice.representative.as_mut().unwrap();
        representative
            .outcome_receipt
            .clone_from(&completion.notice.outcome_receipt);
    };
    assert_eq!(completion(unclosed), Err(("C2", "the outcome closes another intent")));
}

#[test]
fn an_exchange_that_failed_before_it_was_forwarded_may_lack_the_representative() {
    let mut prepared = Plan::represented().build();
    prepared.acting = None;
    let completion = prepared.close(None, record::Outcome::Failed);
    let context = prepared.world.context("stadt-a");
    assert!(consumer_checks::check(&context, &prepared.pending.request, &completion).is_ok());
}
