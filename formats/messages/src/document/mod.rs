//! Evidence as a document: its forms, and the XML that a register writes.
//!
//! A request names one form, and the answer has evidence of that form alone ([`EvidenceForm`]). XNachweis names it by
//! its media type (`DistributedAs`, `Distribution`), a connector and its register by `Accept` and `Content-Type`:
//!
//! | Form | Media type | What |
//! | --- | --- | --- |
//! | `json` | `application/json` | title, time of issue, fields; everything about a person has this form alone |
//! | `xml` | `application/xml` | the same as an XML document ([`EvidenceDocument`]) |
//! | `pdf` | `application/pdf` | a PDF/A-3 document for people, with that XML in it |
//!
//! The document of an evidence type has the type's id as its root, and an element for each field:
//!
//! ```xml
//! <fahrzeug-parken xmlns="urn:einsicht:nachweis:1" title="Daten der …" issued-at="2027-01-15T08:00:00Z">
//! <kennzeichen>RF-EM 12</kennzeichen>
//! </fahrzeug-parken>
//! ```
//!
//! A register publishes the XML schema of its types. The reader here needs none: it takes any names, each once, and
//! texts of the classes that evidence in JSON has, too.

mod pdf;
mod xml;

use serde::{Deserialize, Serialize};
use text::{FieldValue, Reference, Title};

pub use pdf::xml_in_pdf;
pub use xml::{NAMESPACE, is_element_name};

pub use crate::xnachweis::write::escape;

use crate::xnachweis::XmlError;

/// The form of evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceForm {
    /// Title, time of issue and fields.
    #[default]
    Json,
    /// The same as an XML document.
    Xml,
    /// A PDF/A-3 document for people with the XML document in it.
    Pdf,
}

impl EvidenceForm {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Json, Self::Xml, Self::Pdf];

    /// The media type, in the list of XNachweis and in HTTP.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
            Self::Pdf => "application/pdf",
        }
    }

    /// The form of a media type without parameters.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.media_type() == media_type)
    }
}

/// Evidence as a document. `Debug` shows no field.
#[derive(Clone, PartialEq, Eq)]
pub struct EvidenceDocument {
    /// Id of the evidence type, which is the name of an XML element ([`is_element_name`]).
    pub evidence_type: String,
    /// What people call it.
    pub title: Title,
    /// When the register issued it.
    pub issued_at: Reference,
    /// Name and value of each field, in the register's order. Each name is that of an XML element, and is there once.
    pub fields: Vec<(String, FieldValue)>,
}

impl std::fmt::Debug for EvidenceDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EvidenceDocument({}, fields redacted)", self.evidence_type)
    }
}

/// Why a document of evidence is not accepted. Names elements, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The XML document is not one of evidence.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The PDF document does not have one XML document in it that can be taken out.
    #[error("PDF: {0}")]
    Pdf(&'static str),
}

#[cfg(test)]
mod tests;
