//! `DE.EvidenceResponse.0102` and `DE.EvidenceErrorResponse.0103`: the two answers to a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use record::Timestamp;
use uuid::Uuid;

use super::error::XmlError;
use super::parts::{self, Author, Authority, EvidenceType, Head, NaturalPerson};
use super::tree::{self, Children, Element, Ns};
use super::write::Document;

const RESPONSE: &str = "DE.EvidenceResponse.0102";
const ERROR: &str = "DE.EvidenceErrorResponse.0103";
const SUCCESS: &str = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success";
const FAILURE: &str = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure";
const SEVERITY: &str = "urn:oasis:names:tc:ebxmlregrep:ErrorSeverityType:Error";
const LIST_STATUS: (&str, &str) = ("urn:xoev-de:xnachweis:codeliste:responsestatustype", "1.0");
const LIST_ERROR: (&str, &str) = ("urn:xoev-de:xnachweis:codeliste:nootserrorcodes", "1.0");
const REQUESTER: &str = "ER";
const PROVIDER: &str = "EP";

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

/// Why there is no evidence, as far as the requester may know. It never tells whether a person is blocked or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The register has no evidence for this person.
    NotFound,
    /// A check of the provider failed.
    Refused,
    /// The register was unavailable.
    Unavailable,
}

impl ErrorCode {
    const ALL: [ErrorCode; 3] = [ErrorCode::NotFound, ErrorCode::Refused, ErrorCode::Unavailable];

    fn as_str(self) -> &'static str {
        match self {
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::Refused => "REFUSED",
            ErrorCode::Unavailable => "UNAVAILABLE",
        }
    }
}

/// Answer without evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceError0103 {
    /// `id` of the answered request; nil if it could not be read.
    pub request: Uuid,
    /// `EvidenceResponseIdentifier`.
    pub response: Uuid,
    /// The head. Its message id is that of the request.
    pub head: Head,
    /// The reason.
    pub code: ErrorCode,
}

/// One of the two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvidenceAnswer {
    /// 0102.
    Response(Box<EvidenceResponse0102>),
    /// 0103.
    Error(Box<EvidenceError0103>),
}

impl EvidenceAnswer {
    /// Reads the message, of either type.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        let root = tree::parse(xml)?;
        if root.is(Ns::De, RESPONSE) {
            EvidenceResponse0102::read(&root).map(|response| Self::Response(Box::new(response)))
        } else if root.is(Ns::De, ERROR) {
            EvidenceError0103::read(&root).map(|error| Self::Error(Box::new(error)))
        } else {
            Err(XmlError::Missing(
                "DE.EvidenceResponse.0102 or DE.EvidenceErrorResponse.0103",
            ))
        }
    }
}

impl EvidenceResponse0102 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when a text contains a character that XML cannot carry.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        let request = format!("urn:uuid:{}", self.request);
        Document::root(
            RESPONSE,
            &parts::root_attributes("requestid", &request, self.head.test),
            |document| {
                write_beginning(document, RESPONSE, SUCCESS, &self.head, self.response);
                parts::write_agent(document, "EvidenceProvider", &self.head.provider, PROVIDER);
                parts::write_agent(document, "EvidenceRequester", &self.head.consumer, REQUESTER);
                document.element(Ns::De, "EvidenceAvailability", &[], |document| {
                    document.element(Ns::De, "RegistryObjectList", &[], |document| {
                        document.text(Ns::Bk, "id", &format!("urn:uuid:{}", self.evidence.object));
                        self.evidence.write(document, &self.head.provider);
                        self.person.write(document);
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
        let root = tree::parse(xml)?;
        if root.is(Ns::De, RESPONSE) {
            Self::read(&root)
        } else {
            Err(XmlError::Missing(RESPONSE))
        }
    }

    fn read(root: &Element) -> Result<Self, XmlError> {
        let (request, test) = parts::read_root_attributes(root, "requestid")?;
        let mut children = root.children(RESPONSE)?;
        let (head, response) = read_beginning(&mut children, RESPONSE, SUCCESS, test)?;
        let provider = children.one(Ns::De, "EvidenceProvider")?;
        parts::read_agent(provider, "EvidenceProvider", &head.provider, PROVIDER)?;
        let requester = children.one(Ns::De, "EvidenceRequester")?;
        parts::read_agent(requester, "EvidenceRequester", &head.consumer, REQUESTER)?;
        let availability = children.one(Ns::De, "EvidenceAvailability")?;
        children.end()?;
        availability.only(&[], "EvidenceAvailability")?;
        let mut objects = availability.children("EvidenceAvailability")?;
        let object = objects.one(Ns::De, "RegistryObjectList")?;
        objects.end()?;
        object.only(&[], "RegistryObjectList")?;
        let mut children = object.children("RegistryObjectList")?;
        let id = parts::urn(children.text(Ns::Bk, "id")?, "id")?;
        let evidence = Evidence::read(id, &mut children, &head.provider)?;
        let person = NaturalPerson::read(children.one(Ns::Bk, "LegalOrNaturalPerson")?)?;
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
    fn write(&self, document: &mut Document, issuer: &Authority) {
        document.element(Ns::Bk, "EvidenceMetadata", &[], |document| {
            document.text(Ns::Bk, "IssuingDate", &self.issued);
            document.element(Ns::Bk, "IssuingAuthority", &[], |document| {
                parts::write_identification(document, issuer);
            });
            document.element(Ns::Bk, "Distribution", &[], |document| {
                parts::write_format(document, &self.media_type)
            });
            document.element(Ns::Bk, "IsConformantTo", &[], |document| {
                self.evidence_type.write_conformant(document)
            });
        });
        document.element(Ns::Bk, "RepositoryItem", &[], |document| {
            document.text(Ns::Bk, "RepositoryItem", &BASE64.encode(&self.content));
        });
    }

    fn read(object: Uuid, children: &mut Children<'_>, issuer: &Authority) -> Result<Self, XmlError> {
        let metadata = children.one(Ns::Bk, "EvidenceMetadata")?;
        let item = children.one(Ns::Bk, "RepositoryItem")?;
        metadata.only(&[], "EvidenceMetadata")?;
        let mut children = metadata.children("EvidenceMetadata")?;
        let issued = children.text(Ns::Bk, "IssuingDate")?;
        parts::date(issued, "IssuingDate")?;
        let mut authority = only_children(children.one(Ns::Bk, "IssuingAuthority")?, "IssuingAuthority")?;
        parts::read_identification(&mut authority, "IssuingAuthority", issuer)?;
        authority.end()?;
        let mut distribution = only_children(children.one(Ns::Bk, "Distribution")?, "Distribution")?;
        let media_type = parts::read_format(&mut distribution)?;
        distribution.end()?;
        let mut conformant = only_children(children.one(Ns::Bk, "IsConformantTo")?, "IsConformantTo")?;
        let evidence_type = EvidenceType::read_conformant(&mut conformant)?;
        conformant.end()?;
        children.end()?;
        let mut items = only_children(item, "RepositoryItem")?;
        let content = BASE64
            .decode(items.text(Ns::Bk, "RepositoryItem")?)
            .map_err(|_| XmlError::Value("RepositoryItem"))?;
        items.end()?;
        Ok(Self {
            object,
            issued: issued.to_owned(),
            evidence_type,
            media_type,
            content,
        })
    }
}

impl EvidenceError0103 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when a text contains a character that XML cannot carry.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        let request = format!("urn:uuid:{}", self.request);
        Document::root(
            ERROR,
            &parts::root_attributes("requestid", &request, self.head.test),
            |document| {
                write_beginning(document, ERROR, FAILURE, &self.head, self.response);
                parts::write_agent(document, "ErrorProvider", &self.head.provider, PROVIDER);
                parts::write_agent(document, "EvidenceRequester", &self.head.consumer, REQUESTER);
                document.element(Ns::De, "Exception", &[], |document| {
                    document.code(Ns::Bk, "Code", LIST_ERROR, self.code.as_str());
                    document.text(Ns::Bk, "Timestamp", &parts::time_text(self.head.created));
                    document.text(Ns::Bk, "Severity", SEVERITY);
                });
            },
        )
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        let root = tree::parse(xml)?;
        if root.is(Ns::De, ERROR) {
            Self::read(&root)
        } else {
            Err(XmlError::Missing(ERROR))
        }
    }

    fn read(root: &Element) -> Result<Self, XmlError> {
        let (request, test) = parts::read_root_attributes(root, "requestid")?;
        let mut children = root.children(ERROR)?;
        let (head, response) = read_beginning(&mut children, ERROR, FAILURE, test)?;
        parts::read_agent(
            children.one(Ns::De, "ErrorProvider")?,
            "ErrorProvider",
            &head.provider,
            PROVIDER,
        )?;
        let requester = children.one(Ns::De, "EvidenceRequester")?;
        parts::read_agent(requester, "EvidenceRequester", &head.consumer, REQUESTER)?;
        let code = read_exception(children.one(Ns::De, "Exception")?, head.created)?;
        children.end()?;
        Ok(Self {
            request,
            response,
            head,
            code,
        })
    }
}

fn read_exception(element: &Element, created: Timestamp) -> Result<ErrorCode, XmlError> {
    let mut children = only_children(element, "Exception")?;
    let code = parts::read_code(children.one(Ns::Bk, "Code")?, LIST_ERROR.0, "Code")?;
    if parts::time(children.text(Ns::Bk, "Timestamp")?, "Timestamp")? != created {
        return Err(XmlError::Value("Timestamp"));
    }
    if children.text(Ns::Bk, "Severity")? != SEVERITY {
        return Err(XmlError::Value("Severity"));
    }
    children.end()?;
    ErrorCode::ALL
        .into_iter()
        .find(|known| known.as_str() == code)
        .ok_or(XmlError::Value("Code"))
}

/// Writes the common beginning of both answers: head, status, specification, identifier and time.
fn write_beginning(document: &mut Document, name: &str, status: &str, head: &Head, response: Uuid) {
    head.write(document, name, Author::Provider);
    document.code(Ns::De, "status", LIST_STATUS, status);
    document.text(Ns::De, "SpecificationIdentifier", parts::SPECIFICATION);
    document.text(Ns::De, "EvidenceResponseIdentifier", &response.to_string());
    document.text(Ns::De, "IssueDateTime", &parts::time_text(head.created));
}

fn read_beginning(children: &mut Children<'_>, name: &str, status: &str, test: bool) -> Result<(Head, Uuid), XmlError> {
    let head = Head::read(children.one(Ns::Bk, "nachrichtenkopf")?, name, Author::Provider, test)?;
    if parts::read_code(children.one(Ns::De, "status")?, LIST_STATUS.0, "status")? != status {
        return Err(XmlError::Value("status"));
    }
    parts::read_specification(children)?;
    let response = parts::uuid(
        children.text(Ns::De, "EvidenceResponseIdentifier")?,
        "EvidenceResponseIdentifier",
    )?;
    parts::read_issued(children, head.created)?;
    Ok((head, response))
}

fn only_children<'a>(element: &'a Element, what: &'static str) -> Result<Children<'a>, XmlError> {
    element.only(&[], what)?;
    element.children(what)
}
