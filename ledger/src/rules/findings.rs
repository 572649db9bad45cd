//! What `ledger check` finds wrong.

/// Findings that are told one by one; the rest is counted.
const TOLD: usize = 100;

/// What is wrong, each with its place.
#[derive(Debug, Default)]
pub struct Findings {
    told: Vec<String>,
    count: u64,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, finding: String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(finding);
        }
    }

    /// The first hundred.
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.count
    }
}
