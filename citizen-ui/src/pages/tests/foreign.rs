//! What others have written is marked and isolated on every page.

use record::{CitizenPart, Party, SharedPart};

use super::*;

#[test]
fn the_english_list_marks_german_parts() {
    let page = citizen(Lang::En, "/abrufe", &access());
    assert!(page.contains("<bdi lang=\"de\">Kraftfahrt-Bundesamt</bdi>"), "{page}");
    assert!(page.contains("Your browser has not checked this page yet"));
}

/// The text of a document that a quoted text in it could reach: what is in no tag and in no isolated element.
fn not_isolated(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, content) = after.split_once('>').unwrap();
        let name = tag.split(' ').next().unwrap();
        // The text of a picture is drawn by itself, and a field has its text in an attribute.
        let by_itself = ["bdi", "text", "desc"].contains(&name);
        let isolated = by_itself || (tag.contains("dir=\"auto\"") && name != "input");
        rest = if isolated {
            content.split_once(&format!("</{name}>")).unwrap().1
        } else {
            content
        };
    }
    text + rest
}

/// A text with a right-to-left override, which would turn around whatever follows it up to the end of the paragraph.
const FOREIGN: &str = "\u{202e}foreign";

/// Every text of a party.
fn all_of(party: &mut Party) -> [&mut String; 10] {
    [
        &mut party.directory,
        &mut party.identifier,
        &mut party.name,
        &mut party.component,
        &mut party.responsible,
        &mut party.operating,
        &mut party.subject,
        &mut party.at,
        &mut party.contact,
        &mut party.data_protection,
    ]
}

/// Replaces every text of a record.
fn make_foreign(shared: &mut SharedPart) {
    let mut texts: Vec<&mut String> = Vec::new();
    match shared {
        SharedPart::Exchange(record) => {
            for party in [&mut record.consumer, &mut record.provider] {
                texts.extend(all_of(party));
            }
            texts.extend([&mut record.evidence.id, &mut record.evidence.title]);
            texts.extend(&mut record.evidence.categories);
            texts.extend([&mut record.why.purpose, &mut record.why.occasion]);
            texts.extend([&mut record.why.procedure, &mut record.why.legal_basis]);
            texts.push(&mut record.allowed_by.permission);
            texts.extend([&mut record.ids.request_reference, &mut record.ids.trace]);
            if let Some(result) = &mut record.result {
                texts.push(&mut result.told);
                let checks = result.checks.iter_mut();
                texts.extend(checks.flat_map(|check| [&mut check.name, &mut check.algorithm]));
            }
        }
        SharedPart::Inspection(record) => texts.extend([&mut record.reader, &mut record.reason]),
        SharedPart::Release(record) => {
            texts.extend(all_of(&mut record.receiver));
            texts.extend([&mut record.why.purpose, &mut record.why.occasion]);
            texts.extend([&mut record.why.procedure, &mut record.why.legal_basis]);
            let data = record.data.iter_mut();
            texts.extend(data.flat_map(|datum| [&mut datum.title, &mut datum.legal_basis, &mut datum.permission]));
        }
        SharedPart::Void(_) | SharedPart::Denied => {}
    }
    texts.into_iter().for_each(|text| *text = FOREIGN.to_owned());
}

#[test]
fn no_foreign_text_is_outside_of_an_isolated_element() {
    let mut outcome = samples::outcome(Outcome::Refused);
    outcome.citizen = Some(CitizenPart::with_reason(FOREIGN));
    for mut opened in [
        vec![samples::intent(), outcome],
        vec![samples::inspection()],
        vec![samples::release()],
    ] {
        opened
            .iter_mut()
            .filter_map(|entry| entry.shared.as_mut())
            .for_each(make_foreign);
        let access = Access::of(opened).unwrap();
        for lang in Lang::ALL {
            let facts: usize = facts(&access, lang)
                .iter()
                .flat_map(|group| &group.facts)
                .map(|fact| (fact.label.text() + &fact.value.text()).matches(FOREIGN).count())
                .sum();
            let isolated = |page: &str| page.to_lowercase().matches(&format!(">{FOREIGN}</bdi>")).count();
            let detail = citizen(lang, &format!("/abrufe/{}", access.first().index), &access);
            assert!(isolated(&detail) > facts, "{detail}");
            let pages = ["/abrufe", "/uebersicht", "/besuche"].map(|path| citizen(lang, path, &access));
            assert!(pages.iter().any(|page| isolated(page) > 0), "{pages:?}");
            for page in pages {
                let rest = not_isolated(&page);
                for foreign in [FOREIGN, "Emma", "Kraftfahrt-Bundesamt"] {
                    assert!(!rest.contains(foreign), "{foreign}: {rest}");
                }
            }
            let rest = not_isolated(&detail);
            assert!(!rest.contains(FOREIGN), "{rest}");
        }
    }
    let log = log_page(Lang::De, checked_log());
    for foreign in [
        " data-witness=\"eins\">eins<",
        " data-witness=\"zwei\">zwei<",
        ">example.org/log<",
        ">example.org/log\n1234\n<",
    ] {
        assert!(log.contains(&format!("<bdi{foreign}/bdi>")), "{foreign}: {log}");
    }
}
