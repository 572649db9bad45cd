//! Addresses (`AddressType`).

use text::class::{DatatypeC, PlaceName, PostalCode};

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::write::XmlWriter;

/// An address, of which every part is optional. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The whole address, in lines.
    pub full: Option<DatatypeC>,
    /// The street.
    pub thoroughfare: Option<PlaceName>,
    /// The number in the street.
    pub locator: Option<PlaceName>,
    /// Code of the country.
    pub country: Option<String>,
    /// NUTS code of the region.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<PostalCode>,
    /// The place.
    pub place: Option<PlaceName>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(redacted)")
    }
}

impl Address {
    pub(crate) fn write(&self, writer: &mut XmlWriter, namespace: Namespace, name: &'static str) {
        writer.element(namespace, name, &[], |writer| {
            writer.optional_text(Namespace::Bk, "FullAddress", self.full.as_deref());
            writer.optional_text(Namespace::Bk, "Thoroughfare", self.thoroughfare.as_deref());
            writer.optional_text(Namespace::Bk, "LocatorDesignator", self.locator.as_deref());
            if let Some(country) = &self.country {
                writer.code(Namespace::Bk, "AdminUnitLevel1", CodeList::COUNTRY, country);
            }
            if let Some(region) = &self.region {
                writer.code(Namespace::Bk, "AdminUnitLevel2", CodeList::NUTS, region);
            }
            writer.optional_text(Namespace::Bk, "PostCode", self.postal_code.as_deref());
            writer.optional_text(Namespace::Bk, "PostCityName", self.place.as_deref());
        });
    }

    fn read(element: Element<'_>, what: &'static str) -> Result<Self, XmlError> {
        let mut children = element.only_children(what)?;
        let address = Self {
            full: children.optional_value(Namespace::Bk, "FullAddress")?,
            thoroughfare: children.optional_value(Namespace::Bk, "Thoroughfare")?,
            locator: children.optional_value(Namespace::Bk, "LocatorDesignator")?,
            country: optional_code(&mut children, "AdminUnitLevel1", CodeList::COUNTRY)?,
            region: optional_code(&mut children, "AdminUnitLevel2", CodeList::NUTS)?,
            postal_code: children.optional_value(Namespace::Bk, "PostCode")?,
            place: children.optional_value(Namespace::Bk, "PostCityName")?,
        };
        children.end()?;
        Ok(address)
    }

    /// Takes the address, if it is the next child.
    pub(crate) fn read_optional(
        children: &mut Children<'_>,
        namespace: Namespace,
        name: &'static str,
    ) -> Result<Option<Self>, XmlError> {
        let element = children.optional(namespace, name);
        element.map(|element| Self::read(element, name)).transpose()
    }
}

fn optional_code(children: &mut Children<'_>, name: &'static str, list: CodeList) -> Result<Option<String>, XmlError> {
    let element = children.optional(Namespace::Bk, name);
    element.map(|element| list.read(element, name)).transpose()
}
