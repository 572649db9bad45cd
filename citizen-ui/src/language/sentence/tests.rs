#![allow(clippy::unwrap_used, clippy::panic)]
use record::{Outcome, ParticipantId, Power, SharedPart, VoidRecord};
use tlog::Hash;

use super::*;
use crate::proof::access::OpenedEntry;
use crate::samples::{self, TIME};
use text::phrase::Origin;

fn exchange(outcome: Option<Outcome>) -> Access {
    let mut opened = vec![samples::intent()];
    opened.extend(outcome.map(samples::outcome));
    Access::of(opened).unwrap()
}

#[test]
fn every_outcome_has_a_sentence_in_each_language() {
    let wanted = "Die Stadt Musterhausen wollte beim Kraftfahrt-Bundesamt Ihre Unterlage „Zulassungsbescheinigung Teil I“ abrufen.";
    let asked = "Die Stadt Musterhausen hat beim Kraftfahrt-Bundesamt nach Ihren Daten gefragt. Es geht um: „Zulassungsbescheinigung Teil I“.";
    for (outcome, german, easy) in [
        (
            Some(Outcome::Delivered),
            "Die Stadt Musterhausen hat beim Kraftfahrt-Bundesamt Ihre Unterlage „Zulassungsbescheinigung Teil I“ abgerufen.".to_owned(),
            "Die Antwort war: Ja. Die Daten sind dort.",
        ),
        (
            Some(Outcome::NothingFound),
            format!("{wanted} Es wurde nichts gefunden."),
            "Es gab keine Daten.",
        ),
        (
            Some(Outcome::Refused),
            format!("{wanted} Das wurde abgelehnt. Es flossen keine Daten."),
            "Die Antwort war: Nein. Keine Daten sind dort.",
        ),
        (
            Some(Outcome::Failed),
            format!("{wanted} Das ist technisch gescheitert."),
            "Die Technik ging nicht.",
        ),
        (
            Some(Outcome::TimedOut),
            format!("{wanted} Es kam keine Antwort."),
            "Es kam keine Antwort.",
        ),
        (
            None,
            format!("{} Das Ergebnis steht noch aus.", wanted.replace("wollte", "will")),
            "Die Antwort ist noch nicht da.",
        ),
    ] {
        let access = exchange(outcome);
        assert_eq!(sentence(&access, Lang::De).text(), german);
        assert_eq!(sentence(&access, Lang::Leicht).text(), format!("{asked} {easy}"));
        let because = reason(&access, Lang::De).unwrap().text();
        assert_eq!(because, "Weil: Antrag auf einen Bewohnerparkausweis");
    }
}

#[test]
fn a_request_that_the_authority_has_withdrawn_is_not_called_unanswered() {
    let Access::Exchange(mut withdrawn) = exchange(Some(Outcome::TimedOut)) else {
        panic!("an exchange");
    };
    withdrawn.internal_reason = Some("withdrawn".into());
    assert_eq!(Ending::of_exchange(&withdrawn), Ending::Withdrawn);
    let access = Access::Exchange(withdrawn);
    for (lang, end) in [
        (Lang::De, " abrufen. Die Anfrage wurde zurückgezogen."),
        (Lang::En, ". The request was withdrawn."),
        (Lang::Leicht, " Das Amt wollte keine Antwort mehr."),
    ] {
        let text = sentence(&access, lang).text();
        assert!(text.ends_with(end), "{text}");
    }
}

#[test]
fn an_english_sentence_marks_each_german_part() {
    let phrase = sentence(&exchange(Some(Outcome::Refused)), Lang::En);
    assert_eq!(
        phrase.text(),
        "Stadt Musterhausen tried to retrieve your document “Zulassungsbescheinigung Teil I” from \
         Kraftfahrt-Bundesamt. This was refused. No data were sent."
    );
    let german = phrase.0.iter().filter(|part| part.origin == Origin::German);
    let german: Vec<&str> = german.map(|part| part.text.as_str()).collect();
    assert_eq!(
        german,
        [
            "Stadt Musterhausen",
            "Zulassungsbescheinigung Teil I",
            "Kraftfahrt-Bundesamt"
        ]
    );
}

#[test]
fn the_sentence_names_the_role_of_the_citizen() {
    let text = in_role(SubjectRole::ThirdPerson, None, Lang::De);
    assert!(text.contains("als dritte Person") && !text.contains("Ihre"), "{text}");
}

fn in_role(role: SubjectRole, power: Option<Power>, lang: Lang) -> String {
    let mut intent = samples::intent();
    if let Some(SharedPart::Exchange(record)) = &mut intent.shared {
        (record.role, record.representation) = (role, power);
    }
    sentence(&Access::of(vec![intent]).unwrap(), lang).text()
}

#[test]
fn a_representative_is_named_by_role_to_both_persons() {
    let as_child = in_role(SubjectRole::DataSubject, Some(Power::Parent), Lang::De);
    assert!(
        as_child.contains("Ihre Unterlage") && as_child.ends_with("hat dabei für Sie gehandelt."),
        "{as_child}"
    );
    let as_parent = in_role(SubjectRole::Representative, Some(Power::Parent), Lang::De);
    assert!(
        as_parent.contains("die Unterlage") && as_parent.ends_with("für Ihr Kind gehandelt."),
        "{as_parent}"
    );
    let mut seen = std::collections::BTreeSet::new();
    for power in Power::ALL {
        for lang in Lang::PUBLIC {
            for role in [SubjectRole::DataSubject, SubjectRole::Representative] {
                assert!(seen.insert(in_role(role, Some(power), lang)), "{power:?}");
            }
        }
    }
}

#[test]
fn the_sentence_of_an_expired_access_says_that_the_rest_is_erased() {
    let erased = |mut opened: Vec<OpenedEntry>| {
        opened
            .iter_mut()
            .for_each(|entry| (entry.shared, entry.citizen) = (None, None));
        Access::of(opened).unwrap()
    };
    let exchange = erased(vec![samples::intent(), samples::outcome(Outcome::Delivered)]);
    assert_eq!(
        sentence(&exchange, Lang::De).text(),
        "Am 21.11.2026 hat eine Behörde Daten über Sie angefragt. Welche und warum, ist seit dem 22.11.2028 gelöscht, \
         wie das Gesetz es verlangt."
    );
    for opened in [vec![samples::intent()], vec![samples::inspection()]] {
        let access = erased(opened);
        for lang in Lang::PUBLIC {
            assert!(sentence(&access, lang).text().contains("22.11.2028"));
        }
        assert!(
            sentence(&access, Lang::Leicht)
                .text()
                .ends_with("Darum ist es gelöscht.")
        );
        assert_eq!(reason(&access, Lang::De), None);
    }
}

#[test]
fn visits_and_requests_that_were_not_made_have_sentences() {
    let access = Access::of(vec![samples::inspection()]).unwrap();
    assert_eq!(
        sentence(&access, Lang::De).text(),
        "Sie haben Ihre Abrufe hier geöffnet."
    );
    let mut other = samples::inspection();
    if let Some(SharedPart::Inspection(record)) = &mut other.shared {
        record.reason = "Aktenzeichen 7.".into();
    }
    let other = Access::of(vec![other]).unwrap();
    assert_eq!(
        sentence(&other, Lang::De).text(),
        "„Datenschutzcockpit“ hat Ihre Abrufe geöffnet. Grund: Aktenzeichen 7."
    );
    let unused = Access::Unused {
        stamp: EntryStamp { index: 5, time: TIME },
        record: VoidRecord {
            consumer: ParticipantId::new("stadt-x").unwrap(),
            s1_digest: Hash([0; 32]),
        },
    };
    for lang in Lang::ALL {
        assert!(sentence(&unused, lang).text().contains("stadt-x"));
    }
}

#[test]
fn a_release_says_who_receives_which_data_and_why() {
    let access = Access::of(vec![samples::release()]).unwrap();
    let data = "Identifikationsnummer, Familienname.";
    for (lang, before, why) in [
        (
            Lang::De,
            "Das Kraftfahrt-Bundesamt bekommt diese Daten über Sie aus der Datenbank der Identifikationsnummern: ",
            "Weil: ",
        ),
        (
            Lang::En,
            "Kraftfahrt-Bundesamt receives these data about you from the database of identification numbers: ",
            "Because: ",
        ),
        (
            Lang::Leicht,
            "Das Kraftfahrt-Bundesamt bekommt diese Daten über Sie: ",
            "Der Grund: ",
        ),
    ] {
        assert_eq!(sentence(&access, lang).text(), format!("{before}{data}"));
        let occasion = "Aufnahme der Identifikationsnummer in ein Register";
        assert_eq!(reason(&access, lang).unwrap().text(), format!("{why}{occasion}"));
    }
}

#[test]
fn every_decision_at_a_preview_is_in_the_sentence() {
    for decision in PreviewDecision::ALL {
        let opened = vec![
            samples::intent(),
            samples::outcome(Outcome::Delivered),
            samples::preview(decision),
        ];
        let access = Access::of(opened).unwrap();
        let may_use = decision == PreviewDecision::Accepted;
        for (lang, forbidden) in [
            (Lang::De, "darf sie nicht verwenden"),
            (Lang::En, "may not use it"),
            (Lang::Leicht, "nicht benutzen"),
        ] {
            let text = sentence(&access, lang).text();
            assert_eq!(text.contains(forbidden), !may_use, "{text}");
            assert!(text.len() > sentence(&exchange(Some(Outcome::Delivered)), lang).text().len());
        }
    }
}

#[test]
fn what_the_citizen_has_caused_is_no_authoritys() {
    let said = |ended, lang| {
        let access = Access::of(samples::own_request(ended)).unwrap();
        let asked_for = reason(&access, lang).map(|reason| reason.text());
        assert_eq!(asked_for.as_deref(), Some("Zulassungsbescheinigung Teil I"));
        sentence(&access, lang).text()
    };
    let asked = "Sie haben beim Kraftfahrt-Bundesamt gefragt, was dort über Sie steht.";
    assert_eq!(
        said(Outcome::Delivered, Lang::De),
        format!("{asked} Ihre Daten wurden Ihnen gezeigt.")
    );
    assert_eq!(
        said(Outcome::NothingFound, Lang::De),
        format!("{asked} Es wurde nichts gefunden.")
    );
    for ended in [Outcome::Refused, Outcome::Failed, Outcome::TimedOut] {
        assert_eq!(said(ended, Lang::De), format!("{asked} Es kam keine Antwort."));
    }
    for lang in Lang::ALL {
        assert!(!said(Outcome::Delivered, lang).contains("Musterhausen"));
    }
}
