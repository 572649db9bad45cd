//! `DE.EvidenceRequest.0101` and `DE.EvidenceRequest.0301`: a consumer requests evidence.

use roxmltree::Document;
use uuid::Uuid;

use super::agent::{AgentRole, read_party, write_party};
use super::code_list::CodeList;
use super::error::XmlError;
use super::head::{Head, read_issued, read_specification, write_issued, write_specification};
use super::message_type::MessageType;
use super::namespace::Namespace;
use super::parse::{Children, parse};
use super::query::Query;
use super::write::XmlWriter;

/// The request of an online service. `Debug` shows no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRequest0101 {
    /// `id` of the root; answers refer to it as `requestid`.
    pub id: Uuid,
    /// The head: message, time, parties, test flag.
    pub head: Head,
    /// Reference to the permission; see the module's manual.
    pub issued_token: String,
    /// What is requested about whom.
    pub query: Query,
}

/// The request of an authority without a user. It has the content of 0101; the token is before the parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRequest0301(pub EvidenceRequest0101);

impl EvidenceRequest0101 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        MessageType::REQUEST_0101.write(self.id, &self.head, |writer| {
            self.write_beginning(writer);
            self.write_parties(writer);
            writer.text(Namespace::De, "IssuedToken", &self.issued_token);
            self.query.write(writer);
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
        let (id, head, mut children) = MessageType::REQUEST_0101.read(document)?;
        read_beginning(&mut children, &head)?;
        read_parties(&mut children, &head)?;
        let issued_token = children.text(Namespace::De, "IssuedToken")?;
        let query = Query::read(&mut children)?;
        children.end()?;
        Ok(Self {
            id,
            head,
            issued_token,
            query,
        })
    }

    fn write_beginning(&self, writer: &mut XmlWriter) {
        writer.code(Namespace::De, "lang", CodeList::LANGUAGE, "DE");
        write_specification(writer);
        write_issued(writer, &self.head);
    }

    fn write_parties(&self, writer: &mut XmlWriter) {
        write_party(writer, "EvidenceRequester", &self.head.consumer, AgentRole::Requester);
        write_party(writer, "EvidenceProvider", &self.head.provider, AgentRole::Provider);
    }
}

impl EvidenceRequest0301 {
    /// Encodes the message as XML.
    ///
    /// # Errors
    /// [`XmlError::Value`] when the type of an element does not have its value.
    pub fn to_xml(&self) -> Result<Vec<u8>, XmlError> {
        let Self(request) = self;
        MessageType::REQUEST_0301.write(request.id, &request.head, |writer| {
            request.write_beginning(writer);
            writer.text(Namespace::De, "IssuedToken", &request.issued_token);
            request.write_parties(writer);
            request.query.write(writer);
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
        let (id, head, mut children) = MessageType::REQUEST_0301.read(document)?;
        read_beginning(&mut children, &head)?;
        let issued_token = children.text(Namespace::De, "IssuedToken")?;
        read_parties(&mut children, &head)?;
        let query = Query::read(&mut children)?;
        children.end()?;
        Ok(Self(EvidenceRequest0101 {
            id,
            head,
            issued_token,
            query,
        }))
    }
}

/// Reads language, specification and time. The language is a wish that no register can meet, so it is dropped.
pub(crate) fn read_beginning(children: &mut Children<'_>, head: &Head) -> Result<(), XmlError> {
    CodeList::LANGUAGE.read(children.one(Namespace::De, "lang")?, "lang")?;
    read_specification(children)?;
    read_issued(children, head)
}

fn read_parties(children: &mut Children<'_>, head: &Head) -> Result<(), XmlError> {
    read_party(children, "EvidenceRequester", &head.consumer, AgentRole::Requester)?;
    read_party(children, "EvidenceProvider", &head.provider, AgentRole::Provider)
}
