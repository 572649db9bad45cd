//! The result for one row of a register.

use std::collections::BTreeMap;

use record::Idnr;
use serde::Serialize;

use crate::persons::base_data::BaseDatum;

/// The result for one row.
#[derive(Serialize)]
pub(super) struct ResultLine {
    /// The register's own name of the row.
    pub(super) reference: String,
    pub(super) result: RowResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idnr: Option<Idnr>,
    #[serde(flatten)]
    pub(super) base_data: BTreeMap<BaseDatum, String>,
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
