//! Authorities, and the agents of a message's body.

use super::address::Address;
use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::space::normalized;
use super::values::{read_multilingual, write_multilingual};
use super::write::XmlWriter;

const EAS: &str = "urn:cef.eu:names:identifier:EAS:";
/// Code of the scheme in which the identifiers of German authorities are written: Leitweg-ID.
const LEITWEG: &str = "0204";

/// What an agent does in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentRole {
    Requester,
    Provider,
    /// The platform between NOOTS and the other member states.
    Platform,
}

impl AgentRole {
    fn code(self) -> &'static str {
        match self {
            Self::Requester => "ER",
            Self::Provider => "EP",
            Self::Platform => "IP",
        }
    }
}

/// An authority as XÖV identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Code of the directory service, e.g. `DVDV`.
    pub directory: String,
    /// Identifier in that directory.
    pub identifier: String,
    /// Human-readable name.
    pub name: String,
}

impl From<&record::Party> for Authority {
    fn from(party: &record::Party) -> Self {
        Self {
            directory: party.directory.clone(),
            identifier: party.identifier.clone(),
            name: party.name.clone(),
        }
    }
}

/// An agent that is no party of the exchange of messages, such as an authority of another member state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Code of the identifier's scheme in the list EAS: four digits.
    pub scheme: String,
    /// The identifier.
    pub identifier: String,
    /// Human-readable name.
    pub name: String,
    /// The address.
    pub address: Option<Address>,
}

impl Agent {
    pub(crate) fn write(&self, writer: &mut XmlWriter, name: &'static str, role: AgentRole) {
        writer.element(Namespace::De, name, &[], |writer| {
            self.write_identification(writer);
            if let Some(address) = &self.address {
                address.write(writer, Namespace::Edm, "Address");
            }
            writer.code(Namespace::Edm, "Classification", CodeList::AGENT, role.code());
        });
    }

    pub(crate) fn read(element: Element<'_>, what: &'static str, role: AgentRole) -> Result<Self, XmlError> {
        let mut children = element.only_children(what)?;
        let agent = Self::read_identification(&mut children)?;
        let address = Address::read_optional(&mut children, Namespace::Edm, "Address")?;
        if CodeList::AGENT.read(children.one(Namespace::Edm, "Classification")?, "Classification")? != role.code() {
            return Err(XmlError::Value("Classification"));
        }
        children.end()?;
        Ok(Self { address, ..agent })
    }

    /// Writes identifier and name.
    pub(crate) fn write_identification(&self, writer: &mut XmlWriter) {
        if !is_eas(&self.scheme) {
            writer.refuse("schemeID");
        }
        let scheme = format!("{EAS}{}", self.scheme);
        writer.text_with(Namespace::Bk, "Identifier", ("schemeID", &scheme), &self.identifier);
        write_multilingual(writer, Namespace::Bk, "Name", &self.name);
    }

    /// Reads identifier and name.
    pub(crate) fn read_identification(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let identifier = children.one(Namespace::Bk, "Identifier")?;
        identifier.only(&["schemeID"], "Identifier")?;
        let scheme = identifier
            .attribute("schemeID")
            .and_then(|scheme| scheme.strip_prefix(EAS));
        Ok(Self {
            scheme: scheme
                .filter(|code| is_eas(code))
                .ok_or(XmlError::Value("schemeID"))?
                .to_owned(),
            identifier: normalized(&identifier.text("Identifier")?),
            name: read_multilingual(children.one(Namespace::Bk, "Name")?, "Name")?,
            address: None,
        })
    }

    /// Whether this is the same agent; one of the two may have no address.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.identifier == other.identifier && self.name == other.name
    }

    /// Refuses the agent, unless it is this authority. Its address may be stated, but the directory of participants
    /// decides.
    pub(crate) fn must_be(&self, authority: &Authority, what: &'static str) -> Result<(), XmlError> {
        let same = self.identifier == normalized(&authority.identifier) && self.name == normalized(&authority.name);
        if same { Ok(()) } else { Err(XmlError::Value(what)) }
    }
}

impl From<&Authority> for Agent {
    fn from(authority: &Authority) -> Self {
        Self {
            scheme: LEITWEG.to_owned(),
            identifier: authority.identifier.clone(),
            name: authority.name.clone(),
            address: None,
        }
    }
}

fn is_eas(code: &str) -> bool {
    code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Writes a party of the exchange as an agent: the same authority as in the head, in the form of the EU model.
pub(crate) fn write_party(writer: &mut XmlWriter, name: &'static str, authority: &Authority, role: AgentRole) {
    Agent::from(authority).write(writer, name, role);
}

/// Takes the next child, which must be this agent, and the authority that the head names.
pub(crate) fn read_party(
    children: &mut Children<'_>,
    name: &'static str,
    authority: &Authority,
    role: AgentRole,
) -> Result<(), XmlError> {
    let agent = Agent::read(children.one(Namespace::De, name)?, name, role)?;
    agent.must_be(authority, name)
}
