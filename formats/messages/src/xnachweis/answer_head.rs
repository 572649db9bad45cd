//! The elements with which an answer begins.

use uuid::Uuid;

use super::code_list::CodeList;
use super::error::XmlError;
use super::head::{Head, read_issued, read_specification, write_issued, write_specification};
use super::namespace::Namespace;
use super::parse::Children;
use super::values::uuid;
use super::write::XmlWriter;

/// Whether an answer brings evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Success,
    Failure,
    /// Not yet.
    Unavailable,
}

impl Status {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Success => "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success",
            Self::Failure => "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure",
            Self::Unavailable => "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Unavailable",
        }
    }

    fn read(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let code = CodeList::STATUS.read(children.one(Namespace::De, "status")?, "status")?;
        [Self::Success, Self::Failure, Self::Unavailable]
            .into_iter()
            .find(|status| status.code() == code)
            .ok_or(XmlError::Value("status"))
    }
}

/// Writes status, specification, identifier (an element of this name) and time.
pub(crate) fn write_answer_head(
    writer: &mut XmlWriter,
    status: Status,
    head: &Head,
    (name, response): (&'static str, Uuid),
) {
    writer.code(Namespace::De, "status", CodeList::STATUS, status.code());
    write_specification(writer);
    writer.text(Namespace::De, name, &response.to_string());
    write_issued(writer, head);
}

/// Reads status, specification, identifier (an element of this name) and time; returns status and identifier.
pub(crate) fn read_answer_head(
    children: &mut Children<'_>,
    head: &Head,
    name: &'static str,
) -> Result<(Status, Uuid), XmlError> {
    let status = Status::read(children)?;
    read_specification(children)?;
    let response = uuid(&children.text(Namespace::De, name)?, name)?;
    read_issued(children, head)?;
    Ok((status, response))
}
