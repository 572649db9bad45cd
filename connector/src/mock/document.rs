//! The mock's evidence as a document, as a register would write it.

use messages::{EvidenceDocument, EvidenceForm};
use paper::EvidencePaper;
use record::Timestamp;
use service::Problem;

use crate::consumer::query::{AuthorityEvidence, EvidenceQuery};
use crate::evidence::EvidenceContent;

/// The evidence of an answer in the form of the query.
///
/// # Errors
/// 400 if the names of the answer are not those of XML elements.
pub(super) fn in_form(evidence: AuthorityEvidence, query: &EvidenceQuery) -> Result<AuthorityEvidence, Problem> {
    let fields = evidence
        .fields
        .iter()
        .map(|(name, value)| (name.to_string(), value.clone()));
    let document = EvidenceDocument {
        evidence_type: query.evidence_type.clone(),
        title: evidence.title.clone(),
        issued_at: evidence.issued_at.clone(),
        fields: fields.collect(),
    };
    let content = match query.form {
        EvidenceForm::Json => Vec::new(),
        EvidenceForm::Xml => xml(&document)?,
        EvidenceForm::Pdf => pdf(&document)?,
    };
    let read = EvidenceContent {
        title: evidence.title,
        issued_at: evidence.issued_at,
        fields: evidence.fields,
        sections: evidence.sections,
    };
    Ok(AuthorityEvidence::new(read, query.form, &content))
}

fn xml(document: &EvidenceDocument) -> Result<Vec<u8>, Problem> {
    let detail = "the mock cannot write this answer as a document: the names of evidence type and fields must be those \
                  of XML elements";
    document.to_xml().map_err(|_| Problem::bad_request("question", detail))
}

fn pdf(document: &EvidenceDocument) -> Result<Vec<u8>, Problem> {
    let fields: Vec<(&str, &str)> = document
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), &**value))
        .collect();
    let paper = EvidencePaper {
        register: "MOCK",
        title: &document.title,
        issued_at: document.issued_at.parse().unwrap_or(Timestamp(0)),
        banner: Some("MOCK"),
        fields: &fields,
    };
    paper.pdf(xml(document)?).map_err(|error| {
        tracing::error!(%error, "the mock cannot draw a document");
        Problem::internal()
    })
}
