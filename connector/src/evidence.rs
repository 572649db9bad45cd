//! The content of evidence, in the form in which a register gives it and an answer carries it.
//!
//! Both roles read it with [`read`], the provider's connector before it signs: what it has signed as delivered, the
//! consumer's connector can read.

use std::collections::BTreeMap;

use messages::{DocumentError, EvidenceDocument, EvidenceForm};
use serde::{Deserialize, Serialize};
use text::{FieldValue, JsonError, Reference, Title};
use utoipa::ToSchema;

/// What evidence says, in any form. Evidence has fields; everything about a person has sections.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EvidenceContent {
    pub(crate) title: Title,
    pub(crate) issued_at: Reference,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) fields: BTreeMap<Title, FieldValue>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sections: Vec<EvidenceSection>,
}

/// Why evidence cannot be read. Names no value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableEvidence {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The document is about another type of evidence, or the name of a field is too long.
    #[error("the document is not one of the evidence type that was asked for")]
    EvidenceType,
}

/// Reads evidence of one form and type.
pub(crate) fn read(
    form: EvidenceForm,
    content: &[u8],
    evidence_type: &str,
) -> Result<EvidenceContent, UnreadableEvidence> {
    let document = match form {
        EvidenceForm::Json => return Ok(text::json::from_slice(content)?),
        EvidenceForm::Xml => EvidenceDocument::from_xml(content)?,
        EvidenceForm::Pdf => EvidenceDocument::from_xml(&messages::document::xml_in_pdf(content)?)?,
    };
    if document.evidence_type != evidence_type {
        return Err(UnreadableEvidence::EvidenceType);
    }
    let fields = document.fields.into_iter();
    let fields = fields.map(|(name, value)| Ok((name.parse().map_err(|_| UnreadableEvidence::EvidenceType)?, value)));
    Ok(EvidenceContent {
        title: document.title,
        issued_at: document.issued_at,
        fields: fields.collect::<Result<_, UnreadableEvidence>>()?,
        sections: Vec::new(),
    })
}

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
