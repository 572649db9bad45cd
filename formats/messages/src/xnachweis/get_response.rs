//! `DE.GetEvidenceResponse.0412`: the platform delivers evidence of another member state, or says when it will.

use roxmltree::Document;
use uuid::Uuid;

use super::agent::{Agent, AgentRole, read_party, write_party};
use super::answer_head::{read_answer_head, write_answer_head};
use super::availability::Availability;
use super::error::XmlError;
use super::evidence::Issuer;
use super::head::Head;
use super::message_type::MessageType;
use super::namespace::Namespace;
use super::parse::parse;

const IDENTIFIER: &str = "GetEvidenceResponseIdentifier";

/// The answer to 0411. `Debug` shows no person and no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetEvidenceResponse0412 {
    /// `id` of the answered message.
    pub request: Uuid,
    /// `GetEvidenceResponseIdentifier`.
    pub response: Uuid,
    /// The head. Its provider is the platform.
    pub head: Head,
    /// The authority of the other member state, which issued the evidence.
    pub provider: Agent,
    /// The evidence, or the time from which it is available.
    pub availability: Availability,
}

impl GetEvidenceResponse0412 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        MessageType::GET_RESPONSE_0412.write(self.request, &self.head, |writer| {
            let status = self.availability.status();
            write_answer_head(writer, status, &self.head, (IDENTIFIER, self.response));
            self.provider.write(writer, "EvidenceProvider", AgentRole::Provider);
            write_party(writer, "EvidenceProvider", &self.head.provider, AgentRole::Platform);
            write_party(writer, "EvidenceRequester", &self.head.consumer, AgentRole::Requester);
            self.availability.write(writer, Issuer::Agent(&self.provider));
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
        let (request, head, mut children) = MessageType::GET_RESPONSE_0412.read(document)?;
        let (status, response) = read_answer_head(&mut children, &head, IDENTIFIER)?;
        let provider = children.one(Namespace::De, "EvidenceProvider")?;
        let provider = Agent::read(provider, "EvidenceProvider", AgentRole::Provider)?;
        read_party(&mut children, "EvidenceProvider", &head.provider, AgentRole::Platform)?;
        read_party(&mut children, "EvidenceRequester", &head.consumer, AgentRole::Requester)?;
        let availability = Availability::read(&mut children, status, Issuer::Agent(&provider))?;
        children.end()?;
        Ok(Self {
            request,
            response,
            head,
            provider,
            availability,
        })
    }
}
