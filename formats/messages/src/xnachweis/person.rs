//! The natural person that a message is about.

use record::{Assurance, Idnr};
use text::date::Precision;
use text::{PartialDate, PersonName, PlaceName, PostalCode};

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::values::date;
use super::write::XmlWriter;

/// Says in a `SectorSpecificAttribute` which part of a partial date of birth is known. XNachweis has no partial dates;
/// [`text::date`] has the mapping.
const PRECISION_NAME: &str = "DateOfBirthPrecision";
const PRECISION_URI: &str = "urn:einsicht:attribute:date-of-birth-precision";

/// The natural person of a request. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct NaturalPerson {
    /// Date of birth, as far as it is known.
    pub date_of_birth: PartialDate,
    /// Family name.
    pub family_name: PersonName,
    /// Given names.
    pub given_name: PersonName,
    /// Level of assurance of the login.
    pub assurance: Assurance,
    /// Postal code; empty means not given.
    pub postal_code: PostalCode,
    /// Place; empty means not given.
    pub place: PlaceName,
    /// The IDNr, if the consumer may use it.
    pub idnr: Option<Idnr>,
}

impl std::fmt::Debug for NaturalPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NaturalPerson(redacted)")
    }
}

impl NaturalPerson {
    /// Writes `LegalOrNaturalPerson` with this person in it.
    pub(crate) fn write(&self, writer: &mut XmlWriter) {
        writer.element(Namespace::Bk, "LegalOrNaturalPerson", &[], |writer| {
            writer.element(Namespace::Bk, "NaturalPerson", &[], |writer| {
                let (first_day, precision) = self.date_of_birth.first_day();
                writer.text(Namespace::Bk, "DateOfBirth", &first_day.to_string());
                writer.text(Namespace::Bk, "FamilyName", &self.family_name);
                writer.text(Namespace::Bk, "GivenName", &self.given_name);
                writer.code(
                    Namespace::Bk,
                    "LevelOfAssurance",
                    CodeList::ASSURANCE,
                    assurance_code(self.assurance),
                );
                if self.postal_code.is_given() || self.place.is_given() {
                    writer.element(Namespace::Bk, "CurrentAdress", &[], |writer| {
                        writer.text(Namespace::Bk, "PostCode", &self.postal_code);
                        writer.text(Namespace::Bk, "PostCityName", &self.place);
                    });
                }
                if let Some(precision) = precision {
                    write_precision(writer, precision);
                }
                if let Some(idnr) = &self.idnr {
                    writer.text(Namespace::Bk, "IDNr", idnr.expose());
                }
            });
        });
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, XmlError> {
        let mut children = element.only_children("LegalOrNaturalPerson")?;
        let person = children.one(Namespace::Bk, "NaturalPerson")?;
        children.end()?;
        let mut children = person.only_children("NaturalPerson")?;
        let first_day = date(&children.text(Namespace::Bk, "DateOfBirth")?, "DateOfBirth")?;
        let family_name = name(&children.text(Namespace::Bk, "FamilyName")?, "FamilyName")?;
        let given_name = name(&children.text(Namespace::Bk, "GivenName")?, "GivenName")?;
        let assurance =
            CodeList::ASSURANCE.read(children.one(Namespace::Bk, "LevelOfAssurance")?, "LevelOfAssurance")?;
        let (postal_code, place) = match children.optional(Namespace::Bk, "CurrentAdress") {
            Some(address) => read_address(address)?,
            None => (PostalCode::default(), PlaceName::default()),
        };
        let precision = match children.optional(Namespace::Bk, "SectorSpecificAttribute") {
            Some(attribute) => Some(read_precision(attribute)?),
            None => None,
        };
        let idnr = match children.optional(Namespace::Bk, "IDNr") {
            Some(element) => Some(read_idnr(element)?),
            None => None,
        };
        children.end()?;
        Ok(Self {
            date_of_birth: PartialDate::from_first_day(first_day, precision)
                .map_err(|_| XmlError::Value("DateOfBirth"))?,
            family_name,
            given_name,
            assurance: read_assurance(&assurance)?,
            postal_code,
            place,
            idnr,
        })
    }
}

/// Reads a text at the entrance: a foreign program may write another form of Unicode.
fn name<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, XmlError> {
    text.parse().map_err(|_| XmlError::Value(what))
}

fn write_precision(writer: &mut XmlWriter, precision: Precision) {
    writer.element(Namespace::Bk, "SectorSpecificAttribute", &[], |writer| {
        writer.text(Namespace::Bk, "AttributeName", PRECISION_NAME);
        writer.text(Namespace::Bk, "AttributeURI", PRECISION_URI);
        writer.text(Namespace::Bk, "AttributeValue", precision.as_str());
    });
}

fn read_precision(element: Element<'_>) -> Result<Precision, XmlError> {
    let mut children = element.only_children("SectorSpecificAttribute")?;
    let known = children.text(Namespace::Bk, "AttributeName")? == PRECISION_NAME
        && children.text(Namespace::Bk, "AttributeURI")? == PRECISION_URI;
    let value = children.text(Namespace::Bk, "AttributeValue")?;
    children.end()?;
    if !known {
        return Err(XmlError::Unexpected("SectorSpecificAttribute"));
    }
    name(&value, "AttributeValue")
}

fn read_address(element: Element<'_>) -> Result<(PostalCode, PlaceName), XmlError> {
    let mut children = element.only_children("CurrentAdress")?;
    let postal_code = name(&children.text(Namespace::Bk, "PostCode")?, "PostCode")?;
    let place = name(&children.text(Namespace::Bk, "PostCityName")?, "PostCityName")?;
    children.end()?;
    Ok((postal_code, place))
}

fn read_idnr(element: Element<'_>) -> Result<Idnr, XmlError> {
    element.only(&[], "IDNr")?;
    Idnr::parse(&element.text("IDNr")?, record::TestNumbers::Allowed).map_err(|_| XmlError::Value("IDNr"))
}

fn assurance_code(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Low => "Low",
        Assurance::Substantial => "Substantial",
        Assurance::High => "High",
    }
}

fn read_assurance(code: &str) -> Result<Assurance, XmlError> {
    [Assurance::Low, Assurance::Substantial, Assurance::High]
        .into_iter()
        .find(|assurance| assurance_code(*assurance) == code)
        .ok_or(XmlError::Value("LevelOfAssurance"))
}
