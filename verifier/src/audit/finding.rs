//! What an audit found wrong: a place and a sentence. A finding does not say who caused it. A [`Note`] is something
//! that a reader may want to know and that is not wrong.

use serde::Serialize;

/// How many findings are kept. The audit stops soon after it has found more.
pub(super) const MAX_KEPT: usize = 200;

/// One error in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as a path below the log's prefix (`tile/entries/000.p/44`).
    pub place: String,
    /// Index of the entry concerned, if the finding is about an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.entry {
            Some(index) => write!(f, "{}, entry {index}: {}", self.place, self.what),
            None => write!(f, "{}: {}", self.place, self.what),
        }
    }
}

/// Something that is worth knowing and does not make a log unsound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The first file concerned.
    pub place: String,
    /// In how many files it is so.
    pub files: u64,
    /// What is so, as a sentence.
    pub what: String,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.files {
            1 => write!(f, "{}: {}", self.place, self.what),
            files => write!(f, "{} and {} more: {}", self.place, files - 1, self.what),
        }
    }
}

/// Findings in the order in which they were made. Their number is bounded, so that a log that is wrong everywhere
/// cannot exhaust the memory.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    dropped: u64,
    notes: Vec<Note>,
    missing: Option<Missing>,
}

/// Documents that are missing.
#[derive(Clone, Debug)]
struct Missing {
    /// The position of their one finding.
    at: usize,
    count: u64,
    /// The first of them, with the entries that name them.
    listed: Vec<String>,
}

/// How many entries the finding about missing documents lists.
const MAX_LISTED: usize = 5;

impl Findings {
    /// Adds a finding about a whole file.
    pub fn file(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.push(Finding {
            place: place.into(),
            entry: None,
            what: what.into(),
        });
    }

    /// Adds a finding about one entry.
    pub fn entry(&mut self, place: &str, index: u64, what: impl Into<String>) {
        self.push(Finding {
            place: place.to_owned(),
            entry: Some(index),
            what: what.into(),
        });
    }

    /// Adds a missing document, which an entry names. All of them are one finding, because they usually have one cause:
    /// the documents were not copied with the tiles.
    pub(crate) fn missing_document(&mut self, place: &str, index: u64, name: &str) {
        let listed = format!("{index} ({name})");
        let Some(missing) = &mut self.missing else {
            self.missing = Some(Missing {
                at: self.kept.len(),
                count: 1,
                listed: vec![listed],
            });
            return self.file(
                place,
                format!("{name}: the file is missing, but entry {index} names it"),
            );
        };
        missing.count += 1;
        if missing.listed.len() < MAX_LISTED {
            missing.listed.push(listed);
        }
        let rest = if missing.count > MAX_LISTED as u64 { ", …" } else { "" };
        if let Some(finding) = self.kept.get_mut(missing.at) {
            "documents".clone_into(&mut finding.place);
            finding.what = format!(
                "{} documents are missing, which the entries {}{rest} name; audit a copy that has them",
                missing.count,
                missing.listed.join(", ")
            );
        }
    }

    /// Adds a note, or another file to the note that says the same.
    pub(crate) fn note(&mut self, place: &str, what: String) {
        if let Some(same) = self.notes.iter_mut().find(|note| note.what == what) {
            same.files += 1;
        } else if self.notes.len() < MAX_KEPT {
            let place = place.to_owned();
            self.notes.push(Note { place, files: 1, what });
        }
    }

    /// The notes, at most 200.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn push(&mut self, finding: Finding) {
        if self.kept.len() < MAX_KEPT {
            self.kept.push(finding);
        } else {
            self.dropped += 1;
        }
    }

    /// True if nothing was found.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The findings kept, at most 200.
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }

    /// True once findings were dropped. The audit then stops, so that a log that claims an absurd size is not read to
    /// its end.
    pub(crate) fn overflow(&self) -> bool {
        self.dropped > 0
    }

    /// How many findings were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_bounded_but_counted() {
        let mut findings = Findings::default();
        for index in 0..(MAX_KEPT as u64 + 3) {
            findings.entry("tile/entries/000", index, "wrong");
        }
        assert_eq!((findings.kept().len(), findings.dropped()), (MAX_KEPT, 3));
        assert_eq!(findings.kept()[1].to_string(), "tile/entries/000, entry 1: wrong");
    }

    #[test]
    fn missing_documents_are_one_finding() {
        let mut findings = Findings::default();
        findings.file("checkpoint", "wrong");
        findings.missing_document("documents/aa", 0, "genesis");
        assert_eq!(
            findings.kept()[1].to_string(),
            "documents/aa: genesis: the file is missing, but entry 0 names it"
        );
        for index in 1..8 {
            findings.missing_document("documents/bb", index, "erasure");
        }
        let said = "documents: 8 documents are missing, which the entries 0 (genesis), 1 (erasure), 2 (erasure), \
                    3 (erasure), 4 (erasure), … name; audit a copy that has them";
        assert_eq!(
            (findings.kept().len(), findings.kept()[1].to_string().as_str()),
            (2, said)
        );
    }

    #[test]
    fn equal_notes_are_one() {
        let mut findings = Findings::default();
        for place in ["checkpoint", "checkpoints/3", "checkpoints/4"] {
            findings.note(place, "unknown".to_owned());
        }
        assert!(findings.is_empty());
        assert_eq!(findings.notes().len(), 1);
        assert_eq!(findings.notes()[0].to_string(), "checkpoint and 2 more: unknown");
    }
}
