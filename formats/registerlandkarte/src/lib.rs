//! The Registerlandkarte: which participant may fetch which evidence from which other, when, why and on which legal
//! basis.
//!
//! SPEC: § 7 (2) IDNrG: the Vermittlungsstelle controls the abstract permission of a transmission. The relation
//! contains no person, and no decision depends on one.
//!
//! # Two times
//!
//! The relation is bitemporal. A rule is *valid* while the law permits the transmission, and *recorded* while the
//! relation contains it. A correction never overwrites a rule: it ends the wrong rule's recorded time and adds a rule
//! whose recorded time begins then. A decision can therefore always be replayed: "what did the Registerlandkarte say
//! at 10:03 on 4 May about a transmission at that time". Both intervals are half-open: they contain their beginning
//! but not their end. An interval without end applies until further notice.
//!
//! # One rule or none
//!
//! Rules for the same consumer, provider, evidence and purpose never overlap in both times;
//! [`Registerlandkarte::new`] refuses rules that do. A decision therefore does not depend on the order of the rules.
//! Crate `trust` keeps the rules in versions that are signed and logged.
//!
//! # By name or by class
//!
//! A [`Rule`] names one consumer and one provider. With 11 000 municipalities there would be millions of them, so
//! [`class`] relates a class of body and a type of register, and adds the competence for a place.
//!
//! What goes wrong: with permissions in code or in a policy language it is hard to establish later what they
//! permitted at a given time. Here they are a relation, and a decision is a lookup.

pub mod ars;
pub mod class;
mod relation;

pub use ars::{Ars, ArsError};
pub use relation::{Denied, Query, Registerlandkarte, RegisterlandkarteError};

use record::{Allowed, DisclosureClass, EvidenceInfo, ParticipantId, RetentionClass, Timestamp, Why};
use serde::{Deserialize, Serialize};
use text::FieldError;
use text::class::marker;
use tlog::Hash;

/// A half-open interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The beginning, which the interval contains.
    pub from: Timestamp,
    /// The end, which the interval does not contain; `None` if it has no end.
    pub until: Option<Timestamp>,
}

impl Interval {
    /// An interval that begins at `from` and has no end.
    #[must_use]
    pub const fn since(from: Timestamp) -> Self {
        Self { from, until: None }
    }

    /// Whether the interval contains `time`.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && self.until.is_none_or(|until| time < until)
    }

    /// Whether the two intervals have a time in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        other.until.is_none_or(|until| self.from < until) && self.until.is_none_or(|until| other.from < until)
    }

    fn is_empty(&self) -> bool {
        self.until.is_some_and(|until| until <= self.from)
    }
}

/// One permission: a version of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name of the permission, for example `parken-koeln-zfzr`.
    pub id: String,
    /// The version, from 1. Each version is a rule of its own.
    pub version: u32,
    /// The participant that may request the evidence.
    pub consumer: ParticipantId,
    /// The participant that provides it.
    pub provider: ParticipantId,
    /// The type of evidence.
    pub evidence: EvidenceInfo,
    /// The purpose code.
    pub purpose: String,
    /// The occasion (Anlass) in plain words.
    pub occasion: String,
    /// The LeiKa or SDG code of the procedure.
    pub procedure: String,
    /// The reference to the norm.
    pub legal_basis: String,
    /// Whether the IDNr may be used.
    pub idnr: bool,
    /// Whether the person must see a preview (Vorschau) and decide.
    pub preview: bool,
    /// Whether the subject is a legal person. A legal person has no IDNr, so the sealed request names the subject.
    pub legal_persons: bool,
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

    /// Checks the texts, which an authority writes and citizens read.
    fn check_texts(&self) -> Result<(), FieldError> {
        FieldError::check::<marker::Reference>("id", &self.id)?;
        self.evidence.check()?;
        FieldError::check::<marker::Reference>("purpose", &self.purpose)?;
        FieldError::check::<marker::Paragraph>("occasion", &self.occasion)?;
        FieldError::check::<marker::Reference>("procedure", &self.procedure)?;
        FieldError::check::<marker::Paragraph>("legal_basis", &self.legal_basis)
    }

    /// The reason of an exchange, in the form that records contain.
    #[must_use]
    pub fn why(&self) -> Why {
        Why {
            purpose: self.purpose.clone(),
            occasion: self.occasion.clone(),
            procedure: self.procedure.clone(),
            legal_basis: self.legal_basis.clone(),
        }
    }

    /// The permission of an exchange, in the form that records contain. `registerlandkarte` is the digest of the signed
    /// header of the version that was decided on.
    #[must_use]
    pub fn allowed_by(&self, registerlandkarte: Hash) -> Allowed {
        Allowed {
            permission: self.reference(),
            registerlandkarte,
        }
    }
}

/// A permission: the rule, and the version of the Registerlandkarte that contains it, so that the decision can be
/// replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The rule.
    pub rule: Rule,
    /// The digest of the signed header of the version's change set.
    pub registerlandkarte: Hash,
}

impl Permission {
    /// The permission in the form that records contain.
    #[must_use]
    pub fn allowed_by(&self) -> Allowed {
        self.rule.allowed_by(self.registerlandkarte)
    }
}

#[cfg(test)]
mod tests;
