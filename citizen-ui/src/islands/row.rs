//! The rows of the table of accesses.

use serde::{Deserialize, Serialize};

use crate::language::phrase::Phrase;
use crate::proof::state::ProofState;

/// A row of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessRow {
    /// Indices of the access's entries: its own first.
    pub entries: Vec<u64>,
    /// For `datetime`.
    pub iso: String,
    /// As shown.
    pub when: String,
    /// What happened.
    pub phrase: Phrase,
    /// What the server says of the proof.
    pub state: ProofState,
}

impl AccessRow {
    /// The entry that the row is known by.
    pub fn key(&self) -> u64 {
        self.entries.first().copied().unwrap_or_default()
    }
}
