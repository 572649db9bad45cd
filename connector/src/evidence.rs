//! The form of evidence inside an answer.

use serde::{Deserialize, Serialize};
use text::{FieldValue, Title};
use utoipa::ToSchema;

/// Media type of the evidence that a register gives and an answer carries.
pub(crate) const EVIDENCE_MEDIA_TYPE: &str = "application/json";

/// A part of everything that a register has about a person. It has no `Debug`, because it is personal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceSection {
    /// What the part is about.
    #[schema(value_type = String)]
    pub title: Title,
    /// Its fields, in the register's order.
    pub fields: Vec<SectionField>,
}

/// A field of a section.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionField {
    /// What the field is called.
    #[schema(value_type = String)]
    pub title: Title,
    /// Its value; empty if the register has none.
    #[schema(value_type = String)]
    pub value: FieldValue,
}
