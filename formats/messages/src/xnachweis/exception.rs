//! Why there is no evidence (`RegistryExceptionType`).

use record::Timestamp;
use text::class::DatatypeC;

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Children;
use super::values::{time, write_time};
use super::write::XmlWriter;

const NAME: &str = "Exception";
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

/// Why there is no evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The reason.
    pub code: ErrorCode,
    /// More about it, for a person to read. A provider of NOOTS writes none.
    pub detail: Option<DatatypeC>,
    /// When it happened.
    pub at: Option<Timestamp>,
}

impl From<ErrorCode> for Exception {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            detail: None,
            at: None,
        }
    }
}

impl Exception {
    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::De, NAME, &[], |writer| {
            writer.code(Namespace::Bk, "Code", CodeList::ERROR, self.code.as_str());
            writer.optional_text(Namespace::Bk, "Detail", self.detail.as_deref());
            if let Some(at) = self.at {
                write_time(writer, Namespace::Bk, "Timestamp", at);
            }
            writer.text(Namespace::Bk, "Severity", SEVERITY);
        });
    }

    /// Takes the next child, which must be an exception.
    pub(crate) fn read(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let mut children = children.one(Namespace::De, NAME)?.only_children(NAME)?;
        let code = CodeList::ERROR.read(children.one(Namespace::Bk, "Code")?, "Code")?;
        let detail = children.optional_value(Namespace::Bk, "Detail")?;
        let at = children.optional_text(Namespace::Bk, "Timestamp")?;
        let at = at.map(|at| time(&at, "Timestamp")).transpose()?;
        if children.text(Namespace::Bk, "Severity")? != SEVERITY {
            return Err(XmlError::Value("Severity"));
        }
        children.end()?;
        let code = ErrorCode::ALL.into_iter().find(|known| known.as_str() == code);
        Ok(Self {
            code: code.ok_or(XmlError::Value("Code"))?,
            detail,
            at,
        })
    }
}
