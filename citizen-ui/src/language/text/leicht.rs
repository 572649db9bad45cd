//! German in short sentences and easy words.

use super::de;
use super::tables::{ErrorTexts, FrameText, RecordedText, Section, SectionsText, StartText, Text, VerifyText};

pub(super) const FRAME: FrameText = FrameText {
    claim: "Wer hat meine Daten geholt?",
    banner: "Das ist nur zum Ausprobieren. Nichts hier ist echt.",
    skip: "Zum Text springen",
    language: "Einfach erklärt",
    nav_overview: "Start",
    nav_list: "Alle Fragen der Ämter",
    nav_own_data: "Was steht über mich da?",
    nav_visits: "Wann war ich hier?",
    logged_in: "Sie heißen: ",
    nav_landkarte: "Wer darf was fragen?",
    nav_log: "Das Buch für alle",
    nav_privacy: "Ihre Daten",
    nav_imprint: "Wer macht diese Seite?",
    nav_recorded: "Was steht im Buch?",
    nav_checked: "So prüft Ihr Computer",
    nav_verify: "Ohne uns prüfen",
    nav_accessibility: "Für alle da",
    nav_design: "Wie ist das gemacht?",
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
    recorded: RecordedText {
        title: "Was steht im Buch?",
        lead: "Ein Amt fragt nach Ihren Daten. Dann steht eine Zeile im Buch. Alle dürfen das Buch sehen. Aber niemand sieht: Es geht um Sie.",
        caption: "Wer darf was lesen?",
        column_who: "Wer?",
        column_sees: "Was?",
        rows: &[
            (
                "Alle Menschen",
                "Sie sehen nur Zahlen und die Uhr-Zeit. Sie sehen keinen Namen.",
            ),
            ("Sie", "Sie sehen alles über Ihre eigenen Zeilen."),
            (
                "Das Amt, das fragt. Und das Amt, das antwortet",
                "Sie sehen nur ihre eigene Frage.",
            ),
            (
                "Die Menschen, die auf Daten aufpassen",
                "Sie dürfen nur lesen, wenn es einen Grund gibt. Das ist hier noch nicht gebaut.",
            ),
            (
                "Der Computer in der Mitte",
                "Er weiß: Welches Amt fragt welches Amt? Er weiß nicht: Um wen geht es?",
            ),
        ],
        sections: &[
            Section {
                title: "Was steht nie im Buch?",
                text: &["Ihr Name steht nie im Buch. Ihre Nummer auch nicht. Und auch nicht die Antwort vom Amt."],
            },
            Section {
                title: "Wie lange steht es da?",
                text: &[
                    "Sie können es 2 Jahre lang lesen. Dann wird es gelöscht. Das steht so im Gesetz. Fragt ein anderes Land in Europa? Dann sind es 12 Monate.",
                ],
            },
        ],
    },
    verify: VerifyText {
        title: "Ohne uns prüfen",
        lead: "Glauben Sie uns nicht? Das ist in Ordnung. Sie können ohne uns prüfen. Das ist schwer. Vielleicht kann Ihnen jemand helfen.",
        step_trust: Section {
            title: "1. Die Schlüssel",
            text: &[
                "Sie brauchen diese Zeilen. Holen Sie sie auch von einer anderen Stelle. Sind sie gleich? Dann ist es gut.",
            ],
        },
        step_entry: Section {
            title: "2. Eine Zeile prüfen",
            text: &["Holen Sie sich die Datei aus Ihrer Liste. Schreiben Sie dann das hier in Ihren Computer:"],
        },
        step_log: Section {
            title: "3. Das ganze Buch prüfen",
            text: &["Das dürfen alle. Schreiben Sie das hier in Ihren Computer:"],
        },
        codes: Section {
            title: "Was sagt das Programm?",
            text: &[
                "0 heißt: Alles stimmt. 1 heißt: Etwas stimmt nicht. 2 heißt: Sie haben sich verschrieben. 3 heißt: Das Buch ist nicht da.",
            ],
        },
        limits: Section {
            title: "Was wissen Sie dann nicht?",
            text: &[
                "Ein Amt kann Ihre Daten auch anders weiter-geben. Das steht nicht im Buch.",
                "Manches dürfen wir Ihnen erst später zeigen. Das steht so im Gesetz.",
            ],
        },
    },
    accessibility: SectionsText {
        title: "Für alle da",
        lead: "Alle Menschen sollen diese Seiten benutzen können.",
        sections: &[
            Section {
                title: "Was geht gut?",
                text: &[
                    "Sie brauchen keine Maus. Sie können die Schrift größer machen. Sie können dunkle Farben wählen.",
                ],
            },
            Section {
                title: "Was fehlt noch?",
                text: &[
                    "Es gibt noch keine Gebärden-Sprache. Menschen mit Lern-Schwierigkeiten haben die Seiten noch nicht geprüft.",
                ],
            },
            Section {
                title: "Sie finden einen Fehler?",
                text: &["Diese Seite ist nur zum Ausprobieren. Später steht hier: Wem sage ich das?"],
            },
        ],
    },
    design: SectionsText {
        title: "Wie ist das gemacht?",
        lead: "Alle dürfen sehen, wie diese Seiten gemacht sind.",
        sections: &[
            Section {
                title: "Das Aussehen",
                text: &[
                    "Das Aussehen heißt KERN. Viele Ämter haben es. Die Schrift heißt Fira Sans. Alle dürfen beides benutzen.",
                ],
            },
            Section {
                title: "Das Programm",
                text: &["Das Programm heißt Einsicht. Alle dürfen es lesen und benutzen."],
            },
        ],
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
        login_failed: Section {
            title: "Das An-melden ging nicht",
            text: &["Vielleicht hat es zu lange gedauert. Es ist nichts passiert."],
        },
        assurance: Section {
            title: "So dürfen Sie nicht an-melden",
            text: &["Sie brauchen dafür Ihren Personal-Ausweis."],
        },
        login_unreachable: Section {
            title: "Das An-melden geht gerade nicht",
            text: &["Bitte warten Sie ein paar Minuten. Dann machen Sie es noch einmal."],
        },
        clock: Section {
            title: "Das An-melden geht gerade nicht",
            text: &["Unsere Uhr geht falsch. Das ist unser Fehler. Bitte machen Sie es später noch einmal."],
        },
        identity_refused: Section {
            title: "Wir dürfen Ihre Liste nicht zeigen",
            text: &["Etwas beim An-melden war falsch. Es ist nichts passiert."],
        },
        identity_unreachable: Section {
            title: "Wir können Ihre Liste gerade nicht zeigen",
            text: &["Bitte warten Sie ein paar Minuten. Dann machen Sie es noch einmal."],
        },
        ledger_unreachable: Section {
            title: "Das Buch ist gerade nicht da",
            text: &["Bitte warten Sie ein paar Minuten. So lange bekommt kein Amt Ihre Daten."],
        },
        busy: Section {
            title: "Die Datei ist noch nicht fertig",
            text: &["Viele Menschen wollen gerade eine Datei. Bitte warten Sie eine Minute."],
        },
        internal: Section {
            title: "Etwas ist kaputt",
            text: &["Das ist unser Fehler. Bitte machen Sie es noch einmal."],
        },
        again: "Noch einmal an-melden",
    },
};
