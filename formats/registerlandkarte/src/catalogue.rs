//! What there is: classes of bodies, types of registers, types of evidence.

use record::EvidenceInfo;
use serde::{Deserialize, Serialize};
use text::{Reference, Title};

use crate::defect::{Defect, list_defects};
use crate::name::{BodyClassId, EvidenceTypeId, NormId, RegisterTypeId};
use crate::rule::Subjects;

/// A class of bodies that have one task, for example the housing benefit authorities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyClass {
    /// The name by which rules and bodies refer to it.
    pub id: BodyClassId,
    /// The name in plain words.
    pub name: Title,
}

/// A type of register, for example the Melderegister. Its instances are components of bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterType {
    /// The name by which evidence types, rules and instances refer to it.
    pub id: RegisterTypeId,
    /// The name in plain words.
    pub name: Title,
    /// The number in the Verwaltungsdaten-Informationsplattform, which the public Registerlandkarte uses too; `None`
    /// if it is not known.
    pub vip: Option<u32>,
    /// The number in the Anlage of the IDNrG, whose registers store the IDNr; `None` if it is not in that list.
    pub idnrg: Option<u32>,
    /// Of whom it has data.
    pub subjects: Subjects,
    /// The norm under which it is kept.
    pub norm: NormId,
}

/// A type of evidence, which one type of register provides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceType {
    /// The name by which rules refer to it.
    pub id: EvidenceTypeId,
    /// The identifier in messages and records, a URI; `None` if none has been assigned. Then it is `id`.
    pub uri: Option<Reference>,
    /// The type of register that provides it.
    pub register: RegisterTypeId,
    /// The title in plain words.
    pub title: Title,
    /// The data categories; never values.
    pub categories: Vec<Title>,
}

impl EvidenceType {
    /// The identifier in messages and records.
    #[must_use]
    pub fn identifier(&self) -> &str {
        self.uri.as_ref().map_or(self.id.as_str(), |uri| uri.as_str())
    }

    /// What is wrong with the evidence type by itself.
    #[must_use]
    pub fn defects(&self) -> Vec<Defect> {
        list_defects("categories", self.categories.iter().map(ToString::to_string))
    }

    /// The evidence type in the form that records contain.
    #[must_use]
    pub fn info(&self) -> EvidenceInfo {
        EvidenceInfo {
            id: self.identifier().to_owned(),
            title: self.title.to_string(),
            categories: self.categories.iter().map(ToString::to_string).collect(),
        }
    }
}
