//! Authorities, and the agents of a message's body.

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::values::{read_multilingual, write_multilingual};
use super::write::XmlWriter;

/// Identifiers of German authorities in the EAS code list: Leitweg-ID.
const EAS: &str = "urn:cef.eu:names:identifier:EAS:0204";
/// Classification of the evidence requester.
pub(crate) const REQUESTER: &str = "ER";
/// Classification of the evidence provider.
pub(crate) const PROVIDER: &str = "EP";

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

/// Writes an agent of the body: the same authority as in the head, in the form of the EU model.
pub(crate) fn write_agent(writer: &mut XmlWriter, name: &'static str, authority: &Authority, class: &str) {
    writer.element(Namespace::De, name, &[], |writer| {
        write_identification(writer, authority);
        writer.code(Namespace::Edm, "Classification", CodeList::AGENT, class);
    });
}

/// Reads an agent, which must be the authority that the head names.
pub(crate) fn read_agent(
    element: Element<'_>,
    what: &'static str,
    authority: &Authority,
    class: &str,
) -> Result<(), XmlError> {
    let mut children = element.only_children(what)?;
    read_identification(&mut children, what, authority)?;
    if CodeList::AGENT.read(children.one(Namespace::Edm, "Classification")?, "Classification")? != class {
        return Err(XmlError::Value("Classification"));
    }
    children.end()
}

/// Writes identifier and name of an agent.
pub(crate) fn write_identification(writer: &mut XmlWriter, authority: &Authority) {
    writer.text_with(Namespace::Bk, "Identifier", ("schemeID", EAS), &authority.identifier);
    write_multilingual(writer, "Name", &authority.name);
}

pub(crate) fn read_identification(
    children: &mut Children<'_>,
    what: &'static str,
    authority: &Authority,
) -> Result<(), XmlError> {
    let identifier = children.one(Namespace::Bk, "Identifier")?;
    identifier.only(&["schemeID"], "Identifier")?;
    if identifier.attribute("schemeID") != Some(EAS) {
        return Err(XmlError::Value("schemeID"));
    }
    let name = read_multilingual(children.one(Namespace::Bk, "Name")?, "Name")?;
    if identifier.text("Identifier")? != authority.identifier || name != authority.name {
        return Err(XmlError::Value(what));
    }
    Ok(())
}
