//! The words of a citizen's pages: none that only experts know, one word for one thing, and short enough.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use record::{Power, SubjectRole};

use super::tests::{CITIZEN, access, by_representative, citizen_element, easy_pages, own_data_pages, own_request};
use crate::language::lang::Lang;
use crate::language::verdict::verdict_text;
use crate::markup::{Element, Node};
use crate::proof::complete::Claim;
use crate::proof::device::{Contradiction, Past};
use crate::proof::verdict::{Caution, Finding, Proved, Scope, ServerCheck, Unable, Verdict};
use crate::proof::verify::Failure;

/// Words of experts. In NOOTS a "Nachweis" is what a register says of a person; here it is an "Unterlage", and a proof
/// is a "Beweis".
const FORBIDDEN: [&str; 13] = [
    "Wurzel",
    "Genesis",
    "Checkpoint",
    "Öffnung",
    "Bündel",
    "Quittung",
    "Weltzeit",
    "SHA-256",
    "Stelle für Identitäten",
    "nicht benutzte Nummer",
    "Nachweis",
    "nachgewiesen",
    "Zugriff",
];

/// The readability of Björnsson (LIX): words per sentence, and per cent of words with more than six letters. Texts of
/// newspapers have about 50.
const MAX_LIX: usize = 40;

/// Elements that stand apart, so that a text ends with them.
const BLOCKS: [&str; 14] = [
    "p", "li", "h1", "h2", "h3", "dt", "dd", "summary", "label", "legend", "caption", "th", "td", "a",
];

/// The texts of the page in its own words: without what authorities have written, and without the technical details,
/// which are names and numbers.
fn own_texts(element: &Element, texts: &mut Vec<String>) {
    let class = element.attribute("class").unwrap_or_default();
    if ["bdi", "option", "textarea"].contains(&element.name.as_ref()) || class == "kern-description-list" {
        return;
    }
    if BLOCKS.contains(&element.name.as_ref()) {
        texts.push(String::new());
    }
    for child in &element.children {
        match child {
            Node::Element(child) => own_texts(child, texts),
            Node::Text(text) => texts.last_mut().unwrap().push_str(text),
            Node::Html(_) => {}
        }
    }
    if BLOCKS.contains(&element.name.as_ref()) {
        texts.push(String::new());
    }
}

fn texts_of(element: &Element) -> Vec<String> {
    let mut texts = vec![String::new()];
    own_texts(element, &mut texts);
    texts.retain(|text| text.chars().any(char::is_alphabetic));
    texts
}

fn lix(texts: &[String]) -> usize {
    let (mut words, mut long, mut sentences) = (0, 0, 0);
    for text in texts {
        let ends = text.matches(['.', '!', '?', ':']).count();
        sentences += ends.max(1);
        // A hyphen in easy language shows where a long word can be parted.
        for word in text.split(|letter: char| !letter.is_alphabetic()) {
            words += usize::from(!word.is_empty());
            long += usize::from(word.chars().count() > 6);
        }
    }
    words / sentences + 100 * long / words
}

#[test]
fn every_page_of_a_citizen_is_easy_to_read() {
    for lang in Lang::ALL {
        for path in CITIZEN {
            let page = citizen_element(lang, path, &access());
            let texts = texts_of(page.first("main").unwrap());
            let found = lix(&texts);
            assert!(found <= MAX_LIX, "{lang:?} {path}: {found}: {texts:#?}");
        }
        let own = ["/besuche", "/abrufe/17", "/abrufe"].map(|path| citizen_element(lang, path, &own_request()));
        for page in own_data_pages(lang).into_iter().chain(own) {
            let texts = texts_of(page.first("main").unwrap());
            let found = lix(&texts);
            assert!(found <= MAX_LIX, "{lang:?}: {found}: {texts:#?}");
        }
    }
}

#[test]
fn a_representative_is_described_in_easy_words_without_those_of_experts() {
    for power in Power::ALL {
        for role in [SubjectRole::DataSubject, SubjectRole::Representative] {
            let access = by_representative(role, power);
            for lang in Lang::ALL {
                let page = citizen_element(lang, "/abrufe/17", &access);
                let texts = texts_of(page.first("main").unwrap());
                let found = lix(&texts);
                assert!(found <= MAX_LIX, "{lang:?} {power:?}: {found}: {texts:#?}");
                let text = texts.join(" ");
                assert!(
                    !FORBIDDEN.iter().any(|word| text.contains(word)),
                    "{lang:?} {power:?}: {text}"
                );
            }
        }
    }
}

fn verdicts() -> Vec<Verdict> {
    let claim = Claim {
        exchanges: 12,
        own: 2,
        inspections: 6,
        unused: 2,
        since: Some(1_732_147_200),
        as_of: 1_795_266_300,
        later: 1,
    };
    let proved = Proved {
        claim,
        ending: "384".into(),
        witnesses: 3,
        at: 1_795_266_300,
        past: Past::Grown(1_795_000_000),
        last: None,
    };
    let cautions = [
        Caution::OtherPerson,
        Caution::Old(7_200),
        Caution::Clock,
        Caution::Unwitnessed,
        Caution::Unlinked,
    ];
    let failures = [Failure::Form, Failure::Proof, Failure::Entry, Failure::Hidden];
    let contradictions = [
        Contradiction::OtherLog,
        Contradiction::OtherPolicy,
        Contradiction::Older(1_795_000_000),
        Contradiction::Rewritten(1_795_000_000),
    ];
    let mut verdicts = vec![
        Verdict::Unchecked(ServerCheck::Complete(claim)),
        Verdict::Unchecked(ServerCheck::Unwitnessed),
        Verdict::Pending,
        Verdict::Proved(proved.clone()),
        Verdict::Unable(Unable::Load),
        Verdict::Unable(Unable::Unwitnessed),
        Verdict::Unable(Unable::TooLong),
        Verdict::Failed(Finding::TooOld(1_795_000_000)),
    ];
    verdicts.extend(cautions.map(|caution| Verdict::Caution(proved.clone(), caution)));
    verdicts.extend(failures.map(|failure| Verdict::Failed(Finding::Proof(failure))));
    verdicts.extend(contradictions.map(|contradiction| Verdict::Failed(Finding::Device(contradiction))));
    verdicts
}

#[test]
fn no_page_and_no_verdict_has_a_word_that_only_experts_know() {
    let mut texts: BTreeSet<String> = BTreeSet::new();
    for lang in [Lang::De, Lang::Leicht] {
        for path in CITIZEN {
            // Header and footer, too.
            texts.extend(texts_of(citizen_element(lang, path, &access()).first("body").unwrap()));
        }
        for page in own_data_pages(lang) {
            texts.extend(texts_of(page.first("main").unwrap()));
        }
        for verdict in verdicts() {
            let text = verdict_text(&verdict, Scope::List, &[], lang);
            texts.extend(
                text.lines
                    .into_iter()
                    .chain(text.remarks)
                    .chain(text.more)
                    .chain([text.title]),
            );
        }
    }
    for text in texts {
        for word in FORBIDDEN {
            assert!(!text.contains(word), "{word}: {text}");
        }
        let check = text.split(|letter: char| !letter.is_alphanumeric());
        let is_check = |word: &str| word.len() == 2 && word.starts_with('P') && word.ends_with(char::is_numeric);
        assert!(!check.clone().any(is_check), "{text}");
    }
}

/// What authorities and technical details say is no text of the page, so it is looked for in the facts as well.
#[test]
fn the_technical_details_have_no_such_word_either() {
    let page = citizen_element(Lang::De, "/abrufe/17", &access());
    let mut labels = Vec::new();
    collect(&page, &mut labels);
    assert!(labels.len() > 30);
    for label in labels {
        assert!(!FORBIDDEN.iter().any(|word| label.contains(word)), "{label}");
    }
}

fn collect(element: &Element, labels: &mut Vec<String>) {
    if element.name == "dt" {
        labels.push(element.text_content());
    }
    element.elements().for_each(|child| collect(child, labels));
}

/// The texts of `<main>` of a page that exists as HTML alone, without commands, keys and what authorities have written.
fn html_texts(page: &str) -> Vec<String> {
    let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let mut texts = vec![String::new()];
    let mut skipped: Option<&str> = None;
    for part in main.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        let name = tag.split(' ').next().unwrap();
        let own = name.trim_start_matches('/');
        match skipped {
            Some(until) if name.strip_prefix('/') == Some(until) => skipped = None,
            Some(_) => continue,
            None if ["pre", "bdi", "svg"].contains(&name) => {
                skipped = Some(name);
                continue;
            }
            None => {}
        }
        if BLOCKS.contains(&own) {
            texts.push(String::new());
        }
        texts.last_mut().unwrap().push_str(text);
    }
    texts.retain(|text| text.chars().any(char::is_alphabetic));
    texts
}

#[test]
fn every_public_page_in_easy_german_is_easier_to_read_than_newspapers() {
    for page in easy_pages(Lang::Leicht) {
        let texts = html_texts(&page);
        let found = lix(&texts);
        assert!(found <= MAX_LIX, "{found}: {texts:#?}");
        for text in texts {
            assert!(!FORBIDDEN.iter().any(|word| text.contains(word)), "{text}");
        }
    }
}

/// Without it, a text that was forgotten would be the German one.
#[test]
fn easy_german_has_its_own_words_on_every_public_page() {
    for (german, easy) in easy_pages(Lang::De).iter().zip(easy_pages(Lang::Leicht)) {
        let german = html_texts(german);
        let same: Vec<String> = html_texts(&easy)
            .into_iter()
            .filter(|text| german.contains(text))
            .collect();
        let long: Vec<&String> = same.iter().filter(|text| text.len() > 60).collect();
        // The introductions of the Registerlandkarte and the log are in easy German alone.
        let introduction = easy.contains("in schwerer Sprache");
        assert!(introduction || long.is_empty(), "{long:#?}");
    }
}
