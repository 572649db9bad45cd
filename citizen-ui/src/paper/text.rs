//! The words that only documents have.

use crate::language::lang::Lang;

pub(super) struct PaperText {
    /// Before the name of the person.
    pub(super) of: &'static str,
    /// After the name of the person.
    pub(super) made: fn(when: &str) -> String,
    pub(super) complete: fn(exchanges: &str, visits: &str, as_of: &str) -> String,
    pub(super) unchecked: &'static str,
    pub(super) failed: &'static str,
    /// How to check without the portal, with a bundle and without one.
    pub(super) attached: &'static [&'static str],
    pub(super) check: &'static [&'static str],
    pub(super) code: &'static str,
    pub(super) entries: fn(indices: &str) -> String,
    pub(super) footer: fn(title: &str, when: &str) -> String,
    pub(super) page: fn(page: usize, pages: usize) -> String,
    /// Of letters, which are German.
    pub(super) to_supervision: &'static str,
    pub(super) receipt: fn(index: u64, file: &str) -> String,
    pub(super) entry: &'static str,
    pub(super) code_entry: &'static str,
}

impl Lang {
    pub(super) fn paper(self) -> &'static PaperText {
        match self {
            Self::De => &GERMAN,
            Self::En => &ENGLISH,
            Self::Leicht => &EASY,
        }
    }
}

const GERMAN: PaperText = PaperText {
    of: "Für ",
    made: |when| format!(". Erstellt am {when}."),
    complete: |exchanges, visits, as_of| {
        format!("Das sind alle bis zum {as_of}: {exchanges}, {visits}. Geprüft hat das unser Server.")
    },
    unchecked: "Ob etwas fehlt, ist noch nicht geprüft.",
    failed: "Achtung: Ob etwas fehlt, konnte unser Server nicht prüfen.",
    attached: &[
        "Prüfen Sie selbst, dass nichts fehlt: Dieser PDF-Datei ist die Datei „eintraege.bundle“ beigefügt. Ihr Browser prüft sie auf der Seite mit dieser Adresse.",
        "In der beigefügten Datei steht Ihre ID-Nummer. Geben Sie diese PDF-Datei nicht weiter.",
    ],
    check: &["Wie Sie Ihre Einträge selbst prüfen, steht auf der Seite mit dieser Adresse."],
    code: "QR-Code mit der Adresse der Seite, auf der Sie prüfen",
    entries: |indices| format!("Eintrag {indices}"),
    footer: |title, when| format!("{title}, {when}"),
    page: |page, pages| format!("Seite {page} von {pages}"),
    to_supervision: "An die Datenschutzaufsicht",
    receipt: |index, file| {
        format!(
            "Dieser PDF-Datei ist der Beleg für Eintrag {index} beigefügt: „{file}“. Damit können Sie selbst prüfen, dass der Eintrag im Protokoll steht. Er enthält keine Daten über mich."
        )
    },
    entry: "Der Eintrag steht auch auf der Seite mit dieser Adresse:",
    code_entry: "QR-Code mit der Adresse des Eintrags im öffentlichen Protokoll",
};

const ENGLISH: PaperText = PaperText {
    of: "For ",
    made: |when| format!(". Made on {when} (German time)."),
    complete: |exchanges, visits, as_of| {
        format!("These are all until {as_of}: {exchanges}, {visits}. Our server has checked that.")
    },
    unchecked: "Whether anything is missing is not checked yet.",
    failed: "Attention: our server could not check whether anything is missing.",
    attached: &[
        "Check by yourself that nothing is missing: the file “eintraege.bundle” is attached to this PDF file. Your browser checks it on the page with this address.",
        "The attached file contains your ID number. Do not pass this PDF file on.",
    ],
    check: &["How you check your entries by yourself is on the page with this address."],
    code: "QR code with the address of the page on which you check",
    entries: |indices| format!("Entry {indices}"),
    page: |page, pages| format!("Page {page} of {pages}"),
    ..GERMAN
};

const EASY: PaperText = PaperText {
    complete: |exchanges, visits, as_of| {
        format!(
            "Ämter haben {exchanges} gefragt. Sie waren {visits} hier. Das ist alles bis zum {as_of}. Unser Computer hat das geprüft."
        )
    },
    unchecked: "Wir haben noch nicht geprüft: Fehlt etwas?",
    failed: "Achtung! Wir konnten nicht prüfen: Fehlt etwas?",
    attached: &[
        "Sie können selbst prüfen: Fehlt etwas? Der Beweis ist in dieser PDF-Datei. Die Seite mit dieser Adresse prüft ihn.",
        "Im Beweis steht Ihre Nummer. Geben Sie diese Datei keinem anderen.",
    ],
    check: &["Sie können selbst prüfen. Auf dieser Seite steht, wie das geht."],
    ..GERMAN
};
