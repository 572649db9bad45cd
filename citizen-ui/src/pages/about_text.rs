//! The words of the pages about the portal itself: help, imprint, privacy.

use crate::language::lang::Lang;
use crate::language::text::Section;

/// The words in one language.
#[derive(Debug)]
#[allow(missing_docs, reason = "the name of a field says which text it is")]
pub(super) struct Words {
    pub(super) help: &'static str,
    pub(super) help_lead: &'static str,
    pub(super) questions: &'static [Section],
    pub(super) glossary: &'static str,
    pub(super) terms: &'static [(&'static str, &'static str)],
    pub(super) ask: &'static str,
    pub(super) ask_none: &'static str,
    pub(super) imprint: &'static str,
    pub(super) imprint_lead: &'static str,
    pub(super) imprint_none_title: &'static str,
    pub(super) imprint_none: &'static str,
    pub(super) operator: &'static str,
    pub(super) address: &'static str,
    pub(super) contact: &'static str,
    pub(super) data_protection: &'static str,
    pub(super) supervision: &'static str,
    pub(super) privacy: &'static str,
    pub(super) privacy_lead: &'static str,
    pub(super) privacy_sections: &'static [Section],
    pub(super) responsible: &'static str,
}

impl Words {
    pub(super) const fn of(lang: Lang) -> &'static Self {
        lang.choose_easy(&GERMAN, &ENGLISH, &EASY)
    }
}

static GERMAN: Words = Words {
    help: "Hilfe",
    help_lead: "Kurze Antworten auf häufige Fragen. Wenn etwas fehlt, fragen Sie uns.",
    questions: &[
        Section {
            title: "Was sehe ich hier?",
            text: &[
                "Behörden holen Unterlagen über Sie direkt bei anderen Behörden. Hier sehen Sie jeden dieser Abrufe: wer, bei wem, wann und warum.",
                "Die Unterlagen selbst sehen Sie hier nicht.",
            ],
        },
        Section {
            title: "Was brauche ich dafür?",
            text: &[
                "Ihren Personalausweis, die sechsstellige PIN und die AusweisApp. Für das öffentliche Protokoll und die Registerlandkarte brauchen Sie nichts.",
            ],
        },
        Section {
            title: "Was heißt Grün, Gelb und Rot?",
            text: &[
                "Grün: Ihr Browser hat selbst geprüft, dass die Liste stimmt und nichts fehlt.",
                "Gelb: Es ist noch nicht fertig geprüft, oder geprüft hat nur unser Server.",
                "Rot: Etwas stimmt nicht. Auf der Seite steht, was Sie tun können.",
            ],
        },
        Section {
            title: "Einen Abruf kenne ich nicht. Was kann das sein?",
            text: &[
                "Oft ist der Grund harmlos: Der Antrag ist Wochen her. Sie haben für ein Kind gehandelt. Sie sind Eigentümer, Vermieter oder Mitbewohner. Die Behörde hat es nach einem Fehler noch einmal versucht. Oder es war Ihr eigener Besuch.",
                "Wenn Sie es trotzdem nicht verstehen, fragen Sie die Behörde. Sie muss innerhalb eines Monats antworten.",
            ],
        },
        Section {
            title: "Rot! Was soll ich tun?",
            text: &[
                "Laden Sie die Seite neu. Bleibt es rot, speichern Sie den Beweis, wenn das angeboten wird. Melden Sie es der Stelle, die unten steht, oder der Datenschutzaufsicht.",
                "Sie können alles auch ohne uns prüfen. Das steht auf der Seite „Selbst nachprüfen“.",
            ],
        },
        Section {
            title: "Jemand anderes war an meinem Konto. Was nun?",
            text: &[
                "Jeder Besuch steht in Ihrer Liste. Waren Sie das nicht? Sperren Sie Ihren Online-Ausweis unter der Nummer 116 116 und melden Sie es uns.",
            ],
        },
        Section {
            title: "Geht es ohne JavaScript?",
            text: &["Ja. Alle Seiten gehen ohne JavaScript. Nur selbst prüfen kann Ihr Browser dann nicht."],
        },
    ],
    glossary: "Wörter",
    terms: &[
        ("Abruf", "Eine Behörde holt eine Unterlage über Sie bei einer anderen."),
        ("Besuch", "Jemand öffnet Ihre Liste. Meist sind Sie das selbst."),
        (
            "Eintrag",
            "Eine Zeile im Protokoll. Ein Abruf hat zwei: einen am Anfang, einen am Ende.",
        ),
        (
            "Protokoll",
            "Die öffentliche Liste aller Einträge. Niemand kann daraus lesen, um wen es ging.",
        ),
        (
            "Beweis",
            "Eine kleine Rechnung. Sie zeigt, dass ein Eintrag im Protokoll steht und dass keiner fehlt.",
        ),
        ("Beleg", "Eine Datei mit dem Beweis für einen Eintrag."),
        (
            "Unterlage",
            "Was eine Behörde abruft, zum Beispiel eine Meldebestätigung.",
        ),
        (
            "Zeuge",
            "Eine unabhängige Stelle, die den Stand des Protokolls bestätigt.",
        ),
        (
            "Registerlandkarte",
            "Die Liste aller Erlaubnisse: wer was bei wem abrufen darf.",
        ),
    ],
    ask: "Fragen Sie uns",
    ask_none: "Diese Vorführung hat keine Auskunftsstelle. Wer die Seite betreibt, nennt hier eine.",
    imprint: "Impressum",
    imprint_lead: "Wer diese Seite betreibt.",
    imprint_none_title: "Kein öffentlicher Betreiber",
    imprint_none: "Diese Seite ist eine Vorführung auf einem einzelnen Rechner. Wer sie öffentlich betreibt, muss sich hier nennen (§ 5 DDG).",
    operator: "Betreiber",
    address: "Anschrift",
    contact: "Kontakt",
    data_protection: "Datenschutz",
    supervision: "Aufsicht",
    privacy: "Datenschutz",
    privacy_lead: "Was diese Seite über Sie weiß: so wenig wie möglich, und nur so lange Sie hier sind.",
    privacy_sections: &[
        Section {
            title: "Ohne Anmeldung",
            text: &[
                "Wir speichern nichts über Sie. Es gibt keine Cookies, keine Zählung von Besuchern und keine fremden Dienste. Alle Dateien kommen von diesem Server.",
            ],
        },
        Section {
            title: "Mit Anmeldung",
            text: &[
                "Der Anmeldedienst bestätigt, wer Sie sind. Ihre Einträge werden geladen und stehen nur im Arbeitsspeicher. Sie werden gelöscht, wenn Sie sich abmelden, nach fünf Minuten ohne Eingabe und spätestens nach 30 Minuten.",
                "Ein einziges Cookie hält Ihre Anmeldung zusammen. Es ist mit dem Ende der Sitzung wertlos. Beim Anmelden gibt es kurz ein zweites.",
                "Ihr Besuch wird in das Protokoll eingetragen. So sehen Sie, ob jemand in Ihrem Namen hier war.",
            ],
        },
        Section {
            title: "Auf Ihrem Gerät",
            text: &[
                "Ihr Browser merkt sich, wie groß das Protokoll war, nach welchen Regeln er geprüft hat, und ein Merkmal Ihrer Identifikationsnummer, das auf Millionen Nummern passt. Er merkt sich keinen Eintrag. Sie können das auf der Seite mit Ihren Abrufen löschen.",
            ],
        },
        Section {
            title: "Im Protokoll",
            text: &[
                "Im öffentlichen Teil steht nichts, was zu Ihnen führt. Die Beschreibung jedes Abrufs ist verschlossen. Sie wird nach zwei Jahren gelöscht (§ 9 Absatz 3 IDNrG), bei Abrufen aus anderen Ländern Europas nach zwölf Monaten.",
            ],
        },
        Section {
            title: "Ihre Rechte",
            text: &[
                "Sie haben das Recht auf Auskunft, Berichtigung, Löschung, Einschränkung und Widerspruch (Artikel 15 bis 21 DSGVO). Sie können sich bei der Datenschutzaufsicht beschweren (Artikel 77 DSGVO).",
            ],
        },
    ],
    responsible: "Verantwortlich",
};

static ENGLISH: Words = Words {
    help: "Help",
    help_lead: "Short answers to common questions. If something is missing, ask us.",
    questions: &[
        Section {
            title: "What do I see here?",
            text: &[
                "Authorities get evidence about you directly from other authorities. Here you see each of these retrievals: who, from whom, when and why.",
                "You do not see the evidence itself here.",
            ],
        },
        Section {
            title: "What do I need?",
            text: &[
                "Your identity card, its PIN with six digits, and the AusweisApp. For the public log and the Registerlandkarte you need nothing.",
            ],
        },
        Section {
            title: "What do green, yellow and red mean?",
            text: &[
                "Green: your browser has checked by itself that the list is right and nothing is missing.",
                "Yellow: the check has not finished, or only our server has checked.",
                "Red: something is wrong. The page says what you can do.",
            ],
        },
        Section {
            title: "I do not know a retrieval. What can it be?",
            text: &[
                "The reason is often harmless: you applied for something weeks ago. You acted for a child. You are an owner, a landlord or a flatmate. The authority tried again after a fault. Or it was your own visit.",
                "If you still do not understand it, ask the authority. It must answer within a month.",
            ],
        },
        Section {
            title: "Red! What should I do?",
            text: &[
                "Reload the page. If it stays red, save the proof if it is offered. Report it to the office below, or to the data-protection authority.",
                "You can also check everything without us. The page “Verify it yourself” says how.",
            ],
        },
        Section {
            title: "Another person used my account. What now?",
            text: &[
                "Every visit is in your list. It was not you? Block your online identity by calling +49 116 116, and report it to us.",
            ],
        },
        Section {
            title: "Does it work without JavaScript?",
            text: &["Yes. All pages work without JavaScript. Only then your browser cannot check by itself."],
        },
    ],
    glossary: "Words",
    terms: &[
        ("Retrieval", "An authority gets evidence about you from another one."),
        ("Visit", "A person opens your list. Mostly that is you."),
        (
            "Entry",
            "A line in the log. A retrieval has two: one at its beginning, one at its end.",
        ),
        (
            "Log",
            "The public list of all entries. It does not show whom they are about.",
        ),
        (
            "Proof",
            "A small computation. It shows that an entry is in the log and that none is missing.",
        ),
        ("Receipt", "A file with the proof of one entry."),
        (
            "Evidence",
            "What an authority retrieves, such as a certificate of residence.",
        ),
        ("Witness", "An independent body that confirms the state of the log."),
        (
            "Registerlandkarte",
            "The list of all permissions: who may retrieve what from whom.",
        ),
    ],
    ask: "Ask us",
    ask_none: "This demonstration has no help desk. The operator of a real site names one here.",
    imprint: "Imprint",
    imprint_lead: "Who operates this site.",
    imprint_none_title: "No public operator",
    imprint_none: "This site is a demonstration on a single machine. The operator of a public site must be named here (§ 5 DDG).",
    operator: "Operator",
    address: "Address",
    contact: "Contact",
    data_protection: "Data protection",
    supervision: "Supervision",
    privacy: "Privacy",
    privacy_lead: "What this site knows about you: as little as possible, and only while you are here.",
    privacy_sections: &[
        Section {
            title: "Without a login",
            text: &[
                "We store nothing about you. There are no cookies, no counting of visitors and no services of others. All files come from this server.",
            ],
        },
        Section {
            title: "With a login",
            text: &[
                "The login service confirms who you are. Your entries are loaded and are in memory alone. They are erased when you log out, after five minutes without input, and after 30 minutes at the latest.",
                "A single cookie keeps your login together. It is worthless once the session has ended. During the login there is a second one for a short time.",
                "Your visit is entered in the log. So you see whether another person was here in your name.",
            ],
        },
        Section {
            title: "On your device",
            text: &[
                "Your browser remembers how large the log was, by which rules it checked, and a mark of your identification number that fits millions of numbers. It remembers no entry. You can erase that on the page with your retrievals.",
            ],
        },
        Section {
            title: "In the log",
            text: &[
                "Nothing in the public part leads to you. The description of each retrieval is locked. It is erased after two years (§ 9 (3) IDNrG), for retrievals from other European countries after twelve months.",
            ],
        },
        Section {
            title: "Your rights",
            text: &[
                "You have the rights of access, rectification, erasure, restriction and objection (Articles 15 to 21 GDPR). You can complain to the data-protection authority (Article 77 GDPR).",
            ],
        },
    ],
    responsible: "Controller",
};

static EASY: Words = Words {
    help: "Hilfe",
    help_lead: "Hier stehen kurze Antworten.",
    questions: &[
        Section {
            title: "Was sehe ich hier?",
            text: &[
                "Ämter fragen andere Ämter nach Ihren Daten. Hier sehen Sie jede Frage. Sie sehen: Wer hat gefragt? Wann? Und warum?",
                "Die Daten selbst sehen Sie hier nicht.",
            ],
        },
        Section {
            title: "Was brauche ich?",
            text: &[
                "Sie brauchen Ihren Personal-Ausweis. Sie brauchen die Geheim-Zahl dazu. Und Sie brauchen die Ausweis-App.",
            ],
        },
        Section {
            title: "Was heißen die Farben?",
            text: &[
                "Grün heißt: Ihr Computer hat geprüft. Alles stimmt. Nichts fehlt.",
                "Gelb heißt: Ihr Computer hat noch nicht fertig geprüft.",
                "Rot heißt: Etwas ist falsch. Auf der Seite steht, was Sie tun können.",
            ],
        },
        Section {
            title: "Ich verstehe eine Zeile nicht",
            text: &[
                "Vielleicht haben Sie vor langer Zeit etwas beantragt. Vielleicht war es für Ihr Kind. Vielleicht waren Sie es selbst.",
                "Sie wissen es nicht? Dann fragen Sie das Amt. Das Amt muss in einem Monat antworten.",
            ],
        },
        Section {
            title: "Die Seite ist rot",
            text: &[
                "Laden Sie die Seite noch einmal. Ist sie wieder rot? Dann sagen Sie uns das. Sie können auch ohne uns prüfen.",
            ],
        },
        Section {
            title: "War jemand anderes hier?",
            text: &[
                "Sie sehen, wann Sie hier waren. Waren Sie das nicht? Rufen Sie an: 116 116. Dann wird Ihr Ausweis gesperrt.",
            ],
        },
    ],
    glossary: "Wörter",
    terms: &[
        ("Abruf", "Ein Amt holt etwas über Sie bei einem anderen Amt."),
        ("Besuch", "Jemand schaut Ihre Liste an. Meist sind Sie das."),
        ("Eintrag", "Das ist eine Zeile im Buch."),
        (
            "Protokoll",
            "Das ist das Buch. Alle dürfen es sehen. Ihr Name steht nicht darin.",
        ),
        ("Beweis", "Ihr Computer rechnet nach. Dann wissen Sie: Es stimmt."),
        ("Unterlage", "Das holt ein Amt. Zum Beispiel: Wo wohnen Sie?"),
        ("Zeuge", "Der Zeuge passt auf das Buch auf. Er gehört nicht zu uns."),
    ],
    ask: "Fragen Sie uns",
    ask_none: "Das hier ist nur zum Ausprobieren. Darum können Sie niemanden fragen.",
    imprint: "Wer macht diese Seite?",
    imprint_lead: "Hier steht, wem die Seite gehört.",
    imprint_none_title: "Die Seite ist nur zum Ausprobieren",
    imprint_none: "Sie läuft nur auf einem Computer. Darum steht hier kein Name.",
    operator: "Wer?",
    address: "Wo?",
    contact: "So fragen Sie",
    data_protection: "Wer passt auf Ihre Daten auf?",
    supervision: "Wer passt auf uns auf?",
    privacy: "Ihre Daten",
    privacy_lead: "Wir wollen nur wenig über Sie wissen. Und nur, so lange Sie hier sind.",
    privacy_sections: &[
        Section {
            title: "Sie sind nicht an-gemeldet",
            text: &["Dann wissen wir nichts über Sie. Wir merken uns nichts."],
        },
        Section {
            title: "Sie sind an-gemeldet",
            text: &[
                "Dann holen wir Ihre Liste. Sie gehen weg? Dann löschen wir alles. Das dauert höchstens 30 Minuten.",
                "Wir schreiben auf: Sie waren hier. So sehen Sie, ob jemand anderes hier war.",
            ],
        },
        Section {
            title: "Ihr Computer merkt sich etwas",
            text: &[
                "Er merkt sich, wie groß das Buch war. Er merkt sich keine Zeile aus Ihrer Liste. Sie können das löschen.",
            ],
        },
        Section {
            title: "Das steht im Buch",
            text: &[
                "Ihr Name steht nicht im Buch. Was die Ämter gefragt haben, ist verschlossen. Nach 2 Jahren wird es gelöscht.",
            ],
        },
        Section {
            title: "Ihre Rechte",
            text: &[
                "Sie dürfen fragen: Was wissen die Ämter über mich? Ist etwas falsch? Dann muss das Amt es ändern. Sie dürfen sich beschweren.",
            ],
        },
    ],
    responsible: "Wer ist dafür da?",
};
