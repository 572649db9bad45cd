//! § 6 IDNrG: a query finds exactly one person, or nobody.

use record::TestNumbers;

use super::world::{EMMA, PERSONS, ambiguous, blocked, by_name, by_number, emma, population, unknown};
use crate::persons::import::{ImportError, import};
use crate::persons::population::Population;
use crate::persons::{PersonSource as _, canonical};

/// An imported population. Its look-ups never wait, so the tests need no runtime of their own.
struct Imported {
    _dir: tempfile::TempDir,
    population: Population,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

impl Imported {
    fn new(json: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let population = population(dir.path(), json);
        Self { _dir: dir, population }
    }

    fn find(&self, query: &messages::PersonQuery) -> Option<String> {
        let found = wait(crate::persons::find(&self.population, query)).unwrap();
        found.map(|idnr| idnr.expose().to_owned())
    }

    fn display_name(&self, subject: &str) -> Option<String> {
        let person = wait(self.population.by_login(subject)).unwrap();
        person.map(|person| person.display_name().to_owned())
    }

    fn len(&self) -> u64 {
        self.population.persons().unwrap()
    }

    fn set_aside(&self) -> Vec<String> {
        let (all, first) = self.population.set_aside(100).unwrap();
        assert_eq!(all, first.len() as u64);
        first.iter().map(ToString::to_string).collect()
    }
}

fn found(query: &messages::PersonQuery) -> Option<String> {
    Imported::new(PERSONS).find(query)
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
    moved.family_name = "Married-Otherwise".parse().unwrap();
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
    let other = by_name("Niemand", "Nor", "1980-01-01", "99999", "Nirgends");
    assert_eq!(canonical(&one), canonical(&same));
    assert_ne!(canonical(&one), canonical(&other));
    assert_ne!(canonical(&blocked()), canonical(&emma()));
}

fn person(idnr: &str, names: &str, born: &str, subject: &str) -> String {
    format!(
        r#"{{"idnr":"{idnr}",{names},"date_of_birth":"{born}","postal_code":"1","place":"P","subject":"{subject}"}}"#
    )
}

fn parse(rows: &[String]) -> Imported {
    Imported::new(&format!("[{}]", rows.join(",")))
}

fn found_in(imported: &Imported, family: &str, given: &str, born: &str) -> Option<String> {
    imported.find(&by_name(family, given, born, "1", "P"))
}

const OTHER: &str = "02476291358";
const NAMES: &str = r#""family_name":"Geheim","given_name":"G""#;

#[test]
fn a_faulty_row_is_set_aside_without_quoting_it_and_the_others_are_found() {
    let sound = person(
        "08854869212",
        r#""family_name":"Sound","given_name":"S""#,
        "1950-01-01",
        "s",
    );
    for (row, report) in [
        (
            person(OTHER, NAMES, "1964-13-12", "a"),
            "row 1, date_of_birth: is not a date of the form",
        ),
        (
            person("08214967385", NAMES, "1964-08-12", "a"),
            "row 1, idnr: is not a valid IDNr",
        ),
        (
            person(OTHER, r#""family_name":"Geheim\u0000""#, "1964-08-12", "a"),
            "row 1, family_name: character 7",
        ),
        (
            person(OTHER, r#""given_name":"Geheim\ud800""#, "1964-08-12", "a"),
            "row 1, given_name: character 7",
        ),
        (
            person(OTHER, r#""family_name":"","given_name":" ""#, "1964-08-12", "a"),
            "row 1, family_name: the person has",
        ),
        (
            person(OTHER, r#""family-name":"Geheim","given_name":"G""#, "1964-08-12", "a"),
            "row 1, row: has an unknown",
        ),
        (
            person(OTHER, r#""family_name":"Geheim","family_name":"G""#, "1964-08-12", "a"),
            "row 1, row: an object",
        ),
    ] {
        let registry = parse(&[row, sound.clone()]);
        let reports = registry.set_aside();
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert!(
            reports[0].starts_with(report) && !reports[0].contains("Geheim"),
            "{reports:?}"
        );
        assert_eq!(registry.len(), 1);
        assert_eq!(
            found_in(&registry, "Sound", "S", "1950-01-01").as_deref(),
            Some("08854869212")
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let (file, store) = (dir.path().join("persons.json"), dir.path().join("persons.redb"));
    std::fs::write(&file, format!("[{sound}]")).unwrap();
    let refused = import(&file, &store, TestNumbers::Refused).unwrap();
    assert_eq!((refused.persons, refused.set_aside), (0, 1));
}

#[test]
fn persons_with_one_number_or_one_login_are_all_set_aside() {
    let one = person(EMMA, NAMES, "1964-08-12", "a");
    let two = r#""family_name":"Other","given_name":"O""#;
    for other in [
        person(EMMA, two, "1964-08-12", "b"),
        person(OTHER, two, "1964-08-12", "a"),
    ] {
        let registry = parse(&[one.clone(), other]);
        assert_eq!((registry.len(), registry.set_aside().len()), (0, 2));
        assert!(registry.display_name("a").is_none() && registry.find(&emma()).is_none());
    }
}

#[test]
fn a_row_that_is_set_aside_still_makes_its_name_ambiguous() {
    let registry = parse(&[
        person(EMMA, NAMES, "1964-08-12", "a"),
        person("08214967385", NAMES, "1964-08-12", "b"),
    ]);
    assert_eq!(found_in(&registry, "Geheim", "G", "1964-08-12"), None);
    assert!(registry.find(&by_number(EMMA, "1964-08-12")).is_some());
}

#[test]
fn partial_dates_and_missing_given_names_are_found_as_they_are_written() {
    let registry = parse(&[
        person(EMMA, r#""family_name":"Suharto""#, "1950-00-00", "a"),
        person(OTHER, r#""family_name":"","given_name":"Madonna""#, "0000-00-00", "b"),
        person(
            "08854869212",
            r#""family_name":"de la Cruz y García-Márquez","given_name":"Ana""#,
            "1950-06-00",
            "c",
        ),
    ]);
    assert!(registry.set_aside().is_empty());
    assert_eq!(found_in(&registry, "SUHARTO", "", "1950-00-00").as_deref(), Some(EMMA));
    assert_eq!(found_in(&registry, "", "Madonna", "0000-00-00").as_deref(), Some(OTHER));
    assert!(found_in(&registry, "De La Cruz y Garcia-Marquez", "Ana", "1950-06-00").is_some());
    assert!(registry.find(&by_number(EMMA, "1950-00-00")).is_some());
    for born in ["1950-01-01", "1950-01-00", "0000-00-00"] {
        assert_eq!(found_in(&registry, "Suharto", "", born), None);
        assert!(registry.find(&by_number(EMMA, born)).is_none());
    }
    assert_eq!(registry.display_name("b").unwrap(), "Madonna");
}

#[test]
fn one_name_in_nfc_and_in_nfd_is_one_person() {
    let nfd = person(
        EMMA,
        r#""family_name":"Mu\u0308ller","given_name":"Jose\u0301""#,
        "1964-08-12",
        "a",
    );
    let registry = parse(&[nfd]);
    for (family, given) in [
        ("Müller", "José"),
        ("Mu\u{308}ller", "Jose\u{301}"),
        ("MUELLER", "jose"),
    ] {
        assert_eq!(found_in(&registry, family, given, "1964-08-12").as_deref(), Some(EMMA));
    }
    assert_eq!(found_in(&registry, "Muller", "José", "1964-08-12"), None);
    assert_eq!(registry.display_name("a").unwrap(), "José Müller");
}

#[test]
fn persons_whose_names_are_the_same_by_the_rule_are_ambiguous() {
    let registry = parse(&[
        person(EMMA, r#""family_name":"Strauß","given_name":"Kim""#, "1964-08-12", "a"),
        person(
            OTHER,
            r#""family_name":"Strauss","given_name":"Kım""#,
            "1964-08-12",
            "b",
        ),
    ]);
    for family in ["Strauß", "Strauss", "STRAUẞ"] {
        assert_eq!(found_in(&registry, family, "Kim", "1964-08-12"), None);
    }
    assert!(registry.find(&by_number(OTHER, "1964-08-12")).is_some());
}

#[test]
fn a_login_of_two_persons_is_counted_after_doubled_numbers_are_set_aside() {
    let two = r#""family_name":"Other","given_name":"O""#;
    let three = r#""family_name":"Third","given_name":"T""#;
    let registry = parse(&[
        person(EMMA, NAMES, "1964-08-12", "a"),
        person(EMMA, two, "1964-08-12", "b"),
        person(EMMA, two, "1964-08-12", "c"),
        person(OTHER, three, "1964-08-12", "b"),
    ]);
    assert_eq!((registry.len(), registry.set_aside().len()), (1, 3));
    assert_eq!(registry.display_name("b").as_deref(), Some("T Third"));
    assert!(registry.display_name("a").is_none());
}

#[test]
fn a_faulty_row_never_leads_to_a_person_of_another_name() {
    let faulty = person(EMMA, NAMES, "1964-08-12", "a").replace(r#""subject""#, r#""blocked":7,"subject""#);
    let registry = parse(&[
        faulty,
        person(EMMA, r#""family_name":"Other","given_name":"O""#, "1964-08-12", "b"),
    ]);
    assert_eq!(found_in(&registry, "Geheim", "G", "1964-08-12"), None);
    assert_eq!(found_in(&registry, "Other", "O", "1964-08-12").as_deref(), Some(EMMA));
}

#[test]
fn an_import_that_fails_changes_nothing_and_one_that_succeeds_replaces_all() {
    let dir = tempfile::tempdir().unwrap();
    let (file, store) = (dir.path().join("persons.json"), dir.path().join("persons.redb"));
    let running = population(dir.path(), PERSONS);
    for json in [
        "".to_owned(),
        "{}".to_owned(),
        "[".to_owned(),
        "[{]".to_owned(),
        format!("[{},{{]", person(OTHER, NAMES, "1964-08-12", "a")),
        "\u{feff}[]".to_owned(),
    ] {
        std::fs::write(&file, json).unwrap();
        let refused = import(&file, &store, TestNumbers::Allowed);
        assert!(matches!(
            refused,
            Err(ImportError::Form(_) | ImportError::Damaged { .. })
        ));
    }
    assert!(Population::open(&dir.path().join("missing.redb")).is_err());
    drop(running);
    assert_eq!(Population::open(&store).unwrap().persons().unwrap(), 5);
    let replaced = population(dir.path(), &format!("[{}]", person(OTHER, NAMES, "1964-08-12", "a")));
    assert_eq!(replaced.persons().unwrap(), 1);
    assert!(wait(replaced.by_login("sub-emma")).unwrap().is_none());
}
