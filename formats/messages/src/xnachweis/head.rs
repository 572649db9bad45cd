//! The root's attributes, the head of a message, and the elements that repeat it.

use record::Timestamp;
use uuid::Uuid;

use super::agent::Authority;
use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::reachability;
use super::values::{datatype_c, time, urn, uuid, write_time};
use super::write::XmlWriter;

const SPECIFICATION: &str = "urn:xoev-de:bva:standard:xnachweis_1.2.0";
const STANDARD: &str = "XNachweis";
const VERSION: &str = "1.2.0";
const PRODUCT: &str = "Einsicht";

/// The head of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `nachrichtenUUID`. An answer has that of its request (TR-03190 DP.7).
    pub message: Uuid,
    /// `erstellungszeitpunkt` and `IssueDateTime`.
    pub created: Timestamp,
    /// Whether this is a test message, which must not run in production.
    pub test: bool,
    /// The consumer: author of a request, reader of an answer.
    pub consumer: Authority,
    /// The provider.
    pub provider: Authority,
}

/// The root's attributes, where `key` is `id` or `requestid`.
pub(crate) fn root_attributes<'a>(key: &'a str, id: &'a str, test: bool) -> Vec<(&'a str, &'a str)> {
    let mut attributes = vec![
        (key, id),
        ("produkt", PRODUCT),
        ("produkthersteller", PRODUCT),
        ("produktversion", env!("CARGO_PKG_VERSION")),
        ("standard", STANDARD),
        ("version", VERSION),
    ];
    if test {
        attributes.push(("test", "true"));
    }
    attributes
}

/// Reads the root's attributes: the value of `key`, and whether the message is a test message.
pub(crate) fn read_root_attributes(root: Element<'_>, key: &'static str) -> Result<(Uuid, bool), XmlError> {
    root.only(
        &[
            key,
            "produkt",
            "produkthersteller",
            "produktversion",
            "standard",
            "version",
            "test",
        ],
        "the root",
    )?;
    let required = |name: &'static str| root.attribute(name).ok_or(XmlError::Missing(name));
    for name in ["produkt", "produkthersteller"] {
        datatype_c(required(name)?, name)?;
    }
    for name in ["produktversion", "test"] {
        datatype_c(root.attribute(name).unwrap_or_default(), name)?;
    }
    if required("standard")? != STANDARD {
        return Err(XmlError::Value("standard"));
    }
    if required("version")? != VERSION {
        return Err(XmlError::Value("version"));
    }
    // XÖV leaves the value to the parties: a message that has the attribute is a test message.
    let test = root.attribute("test").is_some();
    Ok((urn(required(key)?, key)?, test))
}

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    Consumer,
    Provider,
}

impl Head {
    pub(crate) fn write(&self, writer: &mut XmlWriter, message_type: &str, author: Author) {
        let (author, reader) = match author {
            Author::Consumer => (&self.consumer, &self.provider),
            Author::Provider => (&self.provider, &self.consumer),
        };
        writer.element(Namespace::Bk, "nachrichtenkopf", &[], |writer| {
            writer.element(Namespace::Bk, "identifikation.nachricht", &[], |writer| {
                writer.text(Namespace::Bk, "nachrichtenUUID", &self.message.to_string());
                writer.code(Namespace::Bk, "nachrichtentyp", CodeList::MESSAGE_TYPE, message_type);
                write_time(writer, Namespace::Bk, "erstellungszeitpunkt", self.created);
            });
            write_authority(writer, "leser", reader);
            write_authority(writer, "autor", author);
        });
    }

    /// Reads the head. `test` comes from the root.
    pub(crate) fn read(element: Element<'_>, message_type: &str, author: Author, test: bool) -> Result<Self, XmlError> {
        let mut children = element.only_children("nachrichtenkopf")?;
        let identification = children.one(Namespace::Bk, "identifikation.nachricht")?;
        let reader = read_authority(children.one(Namespace::G2g, "leser")?, "leser")?;
        let writer = read_authority(children.one(Namespace::G2g, "autor")?, "autor")?;
        children.end()?;
        let mut children = identification.only_children("identifikation.nachricht")?;
        let message = uuid(&children.text(Namespace::Bk, "nachrichtenUUID")?, "nachrichtenUUID")?;
        if CodeList::MESSAGE_TYPE.read(children.one(Namespace::Bk, "nachrichtentyp")?, "nachrichtentyp")?
            != message_type
        {
            return Err(XmlError::Value("nachrichtentyp"));
        }
        let created = time(
            &children.text(Namespace::Bk, "erstellungszeitpunkt")?,
            "erstellungszeitpunkt",
        )?;
        children.end()?;
        let (consumer, provider) = match author {
            Author::Consumer => (writer, reader),
            Author::Provider => (reader, writer),
        };
        Ok(Self {
            message,
            created,
            test,
            consumer,
            provider,
        })
    }
}

fn write_authority(writer: &mut XmlWriter, name: &'static str, authority: &Authority) {
    writer.element(Namespace::G2g, name, &[], |writer| {
        writer.code(
            Namespace::Behoerde,
            "verzeichnisdienst",
            CodeList::DIRECTORY,
            &authority.directory,
        );
        writer.datatype_c(Namespace::Behoerde, "kennung", &authority.identifier);
        writer.datatype_c(Namespace::Behoerde, "name", &authority.name);
    });
}

fn read_authority(element: Element<'_>, what: &'static str) -> Result<Authority, XmlError> {
    let mut children = element.only_children(what)?;
    let directory = CodeList::DIRECTORY.read(
        children.one(Namespace::Behoerde, "verzeichnisdienst")?,
        "verzeichnisdienst",
    )?;
    let identifier = children.text(Namespace::Behoerde, "kennung")?;
    datatype_c(&identifier, "kennung")?;
    let name = children.text(Namespace::Behoerde, "name")?;
    datatype_c(&name, "name")?;
    while let Some(element) = children.optional(Namespace::Kommunikation, "erreichbarkeit") {
        reachability::check(element)?;
    }
    children.end()?;
    Ok(Authority {
        directory,
        identifier,
        name,
    })
}

/// Writes `SpecificationIdentifier`.
pub(crate) fn write_specification(writer: &mut XmlWriter) {
    writer.text(Namespace::De, "SpecificationIdentifier", SPECIFICATION);
}

/// Reads `SpecificationIdentifier`, which has a fixed value.
pub(crate) fn read_specification(children: &mut Children<'_>) -> Result<(), XmlError> {
    if children.text(Namespace::De, "SpecificationIdentifier")? == SPECIFICATION {
        Ok(())
    } else {
        Err(XmlError::Value("SpecificationIdentifier"))
    }
}

/// Writes `IssueDateTime`, which is the time of the head.
pub(crate) fn write_issued(writer: &mut XmlWriter, head: &Head) {
    write_time(writer, Namespace::De, "IssueDateTime", head.created);
}

/// Reads `IssueDateTime`, which must be the time of the head.
pub(crate) fn read_issued(children: &mut Children<'_>, head: &Head) -> Result<(), XmlError> {
    let issued = time(&children.text(Namespace::De, "IssueDateTime")?, "IssueDateTime")?;
    if issued == head.created {
        Ok(())
    } else {
        Err(XmlError::Value("IssueDateTime"))
    }
}
