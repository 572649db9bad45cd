//! A permission of a class of bodies, or of one named body.

use record::{BodyId, DisclosureClass, ParticipantId, RetentionClass, Why};
use serde::{Deserialize, Serialize};
use text::{Paragraph, Reference};

use crate::defect::{Defect, empty_intervals, list_defects};
use crate::interval::Interval;
use crate::name::{BodyClassId, EvidenceTypeId, NormId, RegisterTypeId, RuleId};
use crate::norm::Norm;
use crate::problem::ProblemKind;

/// Who may fetch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consumer {
    /// One named body.
    Body(BodyId),
    /// Every body of a class.
    Class(BodyClassId),
}

/// From whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// One named component.
    Component(ParticipantId),
    /// Every component that serves a register of a type.
    Register(RegisterTypeId),
}

/// How the areas of consumer, provider and person must be related.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AreaRelation {
    /// Not at all: a body may ask every register of the type.
    Any,
    /// One of the areas of consumer and provider contains the other.
    Own,
    /// The provider's area contains the place of the person, which the query must name.
    Person,
}

impl AreaRelation {
    /// All relations.
    pub const ALL: [Self; 3] = [Self::Any, Self::Own, Self::Person];

    /// The word in files: `any`, `own`, `person`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Own => "own",
            Self::Person => "person",
        }
    }
}

/// Of whom evidence may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subjects {
    /// Natural persons.
    Natural,
    /// Legal persons, who have no IDNr.
    Legal,
    /// Both.
    Both,
}

impl Subjects {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Natural, Self::Legal, Self::Both];

    /// The word in files: `natural`, `legal`, `both`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Natural => "natural",
            Self::Legal => "legal",
            Self::Both => "both",
        }
    }

    /// Whether natural persons are among them.
    #[must_use]
    pub const fn natural(self) -> bool {
        matches!(self, Self::Natural | Self::Both)
    }

    /// Whether legal persons are among them.
    #[must_use]
    pub const fn legal(self) -> bool {
        matches!(self, Self::Legal | Self::Both)
    }
}

/// One permission: a version of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name of the permission.
    pub id: RuleId,
    /// The version, from 1. Each version is a rule of its own.
    pub version: u32,
    /// Who may fetch.
    pub consumer: Consumer,
    /// From whom.
    pub provider: Provider,
    /// The type of evidence.
    pub evidence: EvidenceTypeId,
    /// The purpose code.
    pub purpose: Reference,
    /// The occasion (Anlass) in plain words.
    pub occasion: Paragraph,
    /// The LeiKa or SDG code of the procedure; `None` if it has none.
    pub procedure: Option<Reference>,
    /// The norms that permit it; at least one.
    pub norms: Vec<NormId>,
    /// How the areas must be related.
    pub area: AreaRelation,
    /// Of whom the evidence may be.
    pub subjects: Subjects,
    /// Whether the IDNr may be used.
    pub idnr: bool,
    /// Whether the person must see a preview (Vorschau) and decide.
    pub preview: bool,
    /// Whether a representative may act for the person.
    pub representation: bool,
    /// How long records of the rule's exchanges are kept.
    pub retention: RetentionClass,
    /// When records of the rule's exchanges are shown.
    pub disclosure: DisclosureClass,
    /// The time in which the law permits the transmission.
    pub valid: Interval,
    /// The time in which the relation contains the rule.
    pub recorded: Interval,
}

impl Rule {
    /// The name of the permission in records: `id@version`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// What is wrong with the rule by itself, whatever it refers to.
    #[must_use]
    pub fn defects(&self) -> Vec<Defect> {
        let defect = |field, kind| Defect {
            field,
            element: None,
            kind,
        };
        let mut found = empty_intervals(self.valid, self.recorded);
        found.extend(list_defects("norms", self.norms.iter().map(ToString::to_string)));
        if self.version == 0 {
            found.push(defect("version", ProblemKind::VersionZero));
        }
        if self.idnr && self.subjects.legal() {
            found.push(defect("idnr", ProblemKind::IdnrOfLegalPersons));
        }
        found
    }

    /// What no two rules may have in common at the same time.
    #[must_use]
    pub fn key(&self) -> (&Consumer, &Provider, &EvidenceTypeId, &str) {
        (&self.consumer, &self.provider, &self.evidence, self.purpose.as_str())
    }

    /// Whether two rules have a valid and a recorded time in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.valid.overlaps(&other.valid) && self.recorded.overlaps(&other.recorded)
    }

    /// The reason of an exchange, in the form that records contain. `norms` are those of the rule. A procedure without
    /// a code has the purpose's.
    #[must_use]
    pub fn why(&self, norms: &[&Norm]) -> Why {
        let citations: Vec<String> = norms.iter().map(|norm| norm.citation()).collect();
        Why {
            purpose: self.purpose.to_string(),
            occasion: self.occasion.to_string(),
            procedure: self.procedure.as_ref().unwrap_or(&self.purpose).to_string(),
            legal_basis: citations.join(", "),
        }
    }
}
