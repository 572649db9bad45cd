//! Legal persons (`LegalPersonType`). Version 1.2.0 has no element for the Wirtschafts-Identifikationsnummer.

use record::Assurance;
use text::class::DatatypeD;

use super::address::Address;
use super::assurance::{read_assurance, write_assurance};
use super::attribute::{SectorAttribute, read_attributes, write_attributes};
use super::code_list::CodeList;
use super::eidas::EidasIdentifier;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::space::normalized;
use super::write::XmlWriter;

/// A legal person. `Debug` shows nothing, because the name of a small firm is that of its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct LegalPerson {
    /// The identifier from a login with eIDAS.
    pub identifier: Option<EidasIdentifier>,
    /// The name.
    pub name: DatatypeD,
    /// Level of assurance of the login.
    pub assurance: Assurance,
    /// Numbers in registers.
    pub numbers: Vec<RegisterNumber>,
    /// The address in the register.
    pub address: Option<Address>,
    /// What only one sector knows.
    pub attributes: Vec<SectorAttribute>,
}

/// The number of a legal person in a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterNumber {
    /// The number.
    pub value: String,
    /// Code of the register's numbers.
    pub scheme: String,
}

impl std::fmt::Debug for LegalPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LegalPerson(redacted)")
    }
}

impl LegalPerson {
    /// A legal person of whom only what the schema requires is known.
    #[must_use]
    pub fn new(name: DatatypeD, assurance: Assurance) -> Self {
        Self {
            identifier: None,
            name,
            assurance,
            numbers: Vec::new(),
            address: None,
            attributes: Vec::new(),
        }
    }

    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::Bk, "LegalPerson", &[], |writer| {
            EidasIdentifier::write_optional(self.identifier.as_ref(), writer, "LegalPersonIdentifier");
            writer.text(Namespace::Bk, "LegalName", &self.name);
            write_assurance(writer, self.assurance);
            for number in &self.numbers {
                writer.element(Namespace::Bk, "Identifier", &[], |writer| {
                    writer.text(Namespace::Bdt, "value", &number.value);
                    writer.code(Namespace::Bdt, "schemeID", CodeList::SCHEME, &number.scheme);
                });
            }
            if let Some(address) = &self.address {
                address.write(writer, Namespace::Bk, "RegisteredAddress");
            }
            write_attributes(writer, None, &self.attributes);
        });
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, XmlError> {
        let mut children = element.only_children("LegalPerson")?;
        let identifier = EidasIdentifier::read_optional(&mut children, "LegalPersonIdentifier")?;
        let name = children.value(Namespace::Bk, "LegalName")?;
        let assurance = read_assurance(&mut children)?;
        let mut numbers = Vec::new();
        while let Some(element) = children.optional(Namespace::Bk, "Identifier") {
            numbers.push(RegisterNumber::read(element)?);
        }
        let address = Address::read_optional(&mut children, Namespace::Bk, "RegisteredAddress")?;
        let (precision, attributes) = read_attributes(&mut children)?;
        children.end()?;
        if precision.is_some() {
            return Err(XmlError::Unexpected("LegalPerson"));
        }
        Ok(Self {
            identifier,
            name,
            assurance,
            numbers,
            address,
            attributes,
        })
    }
}

impl RegisterNumber {
    fn read(element: Element<'_>) -> Result<Self, XmlError> {
        let mut children = element.only_children("Identifier")?;
        let value = normalized(&children.text(Namespace::Bdt, "value")?);
        let scheme = CodeList::SCHEME.read(children.one(Namespace::Bdt, "schemeID")?, "schemeID")?;
        children.end()?;
        Ok(Self { value, scheme })
    }
}
