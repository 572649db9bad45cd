//! The words of the islands.

use crate::language::lang::Lang;
use crate::markup::{Element, el};

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It is proved.
    Sound,
    /// It is not known.
    Unknown,
    /// It is refused.
    Refused,
}

/// What the visitor reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How it looks.
    pub tone: Tone,
    /// The title.
    pub title: String,
    /// The sentences below it.
    pub lines: Vec<String>,
}

impl Told {
    pub(super) fn new(tone: Tone, title: impl Into<String>, lines: Vec<String>) -> Self {
        Self {
            tone,
            title: title.into(),
            lines,
        }
    }

    /// The notice.
    pub fn to_element(&self, id: &'static str) -> Element {
        let (class, icon, state) = match self.tone {
            Tone::Sound => (
                "kern-alert kern-alert--success",
                "kern-icon kern-icon--success",
                "sound",
            ),
            Tone::Unknown => (
                "kern-alert kern-alert--warning",
                "kern-icon kern-icon--warning",
                "unknown",
            ),
            Tone::Refused => (
                "kern-alert kern-alert--danger",
                "kern-icon kern-icon--danger",
                "refused",
            ),
        };
        let role = if self.tone == Tone::Refused { "alert" } else { "status" };
        let icon = el("span").class(icon).attr("aria-hidden", "true");
        let title = el("span").class("kern-title").text(&self.title);
        let lines = self.lines.iter().map(|line| el("p").class("kern-body").text(line));
        el("div")
            .class(class)
            .attr("id", id)
            .attr("role", role)
            .attr("data-answer", state)
            .child(el("div").class("kern-alert__header").child(icon).child(title))
            .child(el("div").class("kern-alert__body").children(lines))
    }
}

/// The words of the field for a file.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the name of a field says which text it is")]
pub struct FileWords {
    pub label: &'static str,
    pub hint: &'static str,
}

/// The words of the field for a file.
pub const fn file_words(lang: Lang) -> FileWords {
    match lang {
        Lang::De | Lang::Leicht => FileWords {
            label: "Datei auswählen oder hierher ziehen",
            hint: "Ihr Browser prüft die Datei selbst. Sie wird nicht hochgeladen.",
        },
        Lang::En => FileWords {
            label: "Choose a file or drop it here",
            hint: "Your browser checks the file by itself. It is not uploaded.",
        },
    }
}

#[derive(Debug)]
pub(super) struct Words {
    pub(super) no_trust: &'static str,
    pub(super) other_log: &'static str,
    pub(super) first_time: &'static str,
    pub(super) too_large: &'static str,
    pub(super) no_file: &'static str,
    pub(super) no_file_text: &'static str,
    pub(super) refused: &'static str,
    pub(super) refused_text: &'static str,
    pub(super) receipt: fn(index: u64) -> String,
    pub(super) written: fn(time: &str) -> String,
    pub(super) opening: fn(index: u64) -> String,
    pub(super) person: fn(ending: &str) -> String,
    pub(super) bundle: fn(exchanges: usize, visits: usize) -> String,
    pub(super) as_of: fn(time: &str) -> String,
    pub(super) witnesses: fn(count: usize) -> String,
    pub(super) no_quorum: &'static str,
    pub(super) nothing: &'static str,
    pub(super) nothing_text: &'static str,
    pub(super) grown: fn(before: u64, time: &str) -> String,
    pub(super) grown_text: fn(now: u64) -> String,
    pub(super) unlinked: &'static str,
    pub(super) older: fn(time: &str) -> String,
    pub(super) rewritten: fn(time: &str) -> String,
    pub(super) report: &'static str,
    pub(super) unable: &'static str,
    pub(super) example: &'static str,
    pub(super) no_example: &'static str,
    pub(super) reload: &'static str,
}

impl Words {
    pub(super) const fn of(lang: Lang) -> &'static Self {
        lang.choose(&GERMAN, &ENGLISH)
    }
}

static GERMAN: Words = Words {
    no_trust: "Die Schlüssel auf dieser Seite sind nicht lesbar",
    other_log: "Diese Seite nennt andere Schlüssel als die, die Ihr Gerät kennt",
    first_time: "Ihr Gerät sieht dieses Protokoll zum ersten Mal. Vergleichen Sie die Schlüssel mit einer anderen Quelle.",
    too_large: "Diese Datei ist zu groß",
    no_file: "Das ist keine Datei von hier",
    no_file_text: "Geprüft werden Dateien mit den Endungen .tlog-proof, .opening, .bundle und .beweis.",
    refused: "Achtung: Diese Datei stimmt nicht",
    refused_text: "Sie ist verändert, beschädigt oder aus einem anderen Protokoll. Verlassen Sie sich nicht auf sie.",
    receipt: |index| format!("Geprüft: Eintrag {index} steht im Protokoll"),
    written: |time| format!("Geschrieben am {time}."),
    opening: |index| format!("Geprüft: Eintrag {index} steht so im Protokoll, wie es in der Datei steht"),
    person: |ending| format!("Er gehört zu der Identifikationsnummer mit dem Ende {ending}."),
    bundle: |exchanges, visits| {
        let exchanges = if exchanges == 1 {
            "1 Abruf".to_owned()
        } else {
            format!("{exchanges} Abrufe")
        };
        let visits = if visits == 1 {
            "1 Besuch".to_owned()
        } else {
            format!("{visits} Besuche")
        };
        format!("Geprüft: {exchanges}, {visits} – und keiner fehlt")
    },
    as_of: |time| format!("Vollständig bis zum {time}."),
    witnesses: |count| match count {
        1 => "1 Zeuge hat den Stand bestätigt.".to_owned(),
        _ => format!("{count} Zeugen haben den Stand bestätigt."),
    },
    no_quorum: "Noch nicht genügend Zeugen haben diesen Stand bestätigt.",
    nothing: "Ihr Gerät hat sich noch nichts gemerkt",
    nothing_text: "Das geschieht, wenn Sie angemeldet sind und Ihr Browser Ihre Liste geprüft hat.",
    grown: |before, time| {
        format!("Das Protokoll ist nur gewachsen, seit Ihr Gerät es am {time} mit {before} Einträgen gesehen hat")
    },
    grown_text: |now| format!("Heute hat es {now} Einträge. Das hat Ihr Browser gerade selbst geprüft."),
    unlinked: "Unser Server hat den Vergleich nicht geliefert. Laden Sie die Seite neu.",
    older: |time| format!("Achtung: Dieser Stand ist älter als der, den Ihr Gerät am {time} gesehen hat"),
    rewritten: |time| format!("Achtung: Das Protokoll passt nicht zu dem, was Ihr Gerät am {time} gesehen hat"),
    report: "Jemand zeigt Ihnen etwas anderes als früher. Melden Sie das der Aufsicht, und verlassen Sie sich nicht auf diese Seiten.",
    unable: "Der Vergleich ging gerade nicht",
    example: "Ihr Browser hat das erfundene Beispiel selbst geprüft",
    no_example: "Das Beispiel ist nicht angekommen, oder es stimmt nicht",
    reload: "Laden Sie die Seite neu.",
};

static ENGLISH: Words = Words {
    no_trust: "The keys on this page cannot be read",
    other_log: "This page names other keys than those that your device knows",
    first_time: "Your device sees this log for the first time. Compare the keys with another source.",
    too_large: "This file is too large",
    no_file: "This is no file from here",
    no_file_text: "Files that end with .tlog-proof, .opening, .bundle and .beweis are checked.",
    refused: "Attention: this file is not right",
    refused_text: "It was changed, it is damaged, or it is from another log. Do not rely on it.",
    receipt: |index| format!("Checked: entry {index} is in the log"),
    written: |time| format!("Written on {time}."),
    opening: |index| format!("Checked: entry {index} is in the log as the file says"),
    person: |ending| format!("It belongs to the identification number that ends with {ending}."),
    bundle: |exchanges, visits| {
        let exchanges = if exchanges == 1 {
            "1 retrieval".to_owned()
        } else {
            format!("{exchanges} retrievals")
        };
        let visits = if visits == 1 {
            "1 visit".to_owned()
        } else {
            format!("{visits} visits")
        };
        format!("Checked: {exchanges}, {visits} – and none is missing")
    },
    as_of: |time| format!("Complete up to {time}."),
    witnesses: |count| match count {
        1 => "1 witness has confirmed the state.".to_owned(),
        _ => format!("{count} witnesses have confirmed the state."),
    },
    no_quorum: "Not enough witnesses have confirmed this state yet.",
    nothing: "Your device has not remembered anything yet",
    nothing_text: "It does so when you are logged in and your browser has checked your list.",
    grown: |before, time| format!("The log has only grown since your device saw it with {before} entries on {time}"),
    grown_text: |now| format!("It has {now} entries today. Your browser has just checked that by itself."),
    unlinked: "Our server has not sent the comparison. Reload the page.",
    older: |time| format!("Attention: this state is older than the one that your device saw on {time}"),
    rewritten: |time| format!("Attention: the log does not fit what your device saw on {time}"),
    report: "You are shown something else than before. Report this to the supervisory authority, and do not rely on these pages.",
    unable: "The comparison is not possible at present",
    example: "Your browser has checked the invented example by itself",
    no_example: "The example has not arrived, or it is not right",
    reload: "Reload the page.",
};
