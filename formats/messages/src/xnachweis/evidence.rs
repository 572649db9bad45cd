//! Evidence (`RegistryObjectType_NOOTS`): what a register delivers, and about whom.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::civil::Date;
use uuid::Uuid;

use super::agent::{Agent, Authority};
use super::code_list::CodeList;
use super::distribution::Distribution;
use super::error::XmlError;
use super::evidence_type::EvidenceType;
use super::namespace::Namespace;
use super::parse::{Children, Element};
use super::subject::Subject;
use super::values::{binary, date, urn, write_date};
use super::write::XmlWriter;

/// Evidence. `Debug` shows no content and no person.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `id` of the registry object.
    pub object: Uuid,
    /// The day on which it was issued.
    pub issued: Date,
    /// The first and the last day on which it is valid.
    pub validity: Option<(Date, Date)>,
    /// The evidence type.
    pub evidence_type: EvidenceType,
    /// The form of the content.
    pub distribution: Distribution,
    /// Codes of the content's languages.
    pub languages: Vec<String>,
    /// The content.
    pub content: Vec<u8>,
    /// Who the evidence is about, as the request named them.
    pub subject: Subject,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Evidence({}, content redacted)", self.evidence_type.id)
    }
}

/// Who issued evidence: a party of the exchange, which must be named as in the head, or an agent behind the platform.
#[derive(Clone, Copy)]
pub(crate) enum Issuer<'a> {
    Party(&'a Authority),
    Agent(&'a Agent),
}

impl Issuer<'_> {
    fn write(self, writer: &mut XmlWriter) {
        match self {
            Self::Party(authority) => Agent::from(authority).write_identification(writer),
            Self::Agent(agent) => agent.write_identification(writer),
        }
    }

    fn check(self, named: &Agent) -> Result<(), XmlError> {
        let what = "IssuingAuthority";
        match self {
            Self::Party(authority) => named.must_be(authority, what),
            Self::Agent(agent) if agent.is_same(named) => Ok(()),
            Self::Agent(_) => Err(XmlError::Value(what)),
        }
    }
}

impl Evidence {
    /// Writes the content of `RegistryObjectList`.
    pub(crate) fn write(&self, writer: &mut XmlWriter, issuer: Issuer<'_>) {
        writer.text(Namespace::Bk, "id", &format!("urn:uuid:{}", self.object));
        writer.element(Namespace::Bk, "EvidenceMetadata", &[], |writer| {
            write_date(writer, "IssuingDate", self.issued);
            if let Some((start, end)) = self.validity {
                writer.element(Namespace::Bk, "ValidityPeriod", &[], |writer| {
                    write_date(writer, "StartDate", start);
                    write_date(writer, "EndDate", end);
                });
            }
            writer.element(Namespace::Bk, "IssuingAuthority", &[], |writer| issuer.write(writer));
            writer.element(Namespace::Bk, "Distribution", &[], |writer| {
                self.distribution.write(writer);
                for language in &self.languages {
                    writer.code(Namespace::Bk, "Language", CodeList::LANGUAGE, language);
                }
            });
            writer.element(Namespace::Bk, "IsConformantTo", &[], |writer| {
                self.evidence_type.write(writer)
            });
        });
        writer.element(Namespace::Bk, "RepositoryItem", &[], |writer| {
            writer.text(Namespace::Bk, "RepositoryItem", &BASE64.encode(&self.content));
        });
        self.subject.write(writer);
    }

    /// Reads a `RegistryObjectList`.
    pub(crate) fn read(element: Element<'_>, issuer: Issuer<'_>) -> Result<Self, XmlError> {
        let mut children = element.only_children("RegistryObjectList")?;
        let object = urn(&children.text(Namespace::Bk, "id")?, "id")?;
        let metadata = Metadata::read(children.one(Namespace::Bk, "EvidenceMetadata")?, issuer)?;
        let mut items = children
            .one(Namespace::Bk, "RepositoryItem")?
            .only_children("RepositoryItem")?;
        let content = binary(&items.text(Namespace::Bk, "RepositoryItem")?, "RepositoryItem")?;
        items.end()?;
        let subject = Subject::read(&mut children)?;
        children.end()?;
        Ok(Self {
            object,
            issued: metadata.issued,
            validity: metadata.validity,
            evidence_type: metadata.evidence_type,
            distribution: metadata.distribution,
            languages: metadata.languages,
            content,
            subject,
        })
    }
}

/// What `EvidenceMetadata` says.
struct Metadata {
    issued: Date,
    validity: Option<(Date, Date)>,
    evidence_type: EvidenceType,
    distribution: Distribution,
    languages: Vec<String>,
}

impl Metadata {
    fn read(element: Element<'_>, issuer: Issuer<'_>) -> Result<Self, XmlError> {
        let mut children = element.only_children("EvidenceMetadata")?;
        let issued = date(&children.text(Namespace::Bk, "IssuingDate")?, "IssuingDate")?;
        let validity = children.optional(Namespace::Bk, "ValidityPeriod").map(read_period);
        let mut authority = children
            .one(Namespace::Bk, "IssuingAuthority")?
            .only_children("IssuingAuthority")?;
        issuer.check(&Agent::read_identification(&mut authority)?)?;
        authority.end()?;
        let (distribution, languages) = read_distribution(&mut children)?;
        let mut conformant = children
            .one(Namespace::Bk, "IsConformantTo")?
            .only_children("IsConformantTo")?;
        let evidence_type = EvidenceType::read(&mut conformant)?;
        conformant.end()?;
        children.end()?;
        Ok(Self {
            issued,
            validity: validity.transpose()?,
            evidence_type,
            distribution,
            languages,
        })
    }
}

fn read_period(element: Element<'_>) -> Result<(Date, Date), XmlError> {
    let mut children = element.only_children("ValidityPeriod")?;
    let start = date(&children.text(Namespace::Bk, "StartDate")?, "StartDate")?;
    let end = date(&children.text(Namespace::Bk, "EndDate")?, "EndDate")?;
    children.end()?;
    if start <= end {
        Ok((start, end))
    } else {
        Err(XmlError::Value("EndDate"))
    }
}

fn read_distribution(children: &mut Children<'_>) -> Result<(Distribution, Vec<String>), XmlError> {
    let mut children = children
        .one(Namespace::Bk, "Distribution")?
        .only_children("Distribution")?;
    let distribution = Distribution::read(&mut children)?;
    let mut languages = Vec::new();
    while let Some(language) = children.optional(Namespace::Bk, "Language") {
        languages.push(CodeList::LANGUAGE.read(language, "Language")?);
    }
    children.end()?;
    Ok((distribution, languages))
}
