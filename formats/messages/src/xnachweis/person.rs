//! Natural persons (`PersonType`).

use record::{Assurance, Idnr};
use text::{PartialDate, PersonName, PlaceName, Reference};

use super::address::Address;
use super::assurance::{read_assurance, write_assurance};
use super::attribute::{SectorAttribute, date_of_birth, read_attributes, write_attributes};
use super::eidas::EidasIdentifier;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::values::date;
use super::write::XmlWriter;

/// A natural person. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct NaturalPerson {
    /// The identifier from a login with eIDAS.
    pub identifier: Option<EidasIdentifier>,
    /// Date of birth, as far as it is known.
    pub date_of_birth: PartialDate,
    /// Family name.
    pub family_name: PersonName,
    /// Given names.
    pub given_name: PersonName,
    /// Level of assurance of the login.
    pub assurance: Assurance,
    /// Name at birth.
    pub birth_name: Option<PersonName>,
    /// Place of birth.
    pub place_of_birth: Option<PlaceName>,
    /// Where the person lives.
    pub address: Option<Address>,
    /// Gender, in the words of the register.
    pub gender: Option<Reference>,
    /// What only one sector knows.
    pub attributes: Vec<SectorAttribute>,
    /// The IDNr, if the consumer may use it.
    pub idnr: Option<Idnr>,
}

impl std::fmt::Debug for NaturalPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NaturalPerson(redacted)")
    }
}

impl NaturalPerson {
    /// A person of whom only what the schema requires is known.
    #[must_use]
    pub fn new(
        date_of_birth: PartialDate,
        family_name: PersonName,
        given_name: PersonName,
        assurance: Assurance,
    ) -> Self {
        Self {
            identifier: None,
            date_of_birth,
            family_name,
            given_name,
            assurance,
            birth_name: None,
            place_of_birth: None,
            address: None,
            gender: None,
            attributes: Vec::new(),
            idnr: None,
        }
    }

    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::Bk, "NaturalPerson", &[], |writer| {
            let (first_day, precision) = self.date_of_birth.first_day();
            EidasIdentifier::write_optional(self.identifier.as_ref(), writer, "Identifier");
            writer.text(Namespace::Bk, "DateOfBirth", &first_day.to_string());
            writer.text(Namespace::Bk, "FamilyName", &self.family_name);
            writer.text(Namespace::Bk, "GivenName", &self.given_name);
            write_assurance(writer, self.assurance);
            writer.optional_text(Namespace::Bk, "BirthName", self.birth_name.as_deref());
            writer.optional_text(Namespace::Bk, "PlaceOfBirth", self.place_of_birth.as_deref());
            if let Some(address) = &self.address {
                address.write(writer, Namespace::Bk, "CurrentAdress");
            }
            writer.optional_text(Namespace::Bk, "Gender", self.gender.as_deref());
            write_attributes(writer, precision, &self.attributes);
            writer.optional_text(Namespace::Bk, "IDNr", self.idnr.as_ref().map(Idnr::expose));
        });
    }

    pub(crate) fn read(person: Element<'_>) -> Result<Self, XmlError> {
        let mut children = person.only_children("NaturalPerson")?;
        let identifier = EidasIdentifier::read_optional(&mut children, "Identifier")?;
        let first_day = date(&children.text(Namespace::Bk, "DateOfBirth")?, "DateOfBirth")?;
        let family_name = children.value(Namespace::Bk, "FamilyName")?;
        let given_name = children.value(Namespace::Bk, "GivenName")?;
        let assurance = read_assurance(&mut children)?;
        let birth_name = children.optional_value(Namespace::Bk, "BirthName")?;
        let place_of_birth = children.optional_value(Namespace::Bk, "PlaceOfBirth")?;
        let address = Address::read_optional(&mut children, Namespace::Bk, "CurrentAdress")?;
        let gender = children.optional_value(Namespace::Bk, "Gender")?;
        let (precision, attributes) = read_attributes(&mut children)?;
        let idnr = read_idnr(&mut children)?;
        children.end()?;
        Ok(Self {
            identifier,
            date_of_birth: date_of_birth(first_day, precision)?,
            family_name,
            given_name,
            assurance,
            birth_name,
            place_of_birth,
            address,
            gender,
            attributes,
            idnr,
        })
    }
}

/// Takes the IDNr, if it is the next child.
pub(crate) fn read_idnr(children: &mut Children<'_>) -> Result<Option<Idnr>, XmlError> {
    let text = children.optional_text(Namespace::Bk, "IDNr")?;
    let idnr = text.map(|text| Idnr::parse(&text, record::TestNumbers::Allowed));
    idnr.transpose().map_err(|_| XmlError::Value("IDNr"))
}
