//! § 6 IDNrG: a query finds exactly one person, or nobody.

use record::TestNumbers;

use super::world::{EMMA, PERSONS, ambiguous, blocked, by_name, by_number, emma, unknown};
use crate::persons::{PersonRegistry, PersonsError, canonical};

fn registry() -> PersonRegistry {
    PersonRegistry::parse(PERSONS.as_bytes(), TestNumbers::Allowed).unwrap()
}

fn found(query: &messages::PersonQuery) -> Option<String> {
    registry().find(query).map(|person| person.idnr().expose().to_owned())
}

#[test]
fn a_person_is_found_by_number_and_birth_date_or_by_all_names() {
    assert_eq!(found(&emma()).as_deref(), Some(EMMA));
    let named = by_name(" mustermann", "EMMA", "1964-08-12", "50667", "köln ");
    assert_eq!(found(&named).as_deref(), Some(EMMA));
    assert_eq!(
        found(&by_name("Öztürk", "Ayşe  Nur", "1990-05-05", "20095", "hamburg")).as_deref(),
        Some("09874368528")
    );
    // The number decides, even if other data are out of date.
    let mut moved = emma();
    moved.family_name = "Married-Otherwise".into();
    assert_eq!(found(&moved).as_deref(), Some(EMMA));
}

#[test]
fn every_other_query_finds_nobody() {
    for query in [
        unknown(),
        blocked(),
        ambiguous(),
        by_name("Schweigsam", "Otto", "1970-01-31", "70825", "Korntal-Münchingen"),
        by_number(EMMA, "1964-08-13"),
        by_number("03987613421", "1964-08-12"),
        by_name("Mustermann", "Emma", "1964-08-12", "50667", "Bonn"),
        by_name("Mustermann", "Emma", "1964-08-12", "50668", "Köln"),
        by_name("Mustermann", "Em", "1964-08-12", "50667", "Köln"),
    ] {
        assert_eq!(found(&query), None);
    }
    // Matching names do not compensate for a wrong number.
    let mut mixed = by_name("Mustermann", "Emma", "1964-08-12", "50667", "Köln");
    mixed.idnr = by_number("03987613421", "1964-08-12").idnr;
    assert_eq!(found(&mixed), None);
    // Twins with the same name are found by number.
    assert!(found(&by_number("08854869212", "2000-02-29")).is_some());
}

#[test]
fn equal_queries_are_counted_together() {
    let one = by_name("Niemand", "Nora", "1980-01-01", "99999", "Nirgends");
    let same = by_name("niemand ", "NORA", "1980-01-01", "99999", " nirgends");
    let other = by_name("Niemand", "Nor", "a1980-01-01", "99999", "Nirgends");
    assert_eq!(canonical(&one), canonical(&same));
    assert_ne!(canonical(&one), canonical(&other));
    assert_ne!(canonical(&blocked()), canonical(&emma()));
}

#[test]
fn a_bad_registry_is_refused_without_quoting_it() {
    let person = |idnr: &str, born: &str, subject: &str| {
        format!(
            r#"{{"idnr":"{idnr}","family_name":"Geheim","given_name":"G","date_of_birth":"{born}","postal_code":"1","place":"P","subject":"{subject}"}}"#
        )
    };
    let one = person(EMMA, "1964-08-12", "a");
    let other = "02476291358";
    for list in [
        format!("[{one},{}]", person(EMMA, "1964-08-12", "b")),
        format!("[{one},{}]", person(other, "1964-08-12", "a")),
        format!("[{}]", person(other, "1964-13-12", "a")),
        format!("[{}]", person("08214967385", "1964-08-12", "a")),
        format!("[{}]", one.replace("family_name", "family-name")),
        format!("[{one}"),
    ] {
        let error = PersonRegistry::parse(list.as_bytes(), TestNumbers::Allowed)
            .unwrap_err()
            .to_string();
        assert!(!error.contains("Geheim") && !error.contains(EMMA), "{error}");
    }
    let refused = PersonRegistry::parse(format!("[{one}]").as_bytes(), TestNumbers::Refused);
    assert!(matches!(refused, Err(PersonsError::Person { position: 0, .. })));
}
