//! The codes that other compartments write into records, in plain language. Unknown codes are cited unchanged.

use crate::language::lang::Lang;
use text::phrase::Phrase;

/// Code, German, English.
type Translation = (&'static str, &'static str, &'static str);

const TOLD_REASONS: [Translation; 4] = [
    ("delivered", "Daten übermittelt", "data sent"),
    ("nothing found", "nichts gefunden", "nothing found"),
    ("refused", "abgelehnt", "refused"),
    ("not available", "nicht verfügbar", "not available"),
];

/// Internal reasons: the provider's checks (P1 to P9), and failures that the broker observed.
const INTERNAL_REASONS: [Translation; 24] = [
    (
        "clock",
        "Die Uhren der beteiligten Stellen gingen verschieden. Das ist ein technischer Fehler und keine Entscheidung.",
        "The clocks of the bodies involved differed. This is a technical fault and no decision.",
    ),
    (
        "evidence-infected",
        "Der Nachweis enthielt Schadsoftware und wurde nicht übermittelt.",
        "The evidence contained malware and was not sent.",
    ),
    (
        "scanner-unavailable",
        "Der Nachweis konnte nicht auf Schadsoftware geprüft werden und wurde deshalb nicht übermittelt.",
        "The evidence could not be scanned for malware and was therefore not sent.",
    ),
    (
        "too-late",
        "Die Anfrage kam zu spät an: Der Weg hat zu lange gedauert, oder eine Uhr ging falsch. Das Register wurde nicht gefragt.",
        "The request arrived too late: the way took too long, or a clock was wrong. The register was not asked.",
    ),
    (
        "P1",
        "Der Beleg des Protokolls fehlte oder war nicht gültig.",
        "The log's receipt was missing or not valid.",
    ),
    (
        "P2",
        "Die Unterschriften der anfragenden Stelle waren nicht gültig.",
        "The asking body's signatures were not valid.",
    ),
    (
        "P3",
        "Die Angaben zu Ihrer Person waren nicht gültig.",
        "The identity service's part was not valid.",
    ),
    (
        "P4",
        "Der Beweis der Nummer im Protokoll war nicht gültig.",
        "The proof of the number in the log was not valid.",
    ),
    (
        "P5",
        "Frühere Einträge fehlten im Protokoll.",
        "Earlier entries were missing in the log.",
    ),
    (
        "P6",
        "Die Aufzeichnung passte nicht zur Anfrage.",
        "The record did not fit the request.",
    ),
    (
        "P7",
        "Die Registerlandkarte erlaubt diesen Abruf nicht.",
        "The Registerlandkarte does not allow this retrieval.",
    ),
    (
        "P8",
        "Die Frist war abgelaufen, als die Anfrage ankam.",
        "The deadline had passed when the request arrived.",
    ),
    (
        "P9",
        "Dieser Vorgang war schon bearbeitet.",
        "This exchange had been served before.",
    ),
    (
        "P10",
        "Ihre Anmeldung war nicht nachgewiesen, zu alt oder schon benutzt, oder das Vertrauensniveau war zu niedrig.",
        "Your login was not proved, was too old or used before, or its level of assurance was too low.",
    ),
    (
        "P11",
        "Der Nachweis der Vertretung fehlte, war abgelaufen oder passte nicht.",
        "The power of the person who acted was not proved, had expired or did not suit.",
    ),
    (
        "representative-not-recorded",
        "Der Abruf war nicht für beide Menschen eingetragen. Ihr Register wurde nicht gefragt.",
        "The request was not recorded for both persons. The register was not asked.",
    ),
    (
        "provider-unreachable",
        "Die antwortende Stelle war nicht erreichbar. Ihr Register wurde nicht gefragt.",
        "The answering body could not be reached. Its register was not asked.",
    ),
    (
        "provider-refused",
        "Die antwortende Stelle hat die Anfrage nicht angenommen. Ihr Register wurde nicht gefragt.",
        "The answering body did not accept the request. Its register was not asked.",
    ),
    (
        "request-too-large",
        "Die Anfrage war zu groß. Das Register wurde nicht gefragt.",
        "The request was too large. The register was not asked.",
    ),
    (
        "no-answer",
        "Von der antwortenden Stelle ist keine Antwort angekommen. Ihr Register kann gelesen worden sein.",
        "No answer of the answering body arrived. Its register may have been read.",
    ),
    (
        "withdrawn",
        "Die anfragende Stelle wollte keine Antwort mehr, bevor die Unterlage bereit war. Übermittelt wurde nichts.",
        "The asking body wanted no answer any more before the evidence was ready. Nothing was sent.",
    ),
    (
        "register-unavailable",
        "Das Register der antwortenden Stelle hat nicht geantwortet.",
        "The answering body's register did not answer.",
    ),
    (
        "evidence-too-large",
        "Die Unterlage war für die Übermittlung zu groß. Das Register wurde gelesen, übermittelt wurde nichts.",
        "The evidence was too large to be sent. The register was read, and nothing was sent.",
    ),
    (
        "evidence-unusable",
        "Die Unterlage ließ sich nicht übermitteln. Das Register wurde gelesen, übermittelt wurde nichts.",
        "The evidence could not be sent. The register was read, and nothing was sent.",
    ),
];

const CHECK_NAMES: [Translation; 3] = [
    (
        "consumer's signatures",
        "Unterschriften der anfragenden Stelle",
        "signatures of the asking body",
    ),
    (
        "abstract permission",
        "Erlaubnis in der Registerlandkarte",
        "permission in the Registerlandkarte",
    ),
    (
        "provider's signature",
        "Unterschrift der antwortenden Stelle",
        "signature of the answering body",
    ),
];

const INSPECTION_REASONS: [Translation; 1] = [("own-login", "Ihre eigene Anmeldung", "your own login")];

/// The reason that the requester received.
pub(crate) fn told_reason(code: &str, lang: Lang) -> Phrase {
    find(&TOLD_REASONS, code, lang)
}

/// The internal reason, which the requester did not receive.
pub(crate) fn internal_reason(code: &str, lang: Lang) -> Phrase {
    find(&INTERNAL_REASONS, code, lang)
}

/// The name of a check.
pub(crate) fn check_name(code: &str, lang: Lang) -> Phrase {
    find(&CHECK_NAMES, code, lang)
}

/// Why a reader opened records.
pub(crate) fn inspection_reason(code: &str, lang: Lang) -> Phrase {
    find(&INSPECTION_REASONS, code, lang)
}

fn find(table: &[Translation], code: &str, lang: Lang) -> Phrase {
    match table.iter().find(|(known, _, _)| *known == code) {
        Some((_, german, english)) => Phrase::said(match lang {
            Lang::De | Lang::Leicht => german,
            Lang::En => english,
        }),
        None => Phrase::cited(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_are_translated_and_others_are_kept() {
        assert_eq!(told_reason("nothing found", Lang::De), Phrase::said("nichts gefunden"));
        assert_eq!(
            internal_reason("P7", Lang::En),
            Phrase::said("The Registerlandkarte does not allow this retrieval.")
        );
        assert_eq!(internal_reason("P12", Lang::De), Phrase::cited("P12"));
        assert_eq!(
            inspection_reason("own-login", Lang::De),
            Phrase::said("Ihre eigene Anmeldung")
        );
        assert_eq!(
            check_name("provider's signature", Lang::De),
            Phrase::said("Unterschrift der antwortenden Stelle")
        );
    }
}
