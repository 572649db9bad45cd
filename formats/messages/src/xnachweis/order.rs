//! `DE.EvidenceOrder.0401`: a consumer orders evidence of another member state from the platform. The head's provider
//! is the platform.

use roxmltree::Document;
use uuid::Uuid;

use super::agent::{Agent, AgentRole, read_party, write_party};
use super::code_list::CodeList;
use super::error::XmlError;
use super::head::{Head, write_issued, write_specification};
use super::message_type::MessageType;
use super::namespace::Namespace;
use super::parse::parse;
use super::query::Query;
use super::request::read_beginning;
use super::requirement::Requirement;
use super::uri::Uri;

/// The order. `Debug` shows no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceOrder0401 {
    /// `id` of the root; the answer refers to it.
    pub id: Uuid,
    /// The head: message, time, parties, test flag.
    pub head: Head,
    /// Reference to the permission; see the module's manual.
    pub issued_token: String,
    /// The authority of the other member state.
    pub provider: Agent,
    /// Code of the procedure in which the evidence is needed.
    pub procedure: String,
    /// The requirements that it shall meet.
    pub requirements: Vec<Requirement>,
    /// What is requested about whom.
    pub query: Query,
    /// Where the platform sends the user afterwards.
    pub back_to: Uri,
}

impl EvidenceOrder0401 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        MessageType::ORDER_0401.write(self.id, &self.head, |writer| {
            writer.code(Namespace::De, "lang", CodeList::LANGUAGE, "DE");
            write_specification(writer);
            write_issued(writer, &self.head);
            writer.text(Namespace::De, "IssuedToken", &self.issued_token);
            self.provider.write(writer, "EvidenceProvider", AgentRole::Provider);
            write_party(writer, "EvidenceRequester", &self.head.consumer, AgentRole::Requester);
            writer.code(Namespace::De, "Procedure", CodeList::PROCEDURE, &self.procedure);
            for requirement in &self.requirements {
                requirement.write(writer);
            }
            self.query.write(writer);
            writer.text(Namespace::De, "BackToEvidenceRequesterURL", self.back_to.as_str());
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
        let (id, head, mut children) = MessageType::ORDER_0401.read(document)?;
        read_beginning(&mut children, &head)?;
        let issued_token = children.text(Namespace::De, "IssuedToken")?;
        let provider = children.one(Namespace::De, "EvidenceProvider")?;
        let provider = Agent::read(provider, "EvidenceProvider", AgentRole::Provider)?;
        read_party(&mut children, "EvidenceRequester", &head.consumer, AgentRole::Requester)?;
        let procedure = CodeList::PROCEDURE.read(children.one(Namespace::De, "Procedure")?, "Procedure")?;
        let requirements = Requirement::read_all(&mut children)?;
        let query = Query::read(&mut children)?;
        let back_to = children.value(Namespace::De, "BackToEvidenceRequesterURL")?;
        children.end()?;
        Ok(Self {
            id,
            head,
            issued_token,
            provider,
            procedure,
            requirements,
            query,
            back_to,
        })
    }
}
