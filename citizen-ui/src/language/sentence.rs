//! The sentence that describes an access in plain language.
//!
//! The server calls [`sentence`] to render the page. The browser calls it on the access that it has verified itself and
//! compares the text with the page. Occasion, legal basis and the kinds of data are part of the sentence, so the
//! browser compares them too.

use record::{ExchangeRecord, ExpiryDay, InspectionRecord, Kind, Outcome, PreviewDecision, SubjectRole, VoidRecord};

use crate::language::codes;
use crate::language::lang::Lang;
use crate::language::local_time::{LocalTime, day};
use crate::language::names;
use crate::language::phrase::Phrase;
use crate::proof::access::{Access, EntryStamp};

/// Describes an access in one to four short sentences.
pub fn sentence(access: &Access, lang: Lang) -> Phrase {
    let mut phrase = Phrase::default();
    match (access, lang) {
        (Access::Exchange(exchange), Lang::De) => german(&mut phrase, exchange.intent, &exchange.record),
        (Access::Exchange(exchange), Lang::En) => english(&mut phrase, exchange.intent, &exchange.record),
        (Access::Inspection { stamp, record }, _) => inspection(&mut phrase, *stamp, record, lang),
        (Access::Unused { stamp, record }, _) => unused(&mut phrase, *stamp, record, lang),
        (
            Access::Expired {
                kind, stamp, expiry, ..
            },
            _,
        ) => expired(&mut phrase, *kind, *stamp, *expiry, lang),
    }
    phrase
}

fn german(phrase: &mut Phrase, intent: EntryStamp, record: &ExchangeRecord) {
    let when = LocalTime::of(intent.time);
    let whose = match record.role {
        SubjectRole::DataSubject => "Ihre Daten",
        SubjectRole::Representative => "Daten, bei denen Sie jemanden vertreten haben,",
        SubjectRole::ThirdPerson => "Daten, in denen Sie als dritte Person vorkommen,",
    };
    let (verb, end) = german_outcome(outcome(record));
    let end = record
        .preview
        .as_ref()
        .map_or(end, |preview| german_decision(preview.decision));
    let (article, mark) = names::subject(&record.consumer.name);
    phrase.say(article).quote(&record.consumer.name).say(mark);
    in_brackets(phrase, std::slice::from_ref(&record.consumer.component));
    phrase.say(&format!(" hat am {} um {} ", when.date, when.clock(Lang::De)));
    let (preposition, mark) = names::at(&record.provider.name);
    phrase.say(preposition).quote(&record.provider.name).say(mark);
    phrase
        .say(&format!(" {whose} „"))
        .quote(&record.evidence.title)
        .say("“");
    in_brackets(phrase, &record.evidence.categories);
    phrase
        .say(&format!(" {verb}. {end}Anlass: "))
        .quote(without_stop(&record.why.occasion))
        .say(". Rechtsgrundlage: ")
        .quote(without_stop(&record.why.legal_basis))
        .say(".");
}

fn german_outcome(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Delivered) => ("abgerufen", ""),
        Some(Outcome::NothingFound) => (
            "abrufen wollen",
            "Es wurde nichts gefunden. Es wurden keine Daten übermittelt. ",
        ),
        Some(Outcome::Refused) => (
            "abrufen wollen",
            "Das wurde abgelehnt. Die anfragende Stelle hat keine Daten erhalten. ",
        ),
        Some(Outcome::Failed) => (
            "abrufen wollen",
            "Das ist technisch gescheitert. Die anfragende Stelle hat keine Daten erhalten. ",
        ),
        Some(Outcome::TimedOut) => (
            "abrufen wollen",
            "Es kam keine Antwort in der vorgesehenen Zeit. Die anfragende Stelle hat keine Daten erhalten. ",
        ),
        None => ("angefragt", "Das Ergebnis ist noch nicht eingetragen. "),
    }
}

/// What was decided at the preview of delivered evidence.
fn german_decision(decision: PreviewDecision) -> &'static str {
    match decision {
        PreviewDecision::Accepted => "In der Vorschau wurde zugestimmt: Die Stelle darf die Daten verwenden. ",
        PreviewDecision::Rejected => "In der Vorschau wurde abgelehnt: Die Stelle darf die Daten nicht verwenden. ",
        PreviewDecision::Cancelled => {
            "In der Vorschau wurde der Vorgang abgebrochen: Die Stelle darf die Daten nicht verwenden. "
        }
        PreviewDecision::NotMade => {
            "In der Vorschau wurde nichts entschieden: Die Stelle darf die Daten nicht verwenden. "
        }
    }
}

fn english(phrase: &mut Phrase, intent: EntryStamp, record: &ExchangeRecord) {
    let when = LocalTime::of(intent.time);
    let (verb, end) = english_outcome(outcome(record));
    let end = record
        .preview
        .as_ref()
        .map_or(end, |preview| english_decision(preview.decision));
    phrase
        .say(&format!("On {} at {} (German time), ", when.date, when.clock(Lang::En)))
        .quote(&record.consumer.name);
    in_brackets(phrase, std::slice::from_ref(&record.consumer.component));
    phrase
        .say(&format!(" {verb} "))
        .say(match record.role {
            SubjectRole::DataSubject => "your data ",
            SubjectRole::Representative => "data for which you represented somebody, ",
            SubjectRole::ThirdPerson => "data in which you appear as a third person, ",
        })
        .say("„")
        .quote(&record.evidence.title)
        .say("“");
    in_brackets(phrase, &record.evidence.categories);
    phrase
        .say(", from ")
        .quote(&record.provider.name)
        .say(&format!(". {end}Occasion: "))
        .quote(without_stop(&record.why.occasion))
        .say(". Legal basis: ")
        .quote(without_stop(&record.why.legal_basis))
        .say(".");
}

fn english_outcome(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Delivered) => ("retrieved", ""),
        Some(Outcome::NothingFound) => ("tried to retrieve", "Nothing was found. No data were sent. "),
        Some(Outcome::Refused) => (
            "tried to retrieve",
            "This was refused. The asking body received no data. ",
        ),
        Some(Outcome::Failed) => (
            "tried to retrieve",
            "This failed for a technical reason. The asking body received no data. ",
        ),
        Some(Outcome::TimedOut) => (
            "tried to retrieve",
            "There was no answer in time. The asking body received no data. ",
        ),
        None => ("asked for", "The result has not been entered yet. "),
    }
}

fn english_decision(decision: PreviewDecision) -> &'static str {
    match decision {
        PreviewDecision::Accepted => "At the preview the use was agreed to: the body may use the data. ",
        PreviewDecision::Rejected => "At the preview the use was refused: the body may not use the data. ",
        PreviewDecision::Cancelled => "At the preview the procedure was broken off: the body may not use the data. ",
        PreviewDecision::NotMade => "At the preview nothing was decided: the body may not use the data. ",
    }
}

fn inspection(phrase: &mut Phrase, stamp: EntryStamp, record: &InspectionRecord, lang: Lang) {
    let when = LocalTime::of(stamp.time);
    let day = day(record.day);
    let reason = codes::inspection_reason(without_stop(&record.reason), lang);
    match lang {
        Lang::De => phrase
            .say(&format!("Besuch am {} um {}: „", when.date, when.clock(lang)))
            .quote(&record.reader)
            .say("“ hat Ihre Einträge geöffnet. Grund: ")
            .append(reason)
            .say(&format!(". Dieser Eintrag gilt für den {day}.")),
        Lang::En => phrase
            .say(&format!(
                "Visit on {} at {} (German time): „",
                when.date,
                when.clock(lang)
            ))
            .quote(&record.reader)
            .say("“ opened your entries. Reason: ")
            .append(reason)
            .say(&format!(". This entry stands for {day}.")),
    };
}

fn unused(phrase: &mut Phrase, stamp: EntryStamp, record: &VoidRecord, lang: Lang) {
    let when = LocalTime::of(stamp.time);
    match lang {
        Lang::De => phrase
            .say(&format!(
                "Am {} um {} wurde eine Nummer für eine Anfrage von „",
                when.date,
                when.clock(lang)
            ))
            .cite(record.consumer.as_str())
            .say("“ vergeben und nicht benutzt. Es wurden keine Daten übermittelt."),
        Lang::En => phrase
            .say(&format!(
                "On {} at {} (German time), a number for a request by „",
                when.date,
                when.clock(lang)
            ))
            .cite(record.consumer.as_str())
            .say("“ was given out and not used. No data were sent."),
    };
}

fn expired(phrase: &mut Phrase, kind: Kind, stamp: EntryStamp, expiry: ExpiryDay, lang: Lang) {
    let when = LocalTime::of(stamp.time);
    let day = day(expiry.0);
    let (date, time) = (&when.date, when.clock(lang));
    phrase.say(&match (lang, kind) {
        (Lang::De, Kind::Inspection) => format!(
            "Am {date} um {time} hat jemand Ihre Einträge geöffnet. Wer das war und warum, ist gelöscht: Es wurde bis zum {day} aufbewahrt."
        ),
        (Lang::De, Kind::Void) => format!(
            "Am {date} um {time} wurde eine Nummer für eine Anfrage vergeben und nicht benutzt. Wer sie bekam, ist gelöscht: Es wurde bis zum {day} aufbewahrt."
        ),
        (Lang::De, _) => format!(
            "Am {date} um {time} hat eine Behörde Daten über Sie angefragt. Wer das war, wo, warum und mit welchem Ergebnis, ist gelöscht: Es wurde bis zum {day} aufbewahrt."
        ),
        (Lang::En, Kind::Inspection) => format!(
            "On {date} at {time} (German time), somebody opened your entries. Who that was and why is erased: it was kept until {day}."
        ),
        (Lang::En, Kind::Void) => format!(
            "On {date} at {time} (German time), a number for a request was given out and not used. Who got it is erased: it was kept until {day}."
        ),
        (Lang::En, _) => format!(
            "On {date} at {time} (German time), an authority asked for data about you. Who that was, where, why and with which result is erased: it was kept until {day}."
        ),
    });
}

fn outcome(record: &ExchangeRecord) -> Option<Outcome> {
    record.result.as_ref().map(|result| result.outcome)
}

/// Adds the texts that are not empty in one pair of brackets, if there are any.
fn in_brackets(phrase: &mut Phrase, texts: &[String]) {
    let mut before = " (";
    for text in texts.iter().filter(|text| !text.is_empty()) {
        phrase.say(before).quote(text);
        before = ", ";
    }
    if before == ", " {
        phrase.say(")");
    }
}

/// Removes the full stop from a text of a record, because the sentence adds one.
fn without_stop(text: &str) -> &str {
    text.trim_end_matches(['.', ' '])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use record::{ParticipantId, SharedPart};
    use tlog::Hash;

    use super::*;
    use crate::language::phrase::Origin;
    use crate::proof::access::OpenedEntry;
    use crate::samples::{self, TIME};

    const START: &str = "Die Stadt Musterhausen (Bewohnerparken) hat am 21.11.2026 um 14:03 Uhr beim Kraftfahrt-Bundesamt Ihre Daten „Zulassungsbescheinigung Teil I“ (Fahrzeug, Halter) ";
    const END: &str = "Anlass: Antrag auf einen Bewohnerparkausweis. Rechtsgrundlage: § 45 Abs. 1b StVO.";

    fn exchange(outcome: Option<Outcome>) -> Access {
        let mut opened = vec![samples::intent()];
        opened.extend(outcome.map(samples::outcome));
        Access::of(opened).unwrap()
    }

    #[test]
    fn every_outcome_has_a_german_sentence() {
        let none = "Die anfragende Stelle hat keine Daten erhalten. ";
        for (outcome, middle) in [
            (Some(Outcome::Delivered), "abgerufen. ".to_owned()),
            (
                Some(Outcome::NothingFound),
                "abrufen wollen. Es wurde nichts gefunden. Es wurden keine Daten übermittelt. ".to_owned(),
            ),
            (
                Some(Outcome::Refused),
                format!("abrufen wollen. Das wurde abgelehnt. {none}"),
            ),
            (
                Some(Outcome::Failed),
                format!("abrufen wollen. Das ist technisch gescheitert. {none}"),
            ),
            (
                Some(Outcome::TimedOut),
                format!("abrufen wollen. Es kam keine Antwort in der vorgesehenen Zeit. {none}"),
            ),
            (None, "angefragt. Das Ergebnis ist noch nicht eingetragen. ".to_owned()),
        ] {
            assert_eq!(
                sentence(&exchange(outcome), Lang::De).text(),
                format!("{START}{middle}{END}")
            );
        }
    }

    #[test]
    fn every_decision_at_a_preview_has_a_sentence() {
        for decision in PreviewDecision::ALL {
            let opened = vec![
                samples::intent(),
                samples::outcome(Outcome::Delivered),
                samples::preview(decision),
            ];
            let access = Access::of(opened).unwrap();
            let (german, english) = (german_decision(decision), english_decision(decision));
            assert_eq!(
                sentence(&access, Lang::De).text(),
                format!("{START}abgerufen. {german}{END}")
            );
            assert!(sentence(&access, Lang::En).text().contains(english));
            let may_use = decision == PreviewDecision::Accepted;
            assert_eq!(german.contains("darf die Daten nicht verwenden"), !may_use);
        }
    }

    #[test]
    fn an_english_sentence_marks_each_german_part() {
        let phrase = sentence(&exchange(Some(Outcome::Refused)), Lang::En);
        assert_eq!(
            phrase.text(),
            "On 21.11.2026 at 14:03 (German time), Stadt Musterhausen (Bewohnerparken) tried to retrieve your data \
             „Zulassungsbescheinigung Teil I“ (Fahrzeug, Halter), from Kraftfahrt-Bundesamt. This was refused. The asking body \
             received no data. Occasion: Antrag auf einen Bewohnerparkausweis. Legal basis: § 45 Abs. 1b StVO."
        );
        let german: Vec<&str> = phrase
            .0
            .iter()
            .filter(|part| part.origin == Origin::German)
            .map(|part| part.text.as_str())
            .collect();
        assert_eq!(
            german,
            [
                "Stadt Musterhausen",
                "Bewohnerparken",
                "Zulassungsbescheinigung Teil I",
                "Fahrzeug",
                "Halter",
                "Kraftfahrt-Bundesamt",
                "Antrag auf einen Bewohnerparkausweis",
                "§ 45 Abs. 1b StVO"
            ]
        );
    }

    #[test]
    fn the_sentence_names_the_role_of_the_citizen() {
        for (role, words) in [
            (SubjectRole::Representative, "jemanden vertreten haben"),
            (SubjectRole::ThirdPerson, "als dritte Person"),
        ] {
            let mut intent = samples::intent();
            if let Some(SharedPart::Exchange(record)) = &mut intent.shared {
                record.role = role;
            }
            let access = Access::of(vec![intent]).unwrap();
            assert!(sentence(&access, Lang::De).text().contains(words));
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
        assert_eq!(
            sentence(
                &erased(vec![samples::intent(), samples::outcome(Outcome::Delivered)]),
                Lang::De
            )
            .text(),
            "Am 21.11.2026 um 14:03 Uhr hat eine Behörde Daten über Sie angefragt. Wer das war, wo, warum und mit welchem \
             Ergebnis, ist gelöscht: Es wurde bis zum 21.11.2028 aufbewahrt."
        );
        for opened in [vec![samples::intent()], vec![samples::inspection()]] {
            let access = erased(opened);
            assert!(sentence(&access, Lang::De).text().contains("gelöscht"));
            assert!(
                sentence(&access, Lang::En)
                    .text()
                    .contains("is erased: it was kept until 21.11.2028")
            );
        }
    }

    #[test]
    fn inspections_and_unused_numbers_have_sentences() {
        let access = Access::of(vec![samples::inspection()]).unwrap();
        assert_eq!(
            sentence(&access, Lang::De).text(),
            "Besuch am 21.11.2026 um 14:03 Uhr: „Datenschutzcockpit“ hat Ihre Einträge geöffnet. Grund: Ihre eigene \
             Anmeldung. Dieser Eintrag gilt für den 21.11.2026."
        );
        let unused = Access::Unused {
            stamp: EntryStamp { index: 5, time: TIME },
            record: VoidRecord {
                consumer: ParticipantId::new("stadt-x").unwrap(),
                s1_digest: Hash([0; 32]),
            },
        };
        for lang in Lang::ALL {
            let text = sentence(&unused, lang).text();
            assert!(text.contains("21.11.2026") && text.contains("stadt-x"), "{text}");
        }
    }
}
