//! A row of the table of accesses, as the server serialises it for the browser.

use serde::{Deserialize, Serialize};

use crate::language::phrase::Phrase;
use crate::proof::state::ProofState;

/// One access in the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessRow {
    /// Log indices of the access's entries, first entry first.
    pub entries: Vec<u64>,
    /// Time of the first entry in ISO 8601, for the attribute `datetime`.
    pub iso: String,
    /// The same time as the reader sees it.
    pub when: String,
    /// What happened, in one to four sentences.
    pub phrase: Phrase,
    /// The server's result.
    pub state: ProofState,
}

impl AccessRow {
    /// The log index of the first entry, which identifies the access.
    pub fn key(&self) -> u64 {
        self.entries.first().copied().unwrap_or_default()
    }
}
