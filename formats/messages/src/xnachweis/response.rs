//! `DE.EvidenceResponse.0102` and `DE.EvidenceResponse.0302`: the answer with evidence, or with the time of it.

use roxmltree::Document;
use uuid::Uuid;

use super::agent::{AgentRole, read_party, write_party};
use super::answer_head::{read_answer_head, write_answer_head};
use super::availability::Availability;
use super::error::XmlError;
use super::evidence::Issuer;
use super::head::Head;
use super::message_type::MessageType;
use super::parse::parse;

const IDENTIFIER: &str = "EvidenceResponseIdentifier";

/// The answer to 0101. `Debug` shows no person and no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceResponse0102 {
    /// `id` of the answered request.
    pub request: Uuid,
    /// `EvidenceResponseIdentifier`.
    pub response: Uuid,
    /// The head. Its message id is that of the request.
    pub head: Head,
    /// The evidence, or the time from which it is available.
    pub availability: Availability,
}

/// The answer to 0301. It has the content of 0102.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceResponse0302(pub EvidenceResponse0102);

impl EvidenceResponse0102 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        self.write(&MessageType::RESPONSE_0102)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        Self::read(&parse(xml)?)
    }

    pub(super) fn read(document: &Document<'_>) -> Result<Self, XmlError> {
        Self::read_as(document, &MessageType::RESPONSE_0102)
    }

    fn write(&self, kind: &MessageType) -> Result<Vec<u8>, XmlError> {
        kind.write(self.request, &self.head, |writer| {
            let status = self.availability.status();
            write_answer_head(writer, status, &self.head, (IDENTIFIER, self.response));
            write_party(writer, "EvidenceProvider", &self.head.provider, AgentRole::Provider);
            write_party(writer, "EvidenceRequester", &self.head.consumer, AgentRole::Requester);
            self.availability.write(writer, Issuer::Party(&self.head.provider));
        })
    }

    fn read_as(document: &Document<'_>, kind: &MessageType) -> Result<Self, XmlError> {
        let (request, head, mut children) = kind.read(document)?;
        let (status, response) = read_answer_head(&mut children, &head, IDENTIFIER)?;
        read_party(&mut children, "EvidenceProvider", &head.provider, AgentRole::Provider)?;
        read_party(&mut children, "EvidenceRequester", &head.consumer, AgentRole::Requester)?;
        let availability = Availability::read(&mut children, status, Issuer::Party(&head.provider))?;
        children.end()?;
        Ok(Self {
            request,
            response,
            head,
            availability,
        })
    }
}

impl EvidenceResponse0302 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        self.0.write(&MessageType::RESPONSE_0302)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// See [`XmlError`].
    pub fn parse(xml: &[u8]) -> Result<Self, XmlError> {
        Self::read(&parse(xml)?)
    }

    pub(super) fn read(document: &Document<'_>) -> Result<Self, XmlError> {
        EvidenceResponse0102::read_as(document, &MessageType::RESPONSE_0302).map(Self)
    }
}
