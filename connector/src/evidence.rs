//! The form of evidence inside an answer.

/// Media type of the evidence that a register gives and an answer carries.
pub(crate) const EVIDENCE_MEDIA_TYPE: &str = "application/json";
