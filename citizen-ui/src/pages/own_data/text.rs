//! The words of the pages about the citizen's own data.

use crate::language::lang::Lang;

/// The texts.
#[derive(Debug)]
#[allow(missing_docs, reason = "the name of a field says which text it is")]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) kept_nothing: &'static str,
    pub(super) kept_nothing_text: &'static str,
    pub(super) choose: &'static str,
    pub(super) permission: &'static str,
    pub(super) submit: &'static str,
    pub(super) none: &'static str,
    pub(super) blocked: &'static str,
    pub(super) asking: fn(registers: usize) -> String,
    pub(super) result: &'static str,
    pub(super) asked: &'static str,
    pub(super) found: &'static str,
    pub(super) nothing: &'static str,
    pub(super) unreachable: &'static str,
    pub(super) as_of: fn(time: &str) -> String,
    pub(super) empty: &'static str,
    pub(super) wrong: &'static str,
    pub(super) nothing_text: &'static str,
    pub(super) unreachable_text: &'static str,
    pub(super) again: &'static str,
    pub(super) next: &'static str,
    pub(super) next_text: &'static str,
    pub(super) to_visits: &'static str,
    pub(super) others: &'static str,
}

/// The texts in a language.
pub(super) const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::De => &GERMAN,
        Lang::En => &ENGLISH,
        Lang::Leicht => &EASY,
    }
}

const GERMAN: Words = Words {
    title: "Meine Daten bei Registern",
    lead: "Was steht über Sie in den Registern? Hier fragen Sie alle auf einmal.",
    kept_nothing: "Nichts davon wird hier gespeichert",
    kept_nothing_text: "Wir zeigen die Antworten nur Ihnen und behalten nichts. Jede Anfrage steht im Protokoll, bevor Daten fließen: als von Ihnen veranlasst.",
    choose: "Wen möchten Sie fragen?",
    permission: "Erlaubnis und Gesetz ansehen",
    submit: "Jetzt fragen",
    none: "Hier ist noch kein Register angeschlossen.",
    blocked: "Für Ihre Daten gilt eine Sperre. Darum geben die Register hier keine Auskunft, auch nicht Ihnen. Fragen Sie dort, wo Sie gemeldet sind.",
    asking: |registers| match registers {
        1 => "Wir fragen 1 Register. Die Antwort erscheint hier, sobald sie da ist.".to_owned(),
        registers => format!("Wir fragen {registers} Register. Die Antworten erscheinen hier, eine nach der anderen."),
    },
    result: "Ergebnis",
    asked: "gefragt",
    found: "geantwortet",
    nothing: "nichts gespeichert",
    unreachable: "nicht erreichbar",
    as_of: |time| format!("Stand: {time}"),
    empty: "keine Angabe",
    wrong: "Stimmt etwas nicht? Dann können Sie verlangen, dass es berichtigt wird (Artikel 16 DSGVO). Schreiben Sie an ",
    nothing_text: "Dieses Register hat nichts über Sie gespeichert.",
    unreachable_text: "Von diesem Register kam keine Antwort. Das sagt nichts darüber, ob dort etwas steht.",
    again: "Noch einmal fragen",
    next: "Und jetzt?",
    next_text: "Ihre Anfragen stehen im Protokoll. Wenn Sie sich das nächste Mal anmelden, sehen Sie sie bei Ihren Besuchen.",
    to_visits: "Ihre Besuche ansehen",
    others: "Andere Register fragen",
};

const ENGLISH: Words = Words {
    title: "My data in registers",
    lead: "What do the registers have about you? Here you ask all of them at once.",
    kept_nothing: "None of it is stored here",
    kept_nothing_text: "We show the answers to you alone and keep nothing. Each request is in the log before any data move: as caused by you.",
    choose: "Whom do you want to ask?",
    permission: "See permission and law",
    submit: "Ask now",
    none: "No register is connected yet.",
    blocked: "Your data are blocked. Therefore the registers give no information here, not even to you. Ask the office where you are registered.",
    asking: |registers| match registers {
        1 => "We are asking 1 register. The answer appears here as soon as it comes.".to_owned(),
        registers => format!("We are asking {registers} registers. The answers appear here, one after the other."),
    },
    result: "Result",
    asked: "asked",
    found: "answered",
    nothing: "nothing stored",
    unreachable: "not reachable",
    as_of: |time| format!("As of {time}"),
    empty: "not stated",
    wrong: "Is something wrong? Then you can demand that it is corrected (Article 16 GDPR). Write to ",
    nothing_text: "This register has nothing about you.",
    unreachable_text: "There was no answer from this register. That says nothing about what it has.",
    again: "Ask again",
    next: "And now?",
    next_text: "Your requests are in the log. When you log in the next time, you see them among your visits.",
    to_visits: "See your visits",
    others: "Ask other registers",
};

const EASY: Words = Words {
    title: "Was steht über mich da?",
    lead: "Ämter haben Listen mit Daten. Diese Listen heißen: Register. Hier können Sie fragen: Was steht da über mich?",
    kept_nothing: "Wir merken uns nichts",
    kept_nothing_text: "Nur Sie sehen die Antwort. Wir schreiben nur auf: Sie haben gefragt.",
    choose: "Wen wollen Sie fragen?",
    permission: "Das Gesetz dazu ansehen",
    submit: "Jetzt fragen",
    none: "Hier kann man noch kein Amt fragen.",
    blocked: "Ihre Daten sind besonders geschützt. Darum sagt hier kein Amt etwas. Auch nicht Ihnen. Gehen Sie zu dem Amt, wo Sie wohnen.",
    asking: |registers| format!("Wir fragen jetzt {registers} Mal. Bitte warten Sie. Die Antworten kommen hier."),
    result: "Das ist das Ergebnis",
    asked: "Gefragt",
    found: "Antwort ist da",
    nothing: "Da steht nichts",
    unreachable: "Keine Antwort",
    as_of: |time| format!("So war es am {time}."),
    empty: "Da steht nichts",
    wrong: "Ist etwas falsch? Dann muss das Amt es ändern. Schreiben Sie an: ",
    nothing_text: "Hier steht nichts über Sie.",
    unreachable_text: "Es kam keine Antwort. Vielleicht steht da etwas. Vielleicht auch nicht.",
    again: "Noch einmal fragen",
    next: "Was kommt jetzt?",
    next_text: "Wir haben auf-geschrieben: Sie haben gefragt. Melden Sie sich noch einmal an. Dann sehen Sie das.",
    to_visits: "Das ansehen",
    others: "Noch einen fragen",
};
