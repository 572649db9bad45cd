//! `DE.GetEvidence.0411`: a consumer fetches evidence that it ordered from the platform.

use roxmltree::Document;
use uuid::Uuid;

use super::conversation::ConversationId;
use super::error::XmlError;
use super::head::{Head, read_issued, read_specification, write_issued, write_specification};
use super::message_type::MessageType;
use super::namespace::Namespace;
use super::parse::parse;

/// The request for ordered evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetEvidence0411 {
    /// `id` of the root; the answer refers to it.
    pub id: Uuid,
    /// The head: message, time, parties, test flag.
    pub head: Head,
    /// The conversation that the platform opened for the order.
    pub conversation: ConversationId,
}

impl GetEvidence0411 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        MessageType::GET_0411.write(self.id, &self.head, |writer| {
            write_specification(writer);
            write_issued(writer, &self.head);
            writer.text(Namespace::De, "ConversationID", self.conversation.as_str());
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        Self::read(&parse(xml)?)
    }

    pub(super) fn read(document: &Document<'_>) -> Result<Self, XmlError> {
        let (id, head, mut children) = MessageType::GET_0411.read(document)?;
        read_specification(&mut children)?;
        read_issued(&mut children, &head)?;
        let conversation = children.value(Namespace::De, "ConversationID")?;
        children.end()?;
        Ok(Self { id, head, conversation })
    }
}
