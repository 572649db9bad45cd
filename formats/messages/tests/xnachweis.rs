//! The corpus of XNachweis messages: every message is read as it was written, and every mutant that breaks a rule of
//! the schemas is refused.
//!
//! The schemas are not in this repository: those of XNachweis are under the Apache licence, but they import the data
//! types of DIN 91379, which may not be changed (CC BY-ND), and the schemas of the XÖV base message, which no licence
//! accompanies. So the mutants are made by rules that hold for every element of the schemas: it has its name, its
//! namespace, its place and its attributes, no text is between elements, and its value is one of its type. Some mutants
//! break a rule of our own, such as the one about processing instructions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../examples/xnachweis/corpus.rs"]
mod corpus;
mod mutants;

use std::collections::BTreeMap;

use messages::xnachweis::Message;

/// A message of this many bytes has the largest evidence, and nothing else that smaller ones do not have.
const LARGE: usize = 100_000;

#[test]
fn every_message_of_the_corpus_round_trips() {
    let mut kinds = BTreeMap::new();
    for message in corpus::messages() {
        *kinds.entry(message.name()).or_insert(0) += 1;
        let xml = message.to_xml().unwrap();
        assert_eq!(Message::parse(&xml).as_ref(), Ok(&message), "{}", message.name());
    }
    assert_eq!(kinds.len(), 12, "{kinds:?}");
    assert!(kinds.values().sum::<usize>() >= 200, "{kinds:?}");
}

#[test]
fn a_message_is_not_read_as_one_of_another_type() {
    let mut first = BTreeMap::new();
    for message in corpus::messages() {
        let xml = String::from_utf8(message.to_xml().unwrap()).unwrap();
        if xml.len() < LARGE {
            first.entry(message.name()).or_insert(xml);
        }
    }
    // These have the same elements, so that only the name tells them apart.
    let same = [
        ["EvidenceResponse.0102", "EvidenceResponse.0302"],
        ["EvidenceErrorResponse.0103", "EvidenceErrorResponse.0303"],
        ["EvidenceOrderErrorResponse.0403", "GetEvidenceErrorResponse.0413"],
    ];
    for (name, xml) in &first {
        for other in first.keys().filter(|other| *other != name) {
            let pair = |of: &[&str; 2]| of.iter().all(|of| name.ends_with(of) || other.ends_with(of));
            let renamed = Message::parse(xml.replace(name, other).as_bytes());
            assert_eq!(renamed.is_ok(), same.iter().any(pair), "{name} {other}");
            let root = xml.replace(&format!("xn-de:{name}"), &format!("xn-de:{other}"));
            assert!(Message::parse(root.as_bytes()).is_err(), "{name} {other}");
        }
    }
}

#[test]
fn every_mutant_of_the_corpus_is_refused() {
    let mut mutants = mutants::Mutants::default();
    for message in corpus::messages() {
        let xml = String::from_utf8(message.to_xml().unwrap()).unwrap();
        if xml.len() >= LARGE {
            continue;
        }
        for mutant in mutants.of(&xml) {
            assert!(Message::parse(mutant.xml.as_bytes()).is_err(), "{}", mutant.what);
        }
    }
    assert!(mutants.count() >= 20_000, "{}", mutants.count());
}
