//! The elements that both answers begin with.

use uuid::Uuid;

use super::code_list::CodeList;
use super::error::XmlError;
use super::head::{Author, Head, SPECIFICATION, read_issued, read_specification};
use super::namespace::Namespace;
use super::parse::Children;
use super::values::{time_text, uuid};
use super::write::XmlWriter;

/// Writes the common beginning of both answers: head, status, specification, identifier and time.
pub(crate) fn write_answer_head(writer: &mut XmlWriter, name: &str, status: &str, head: &Head, response: Uuid) {
    head.write(writer, name, Author::Provider);
    writer.code(Namespace::De, "status", CodeList::STATUS, status);
    writer.text(Namespace::De, "SpecificationIdentifier", SPECIFICATION);
    writer.text(Namespace::De, "EvidenceResponseIdentifier", &response.to_string());
    writer.text(Namespace::De, "IssueDateTime", &time_text(head.created));
}

/// Reads the common beginning of both answers: the head, and the id of the answer.
pub(crate) fn read_answer_head(
    children: &mut Children<'_>,
    name: &str,
    status: &str,
    test: bool,
) -> Result<(Head, Uuid), XmlError> {
    let head = Head::read(
        children.one(Namespace::Bk, "nachrichtenkopf")?,
        name,
        Author::Provider,
        test,
    )?;
    if CodeList::STATUS.read(children.one(Namespace::De, "status")?, "status")? != status {
        return Err(XmlError::Value("status"));
    }
    read_specification(children)?;
    let response = uuid(
        &children.text(Namespace::De, "EvidenceResponseIdentifier")?,
        "EvidenceResponseIdentifier",
    )?;
    read_issued(children, head.created)?;
    Ok((head, response))
}
