//! The result for one row of a register.

use serde::Serialize;

use crate::base_data::Released;

/// The result for one row.
#[derive(Serialize)]
pub(super) struct ResultLine {
    /// The register's own name of the row.
    pub(super) reference: String,
    pub(super) result: RowResult,
    /// The IDNr and the base data.
    #[serde(flatten)]
    pub(super) person: Option<Released>,
}

/// What was found for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RowResult {
    Found,
    Unknown,
    Ambiguous,
    Contradictory,
    Doubled,
}
