//! The inconsistencies that `ledger check` finds.

/// How many findings are kept as text; the others are only counted.
const MAX_REPORTED: usize = 100;

/// Inconsistencies of a store, each with its place.
#[derive(Debug, Default)]
pub struct Findings {
    first_findings: Vec<String>,
    count: u64,
}

impl Findings {
    /// Adds a finding.
    pub(crate) fn add(&mut self, finding: String) {
        self.count += 1;
        if self.first_findings.len() < MAX_REPORTED {
            self.first_findings.push(finding);
        }
    }

    /// The first hundred findings.
    pub fn first_findings(&self) -> &[String] {
        &self.first_findings
    }

    /// The number of all findings.
    pub fn count(&self) -> u64 {
        self.count
    }
}
