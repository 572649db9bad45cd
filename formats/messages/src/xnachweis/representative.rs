//! Who acts for the subject of a query (`AuthorizedPersonType`). Its elements have another order than those of a
//! person.

use record::{Assurance, Idnr};
use text::{PartialDate, PersonName, PlaceName, Reference};

use super::address::Address;
use super::assurance::{read_assurance, write_assurance};
use super::attribute::{SectorAttribute, date_of_birth, read_attributes, write_attributes};
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::person::read_idnr;
use super::values::date;
use super::write::XmlWriter;

const NAME: &str = "AuthorizedRepresentative";

/// A representative. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Representative {
    /// Level of assurance of the login.
    pub assurance: Assurance,
    /// Place of birth.
    pub place_of_birth: Option<PlaceName>,
    /// Where the representative lives.
    pub address: Option<Address>,
    /// Gender, in the words of the register.
    pub gender: Option<Reference>,
    /// What only one sector knows.
    pub attributes: Vec<SectorAttribute>,
    /// Date of birth, as far as it is known.
    pub date_of_birth: PartialDate,
    /// Family name.
    pub family_name: PersonName,
    /// Given names.
    pub given_name: PersonName,
    /// The IDNr, if the consumer may use it.
    pub idnr: Option<Idnr>,
}

impl std::fmt::Debug for Representative {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Representative(redacted)")
    }
}

impl Representative {
    /// A representative of whom only what the schema requires is known.
    #[must_use]
    pub fn new(
        date_of_birth: PartialDate,
        family_name: PersonName,
        given_name: PersonName,
        assurance: Assurance,
    ) -> Self {
        Self {
            assurance,
            place_of_birth: None,
            address: None,
            gender: None,
            attributes: Vec::new(),
            date_of_birth,
            family_name,
            given_name,
            idnr: None,
        }
    }

    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::Bk, NAME, &[], |writer| {
            let (first_day, precision) = self.date_of_birth.first_day();
            write_assurance(writer, self.assurance);
            writer.optional_text(Namespace::Bk, "PlaceOfBirth", self.place_of_birth.as_deref());
            if let Some(address) = &self.address {
                address.write(writer, Namespace::Bk, "CurrentAdress");
            }
            writer.optional_text(Namespace::Bk, "Gender", self.gender.as_deref());
            write_attributes(writer, precision, &self.attributes);
            writer.text(Namespace::Bk, "DateOfBirth", &first_day.to_string());
            writer.text(Namespace::Bk, "FamilyName", &self.family_name);
            writer.text(Namespace::Bk, "GivenName", &self.given_name);
            writer.optional_text(Namespace::Bk, "IDNr", self.idnr.as_ref().map(Idnr::expose));
        });
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, XmlError> {
        let mut children = element.only_children(NAME)?;
        let assurance = read_assurance(&mut children)?;
        let place_of_birth = children.optional_value(Namespace::Bk, "PlaceOfBirth")?;
        let address = Address::read_optional(&mut children, Namespace::Bk, "CurrentAdress")?;
        let gender = children.optional_value(Namespace::Bk, "Gender")?;
        let (precision, attributes) = read_attributes(&mut children)?;
        let first_day = date(&children.text(Namespace::Bk, "DateOfBirth")?, "DateOfBirth")?;
        let family_name = children.value(Namespace::Bk, "FamilyName")?;
        let given_name = children.value(Namespace::Bk, "GivenName")?;
        let idnr = read_idnr(&mut children)?;
        children.end()?;
        Ok(Self {
            assurance,
            place_of_birth,
            address,
            gender,
            attributes,
            date_of_birth: date_of_birth(first_day, precision)?,
            family_name,
            given_name,
            idnr,
        })
    }
}
