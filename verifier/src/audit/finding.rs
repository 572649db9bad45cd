//! What an audit found wrong: a place and a sentence. A finding does not say who caused it.

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

/// Findings in the order in which they were made. Their number is bounded, so that a log that is wrong everywhere
/// cannot exhaust the memory.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    dropped: u64,
}

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
}
