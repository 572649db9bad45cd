//! In easy German, what the Registerlandkarte and the log are. The pages themselves are long lists in the words of
//! laws, and are in German and English alone; a link leads there.

use super::blocks::{heading, lead, page, paragraph, told};
use super::frame::Frame;
use crate::language::lang::Lang;
use crate::language::text::{Section, SectionsText};
use crate::markup::el;

static LANDKARTE: SectionsText = SectionsText {
    title: "Wer darf was fragen?",
    lead: "Ein Amt darf nicht alles fragen. Es muss ein Gesetz dafür geben.",
    sections: &[
        Section {
            title: "Die Liste",
            text: &[
                "Es gibt eine Liste. In der Liste steht: Welches Amt darf welches Amt fragen? Was darf es fragen? Und warum?",
            ],
        },
        Section {
            title: "Was steht nicht in der Liste?",
            text: &["Alles andere ist verboten. Fragt ein Amt trotzdem, sagt der Computer: Nein."],
        },
        Section {
            title: "Was war früher?",
            text: &["Die Liste kann sich ändern. Alte Listen bleiben da. So sehen Sie: Durfte das Amt damals fragen?"],
        },
    ],
};

static LOG: SectionsText = SectionsText {
    title: "Das Buch für alle",
    lead: "Jede Frage kommt in ein Buch. Das Buch dürfen alle sehen.",
    sections: &[
        Section {
            title: "Steht mein Name im Buch?",
            text: &["Nein. Im Buch stehen nur Zahlen. Nur Sie können Ihre Zeilen finden."],
        },
        Section {
            title: "Kann jemand das Buch ändern?",
            text: &[
                "Nein. Es gibt Zeugen. Sie schauen immer nach. Fehlt etwas? Oder ist etwas anders? Dann merken es die Zeugen.",
            ],
        },
        Section {
            title: "Merke ich das auch?",
            text: &["Ja. Ihr Computer merkt sich, wie groß das Buch war. Beim nächsten Mal rechnet er nach."],
        },
    ],
};

/// Renders what the Registerlandkarte is.
pub fn easy_landkarte(frame: &Frame) -> String {
    introduced(
        frame,
        &LANDKARTE,
        "/registerlandkarte",
        "Die ganze Liste ansehen. Sie ist in schwerer Sprache.",
    )
}

/// Renders what the log is.
pub fn easy_log(frame: &Frame) -> String {
    introduced(
        frame,
        &LOG,
        "/protokoll",
        "Das Buch ansehen. Die Seite ist in schwerer Sprache.",
    )
}

fn introduced(frame: &Frame, text: &SectionsText, path: &str, whole: &str) -> String {
    let sections = text.sections.iter().map(|part| told(part.title, part.text));
    let link = el("a")
        .class("kern-link")
        .attr("href", format!("/{}{path}", Lang::De.code()))
        .attr("hreflang", Lang::De.tag())
        .text(whole);
    let parts = [heading(text.title), lead(text.lead)].into_iter().chain(sections);
    page(frame, text.title, parts.chain([paragraph("").child(link)]))
}
