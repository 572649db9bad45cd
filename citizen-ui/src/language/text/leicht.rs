//! German in short sentences and easy words: the frame, the start, and what goes wrong. The other public pages are in
//! German.

use super::de;
use super::tables::{ErrorTexts, FrameText, Section, StartText, Text};

pub(super) const FRAME: FrameText = FrameText {
    claim: "Wer hat meine Daten geholt?",
    banner: "Das ist nur zum Ausprobieren. Nichts hier ist echt.",
    skip: "Zum Text springen",
    language: "Einfach erklärt",
    nav_overview: "Start",
    nav_list: "Alle Fragen der Ämter",
    nav_visits: "Wann war ich hier?",
    logged_in: "Sie heißen: ",
    session: |idle, _| format!("Um {idle} schließen wir die Seite."),
    session_warning: "Wir schließen die Seite gleich.",
    session_stay: "Ich brauche länger",
    ..de::FRAME
};

pub(super) const TEXT: Text = Text {
    start: StartText {
        title: "Wer hat meine Daten geholt?",
        lead: "Ämter fragen andere Ämter nach Ihren Daten. Hier sehen Sie: Wer hat gefragt? Und warum?",
        login: "Anmelden",
        login_hint: "Diese Seite ist noch nicht von Menschen mit Lern-Schwierigkeiten geprüft. Sie brauchen Ihren Personal-Ausweis und die Geheim-Zahl dazu. Hier können Sie auch einen erfundenen Menschen wählen.",
        to_list: "Weiter",
        sections: &[
            Section {
                title: "Was sehe ich hier?",
                text: &["Sie sehen jede Frage nach Ihren Daten. Die Daten selbst sehen Sie hier nicht."],
            },
            Section {
                title: "Stimmt das alles?",
                text: &["Ihr Computer prüft das. Er rechnet nach. Sie müssen uns nicht glauben."],
            },
        ],
        over_title: "Sie sind ab-gemeldet",
        over: &[
            "Wir haben Ihre Daten hier gelöscht.",
            "Ist das ein fremder Computer? Dann machen Sie das Fenster zu.",
        ],
        over_provider: "Vielleicht sind Sie beim Anmelde-Dienst noch an-gemeldet.",
        over_provider_link: "Auch dort ab-melden",
        cancelled_title: "Sie haben sich nicht an-gemeldet",
        cancelled: &["Es ist nichts passiert."],
    },
    errors: ErrorTexts {
        not_found: Section {
            title: "Die Seite gibt es nicht",
            text: &["Vielleicht ist die Adresse falsch."],
        },
        login_needed: Section {
            title: "Bitte melden Sie sich an",
            text: &["Sie sind nicht an-gemeldet. Oder es hat zu lange gedauert."],
        },
        again: "Noch einmal an-melden",
        ..de::TEXT.errors
    },
    ..de::TEXT
};
