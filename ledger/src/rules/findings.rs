//! What `ledger check` finds wrong.

/// Findings that are told one by one; the rest is counted.
const MAX_REPORTED: usize = 100;

/// What is wrong, each with its place.
#[derive(Debug, Default)]
pub struct Findings {
    first_findings: Vec<String>,
    count: u64,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, finding: String) {
        self.count += 1;
        if self.first_findings.len() < MAX_REPORTED {
            self.first_findings.push(finding);
        }
    }

    /// The first hundred.
    pub fn first_findings(&self) -> &[String] {
        &self.first_findings
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.count
    }
}
