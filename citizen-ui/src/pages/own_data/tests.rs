//! The pages in every language: complete, escaped, counted.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::language::lang::Lang;

pub(in crate::pages) fn registers() -> Vec<OwnRegister> {
    let register = |component: &str, register: &str, body: &str| OwnRegister {
        component: component.into(),
        evidence: "bestand".into(),
        register: register.into(),
        body: body.into(),
        contact: "klaerung@kba.example".into(),
        categories: vec!["Fahrzeugdaten".into(), "<Halter>".into()],
        permission: "bestandsdaten-zfzr@1".into(),
    };
    vec![
        register("bund:kba:zfzr", "Zentrales Fahrzeugregister", "Kraftfahrt-Bundesamt"),
        register("land:lam", "Melderegister", "Landesamt & Co"),
    ]
}

pub(in crate::pages) fn found() -> OwnAnswer {
    OwnAnswer::Found {
        issued_at: Some(1_795_266_180),
        sections: vec![OwnSection {
            title: "Halterdaten".into(),
            fields: vec![
                ("Kennzeichen".into(), "RH-EM 1 <b>".into()),
                ("Bemerkung".into(), String::new()),
            ],
        }],
    }
}

/// The elements of all pages, for the tests of words.
pub(in crate::pages) fn elements(frame: &Frame) -> Vec<Element> {
    let [first, second] = registers().try_into().unwrap();
    let counts = OwnCounts {
        asked: 3,
        found: 1,
        nothing: 1,
        unreachable: 1,
    };
    let all = [
        answer_of(frame, 1, &first, &found()),
        answer_of(frame, 2, &first, &OwnAnswer::Nothing),
        answer_of(frame, 3, &second, &OwnAnswer::Unreachable),
        counters(frame, counts),
    ];
    vec![
        question(frame, &OwnRegisters::Known(registers())),
        question(frame, &OwnRegisters::Known(Vec::new())),
        question(frame, &OwnRegisters::Blocked),
        answers(frame, 3, all.into_iter().map(Node::Element).collect()),
    ]
}

fn frame(lang: Lang) -> Frame {
    Frame {
        lang,
        path: OWN_ANSWERS.into(),
        banner: None,
        session: None,
        script: None,
        island: false,
    }
}

#[test]
fn the_pieces_are_one_document_with_every_answer_escaped() {
    for lang in Lang::ALL {
        let page = OwnAnswers::new(&frame(lang), 2);
        let [first, second] = registers().try_into().unwrap();
        let mut counts = OwnCounts {
            asked: 2,
            ..OwnCounts::default()
        };
        let mut whole = page.begin.clone();
        for (number, register, answer) in [(1, &first, found()), (2, &second, OwnAnswer::Unreachable)] {
            counts.add(&answer);
            whole.push_str(&page.answer(number, register, &answer));
        }
        whole.push_str(&page.counts(counts));
        whole.push_str(&page.end);
        assert!(whole.starts_with("<!DOCTYPE html><html lang=") && whole.ends_with("</html>"));
        assert!(!whole.contains(ANSWERS) && !whole.contains("<b>") && !whole.contains("& Co"));
        assert!(whole.contains("RH-EM 1 &lt;b&gt;"));
        let counted = |name: &str, count: usize| whole.contains(&format!("data-count=\"{name}\">{count}<"));
        assert!(counted("gefragt", 2) && counted("gefunden", 1) && counted("nichts", 0) && counted("unerreichbar", 1));
        // The register that did not answer can be asked again, alone.
        assert_eq!(
            whole
                .matches("type=\"hidden\" name=\"register\" value=\"land:lam\"")
                .count(),
            1
        );
        assert_eq!(whole.matches("<section").count(), whole.matches("</section>").count());
    }
}

#[test]
fn all_registers_are_chosen_and_a_blocked_person_is_sent_elsewhere() {
    let page = own_data(&frame(Lang::De), &OwnRegisters::Known(registers()));
    assert_eq!(page.matches("type=\"checkbox\"").count(), 2);
    assert_eq!(page.matches(" checked").count(), 2);
    assert!(page.contains("/de/registerlandkarte/erlaubnis/bestandsdaten-zfzr@1") && page.contains("&lt;Halter&gt;"));
    for registers in [OwnRegisters::Known(Vec::new()), OwnRegisters::Blocked] {
        assert!(!own_data(&frame(Lang::De), &registers).contains("<form"));
    }
    assert!(!format!("{:?}", found()).contains("RH-EM"));
}
