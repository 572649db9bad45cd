//! Evidence in the form that was asked for: JSON, XML by the register's schema ([`crate::xml_schema`]), or PDF/A-3 for
//! people with that XML in it.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use messages::limits::MAX_EVIDENCE;
use messages::xnachweis::XmlError;
use messages::{EvidenceDocument, EvidenceForm};
use paper::{EvidencePaper, PdfError};
use record::Timestamp;
use serde::{Deserialize, Serialize};
use service::Problem;
use text::{FieldValue, Reference, Title};

use crate::data::EvidenceType;

/// Evidence about one subject as JSON. `Debug` shows the title only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Title of the evidence type.
    pub title: String,
    /// Time of issue, which is the time of the answer, UTC.
    pub issued_at: String,
    /// Field name → value, in order of the names.
    pub fields: BTreeMap<String, String>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Evidence({:?}, fields redacted)", self.title)
    }
}

/// The form that a caller accepts: the one that `Accept` names alone, and JSON if it names none.
///
/// # Errors
/// 406 for a form that this register does not have.
pub(crate) fn requested(headers: &HeaderMap) -> Result<EvidenceForm, Problem> {
    let accept = headers.get(header::ACCEPT).map(|accept| accept.to_str());
    match accept {
        None | Some(Ok("*/*")) => Ok(EvidenceForm::Json),
        Some(accept) => accept.ok().and_then(EvidenceForm::of_media_type).ok_or_else(|| {
            let detail = "ask for application/json, application/xml or application/pdf";
            Problem::new(406, "form", "Not acceptable", detail)
        }),
    }
}

/// Why evidence cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// It has more bytes than evidence may have.
    #[error("the evidence exceeds {MAX_EVIDENCE} bytes")]
    TooLarge,
    /// Schema and data were checked when they were read, so the program itself is wrong.
    #[error("the evidence cannot be written: {0}")]
    Invalid(&'static str),
    #[error(transparent)]
    Pdf(#[from] PdfError),
}

/// Evidence in one form.
pub(crate) struct WrittenEvidence {
    form: EvidenceForm,
    pub(crate) content: Vec<u8>,
}

impl IntoResponse for WrittenEvidence {
    fn into_response(self) -> Response {
        let media_type = [(header::CONTENT_TYPE, self.form.media_type())];
        (StatusCode::OK, media_type, self.content).into_response()
    }
}

/// What is written.
pub(crate) struct Found<'a> {
    pub(crate) register: &'a Title,
    /// What the bar at the top of each page says.
    pub(crate) banner: Option<&'a Title>,
    pub(crate) evidence_type: &'a EvidenceType,
    pub(crate) fields: &'a BTreeMap<String, String>,
    pub(crate) issued_at: Timestamp,
}

impl Found<'_> {
    /// Writes the evidence. The same evidence of the same time has the same bytes.
    pub(crate) fn write(&self, form: EvidenceForm) -> Result<WrittenEvidence, WriteError> {
        let content = match form {
            EvidenceForm::Json => self.json()?,
            EvidenceForm::Xml => self.xml()?,
            EvidenceForm::Pdf => self.pdf()?,
        };
        if content.len() > MAX_EVIDENCE {
            return Err(WriteError::TooLarge);
        }
        Ok(WrittenEvidence { form, content })
    }

    fn json(&self) -> Result<Vec<u8>, WriteError> {
        let evidence = Evidence {
            title: self.evidence_type.title.to_string(),
            issued_at: self.issued_at.to_string(),
            fields: self.fields.clone(),
        };
        serde_json::to_vec(&evidence).map_err(|_| WriteError::Invalid("JSON"))
    }

    fn xml(&self) -> Result<Vec<u8>, WriteError> {
        let issued_at: Result<Reference, _> = self.issued_at.to_string().parse();
        let fields = self.evidence_type.fields.iter().map(|field| {
            let value = self.fields.get(field.name.as_str()).map_or("", String::as_str);
            let value: FieldValue = value.parse().map_err(|_| WriteError::Invalid("a value"))?;
            Ok((field.name.to_string(), value))
        });
        let document = EvidenceDocument {
            evidence_type: self.evidence_type.id.to_string(),
            title: self.evidence_type.title.clone(),
            issued_at: issued_at.map_err(|_| WriteError::Invalid("the time of issue"))?,
            fields: fields.collect::<Result<_, WriteError>>()?,
        };
        document.to_xml().map_err(|error| match error {
            XmlError::TooLarge => WriteError::TooLarge,
            _ => WriteError::Invalid("XML"),
        })
    }

    fn pdf(&self) -> Result<Vec<u8>, WriteError> {
        let fields = self.evidence_type.fields.iter().map(|field| {
            let value = self.fields.get(field.name.as_str()).map_or("", String::as_str);
            (field.title.as_ref(), value)
        });
        let fields: Vec<(&str, &str)> = fields.collect();
        let paper = EvidencePaper {
            register: self.register,
            title: &self.evidence_type.title,
            issued_at: self.issued_at,
            banner: self.banner.map(|banner| &**banner),
            fields: &fields,
        };
        Ok(paper.pdf(self.xml()?)?)
    }
}
