//! The kinds of entries in words.

use record::Kind;

use crate::language::lang::Lang;

/// The name of a kind, and what an entry of it means.
pub(super) const fn words(kind: Kind, lang: Lang) -> (&'static str, &'static str) {
    match lang {
        Lang::De | Lang::Leicht => german(kind),
        Lang::En => english(kind),
    }
}

const fn german(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Genesis => (
            "Anfang des Protokolls",
            "Hier stehen die ersten Schlüssel. Alles Weitere hängt daran.",
        ),
        Kind::Directory => (
            "Verzeichnis",
            "Eine neue Fassung des Verzeichnisses: welche Stellen mitmachen und mit welchen Schlüsseln.",
        ),
        Kind::Registry => (
            "Registerlandkarte",
            "Eine neue Fassung der Registerlandkarte: wer was abrufen darf.",
        ),
        Kind::Period => (
            "Zeitabschnitt",
            "Ein Zeitabschnitt beginnt, ist abgeschlossen oder ist gelöscht.",
        ),
        Kind::Map => (
            "Prüfsumme",
            "Prüfsummen über alle Einträge davor. Daran erkennt ein Browser, dass nichts fehlt.",
        ),
        Kind::Intent => (
            "Abruf",
            "Eine Behörde will eine Unterlage abrufen. Dieser Eintrag steht hier, bevor das Register gefragt wird.",
        ),
        Kind::Outcome => (
            "Ende eines Abrufs",
            "So ist der Abruf ausgegangen. Wie, das sehen nur die Beteiligten.",
        ),
        Kind::Denial => (
            "Abgewiesene Anfrage",
            "Eine Behörde wollte etwas abrufen, das sie gar nicht abrufen darf. Um wen es ging, wurde nicht festgestellt.",
        ),
        Kind::Preview => (
            "Vorschau",
            "Eine Person hat die Unterlage vorher gesehen und entschieden.",
        ),
        Kind::Void => ("Nummer ohne Abruf", "Eine Nummer war vergeben und wurde nicht benutzt."),
        Kind::Lost => ("Abgebrochener Abruf", "Dieser Abruf lässt sich nicht mehr abschließen."),
        Kind::Inspection => (
            "Besuch",
            "Jemand hat Einträge geöffnet, zum Beispiel eine Person ihre eigenen.",
        ),
        Kind::Hold => ("Sperre der Löschung", "Ein Eintrag wird länger aufbewahrt."),
        Kind::HoldRelease => ("Ende einer Sperre", "Der Eintrag darf wieder gelöscht werden."),
        Kind::Rectification => ("Berichtigung", "Ein früherer Eintrag wird berichtigt."),
        Kind::Erasure => ("Löschung", "Fällige Beschreibungen sind gelöscht."),
    }
}

const fn english(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Genesis => (
            "Beginning of the log",
            "Here are the first keys. Everything else depends on them.",
        ),
        Kind::Directory => (
            "Directory",
            "A new version of the directory: which bodies take part, and with which keys.",
        ),
        Kind::Registry => (
            "Registerlandkarte",
            "A new version of the Registerlandkarte: who may retrieve what.",
        ),
        Kind::Period => ("Period", "A period begins, is closed, or is erased."),
        Kind::Map => (
            "Digest",
            "Digests over all entries before. By them a browser sees that nothing is missing.",
        ),
        Kind::Intent => (
            "Retrieval",
            "An authority is about to retrieve evidence. This entry is here before the register is asked.",
        ),
        Kind::Outcome => (
            "End of a retrieval",
            "This is how the retrieval ended. How, only those involved can see.",
        ),
        Kind::Denial => (
            "Refused request",
            "An authority asked for something that it may not retrieve at all. It was not established whom it was about.",
        ),
        Kind::Preview => ("Preview", "A person has seen the evidence before and decided."),
        Kind::Void => ("Number without a retrieval", "A number was issued and not used."),
        Kind::Lost => ("Broken-off retrieval", "This retrieval can no longer be closed."),
        Kind::Inspection => (
            "Visit",
            "Entries were opened, for example by a person who opened their own.",
        ),
        Kind::Hold => ("Hold", "An entry is kept longer."),
        Kind::HoldRelease => ("End of a hold", "The entry may be erased again."),
        Kind::Rectification => ("Correction", "An earlier entry is corrected."),
        Kind::Erasure => ("Erasure", "Descriptions that were due are erased."),
    }
}
