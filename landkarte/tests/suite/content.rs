//! The content that is shipped: it has no error, and every permission rests on a norm that was read.

use std::collections::BTreeSet;
use std::path::PathBuf;

use landkarte::NOTICE;
use landkarte::content::{load, read};
use record::Timestamp;
use registerlandkarte::{Registerlandkarte, Table, Tables};

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/content"))
}

fn tables() -> Tables {
    match read(&load(&[folder()]).unwrap()) {
        Ok(tables) => tables,
        Err(findings) => panic!(
            "{}",
            findings
                .iter()
                .map(|finding| format!("{finding}\n"))
                .collect::<String>()
        ),
    }
}

#[test]
fn the_content_has_no_error_and_is_as_large_as_documented() {
    let tables = tables();
    assert!(tables.registers.len() >= 40);
    assert!(tables.evidence.len() >= 80);
    assert!(tables.permissions.len() >= 150);
    let municipalities = tables.bodies.iter().filter(|body| body.area.as_str().len() == 12);
    assert_eq!(municipalities.count(), 400);
    // `docs/landkarte.md` says how much there is.
    let page = std::fs::read_to_string(folder().join("../../docs/landkarte.md")).unwrap();
    for (number, what) in [
        (tables.classes.len(), "classes of bodies"),
        (tables.registers.len(), "types of registers"),
        (tables.evidence.len(), "types of evidence"),
        (tables.norms.len(), "norms"),
        (tables.permissions.len(), "permissions"),
        (tables.bodies.len(), "bodies"),
        (tables.instances.len(), "components' registers"),
    ] {
        assert!(page.contains(&format!("| {number} | {what}")), "{number} {what}");
    }
}

#[test]
fn every_permission_resolves_to_norms_with_a_source() {
    let relation = Registerlandkarte::new(tables()).unwrap();
    let mut cited = BTreeSet::new();
    for rule in &relation.tables().permissions {
        let norms = relation.norms_of(rule);
        assert_eq!(norms.len(), rule.norms.len(), "{}", rule.reference());
        assert!(!norms.is_empty(), "{}", rule.reference());
        for norm in norms {
            assert_eq!(norm.source.repository.as_str(), "kmein/gesetze", "{}", norm.id);
            assert!(norm.source.path.starts_with("laws/"), "{}", norm.id);
            cited.insert(norm.id.clone());
        }
    }
    // A norm that nothing refers to would be text that nobody checks against a permission.
    let founding = relation.tables().registers.iter().map(|register| register.norm.clone());
    cited.extend(founding);
    let all: BTreeSet<_> = relation.tables().norms.iter().map(|norm| norm.id.clone()).collect();
    assert_eq!(cited, all);
}

#[test]
fn two_norms_have_two_citations() {
    let tables = tables();
    let citations: BTreeSet<String> = tables.norms.iter().map(registerlandkarte::Norm::citation).collect();
    assert_eq!(citations.len(), tables.norms.len());
}

#[test]
fn every_file_says_that_it_is_a_reading_and_no_legal_advice() {
    for file in load(&[folder()]).unwrap() {
        if file.name.ends_with(".toml") {
            assert!(String::from_utf8(file.bytes).unwrap().contains(NOTICE), "{}", file.name);
        }
    }
    let page = std::fs::read_to_string(folder().join("../../docs/landkarte.md")).unwrap();
    assert!(page.contains(NOTICE));
}

#[test]
fn every_body_and_component_is_marked_as_demonstration() {
    let tables = tables();
    assert!(tables.bodies.iter().all(|body| body.id.as_str().starts_with("demo:")));
    assert!(
        tables
            .instances
            .iter()
            .all(|instance| instance.component.as_str().starts_with("demo:"))
    );
    let municipality = |name: &str| name.starts_with("Stadt Muster-");
    assert!(
        tables
            .bodies
            .iter()
            .all(|body| body.area.as_str().len() != 12 || municipality(&body.name))
    );
}

#[test]
fn each_place_has_a_competent_component_for_each_evidence() {
    let relation = Registerlandkarte::new(tables()).unwrap();
    let now = Timestamp(1_795_953_600);
    assert_eq!(now.to_string(), "2026-11-29T12:00:00Z");
    let tables = relation.tables();
    for body in tables.bodies.iter().filter(|body| body.area.as_str().len() == 12) {
        for evidence in &tables.evidence {
            let found = relation.competent(&evidence.id, &body.area, now, now);
            assert!(found.is_ok(), "{} for {}", evidence.id, body.area);
        }
        let own = relation
            .competent(&"melde-anschrift".parse().unwrap(), &body.area, now, now)
            .unwrap();
        assert_eq!(own.body, body.id);
    }
}

#[test]
fn each_table_is_in_the_content() {
    let tables = tables();
    for table in Table::ALL {
        assert!(
            !landkarte::write::cells::rows(table, &tables).is_empty(),
            "{}",
            table.name()
        );
    }
}
