//! The page about verifying: a file in the browser, or everything with a program from elsewhere.

use super::blocks::{facts, heading, island, lead, link, page, paragraph, section, small, span, told};
use super::frame::Frame;
use crate::language::text::Section;
use crate::markup::{Element, el};
use crate::proof::verify::TrustText;

/// The content of the page.
#[derive(Clone, Debug)]
pub struct VerifyPage {
    /// The public URL of the log.
    pub log: String,
    /// The policy and the genesis hash by which the portal checks.
    pub trust: TrustText,
    /// The verifier, if the portal offers it.
    pub verifier: Option<VerifierFile>,
    /// Where else policy and genesis hash are published.
    pub keys: Vec<String>,
}

/// A program that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierFile {
    /// Its version.
    pub version: String,
    /// SHA-256 in hexadecimal digits.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}

struct Words {
    here: &'static str,
    here_text: &'static str,
    without_script: &'static str,
    download: &'static str,
    version: &'static str,
    size: &'static str,
    digest: &'static str,
    digest_text: &'static str,
    none: &'static str,
    elsewhere: &'static str,
    nowhere: &'static str,
    program: &'static str,
    program_text: &'static str,
}

static GERMAN: Words = Words {
    here: "Eine Datei hier prüfen",
    here_text: "Sie haben einen Beleg, eine Öffnung oder eine Datei mit allen Einträgen? Ihr Browser prüft sie auf Ihrem Gerät. Dafür müssen Sie nicht angemeldet sein.",
    without_script: "Das geht nur mit JavaScript. Ohne JavaScript prüfen Sie die Datei mit dem Programm, siehe unten.",
    download: "Das Prüfprogramm herunterladen (für Linux)",
    version: "Version",
    size: "Größe",
    digest: "Prüfsumme (SHA-256)",
    digest_text: "Vergleichen Sie die Prüfsumme mit der einer anderen Quelle. Das Programm ist quelloffen: Sie können es auch selbst bauen.",
    none: "Diese Seite bietet das Programm nicht zum Herunterladen an. Es heißt „verifier“ und ist quelloffen: Sie können es selbst bauen.",
    elsewhere: "Die Schlüssel stehen auch hier:",
    nowhere: "Der Betreiber nennt noch keine andere Stelle, an der die Schlüssel stehen. Fragen Sie ihn danach: Erst der Vergleich macht Ihre Prüfung unabhängig von dieser Seite.",
    program: "Das Programm",
    program_text: "Wer uns gar nicht glauben will, prüft mit einem eigenen Programm. Es braucht kein Netz und keine Anmeldung.",
};

static ENGLISH: Words = Words {
    here: "Check a file here",
    here_text: "You have a receipt, an opening, or a file with all entries? Your browser checks it on your device. You need no login for that.",
    without_script: "This needs JavaScript. Without JavaScript, check the file with the program, see below.",
    download: "Download the verifier (for Linux)",
    version: "Version",
    size: "Size",
    digest: "Digest (SHA-256)",
    digest_text: "Compare the digest with the one of another source. The program is open source: you can also build it yourself.",
    none: "This site does not offer the program for download. It is called “verifier” and is open source: you can build it yourself.",
    elsewhere: "The keys are published here, too:",
    nowhere: "The operator names no other place yet where the keys are published. Ask for one: only the comparison makes your check independent of this site.",
    program: "The program",
    program_text: "If you do not want to trust us at all, check with a program of your own. It needs no network and no login.",
};

static EASY: Words = Words {
    here: "Eine Datei prüfen",
    here_text: "Haben Sie eine Datei von uns? Ihr Computer kann sie prüfen. Die Datei bleibt bei Ihnen.",
    without_script: "Ihr Computer kann hier nicht selbst prüfen. Nehmen Sie das Programm. Es steht weiter unten.",
    download: "Das Programm holen (für Linux)",
    version: "Version",
    size: "Größe",
    digest: "Prüf-Zahl",
    digest_text: "Fragen Sie jemand anderen nach der Prüf-Zahl. Ist sie gleich? Dann ist das Programm echt.",
    none: "Das Programm gibt es hier nicht. Es heißt „verifier“. Jemand kann es für Sie bauen.",
    elsewhere: "Die Schlüssel stehen auch hier:",
    nowhere: "Die Schlüssel stehen nur hier. Fragen Sie uns, wo sie noch stehen.",
    program: "Das Programm",
    program_text: "Sie können auch ein eigenes Programm nehmen. Dann brauchen Sie uns nicht.",
};

/// Renders the page.
pub fn verify(frame: &Frame, content: &VerifyPage) -> String {
    let frame = &island(frame);
    let text = &frame.lang.text().verify;
    let words = frame.lang.choose_easy(&GERMAN, &ENGLISH, &EASY);
    let place = el("div")
        .attr("id", "datei-pruefen")
        .attr("data-island", "file")
        .child(paragraph(words.without_script));
    let genesis = &content.trust.genesis;
    let files = ["eintrag-17.tlog-proof", "eintrag-17.opening", "eintraege.bundle"];
    let files = files.map(|file| format!("verifier verify {file} --policy trust.policy --genesis {genesis}"));
    let whole = format!(
        "verifier audit --log {} --policy trust.policy --genesis {genesis}",
        content.log
    );
    let trust = [
        pre("policy", &content.trust.policy),
        pre("genesis", genesis),
        published(words, &content.keys),
    ];
    let parts = [
        section(words.here, [paragraph(words.here_text), place]),
        section(
            words.program,
            [
                paragraph(words.program_text),
                program(frame, words, content.verifier.as_ref()),
            ],
        ),
        step(&text.step_trust, trust),
        step(&text.step_entry, [pre("befehle", &files.join("\n"))]),
        step(&text.step_log, [pre("befehl", &whole)]),
        told(text.codes.title, text.codes.text),
        told(text.limits.title, text.limits.text),
    ];
    page(
        frame,
        text.title,
        [heading(text.title), lead(text.lead)].into_iter().chain(parts),
    )
}

fn pre(id: &'static str, text: &str) -> Element {
    el("pre")
        .class("ec-code")
        .attr("id", id)
        .attr("tabindex", "0")
        .text(text)
}

fn step(step: &Section, more: impl IntoIterator<Item = Element>) -> Element {
    told(step.title, step.text).children(more)
}

fn published(words: &Words, keys: &[String]) -> Element {
    if keys.is_empty() {
        return paragraph(words.nowhere).attr("id", "andere-stellen");
    }
    let items = keys.iter().map(|place| el("li").child(el("bdi").text(place)));
    el("div")
        .attr("id", "andere-stellen")
        .child(paragraph(words.elsewhere))
        .child(el("ul").class("kern-list kern-list--bullet").children(items))
}

fn program(frame: &Frame, words: &Words, verifier: Option<&VerifierFile>) -> Element {
    let Some(verifier) = verifier else {
        return paragraph(words.none);
    };
    let link = link(frame, "/selbst-pruefen/verifier", words.download).flag("download", true);
    let items = [
        (words.version, span(&verifier.version)),
        (words.size, span(&format!("{} kB", verifier.size.div_ceil(1_000)))),
        (words.digest, el("bdi").class("ec-digest").text(&verifier.digest)),
    ];
    el("div")
        .attr("id", "programm")
        .child(paragraph("").child(link))
        .child(facts(items.map(|(label, value)| (label.to_owned(), value))))
        .child(small(words.digest_text))
}
