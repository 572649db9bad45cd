//! `DE.EvidenceOrderResponse.0402`: the platform has taken an order. The user continues there.

use roxmltree::Document;
use uuid::Uuid;

use super::conversation::ConversationId;
use super::error::XmlError;
use super::head::{Head, read_issued, read_specification, write_issued, write_specification};
use super::message_type::MessageType;
use super::namespace::Namespace;
use super::parse::parse;
use super::uri::Uri;
use super::values::uuid;

/// The answer to 0401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceOrderResponse0402 {
    /// `id` of the order.
    pub order: Uuid,
    /// `OrderResponseIdentifier`.
    pub response: Uuid,
    /// The head. Its message id is that of the order.
    pub head: Head,
    /// Where the user continues.
    pub platform: Uri,
    /// The conversation in which the evidence can be fetched.
    pub conversation: ConversationId,
}

impl EvidenceOrderResponse0402 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        MessageType::ORDER_RESPONSE_0402.write(self.order, &self.head, |writer| {
            write_specification(writer);
            writer.text(Namespace::De, "OrderResponseIdentifier", &self.response.to_string());
            write_issued(writer, &self.head);
            writer.text(Namespace::De, "URLtoIP", self.platform.as_str());
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
        let (order, head, mut children) = MessageType::ORDER_RESPONSE_0402.read(document)?;
        read_specification(&mut children)?;
        let response = children.text(Namespace::De, "OrderResponseIdentifier")?;
        let response = uuid(&response, "OrderResponseIdentifier")?;
        read_issued(&mut children, &head)?;
        let platform = children.value(Namespace::De, "URLtoIP")?;
        let conversation = children.value(Namespace::De, "ConversationID")?;
        children.end()?;
        Ok(Self {
            order,
            response,
            head,
            platform,
            conversation,
        })
    }
}
