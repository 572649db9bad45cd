//! What is requested about whom (`QueryType_NOOTS`).

use super::distribution::Distribution;
use super::error::XmlError;
use super::evidence_type::EvidenceType;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::person::NaturalPerson;
use super::representative::Representative;
use super::subject::Subject;
use super::values::uuid;
use super::write::XmlWriter;

const DEFINITION: &str = "DocumentQuery";

/// The query of a request or an order. `Debug` shows no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The requested evidence type.
    pub evidence_type: EvidenceType,
    /// The requested form.
    pub distribution: Distribution,
    /// Who acts for the subject.
    pub representative: Option<Box<Representative>>,
    /// Who the evidence is about.
    pub subject: Subject,
}

impl Query {
    /// The subject, if it is a natural person.
    #[must_use]
    pub fn natural_person(&self) -> Option<&NaturalPerson> {
        match &self.subject {
            Subject::Natural(person) => Some(person),
            Subject::Legal(_) => None,
        }
    }

    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::De, "Query", &[], |writer| {
            writer.text(Namespace::Bk, "QueryDefinition", DEFINITION);
            writer.element(Namespace::Bk, "RequestedEvidenceType", &[], |writer| {
                self.evidence_type.write(writer);
                writer.text(
                    Namespace::Bk,
                    "Identifier",
                    &self.evidence_type.identifier().to_string(),
                );
                writer.element(Namespace::Bk, "DistributedAs", &[], |writer| {
                    self.distribution.write(writer)
                });
            });
            if let Some(representative) = &self.representative {
                representative.write(writer);
            }
            self.subject.write(writer);
        });
    }

    /// Takes the next child, which must be the query.
    pub(crate) fn read(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let mut children = children.one(Namespace::De, "Query")?.only_children("Query")?;
        if children.text(Namespace::Bk, "QueryDefinition")? != DEFINITION {
            return Err(XmlError::Value("QueryDefinition"));
        }
        let (evidence_type, distribution) = read_requested(children.one(Namespace::Bk, "RequestedEvidenceType")?)?;
        let representative = children.optional(Namespace::Bk, "AuthorizedRepresentative");
        let representative = representative.map(Representative::read).transpose()?.map(Box::new);
        let subject = Subject::read(&mut children)?;
        children.end()?;
        Ok(Self {
            evidence_type,
            distribution,
            representative,
            subject,
        })
    }
}

/// Reads the type `EvidenceType.DataServiceType`.
fn read_requested(element: Element<'_>) -> Result<(EvidenceType, Distribution), XmlError> {
    let mut children = element.only_children("RequestedEvidenceType")?;
    let evidence_type = EvidenceType::read(&mut children)?;
    if uuid(&children.text(Namespace::Bk, "Identifier")?, "Identifier")? != evidence_type.identifier() {
        return Err(XmlError::Value("Identifier"));
    }
    let distributed = children.one(Namespace::Bk, "DistributedAs")?;
    children.end()?;
    let mut children = distributed.only_children("DistributedAs")?;
    let distribution = Distribution::read(&mut children)?;
    children.end()?;
    Ok((evidence_type, distribution))
}
