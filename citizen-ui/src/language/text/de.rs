//! German.

use super::tables::{ErrorTexts, FrameText, RecordedText, Section, SectionsText, StartText, Text, VerifyText};

pub(super) const FRAME: FrameText = FrameText {
    product: "Einsicht",
    claim: "Wer hat meine Daten abgerufen?",
    menu: "Menü",
    banner: "Demonstrator – keine offizielle Website, nur erfundene Daten",
    banner_label: "Hinweis zur Demonstration",
    skip: "Zum Inhalt springen",
    nav_label: "Hauptnavigation",
    footer_label: "Weitere Seiten",
    language: "Deutsch",
    nav_start: "Start",
    nav_overview: "Übersicht",
    nav_own_data: "Meine Daten bei Registern",
    nav_visits: "Ihre Besuche",
    nav_list: "Alle Abrufe",
    nav_landkarte: "Registerlandkarte",
    nav_log: "Öffentliches Protokoll",
    nav_help: "Hilfe",
    nav_privacy: "Datenschutz",
    nav_imprint: "Impressum",
    nav_recorded: "Was aufgezeichnet wird",
    nav_checked: "So wird geprüft",
    nav_verify: "Selbst nachprüfen",
    nav_accessibility: "Barrierefreiheit",
    nav_design: "Gestaltung und Lizenzen",
    login: "Anmelden",
    logout: "Abmelden",
    logged_in: "Angemeldet: ",
    session: |idle, end| {
        if idle == end {
            format!("Sie werden um {end} abgemeldet.")
        } else {
            format!("Sie werden um {idle} abgemeldet, spätestens um {end}.")
        }
    },
    session_warning: "Sie werden in weniger als einer Minute abgemeldet.",
    session_stay: "Länger angemeldet bleiben",
};

pub(super) const TEXT: Text = Text {
    start: StartText {
        title: "Wer hat Ihre Daten abgerufen?",
        lead: "Behörden holen Unterlagen über Sie direkt bei anderen Behörden, damit Sie nichts vorlegen müssen. Hier sehen Sie, welche Behörde wann und warum etwas über Sie abgerufen hat. Sie müssen uns das nicht glauben: Ihr Browser prüft jede Seite selbst nach.",
        login: "Anmelden und Abrufe ansehen",
        login_hint: "Für die Anmeldung brauchen Sie eine Online-Identität mit dem Vertrauensniveau „hoch“. In dieser Demonstration wählen Sie eine erfundene Person.",
        to_list: "Zu Ihren Abrufen",
        sections: &[
            Section {
                title: "Was Sie hier sehen",
                text: &[
                    "Zu jedem Abruf: wer gefragt hat, bei wem, wann, aus welchem Anlass, nach welchem Gesetz und um welche Arten von Daten es ging. Auch, wenn nichts gefunden oder die Anfrage abgelehnt wurde.",
                    "Die Daten selbst sehen Sie hier nicht. Sie stehen nicht im Protokoll.",
                ],
            },
            Section {
                title: "Warum Sie sich darauf verlassen können",
                text: &[
                    "Jeder Abruf wird in ein Protokoll eingetragen, bevor Daten übermittelt werden. Einträge kann niemand unbemerkt ändern oder löschen, auch der Betreiber nicht: Unabhängige Zeugen bestätigen laufend den Stand des Protokolls.",
                    "Zu jedem Eintrag gibt es einen Beweis. Ihr Browser prüft ihn, und Sie können ihn mitnehmen und ohne uns prüfen.",
                ],
            },
            Section {
                title: "Was wir über Sie speichern",
                text: &[
                    "Nichts. Ihre Einträge werden nach der Anmeldung geladen und gelöscht, wenn Sie sich abmelden, nach fünf Minuten ohne Eingabe und spätestens nach 30 Minuten.",
                    "Ihr Browser merkt sich auf Ihrem Gerät, wie groß das Protokoll war, nach welchen Regeln er geprüft hat und ein Merkmal Ihrer Identifikationsnummer, das auf Millionen Nummern passt. So bemerkt er, wenn der Server beim nächsten Mal etwas anderes zeigt. Sie können das auf der Seite mit Ihren Abrufen löschen.",
                    "Auch Ihr Besuch hier wird eingetragen. So sehen Sie, ob jemand anderes in Ihrem Namen nachgesehen hat.",
                ],
            },
        ],
        over_title: "Sie sind abgemeldet",
        over: &[
            "Ihre Daten sind auf diesem Server gelöscht.",
            "An einem fremden Gerät: Löschen Sie beim nächsten Mal vor dem Abmelden, was es sich merkt („Dieses Gerät soll sich nichts merken“). Schließen Sie jetzt den Browser.",
        ],
        over_provider: "Beim Anmeldedienst können Sie noch angemeldet sein.",
        over_provider_link: "Auch dort abmelden",
        cancelled_title: "Sie haben die Anmeldung abgebrochen",
        cancelled: &["Es wurde nichts geladen. Sie können sich jederzeit neu anmelden."],
    },
    recorded: RecordedText {
        title: "Was aufgezeichnet wird",
        lead: "Zu jedem Abruf gibt es einen öffentlichen Eintrag, aus dem niemand etwas über Sie erfährt, und eine verschlossene Beschreibung, die nur Sie, die beiden Behörden und die Aufsicht lesen können.",
        caption: "Wer kann was lesen?",
        column_who: "Wer",
        column_sees: "Was",
        rows: &[
            (
                "Alle",
                "Zeitpunkt, eine zufällig aussehende Nummer, Prüfsummen. Keine Person, keine Behörde, keinen Inhalt.",
            ),
            (
                "Sie",
                "Alles über Ihre eigenen Abrufe, auch Gründe, die die anfragende Stelle nicht erfährt.",
            ),
            (
                "Anfragende und antwortende Behörde",
                "Die Beschreibung ihres eigenen Vorgangs.",
            ),
            (
                "Aufsicht",
                "Nur im Einzelfall, mit Aktenzeichen und zwei Personen, und auch das wird eingetragen. Dieser Zugang ist im Demonstrator noch nicht gebaut.",
            ),
            (
                "Vermittlungsstelle",
                "Welche Behörde welche Art von Unterlage wozu anfragt. Nicht, um wen es geht, und nicht, was geantwortet wird.",
            ),
        ],
        sections: &[
            Section {
                title: "Was nie aufgezeichnet wird",
                text: &[
                    "Die übermittelten Daten, Ihr Name und Ihre Identifikationsnummer. Sie stehen in keinem Eintrag und in keiner Beschreibung.",
                ],
            },
            Section {
                title: "Wie lange",
                text: &[
                    "Zwei Jahre (§ 9 Abs. 3 Identifikationsnummerngesetz), bei Abrufen aus dem europäischen Ausland zwölf Monate. Jede Beschreibung ist mit einem Schlüssel verschlossen, der nach ihrem Ablauftag vernichtet wird. Danach kann sie niemand mehr lesen, auch nicht in einer Kopie oder Sicherung. In Ihrer Liste steht dann nur noch, wann etwas war, und dass es gelöscht ist. Der öffentliche Eintrag bleibt stehen; er sagt nichts über Sie.",
                ],
            },
            Section {
                title: "Rechtsgrundlagen",
                text: &[
                    "§ 9 Identifikationsnummerngesetz verlangt die Protokollierung, § 10 Onlinezugangsgesetz das Datenschutzcockpit. Es ist so zu bauen, dass staatliche Eingriffe zum Nachteil der Nutzerinnen und Nutzer nicht möglich sind.",
                ],
            },
        ],
    },
    verify: VerifyText {
        title: "Selbst nachprüfen, ohne uns",
        lead: "Das Prüfprogramm Ihres Browsers kommt von diesem Server. Wer uns auch darin nicht vertrauen will, nimmt das Prüfprogramm „verifier“ aus einer anderen Quelle. Es braucht diese Website nicht.",
        step_trust: Section {
            title: "1. Schlüssel besorgen",
            text: &[
                "Sie brauchen zwei Dinge aus einer Quelle, der Sie vertrauen: die Datei mit den Schlüsseln (trust.policy) und die Prüfsumme des ersten Eintrags. Vergleichen Sie beide mit denen, die dieser Server benutzt:",
            ],
        },
        step_entry: Section {
            title: "2. Einträge prüfen",
            text: &[
                "Laden Sie auf der Seite eines Abrufs die Quittung oder die Öffnung herunter, oder unter der Liste alle Einträge auf einmal. Nur mit allen zusammen lässt sich prüfen, dass keiner fehlt. Die Prüfung braucht kein Netz:",
            ],
        },
        step_log: Section {
            title: "3. Das ganze Protokoll prüfen",
            text: &[
                "Dafür müssen Sie nicht angemeldet sein. Geprüft werden jeder Eintrag, jede Unterschrift und jede Prüfsumme:",
            ],
        },
        codes: Section {
            title: "Das Ergebnis",
            text: &[
                "Das Programm endet mit 0, wenn alles stimmt, mit 1, wenn etwas nicht stimmt, mit 2 bei falschem Aufruf und mit 3, wenn das Protokoll nicht erreichbar ist.",
            ],
        },
        limits: Section {
            title: "Was damit nicht bewiesen ist",
            text: &[
                "Behörden können Daten auch außerhalb dieses Systems weitergeben. Davon weiß das Protokoll nichts.",
                "„Das sind alle“ gilt bis zu dem Zeitpunkt, der dabei steht, und nicht für Einträge, die das Gesetz Ihnen erst später zeigt.",
                "Dass eine Behörde den angegebenen Anlass wirklich hatte, kann kein Programm prüfen. Aber sie hat ihn unterschrieben.",
            ],
        },
    },
    accessibility: SectionsText {
        title: "Barrierefreiheit",
        lead: "Diese Seiten sollen alle benutzen können. Maßstab sind die BITV 2.0, die Norm EN 301 549 und die WCAG 2.2, Stufe AA.",
        sections: &[
            Section {
                title: "Was dafür getan ist",
                text: &[
                    "Alles geht mit der Tastatur und ohne JavaScript. Farbe ist nie der einzige Hinweis. Die Seiten passen sich an Vergrößerung, schmale Bildschirme, dunkle Darstellung und hohen Kontrast an.",
                    "Vor dem Ende der Sitzung warnt die Seite eine Minute vorher. Ein Klick verlängert die Sitzung bis zur Höchstdauer.",
                ],
            },
            Section {
                title: "Was noch fehlt",
                text: &[
                    "Leichte Sprache und Gebärdensprache fehlen noch. Mit einem Bildschirmleseprogramm und von Menschen mit Behinderungen ist diese Demonstration noch nicht geprüft. Sie erhebt daher nicht den Anspruch, die BITV 2.0 zu erfüllen.",
                ],
            },
            Section {
                title: "Etwas melden",
                text: &[
                    "Dies ist eine Demonstration. Wer sie betreibt, nennt hier eine Stelle für Rückmeldungen und die Schlichtungsstelle nach § 16 Behindertengleichstellungsgesetz.",
                ],
            },
        ],
    },
    design: SectionsText {
        title: "Gestaltung und Lizenzen",
        lead: "Diese Seiten benutzen offene Bausteine.",
        sections: &[
            Section {
                title: "KERN",
                text: &[
                    "Die Gestaltung folgt KERN, dem offenen Designsystem der deutschen Verwaltung, Version 2.7.2, Lizenz EUPL-1.2, unverändert. Kennzeichen offizieller Websites werden bewusst nicht benutzt.",
                ],
            },
            Section {
                title: "Fira Sans",
                text: &["Die Schrift ist Fira Sans, Version 5.3.0 der Sammlung Fontsource, SIL Open Font License 1.1."],
            },
            Section {
                title: "Dieses Programm",
                text: &["Einsicht steht unter der EUPL-1.2. Der Quelltext ist offen."],
            },
        ],
    },
    errors: ErrorTexts {
        not_found: Section {
            title: "Diese Seite gibt es nicht",
            text: &["Vielleicht haben Sie sich vertippt, oder der Eintrag gehört nicht zu Ihnen."],
        },
        login_needed: Section {
            title: "Bitte melden Sie sich an",
            text: &["Sie sind nicht angemeldet, oder Ihre Sitzung ist abgelaufen."],
        },
        login_failed: Section {
            title: "Die Anmeldung hat nicht geklappt",
            text: &[
                "Die Anmeldung hat zu lange gedauert, war schon beendet oder ist nicht echt. Es wurde nichts geladen.",
            ],
        },
        assurance: Section {
            title: "Diese Anmeldung ist nicht sicher genug",
            text: &[
                "Für Ihre Abrufe brauchen Sie eine Anmeldung mit dem Vertrauensniveau „hoch“, zum Beispiel mit dem Online-Ausweis.",
            ],
        },
        login_unreachable: Section {
            title: "Der Anmeldedienst ist nicht erreichbar",
            text: &["Bitte versuchen Sie es in einigen Minuten noch einmal."],
        },
        clock: Section {
            title: "Die Anmeldung geht gerade nicht",
            text: &[
                "Die Uhren unserer Rechner und des Anmeldedienstes gehen verschieden. Der Fehler liegt bei uns und nicht bei Ihnen. Es wurde nichts geladen. Bitte versuchen Sie es später noch einmal.",
            ],
        },
        identity_refused: Section {
            title: "Ihre Einträge konnten nicht geöffnet werden",
            text: &["Die Stelle für Identitäten hat die Anmeldung nicht anerkannt. Es wurde nichts geladen."],
        },
        identity_unreachable: Section {
            title: "Ihre Einträge können gerade nicht geöffnet werden",
            text: &[
                "Die Stelle für Identitäten ist nicht erreichbar. Bitte versuchen Sie es in einigen Minuten noch einmal.",
            ],
        },
        ledger_unreachable: Section {
            title: "Das Protokoll ist gerade nicht erreichbar",
            text: &[
                "Bitte versuchen Sie es in einigen Minuten noch einmal. Solange das Protokoll nicht erreichbar ist, übermitteln die Behörden keine Daten.",
            ],
        },
        busy: Section {
            title: "Die Datei ist noch nicht fertig",
            text: &["Gerade holen viele eine Datei. Bitte versuchen Sie es in einer Minute noch einmal."],
        },
        internal: Section {
            title: "Hier ist etwas schiefgegangen",
            text: &["Der Fehler liegt bei uns. Bitte versuchen Sie es noch einmal."],
        },
        again: "Noch einmal anmelden",
    },
};
