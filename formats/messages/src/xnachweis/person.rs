//! The natural person that a message is about.

use record::{Assurance, Idnr};

use super::code_list::CodeList;
use super::error::XmlError;
use super::namespace::Namespace;
use super::parse::Element;
use super::values::date;
use super::write::XmlWriter;

/// The natural person of a request. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct NaturalPerson {
    /// `YYYY-MM-DD`.
    pub date_of_birth: String,
    /// Family name.
    pub family_name: String,
    /// Given names.
    pub given_name: String,
    /// Level of assurance of the login.
    pub assurance: Assurance,
    /// Postal code; empty means not given.
    pub postal_code: String,
    /// Place; empty means not given.
    pub place: String,
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
                writer.text(Namespace::Bk, "DateOfBirth", &self.date_of_birth);
                writer.text(Namespace::Bk, "FamilyName", &self.family_name);
                writer.text(Namespace::Bk, "GivenName", &self.given_name);
                writer.code(
                    Namespace::Bk,
                    "LevelOfAssurance",
                    CodeList::ASSURANCE,
                    assurance_code(self.assurance),
                );
                if !(self.postal_code.is_empty() && self.place.is_empty()) {
                    writer.element(Namespace::Bk, "CurrentAdress", &[], |writer| {
                        writer.text(Namespace::Bk, "PostCode", &self.postal_code);
                        writer.text(Namespace::Bk, "PostCityName", &self.place);
                    });
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
        let date_of_birth = children.text(Namespace::Bk, "DateOfBirth")?;
        date(date_of_birth, "DateOfBirth")?;
        let family_name = children.text(Namespace::Bk, "FamilyName")?;
        let given_name = children.text(Namespace::Bk, "GivenName")?;
        let assurance =
            CodeList::ASSURANCE.read(children.one(Namespace::Bk, "LevelOfAssurance")?, "LevelOfAssurance")?;
        let (postal_code, place) = match children.optional(Namespace::Bk, "CurrentAdress") {
            Some(address) => read_address(address)?,
            None => (String::new(), String::new()),
        };
        let idnr = match children.optional(Namespace::Bk, "IDNr") {
            Some(element) => Some(read_idnr(element)?),
            None => None,
        };
        children.end()?;
        Ok(Self {
            date_of_birth: date_of_birth.to_owned(),
            family_name: family_name.to_owned(),
            given_name: given_name.to_owned(),
            assurance: read_assurance(assurance)?,
            postal_code,
            place,
            idnr,
        })
    }
}

fn read_address(element: Element<'_>) -> Result<(String, String), XmlError> {
    let mut children = element.only_children("CurrentAdress")?;
    let postal_code = children.text(Namespace::Bk, "PostCode")?.to_owned();
    let place = children.text(Namespace::Bk, "PostCityName")?.to_owned();
    children.end()?;
    Ok((postal_code, place))
}

fn read_idnr(element: Element<'_>) -> Result<Idnr, XmlError> {
    element.only(&[], "IDNr")?;
    Idnr::parse(element.text("IDNr")?, record::TestNumbers::Allowed).map_err(|_| XmlError::Value("IDNr"))
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
