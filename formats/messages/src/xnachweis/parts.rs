//! The parts that the messages share: head, agents, person, evidence type, values.

use jiff::civil::Date;
use record::{Assurance, Idnr, Timestamp};
use tlog::Hash;
use uuid::Uuid;

use super::error::XmlError;
use super::tree::{Children, Element, Ns};
use super::write::Document;
use crate::digest::sha256_of;

pub(crate) const SPECIFICATION: &str = "urn:xoev-de:bva:standard:xnachweis_1.2.0";
const STANDARD: &str = "XNachweis";
const VERSION: &str = "1.2.0";
const PRODUCT: &str = "Einsicht";
/// Identifiers of German authorities in the EAS code list: Leitweg-ID.
const EAS: &str = "urn:cef.eu:names:identifier:EAS:0204";
const CLASSIFICATION: &str = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/ec/";

pub(crate) const LIST_LANGUAGE: (&str, &str) = ("urn:xoev-de:xnachweis:codeliste:sprachen-iso-639-1", "2.0");
const LIST_MESSAGE: (&str, &str) = ("urn:xoev-de:xnachweis:codeliste:messagetypes", VERSION);
const LIST_DIRECTORY: (&str, &str) = ("urn:xoev-de:kosit:codeliste:verzeichnisdienst", "3");
const LIST_AGENT: (&str, &str) = ("urn:xoev-de:xnachweis:codeliste:agentclassification", "1.0");
const LIST_LOA: (&str, &str) = ("urn:xoev-de:xnachweis:codeliste:loa", "1.0");
const LIST_MEDIA: (&str, &str) = ("urn:xoev-de:xnachweis:codeliste:ootsmediatypes", "1.0");

/// An authority as XÖV names it: directory service, identifier in it, name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Code of the directory service, e.g. `DVDV`.
    pub directory: String,
    /// Identifier in that directory.
    pub identifier: String,
    /// Name in words.
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

/// The head of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `nachrichtenUUID`; an answer bears that of its request (TR-03190 DP.7).
    pub message: Uuid,
    /// `erstellungszeitpunkt` and `IssueDateTime`.
    pub created: Timestamp,
    /// A test message: must not run in production.
    pub test: bool,
    /// Who asks: author of a request, reader of an answer.
    pub consumer: Authority,
    /// Who is asked.
    pub provider: Authority,
}

/// The natural person of the request. `Debug` shows nothing.
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
    /// Postal code; empty: not given.
    pub postal_code: String,
    /// Place; empty: not given.
    pub place: String,
    /// The IDNr, where the consumer may use it.
    pub idnr: Option<Idnr>,
}

impl std::fmt::Debug for NaturalPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NaturalPerson(redacted)")
    }
}

/// An evidence type of the Registerlandkarte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceType {
    /// Its id; ends the classification URI.
    pub id: String,
    /// Its title in German.
    pub title: String,
}

impl EvidenceType {
    /// The `Identifier` that the schema wants beside the classification: a UUID (version 8, RFC 9562) made of SHA-256 of
    /// the classification URI.
    fn identifier(&self) -> Uuid {
        let Hash(digest) = sha256_of(&[CLASSIFICATION.as_bytes(), self.id.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Classification and title: the type `ConformantToType`.
    pub(crate) fn write_conformant(&self, document: &mut Document) {
        document.text(
            Ns::Bk,
            "EvidenceTypeClassification",
            &format!("{CLASSIFICATION}{}", self.id),
        );
        write_multilingual(document, "Title", &self.title);
    }

    pub(crate) fn read_conformant(children: &mut Children<'_>) -> Result<Self, XmlError> {
        let classification = children.text(Ns::Bk, "EvidenceTypeClassification")?;
        let id = classification
            .strip_prefix(CLASSIFICATION)
            .ok_or(XmlError::Value("EvidenceTypeClassification"))?;
        let title = read_multilingual(children.one(Ns::Bk, "Title")?, "Title")?;
        Ok(Self {
            id: id.to_owned(),
            title,
        })
    }

    /// With identifier and format: the type `EvidenceType.DataServiceType`.
    pub(crate) fn write_requested(&self, document: &mut Document, media_type: &str) {
        document.element(Ns::Bk, "RequestedEvidenceType", &[], |document| {
            self.write_conformant(document);
            document.text(Ns::Bk, "Identifier", &self.identifier().to_string());
            document.element(Ns::Bk, "DistributedAs", &[], |document| {
                write_format(document, media_type)
            });
        });
    }

    pub(crate) fn read_requested(element: &Element) -> Result<(Self, String), XmlError> {
        element.only(&[], "RequestedEvidenceType")?;
        let mut children = element.children("RequestedEvidenceType")?;
        let evidence_type = Self::read_conformant(&mut children)?;
        if uuid(children.text(Ns::Bk, "Identifier")?, "Identifier")? != evidence_type.identifier() {
            return Err(XmlError::Value("Identifier"));
        }
        let distributed = children.one(Ns::Bk, "DistributedAs")?;
        children.end()?;
        distributed.only(&[], "DistributedAs")?;
        let mut formats = distributed.children("DistributedAs")?;
        let format = read_format(&mut formats)?;
        formats.end()?;
        Ok((evidence_type, format))
    }
}

/// The root's attributes with `id` or `requestid`, which is `key`.
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

/// Reads them: the value of `key` and whether it is a test.
pub(crate) fn read_root_attributes(root: &Element, key: &'static str) -> Result<(Uuid, bool), XmlError> {
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
    required("produkt")?;
    required("produkthersteller")?;
    if required("standard")? != STANDARD {
        return Err(XmlError::Value("standard"));
    }
    if required("version")? != VERSION {
        return Err(XmlError::Value("version"));
    }
    let test = match root.attribute("test") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(XmlError::Value("test")),
    };
    Ok((urn(required(key)?, key)?, test))
}

/// Who is the author of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    Consumer,
    Provider,
}

impl Head {
    pub(crate) fn write(&self, document: &mut Document, message_type: &str, author: Author) {
        let (author, reader) = match author {
            Author::Consumer => (&self.consumer, &self.provider),
            Author::Provider => (&self.provider, &self.consumer),
        };
        document.element(Ns::Bk, "nachrichtenkopf", &[], |document| {
            document.element(Ns::Bk, "identifikation.nachricht", &[], |document| {
                document.text(Ns::Bk, "nachrichtenUUID", &self.message.to_string());
                document.code(Ns::Bk, "nachrichtentyp", LIST_MESSAGE, message_type);
                document.text(Ns::Bk, "erstellungszeitpunkt", &time_text(self.created));
            });
            write_authority(document, "leser", reader);
            write_authority(document, "autor", author);
        });
    }

    /// Reads the head; `test` comes from the root.
    pub(crate) fn read(element: &Element, message_type: &str, author: Author, test: bool) -> Result<Self, XmlError> {
        element.only(&[], "nachrichtenkopf")?;
        let mut children = element.children("nachrichtenkopf")?;
        let identification = children.one(Ns::Bk, "identifikation.nachricht")?;
        let reader = read_authority(children.one(Ns::G2g, "leser")?, "leser")?;
        let writer = read_authority(children.one(Ns::G2g, "autor")?, "autor")?;
        children.end()?;
        identification.only(&[], "identifikation.nachricht")?;
        let mut children = identification.children("identifikation.nachricht")?;
        let message = uuid(children.text(Ns::Bk, "nachrichtenUUID")?, "nachrichtenUUID")?;
        if read_code(
            children.one(Ns::Bk, "nachrichtentyp")?,
            LIST_MESSAGE.0,
            "nachrichtentyp",
        )? != message_type
        {
            return Err(XmlError::Value("nachrichtentyp"));
        }
        let created = time(children.text(Ns::Bk, "erstellungszeitpunkt")?, "erstellungszeitpunkt")?;
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

fn write_authority(document: &mut Document, name: &'static str, authority: &Authority) {
    document.element(Ns::G2g, name, &[], |document| {
        document.code(Ns::G2g, "verzeichnisdienst", LIST_DIRECTORY, &authority.directory);
        document.text(Ns::G2g, "kennung", &authority.identifier);
        document.text(Ns::G2g, "name", &authority.name);
    });
}

fn read_authority(element: &Element, what: &'static str) -> Result<Authority, XmlError> {
    element.only(&[], what)?;
    let mut children = element.children(what)?;
    let directory = read_code(
        children.one(Ns::G2g, "verzeichnisdienst")?,
        LIST_DIRECTORY.0,
        "verzeichnisdienst",
    )?;
    let identifier = children.text(Ns::G2g, "kennung")?;
    let name = children.text(Ns::G2g, "name")?;
    children.end()?;
    Ok(Authority {
        directory: directory.to_owned(),
        identifier: identifier.to_owned(),
        name: name.to_owned(),
    })
}

/// An agent of the body: the same authority as in the head, in the form of the EU model.
pub(crate) fn write_agent(document: &mut Document, name: &'static str, authority: &Authority, class: &str) {
    document.element(Ns::De, name, &[], |document| {
        write_identification(document, authority);
        document.code(Ns::Edm, "Classification", LIST_AGENT, class);
    });
}

/// Reads an agent and requires that it is the authority the head names.
pub(crate) fn read_agent(
    element: &Element,
    what: &'static str,
    authority: &Authority,
    class: &str,
) -> Result<(), XmlError> {
    element.only(&[], what)?;
    let mut children = element.children(what)?;
    read_identification(&mut children, what, authority)?;
    if read_code(children.one(Ns::Edm, "Classification")?, LIST_AGENT.0, "Classification")? != class {
        return Err(XmlError::Value("Classification"));
    }
    children.end()
}

/// Identifier and name of an agent.
pub(crate) fn write_identification(document: &mut Document, authority: &Authority) {
    document.text_with(Ns::Bk, "Identifier", ("schemeID", EAS), &authority.identifier);
    write_multilingual(document, "Name", &authority.name);
}

pub(crate) fn read_identification(
    children: &mut Children<'_>,
    what: &'static str,
    authority: &Authority,
) -> Result<(), XmlError> {
    let identifier = children.one(Ns::Bk, "Identifier")?;
    identifier.only(&["schemeID"], "Identifier")?;
    if identifier.attribute("schemeID") != Some(EAS) {
        return Err(XmlError::Value("schemeID"));
    }
    let name = read_multilingual(children.one(Ns::Bk, "Name")?, "Name")?;
    if identifier.text("Identifier")? != authority.identifier || name != authority.name {
        return Err(XmlError::Value(what));
    }
    Ok(())
}

impl NaturalPerson {
    /// `LegalOrNaturalPerson` with this person in it.
    pub(crate) fn write(&self, document: &mut Document) {
        document.element(Ns::Bk, "LegalOrNaturalPerson", &[], |document| {
            document.element(Ns::Bk, "NaturalPerson", &[], |document| {
                document.text(Ns::Bk, "DateOfBirth", &self.date_of_birth);
                document.text(Ns::Bk, "FamilyName", &self.family_name);
                document.text(Ns::Bk, "GivenName", &self.given_name);
                document.code(Ns::Bk, "LevelOfAssurance", LIST_LOA, assurance_code(self.assurance));
                if !(self.postal_code.is_empty() && self.place.is_empty()) {
                    document.element(Ns::Bk, "CurrentAdress", &[], |document| {
                        document.text(Ns::Bk, "PostCode", &self.postal_code);
                        document.text(Ns::Bk, "PostCityName", &self.place);
                    });
                }
                if let Some(idnr) = &self.idnr {
                    document.text(Ns::Bk, "IDNr", idnr.expose());
                }
            });
        });
    }

    pub(crate) fn read(element: &Element) -> Result<Self, XmlError> {
        element.only(&[], "LegalOrNaturalPerson")?;
        let mut children = element.children("LegalOrNaturalPerson")?;
        let person = children.one(Ns::Bk, "NaturalPerson")?;
        children.end()?;
        person.only(&[], "NaturalPerson")?;
        let mut children = person.children("NaturalPerson")?;
        let date_of_birth = children.text(Ns::Bk, "DateOfBirth")?;
        date(date_of_birth, "DateOfBirth")?;
        let family_name = children.text(Ns::Bk, "FamilyName")?;
        let given_name = children.text(Ns::Bk, "GivenName")?;
        let assurance = read_code(
            children.one(Ns::Bk, "LevelOfAssurance")?,
            LIST_LOA.0,
            "LevelOfAssurance",
        )?;
        let (postal_code, place) = match children.optional(Ns::Bk, "CurrentAdress") {
            Some(address) => read_address(address)?,
            None => (String::new(), String::new()),
        };
        let idnr = match children.optional(Ns::Bk, "IDNr") {
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

fn read_address(element: &Element) -> Result<(String, String), XmlError> {
    element.only(&[], "CurrentAdress")?;
    let mut children = element.children("CurrentAdress")?;
    let postal_code = children.text(Ns::Bk, "PostCode")?.to_owned();
    let place = children.text(Ns::Bk, "PostCityName")?.to_owned();
    children.end()?;
    Ok((postal_code, place))
}

fn read_idnr(element: &Element) -> Result<Idnr, XmlError> {
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

/// A German text in the form of `String.Multilingual`.
fn write_multilingual(document: &mut Document, name: &'static str, value: &str) {
    document.element(Ns::Bk, name, &[], |document| {
        document.text(Ns::Bdt, "value", value);
        document.code(Ns::Bdt, "lang", LIST_LANGUAGE, "DE");
    });
}

fn read_multilingual(element: &Element, what: &'static str) -> Result<String, XmlError> {
    element.only(&[], what)?;
    let mut children = element.children(what)?;
    let value = children.text(Ns::Bdt, "value")?;
    read_code(children.one(Ns::Bdt, "lang")?, LIST_LANGUAGE.0, "lang")?;
    children.end()?;
    Ok(value.to_owned())
}

pub(crate) fn write_format(document: &mut Document, media_type: &str) {
    document.code(Ns::Bk, "Format", LIST_MEDIA, media_type);
}

pub(crate) fn read_format(children: &mut Children<'_>) -> Result<String, XmlError> {
    Ok(read_code(children.one(Ns::Bk, "Format")?, LIST_MEDIA.0, "Format")?.to_owned())
}

/// The `code` of a code list entry; the list must be the one named.
pub(crate) fn read_code<'a>(element: &'a Element, list: &str, what: &'static str) -> Result<&'a str, XmlError> {
    element.only(&["listURI", "listVersionID"], what)?;
    if element.attribute("listURI").is_some_and(|uri| uri != list) {
        return Err(XmlError::Value(what));
    }
    let mut children = element.children(what)?;
    let code = children.text(Ns::None, "code")?;
    children.end()?;
    Ok(code.trim())
}

/// The fixed `SpecificationIdentifier`.
pub(crate) fn read_specification(children: &mut Children<'_>) -> Result<(), XmlError> {
    let fixed = children.text(Ns::De, "SpecificationIdentifier")? == SPECIFICATION;
    if fixed {
        Ok(())
    } else {
        Err(XmlError::Value("SpecificationIdentifier"))
    }
}

/// `IssueDateTime`, which must be the time of the head.
pub(crate) fn read_issued(children: &mut Children<'_>, created: Timestamp) -> Result<(), XmlError> {
    let issued = time(children.text(Ns::De, "IssueDateTime")?, "IssueDateTime")?;
    if issued == created {
        Ok(())
    } else {
        Err(XmlError::Value("IssueDateTime"))
    }
}

pub(crate) fn uuid(text: &str, what: &'static str) -> Result<Uuid, XmlError> {
    let parsed = if text.len() == 36 {
        Uuid::try_parse(text).ok()
    } else {
        None
    };
    parsed.ok_or(XmlError::Value(what))
}

pub(crate) fn urn(text: &str, what: &'static str) -> Result<Uuid, XmlError> {
    uuid(text.strip_prefix("urn:uuid:").ok_or(XmlError::Value(what))?, what)
}

/// XSD `dateTime` in UTC, whole seconds.
pub(crate) fn time_text(time: Timestamp) -> String {
    let seconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

pub(crate) fn time(text: &str, what: &'static str) -> Result<Timestamp, XmlError> {
    let time: jiff::Timestamp = text.parse().map_err(|_| XmlError::Value(what))?;
    Ok(Timestamp(
        u64::try_from(time.as_second()).map_err(|_| XmlError::Value(what))?,
    ))
}

/// XSD `date`.
pub(crate) fn date(text: &str, what: &'static str) -> Result<Date, XmlError> {
    let parsed = if text.len() == 10 { text.parse().ok() } else { None };
    parsed.ok_or(XmlError::Value(what))
}
