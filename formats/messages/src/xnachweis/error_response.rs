//! The answer without evidence: `DE.EvidenceErrorResponse.0103` and `.0303`, `DE.EvidenceOrderErrorResponse.0403`,
//! `DE.GetEvidenceErrorResponse.0413`. The four have the same content.

use roxmltree::Document;
use uuid::Uuid;

use super::agent::{AgentRole, read_party, write_party};
use super::answer_head::{Status, read_answer_head, write_answer_head};
use super::error::XmlError;
use super::exception::Exception;
use super::head::Head;
use super::message_type::MessageType;
use super::parse::parse;

const IDENTIFIER: &str = "EvidenceResponseIdentifier";

/// The answer to 0101 without evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceError0103 {
    /// `id` of the answered message; nil if it could not be read.
    pub request: Uuid,
    /// `EvidenceResponseIdentifier`.
    pub response: Uuid,
    /// The head. Its message id is that of the request.
    pub head: Head,
    /// The reason.
    pub exception: Exception,
}

impl EvidenceError0103 {
    fn write(&self, kind: &MessageType, author: AgentRole) -> Result<Vec<u8>, XmlError> {
        kind.write(self.request, &self.head, |writer| {
            write_answer_head(writer, Status::Failure, &self.head, (IDENTIFIER, self.response));
            write_party(writer, "ErrorProvider", &self.head.provider, author);
            write_party(writer, "EvidenceRequester", &self.head.consumer, AgentRole::Requester);
            self.exception.write(writer);
        })
    }

    fn read_as(document: &Document<'_>, kind: &MessageType, author: AgentRole) -> Result<Self, XmlError> {
        let (request, head, mut children) = kind.read(document)?;
        let (status, response) = read_answer_head(&mut children, &head, IDENTIFIER)?;
        if status != Status::Failure {
            return Err(XmlError::Value("status"));
        }
        read_party(&mut children, "ErrorProvider", &head.provider, author)?;
        read_party(&mut children, "EvidenceRequester", &head.consumer, AgentRole::Requester)?;
        let exception = Exception::read(&mut children)?;
        children.end()?;
        Ok(Self {
            request,
            response,
            head,
            exception,
        })
    }

    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        self.write(&MessageType::ERROR_0103, AgentRole::Provider)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        Self::read(&parse(xml)?)
    }

    pub(super) fn read(document: &Document<'_>) -> Result<Self, XmlError> {
        Self::read_as(document, &MessageType::ERROR_0103, AgentRole::Provider)
    }
}

macro_rules! errors {
    ($($(#[$documentation:meta])+ $name:ident: $kind:ident, $author:ident;)+) => {$(
        $(#[$documentation])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub EvidenceError0103);

        impl $name {
            /// Encodes the message as XML.
            ///
            /// # Errors
            /// [`XmlError::Value`] when the type of an element does not have its value.
            pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
                self.0.write(&MessageType::$kind, AgentRole::$author)
            }

            /// Reads a message.
            ///
            /// # Errors
            /// See [`XmlError`].
            pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
                Self::read(&parse(xml)?)
            }

            pub(super) fn read(document: &Document<'_>) -> Result<Self, XmlError> {
                EvidenceError0103::read_as(document, &MessageType::$kind, AgentRole::$author).map(Self)
            }
        }
    )+};
}

errors! {
    /// The answer to 0301 without evidence.
    EvidenceError0303: ERROR_0303, Provider;
    /// The platform cannot take the order 0401.
    EvidenceOrderError0403: ORDER_ERROR_0403, Platform;
    /// The platform cannot answer 0411.
    GetEvidenceError0413: GET_ERROR_0413, Platform;
}
