//! The request that is built from a query, and the queries that are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use registerlandkarte::{AreaRelation, NotCompetent};

use super::*;
use crate::consumer::query::Person;
use crate::fixture::{FAMILY_NAME, IDNR, NOW, World, id, query};

fn build_changed(change: impl Fn(&mut EvidenceQuery)) -> Result<PendingRequest, QueryError> {
    build_in(&World::new(), change)
}

fn build_in(world: &World, change: impl Fn(&mut EvidenceQuery)) -> Result<PendingRequest, QueryError> {
    let mut query = query();
    change(&mut query);
    build(
        &world.context("stadt-a"),
        &world.consumer,
        &query,
        "0".repeat(32),
        NOW,
        NOW.after(30),
    )
}

#[test]
fn a_request_is_signed_and_each_part_opens_for_its_recipient() {
    let world = World::new();
    let pending = world.request();
    let key = world.consumer.public();
    pending.request.verify(&key, NOW).unwrap();
    let SubjectQuery::Natural(person) = pending.request.s1.open_subject(&world.identity_sealing).unwrap() else {
        panic!("a natural person")
    };
    assert_eq!(person.family_name, FAMILY_NAME);
    let request = &pending.request;
    let sealed = RequestContent::open(&request.sealed_request, &world.provider_sealing, &request.s1.digest()).unwrap();
    assert_eq!(sealed.digest(), request.metadata.request_digest);
    assert_eq!(EvidenceRequest0101::parse(&sealed.xml).ok(), pending.xnachweis);
    let wire = String::from_utf8_lossy(&record::cbor::to_vec(request)).into_owned();
    assert!(!wire.contains(IDNR) && !wire.contains(FAMILY_NAME));
}

/// The natural person of a query.
fn natural(query: &mut EvidenceQuery) -> &mut Person {
    query.person.as_mut().unwrap()
}

/// Only the provider learns which legal person it is.
#[test]
fn a_legal_person_is_named_to_the_provider_alone() {
    let (name, euid) = ("Müller Bootsbau GmbH", "DEF1103R.HRB116737");
    let legal = |query: &mut EvidenceQuery| {
        query.person = None;
        query.legal_person = Some(LegalPersonQuery {
            name: name.into(),
            euid: euid.into(),
        });
    };
    let world = World::new();
    let pending = build_in(&world, legal).unwrap();
    let request = &pending.request;
    assert_eq!(
        (request.metadata.subject, request.metadata.idnr_used),
        (Subject::Legal, false)
    );
    let subject = request.s1.open_subject(&world.identity_sealing).unwrap();
    assert_eq!(subject, SubjectQuery::Legal);
    let wire = String::from_utf8_lossy(&record::cbor::to_vec(request)).into_owned();
    assert!(!wire.contains(name) && !wire.contains(euid));
    // Identity gets a part of the same size as for a natural person.
    assert_eq!(
        request.s1.sealed_person.len(),
        world.request().request.s1.sealed_person.len()
    );
    let sealed = RequestContent::open(&request.sealed_request, &world.provider_sealing, &request.s1.digest()).unwrap();
    let read = EvidenceRequest0101::parse(&sealed.xml).unwrap();
    let messages::xnachweis::Subject::Legal(person) = read.query.subject else {
        panic!("a legal person")
    };
    assert_eq!(person.euid().unwrap().to_string(), euid);
    for wrong in [
        |query: &mut EvidenceQuery| query.person = None,
        |query: &mut EvidenceQuery| {
            query.legal_person = Some(LegalPersonQuery {
                name: "Müller GmbH".into(),
                euid: "DEF1103R.HRB1".into(),
            });
        },
        |query: &mut EvidenceQuery| {
            query.person = None;
            query.legal_person = Some(LegalPersonQuery {
                name: "Müller GmbH".into(),
                euid: IDNR.into(),
            });
        },
    ] {
        assert!(matches!(build_changed(wrong).unwrap_err(), QueryError::Person(_)));
    }
}

/// The broker learns the place only if the permission depends on it.
#[test]
fn a_query_with_a_place_goes_to_the_competent_component() {
    let at_a_place = |query: &mut EvidenceQuery| {
        query.provider = None;
        query.place = "053150000000".parse().ok();
    };
    let metadata = build_changed(at_a_place).unwrap().request.metadata;
    assert_eq!((metadata.provider, metadata.place), (id("kba"), None));
    let world = World::found(|values| values.rules[0].area = AreaRelation::Person);
    let metadata = build_in(&world, at_a_place).unwrap().request.metadata;
    let place = "053150000000".parse().ok();
    assert_eq!((metadata.provider, metadata.place), (id("kba"), place));
    assert_eq!(
        build_changed(|query| query.provider = None).unwrap_err(),
        QueryError::NoProvider
    );
    let unknown = build_changed(|query| {
        at_a_place(query);
        query.evidence_type = "zb2".into();
    });
    assert_eq!(unknown.unwrap_err(), QueryError::NotCompetent(NotCompetent::Evidence));
}

#[test]
fn an_invalid_query_is_refused() {
    assert_eq!(
        build_changed(|q| q.provider = Some(id("unknown"))).unwrap_err(),
        QueryError::Provider
    );
    assert_eq!(
        build_changed(|q| q.provider = Some(id("stadt-b"))).unwrap_err(),
        QueryError::Provider
    );
    assert_eq!(
        build_changed(|q| q.purpose.clear()).unwrap_err(),
        QueryError::Field(text::FieldError {
            field: "purpose",
            error: text::TextError::Empty
        })
    );
    assert_eq!(
        build_changed(|q| q.official = "x".repeat(201)).unwrap_err(),
        QueryError::Field(text::FieldError {
            field: "official",
            error: text::TextError::TooLong(200)
        })
    );
    for reference in ["a\0", "a\n", "\u{202e}a", "a\u{200b}", " "] {
        let error = build_changed(|q| q.request_reference = reference.into()).unwrap_err();
        assert!(error.to_string().starts_with("request_reference "), "{error}");
    }
    for idnr in ["0821496738", "08214967385", "00000000000"] {
        let error = build_changed(|q| natural(q).idnr = Some(idnr.into())).unwrap_err();
        assert_eq!(
            error,
            QueryError::Person(MessageError::Malformed("person: the IDNr is not valid"))
        );
    }
    assert_eq!(
        build_changed(|q| natural(q).date_of_birth = "gestern".into()).unwrap_err(),
        QueryError::Date(text::DateError)
    );
    let error = build_changed(|q| natural(q).place = "Köln\u{202e}".into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "place character 5 is not in data type B of DIN 91379"
    );
}

#[test]
fn unusual_legal_persons_are_accepted() {
    build_changed(|q| natural(q).given_name.clear()).unwrap();
    build_changed(|q| natural(q).family_name = "ế".repeat(140)).unwrap();
    build_changed(|q| natural(q).family_name = "de la Cruz y García-Márquez".into()).unwrap();
    build_changed(|q| natural(q).family_name = "Mu\u{308}ller".into()).unwrap();
    for date in ["1950-00-00", "1950-06-00", "0000-00-00"] {
        build_changed(|q| natural(q).date_of_birth = date.into()).unwrap();
    }
}

#[test]
fn debug_shows_nothing_personal() {
    let text = format!("{:?} {:?} {:?}", query(), query().person, World::new().request());
    for secret in [IDNR, FAMILY_NAME, "Emma", "1964", "50667"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
