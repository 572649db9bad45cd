//! The twelve types of messages: name of the root, attribute that identifies, author. Each begins with the same head.

use roxmltree::Document;
use uuid::Uuid;

use super::error::XmlError;
use super::head::{Author, Head, read_root_attributes, root_attributes};
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::write::XmlWriter;

/// A type of message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MessageType {
    /// Name of the root element, and code of `nachrichtentyp`.
    pub(crate) name: &'static str,
    /// The root's attribute with the id of this message, or of the one that it answers.
    id: &'static str,
    author: Author,
}

macro_rules! types {
    ($($name:ident: $root:literal, $id:literal, $author:ident;)+) => {
        impl MessageType {
            $(pub(crate) const $name: Self = Self { name: $root, id: $id, author: Author::$author };)+
        }
    };
}

types! {
    REQUEST_0101: "DE.EvidenceRequest.0101", "id", Consumer;
    RESPONSE_0102: "DE.EvidenceResponse.0102", "requestid", Provider;
    ERROR_0103: "DE.EvidenceErrorResponse.0103", "requestid", Provider;
    REQUEST_0301: "DE.EvidenceRequest.0301", "id", Consumer;
    RESPONSE_0302: "DE.EvidenceResponse.0302", "requestid", Provider;
    ERROR_0303: "DE.EvidenceErrorResponse.0303", "requestid", Provider;
    ORDER_0401: "DE.EvidenceOrder.0401", "id", Consumer;
    ORDER_RESPONSE_0402: "DE.EvidenceOrderResponse.0402", "orderid", Provider;
    ORDER_ERROR_0403: "DE.EvidenceOrderErrorResponse.0403", "requestid", Provider;
    GET_0411: "DE.GetEvidence.0411", "id", Consumer;
    GET_RESPONSE_0412: "DE.GetEvidenceResponse.0412", "getevidenceid", Provider;
    GET_ERROR_0413: "DE.GetEvidenceErrorResponse.0413", "requestid", Provider;
}

impl MessageType {
    /// Writes a message of this type: the root with its attributes, the head, and what `body` writes.
    pub(crate) fn write(&self, id: Uuid, head: &Head, body: impl FnOnce(&mut XmlWriter)) -> Result<Vec<u8>, XmlError> {
        let id = format!("urn:uuid:{id}");
        XmlWriter::root(self.name, &root_attributes(self.id, &id, head.test), |writer| {
            head.write(writer, self.name, self.author);
            body(writer);
        })
    }

    /// Whether the document is a message of this type.
    pub(crate) fn is(&self, document: &Document<'_>) -> bool {
        Element::root(document).is(Namespace::De, self.name)
    }

    /// Reads id and head of a message, which must be of this type, and returns the rest.
    pub(crate) fn read<'a>(&self, document: &'a Document<'a>) -> Result<(Uuid, Head, Children<'a>), XmlError> {
        if !self.is(document) {
            return Err(XmlError::Missing(self.name));
        }
        let root = Element::root(document);
        let (id, test) = read_root_attributes(root, self.id)?;
        let mut children = root.children(self.name)?;
        let head = children.one(Namespace::Bk, "nachrichtenkopf")?;
        let head = Head::read(head, self.name, self.author, test)?;
        Ok((id, head, children))
    }
}
