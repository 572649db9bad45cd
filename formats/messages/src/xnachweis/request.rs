//! `DE.EvidenceRequest.0101`: a consumer requests evidence about a person.

use uuid::Uuid;

use super::agent::{self, PROVIDER, REQUESTER};
use super::code_list::CodeList;
use super::error::XmlError;
use super::evidence_type::EvidenceType;
use super::head::{
    Author, Head, SPECIFICATION, read_issued, read_root_attributes, read_specification, root_attributes,
};
use super::namespace::Namespace;
use super::parse::{Element, parse};
use super::person::NaturalPerson;
use super::values::time_text;
use super::write::XmlWriter;

const NAME: &str = "DE.EvidenceRequest.0101";

/// The request. `Debug` shows no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRequest0101 {
    /// `id` of the root; answers refer to it as `requestid`.
    pub id: Uuid,
    /// The head: message, time, parties, test flag.
    pub head: Head,
    /// Reference to the permission; see the module's manual.
    pub issued_token: String,
    /// The requested evidence type.
    pub evidence_type: EvidenceType,
    /// Requested media type.
    pub media_type: String,
    /// The person.
    pub person: NaturalPerson,
}

impl EvidenceRequest0101 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when a text contains a character that XML cannot carry.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        let id = format!("urn:uuid:{}", self.id);
        XmlWriter::root(NAME, &root_attributes("id", &id, self.head.test), |writer| {
            self.head.write(writer, NAME, Author::Consumer);
            writer.code(Namespace::De, "lang", CodeList::LANGUAGE, "DE");
            writer.text(Namespace::De, "SpecificationIdentifier", SPECIFICATION);
            writer.text(Namespace::De, "IssueDateTime", &time_text(self.head.created));
            agent::write_agent(writer, "EvidenceRequester", &self.head.consumer, REQUESTER);
            agent::write_agent(writer, "EvidenceProvider", &self.head.provider, PROVIDER);
            writer.text(Namespace::De, "IssuedToken", &self.issued_token);
            writer.element(Namespace::De, "Query", &[], |writer| {
                writer.text(Namespace::Bk, "QueryDefinition", "DocumentQuery");
                self.evidence_type.write_requested(writer, &self.media_type);
                self.person.write(writer);
            });
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        let document = parse(xml)?;
        let root = Element::root(&document);
        if !root.is(Namespace::De, NAME) {
            return Err(XmlError::Missing(NAME));
        }
        let (id, test) = read_root_attributes(root, "id")?;
        let mut children = root.children(NAME)?;
        let head = Head::read(
            children.one(Namespace::Bk, "nachrichtenkopf")?,
            NAME,
            Author::Consumer,
            test,
        )?;
        CodeList::LANGUAGE.read(children.one(Namespace::De, "lang")?, "lang")?;
        read_specification(&mut children)?;
        read_issued(&mut children, head.created)?;
        let requester = children.one(Namespace::De, "EvidenceRequester")?;
        agent::read_agent(requester, "EvidenceRequester", &head.consumer, REQUESTER)?;
        let provider = children.one(Namespace::De, "EvidenceProvider")?;
        agent::read_agent(provider, "EvidenceProvider", &head.provider, PROVIDER)?;
        let issued_token = children.text(Namespace::De, "IssuedToken")?;
        let (evidence_type, media_type, person) = read_query(children.one(Namespace::De, "Query")?)?;
        children.end()?;
        Ok(Self {
            id,
            head,
            issued_token,
            evidence_type,
            media_type,
            person,
        })
    }
}

fn read_query(query: Element<'_>) -> Result<(EvidenceType, String, NaturalPerson), XmlError> {
    let mut children = query.only_children("Query")?;
    if children.text(Namespace::Bk, "QueryDefinition")? != "DocumentQuery" {
        return Err(XmlError::Value("QueryDefinition"));
    }
    let (evidence_type, media_type) =
        EvidenceType::read_requested(children.one(Namespace::Bk, "RequestedEvidenceType")?)?;
    let person = NaturalPerson::read(children.one(Namespace::Bk, "LegalOrNaturalPerson")?)?;
    children.end()?;
    Ok((evidence_type, media_type, person))
}
