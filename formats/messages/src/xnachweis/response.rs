//! `DE.EvidenceResponse.0102`: the answer with evidence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use uuid::Uuid;

use super::agent::{self, Authority, PROVIDER, REQUESTER};
use super::answer_head::{read_answer_head, write_answer_head};
use super::error::XmlError;
use super::evidence_type::{EvidenceType, read_format, write_format};
use super::head::{Head, read_root_attributes, root_attributes};
use super::namespace::Namespace;
use super::parse::{Children, Element, parse};
use super::person::NaturalPerson;
use super::values::{binary, date, urn};
use super::write::XmlWriter;

/// Name of the root element.
pub(crate) const RESPONSE: &str = "DE.EvidenceResponse.0102";
const SUCCESS: &str = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success";

/// The evidence. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `id` of the registry object.
    pub object: Uuid,
    /// `IssuingDate`, `YYYY-MM-DD`.
    pub issued: String,
    /// The evidence type.
    pub evidence_type: EvidenceType,
    /// Media type of the content.
    pub media_type: String,
    /// The content.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Evidence({}, content redacted)", self.evidence_type.id)
    }
}

/// Answer with evidence. `Debug` shows no person and no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceResponse0102 {
    /// `id` of the answered request.
    pub request: Uuid,
    /// `EvidenceResponseIdentifier`.
    pub response: Uuid,
    /// The head. Its message id is that of the request.
    pub head: Head,
    /// The evidence.
    pub evidence: Evidence,
    /// The person that the evidence is about, as the request named them.
    pub person: NaturalPerson,
}

impl EvidenceResponse0102 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when a text contains a character that XML cannot carry.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        let request = format!("urn:uuid:{}", self.request);
        XmlWriter::root(
            RESPONSE,
            &root_attributes("requestid", &request, self.head.test),
            |writer| {
                write_answer_head(writer, RESPONSE, SUCCESS, &self.head, self.response);
                agent::write_agent(writer, "EvidenceProvider", &self.head.provider, PROVIDER);
                agent::write_agent(writer, "EvidenceRequester", &self.head.consumer, REQUESTER);
                writer.element(Namespace::De, "EvidenceAvailability", &[], |writer| {
                    writer.element(Namespace::De, "RegistryObjectList", &[], |writer| {
                        writer.text(Namespace::Bk, "id", &format!("urn:uuid:{}", self.evidence.object));
                        self.evidence.write(writer, &self.head.provider);
                        self.person.write(writer);
                    });
                });
            },
        )
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        let document = parse(xml)?;
        let root = Element::root(&document);
        if root.is(Namespace::De, RESPONSE) {
            Self::read(root)
        } else {
            Err(XmlError::Missing(RESPONSE))
        }
    }

    pub(super) fn read(root: Element<'_>) -> Result<Self, XmlError> {
        let (request, test) = read_root_attributes(root, "requestid")?;
        let mut children = root.children(RESPONSE)?;
        let (head, response) = read_answer_head(&mut children, RESPONSE, SUCCESS, test)?;
        let provider = children.one(Namespace::De, "EvidenceProvider")?;
        agent::read_agent(provider, "EvidenceProvider", &head.provider, PROVIDER)?;
        let requester = children.one(Namespace::De, "EvidenceRequester")?;
        agent::read_agent(requester, "EvidenceRequester", &head.consumer, REQUESTER)?;
        let availability = children.one(Namespace::De, "EvidenceAvailability")?;
        children.end()?;
        let mut objects = availability.only_children("EvidenceAvailability")?;
        let object = objects.one(Namespace::De, "RegistryObjectList")?;
        objects.end()?;
        let mut children = object.only_children("RegistryObjectList")?;
        let id = urn(&children.text(Namespace::Bk, "id")?, "id")?;
        let evidence = Evidence::read(id, &mut children, &head.provider)?;
        let person = NaturalPerson::read(children.one(Namespace::Bk, "LegalOrNaturalPerson")?)?;
        children.end()?;
        Ok(Self {
            request,
            response,
            head,
            evidence,
            person,
        })
    }
}

impl Evidence {
    fn write(&self, writer: &mut XmlWriter, issuer: &Authority) {
        writer.element(Namespace::Bk, "EvidenceMetadata", &[], |writer| {
            writer.text(Namespace::Bk, "IssuingDate", &self.issued);
            writer.element(Namespace::Bk, "IssuingAuthority", &[], |writer| {
                agent::write_identification(writer, issuer);
            });
            writer.element(Namespace::Bk, "Distribution", &[], |writer| {
                write_format(writer, &self.media_type)
            });
            writer.element(Namespace::Bk, "IsConformantTo", &[], |writer| {
                self.evidence_type.write_conformant(writer)
            });
        });
        writer.element(Namespace::Bk, "RepositoryItem", &[], |writer| {
            writer.text(Namespace::Bk, "RepositoryItem", &BASE64.encode(&self.content));
        });
    }

    fn read(object: Uuid, children: &mut Children<'_>, issuer: &Authority) -> Result<Self, XmlError> {
        let metadata = children.one(Namespace::Bk, "EvidenceMetadata")?;
        let item = children.one(Namespace::Bk, "RepositoryItem")?;
        let mut children = metadata.only_children("EvidenceMetadata")?;
        let issued = date(&children.text(Namespace::Bk, "IssuingDate")?, "IssuingDate")?;
        let mut authority = children
            .one(Namespace::Bk, "IssuingAuthority")?
            .only_children("IssuingAuthority")?;
        agent::read_identification(&mut authority, "IssuingAuthority", issuer)?;
        authority.end()?;
        let mut distribution = children
            .one(Namespace::Bk, "Distribution")?
            .only_children("Distribution")?;
        let media_type = read_format(&mut distribution)?;
        distribution.end()?;
        let mut conformant = children
            .one(Namespace::Bk, "IsConformantTo")?
            .only_children("IsConformantTo")?;
        let evidence_type = EvidenceType::read_conformant(&mut conformant)?;
        conformant.end()?;
        children.end()?;
        let mut items = item.only_children("RepositoryItem")?;
        let content = binary(&items.text(Namespace::Bk, "RepositoryItem")?, "RepositoryItem")?;
        items.end()?;
        Ok(Self {
            object,
            issued: issued.to_string(),
            evidence_type,
            media_type,
            content,
        })
    }
}
