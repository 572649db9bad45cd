//! The words of the public page about checking.

use crate::language::lang::Lang;
use crate::language::text::Section;

/// The words in one language.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) entry: &'static str,
    pub(super) entry_text: &'static str,
    /// When the entry was written, its index and the size of the log.
    pub(super) entry_at: fn(index: u64, size: u64, time: &str) -> String,
    pub(super) without_script: &'static str,
    pub(super) steps: &'static str,
    pub(super) step_first: fn(own: &str) -> String,
    pub(super) step: fn(beside: &str, result: &str) -> String,
    pub(super) step_last: fn(root: &str, witnesses: usize) -> String,
    pub(super) breaks: &'static str,
    pub(super) caption: &'static str,
    pub(super) columns: [&'static str; 4],
    pub(super) holds: &'static str,
    pub(super) broken: &'static str,
    /// A reason that the invented exchange does not have.
    pub(super) other_reason: &'static str,
    pub(super) more: &'static [Section],
}

impl Words {
    pub(super) const fn of(lang: Lang) -> &'static Self {
        lang.choose_easy(&GERMAN, &ENGLISH, &EASY)
    }
}

const OTHER_REASON: &str = "Antrag auf Wohngeld";

static GERMAN: Words = Words {
    title: "So wird geprüft",
    lead: "Hier ist ein erfundener Abruf. Jeder darf ihn ändern. Sie sehen, was dann kaputt geht.",
    entry: "Ein erfundener Abruf",
    entry_text: "So stünde er in Ihrer Liste:",
    entry_at: |index, size, time| format!("Er wurde am {time} eingetragen. Er ist Eintrag {index} von {size}."),
    without_script: "Mit JavaScript können Sie hier selbst etwas ändern. Ohne JavaScript sehen Sie unten, was unser Server ausgerechnet hat.",
    steps: "Die Rechnung, Schritt für Schritt",
    step_first: |own| {
        format!(
            "Aus dem Eintrag wird ein Fingerabdruck: {own}. Ein anderer Buchstabe gibt einen ganz anderen Fingerabdruck."
        )
    },
    step: |beside, result| format!("Er wird mit dem Nachbarn {beside} zusammengerechnet. Das ergibt {result}."),
    step_last: |root, witnesses| {
        format!(
            "{root} ist der Fingerabdruck des ganzen Protokolls. Genau diesen haben {witnesses} Zeugen unterschrieben."
        )
    },
    breaks: "Was kaputt geht",
    caption: "Dieselbe Rechnung mit einem anderen Text",
    columns: [
        "Grund des Abrufs",
        "Eintrag",
        "Ganzes Protokoll",
        "Von den Zeugen bestätigt?",
    ],
    holds: "Ja",
    broken: "Nein",
    other_reason: OTHER_REASON,
    more: &[
        Section {
            title: "Und wenn jemand einen Abruf weglässt?",
            text: &[
                "Ihre Abrufe haben Nummern: 1, 2, 3 und so weiter. Nur mit Ihrer ID-Nummer lassen sie sich finden. Ihr Browser prüft, dass keine fehlt. Er prüft auch, dass es die nächste noch nicht gibt. Fehlt eine, wird Ihre Seite rot.",
            ],
        },
        Section {
            title: "Und wenn jemand eine fremde Liste zeigt?",
            text: &[
                "Ihre ID-Nummer steckt in der Rechnung. Ihre Seite nennt darum die letzten Ziffern. Ihr Gerät merkt sich ein Merkmal der Nummer und warnt, wenn es eine andere ist.",
            ],
        },
        Section {
            title: "Und wenn jemand eine alte Liste zeigt?",
            text: &[
                "Die Zeugen schreiben zu jedem Stand die Uhrzeit. Nach zehn Minuten wird Ihre Seite gelb, nach einem Tag rot. Ihr Gerät merkt sich auch, wie groß das Protokoll schon war.",
            ],
        },
    ],
};

static ENGLISH: Words = Words {
    title: "How it is checked",
    lead: "Here is an invented retrieval. Anybody may change it. You see what breaks then.",
    entry: "An invented retrieval",
    entry_text: "This is how it would be in your list:",
    entry_at: |index, size, time| format!("It was written on {time}. It is entry {index} of {size}."),
    without_script: "With JavaScript you can change something here. Without it, see below what our server has computed.",
    steps: "The computation, step by step",
    step_first: |own| {
        format!("The entry becomes a fingerprint: {own}. Another letter gives a fingerprint that is quite different.")
    },
    step: |beside, result| format!("It is combined with its neighbour {beside}. The result is {result}."),
    step_last: |root, witnesses| {
        format!("{root} is the fingerprint of the whole log. This very one was signed by {witnesses} witnesses.")
    },
    breaks: "What breaks",
    caption: "The same computation with another text",
    columns: ["Reason", "Entry", "Whole log", "Confirmed by the witnesses?"],
    holds: "Yes",
    broken: "No",
    other_reason: OTHER_REASON,
    more: &[
        Section {
            title: "And if a retrieval is left out?",
            text: &[
                "Your retrievals have numbers: 1, 2, 3 and so on. They can be found with your identification number alone. Your browser checks that none is missing. It also checks that the next one does not exist yet. If one is missing, your page becomes red.",
            ],
        },
        Section {
            title: "And if the list is that of another person?",
            text: &[
                "Your identification number is part of the computation. So your page names its last digits. Your device remembers a mark of the number and warns if it is another one.",
            ],
        },
        Section {
            title: "And if the list is old?",
            text: &[
                "The witnesses add the time to each state. Your page becomes yellow after ten minutes and red after a day. Your device also remembers how large the log has been.",
            ],
        },
    ],
};

static EASY: Words = Words {
    title: "So prüft Ihr Computer",
    lead: "Hier ist ein Beispiel. Das Beispiel ist erfunden. Sie dürfen es ändern. Dann sehen Sie: Etwas geht kaputt.",
    entry: "Das Beispiel",
    entry_text: "Das würde in Ihrer Liste stehen:",
    entry_at: |index, size, _| format!("Das ist Zeile {index} von {size} Zeilen."),
    without_script: "Ihr Computer kann hier nicht selbst rechnen. Darum hat unser Computer gerechnet. Das sehen Sie weiter unten.",
    steps: "So geht das Rechnen",
    step_first: |own| format!("Aus der Zeile wird eine Zahl: {own}. Ein anderer Buch-stabe gibt eine andere Zahl."),
    step: |beside, result| format!("Dann kommt die Zahl daneben dazu: {beside}. Das gibt zusammen: {result}."),
    step_last: |root, witnesses| {
        format!("{root} ist die Zahl für das ganze Buch. {witnesses} Zeugen haben gesagt: Diese Zahl stimmt.")
    },
    breaks: "Was geht kaputt?",
    caption: "Hier steht ein anderer Grund. Stimmt die Zahl noch?",
    columns: ["Der Grund", "Diese Zeile", "Das ganze Buch", "Stimmt das?"],
    holds: "Ja",
    broken: "Nein",
    other_reason: OTHER_REASON,
    more: &[
        Section {
            title: "Kann eine Zeile fehlen?",
            text: &["Alle Ihre Zeilen haben eine Nummer. Ihr Computer zählt sie. Fehlt eine? Dann wird die Seite rot."],
        },
        Section {
            title: "Ist das meine Liste?",
            text: &[
                "Auf der Seite stehen 3 Zahlen. Das ist das Ende Ihrer Nummer. Passt es nicht? Dann ist etwas falsch.",
            ],
        },
        Section {
            title: "Ist die Liste alt?",
            text: &["Die Zeugen sagen auch, wie spät es ist. Ist die Liste alt? Dann wird die Seite gelb oder rot."],
        },
    ],
};
