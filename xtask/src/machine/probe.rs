//! What a probe returns.

use std::fmt;

/// What a probe found, in words, or why the prerequisite is missing.
pub(super) type Probe = Result<String, Problem>;

/// Why a prerequisite is missing: what was tried and what came of it.
#[derive(Debug)]
pub(super) struct Problem(String);

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Problem {
        Problem(text.into())
    }

    pub(super) fn all(texts: Vec<String>) -> Problem {
        Problem(texts.join("; "))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
