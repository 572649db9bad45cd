//! `DE.EvidenceErrorResponse.0103`: the answer without evidence.

use record::Timestamp;
use uuid::Uuid;

use super::agent::{self, PROVIDER, REQUESTER};
use super::answer_head::{read_answer_head, write_answer_head};
use super::code_list::CodeList;
use super::error::XmlError;
use super::head::{Head, read_root_attributes, root_attributes};
use super::namespace::Namespace;
use super::parse::{Element, parse};
use super::values::{time, time_text};
use super::write::XmlWriter;

/// Name of the root element.
pub(crate) const ERROR: &str = "DE.EvidenceErrorResponse.0103";
const FAILURE: &str = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure";
const SEVERITY: &str = "urn:oasis:names:tc:ebxmlregrep:ErrorSeverityType:Error";

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

impl EvidenceError0103 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when a text contains a character that XML cannot carry.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        let request = format!("urn:uuid:{}", self.request);
        XmlWriter::root(
            ERROR,
            &root_attributes("requestid", &request, self.head.test),
            |writer| {
                write_answer_head(writer, ERROR, FAILURE, &self.head, self.response);
                agent::write_agent(writer, "ErrorProvider", &self.head.provider, PROVIDER);
                agent::write_agent(writer, "EvidenceRequester", &self.head.consumer, REQUESTER);
                writer.element(Namespace::De, "Exception", &[], |writer| {
                    writer.code(Namespace::Bk, "Code", CodeList::ERROR, self.code.as_str());
                    writer.text(Namespace::Bk, "Timestamp", &time_text(self.head.created));
                    writer.text(Namespace::Bk, "Severity", SEVERITY);
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
        if root.is(Namespace::De, ERROR) {
            Self::read(root)
        } else {
            Err(XmlError::Missing(ERROR))
        }
    }

    pub(super) fn read(root: Element<'_>) -> Result<Self, XmlError> {
        let (request, test) = read_root_attributes(root, "requestid")?;
        let mut children = root.children(ERROR)?;
        let (head, response) = read_answer_head(&mut children, ERROR, FAILURE, test)?;
        agent::read_agent(
            children.one(Namespace::De, "ErrorProvider")?,
            "ErrorProvider",
            &head.provider,
            PROVIDER,
        )?;
        let requester = children.one(Namespace::De, "EvidenceRequester")?;
        agent::read_agent(requester, "EvidenceRequester", &head.consumer, REQUESTER)?;
        let code = read_exception(children.one(Namespace::De, "Exception")?, head.created)?;
        children.end()?;
        Ok(Self {
            request,
            response,
            head,
            code,
        })
    }
}

fn read_exception(element: Element<'_>, created: Timestamp) -> Result<ErrorCode, XmlError> {
    let mut children = element.only_children("Exception")?;
    let code = CodeList::ERROR.read(children.one(Namespace::Bk, "Code")?, "Code")?;
    if time(&children.text(Namespace::Bk, "Timestamp")?, "Timestamp")? != created {
        return Err(XmlError::Value("Timestamp"));
    }
    if children.text(Namespace::Bk, "Severity")? != SEVERITY {
        return Err(XmlError::Value("Severity"));
    }
    children.end()?;
    ErrorCode::ALL
        .into_iter()
        .find(|known| known.as_str() == code)
        .ok_or(XmlError::Value("Code"))
}
