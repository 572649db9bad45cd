//! `DE.EvidenceRequest.0101`: a consumer requests evidence about a person.

use uuid::Uuid;

use super::error::XmlError;
use super::parts::{self, Author, EvidenceType, Head, NaturalPerson};
use super::tree::{self, Element, Ns};
use super::write::Document;

const NAME: &str = "DE.EvidenceRequest.0101";
/// Classification of the agents.
const REQUESTER: &str = "ER";
const PROVIDER: &str = "EP";

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
        Document::root(NAME, &parts::root_attributes("id", &id, self.head.test), |document| {
            self.head.write(document, NAME, Author::Consumer);
            document.code(Ns::De, "lang", parts::LIST_LANGUAGE, "DE");
            document.text(Ns::De, "SpecificationIdentifier", parts::SPECIFICATION);
            document.text(Ns::De, "IssueDateTime", &parts::time_text(self.head.created));
            parts::write_agent(document, "EvidenceRequester", &self.head.consumer, REQUESTER);
            parts::write_agent(document, "EvidenceProvider", &self.head.provider, PROVIDER);
            document.text(Ns::De, "IssuedToken", &self.issued_token);
            document.element(Ns::De, "Query", &[], |document| {
                document.text(Ns::Bk, "QueryDefinition", "DocumentQuery");
                self.evidence_type.write_requested(document, &self.media_type);
                self.person.write(document);
            });
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        let root = tree::parse(xml)?;
        if !root.is(Ns::De, NAME) {
            return Err(XmlError::Missing(NAME));
        }
        let (id, test) = parts::read_root_attributes(&root, "id")?;
        let mut children = root.children(NAME)?;
        let head = Head::read(children.one(Ns::Bk, "nachrichtenkopf")?, NAME, Author::Consumer, test)?;
        parts::read_code(children.one(Ns::De, "lang")?, parts::LIST_LANGUAGE.0, "lang")?;
        parts::read_specification(&mut children)?;
        parts::read_issued(&mut children, head.created)?;
        let requester = children.one(Ns::De, "EvidenceRequester")?;
        parts::read_agent(requester, "EvidenceRequester", &head.consumer, REQUESTER)?;
        let provider = children.one(Ns::De, "EvidenceProvider")?;
        parts::read_agent(provider, "EvidenceProvider", &head.provider, PROVIDER)?;
        let issued_token = children.text(Ns::De, "IssuedToken")?.to_owned();
        let (evidence_type, media_type, person) = read_query(children.one(Ns::De, "Query")?)?;
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

fn read_query(query: &Element) -> Result<(EvidenceType, String, NaturalPerson), XmlError> {
    query.only(&[], "Query")?;
    let mut children = query.children("Query")?;
    if children.text(Ns::Bk, "QueryDefinition")? != "DocumentQuery" {
        return Err(XmlError::Value("QueryDefinition"));
    }
    let (evidence_type, media_type) = EvidenceType::read_requested(children.one(Ns::Bk, "RequestedEvidenceType")?)?;
    let person = NaturalPerson::read(children.one(Ns::Bk, "LegalOrNaturalPerson")?)?;
    children.end()?;
    Ok((evidence_type, media_type, person))
}
