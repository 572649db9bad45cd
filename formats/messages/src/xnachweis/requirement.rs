//! Requirements of a procedure (`RequirementType_NOOTS`), which evidence meets.

use uuid::Uuid;

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::values::{read_multilingual, uuid, write_multilingual};
use super::write::XmlWriter;

const NAME: &str = "Requirement";
const BASE: &str = "https://sr.oots.tech.ec.europa.eu/requirements/";

/// A requirement of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Its id in the semantic repository of the Commission.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Code of the country whose requirement it is.
    pub country: Option<String>,
}

impl Requirement {
    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::De, NAME, &[], |writer| {
            writer.text(Namespace::Edm, "Identifier", &format!("{BASE}{}", self.id));
            write_multilingual(writer, Namespace::Edm, "Name", &self.name);
            if let Some(country) = &self.country {
                writer.code(Namespace::Bk, "Country", CodeList::COUNTRY, country);
            }
        });
    }

    /// Takes all next children that are requirements.
    pub(crate) fn read_all(children: &mut Children<'_>) -> Result<Vec<Self>, XmlError> {
        let mut requirements = Vec::new();
        while let Some(element) = children.optional(Namespace::De, NAME) {
            requirements.push(Self::read(element)?);
        }
        Ok(requirements)
    }

    fn read(element: Element<'_>) -> Result<Self, XmlError> {
        let mut children = element.only_children(NAME)?;
        let identifier = children.text(Namespace::Edm, "Identifier")?;
        let id = identifier.strip_prefix(BASE).ok_or(XmlError::Value("Identifier"))?;
        let name = read_multilingual(children.one(Namespace::Edm, "Name")?, "Name")?;
        let country = children.optional(Namespace::Bk, "Country");
        let country = country.map(|country| CodeList::COUNTRY.read(country, "Country"));
        children.end()?;
        Ok(Self {
            id: uuid(id, "Identifier")?,
            name,
            country: country.transpose()?,
        })
    }
}
