//! The Registerlandkarte: who may fetch which evidence from whom, when, why and on which law.
//!
//! SPEC: § 7 (2) IDNrG: the Vermittlungsstelle controls the abstract permission of a transmission. No person stands here, and
//! no decision depends on one.
//!
//! # Two times
//!
//! The map is bitemporal. A rule is *valid* while the law permits the transmission, and *recorded* while the map says so. A
//! correction never overwrites: it ends the wrong rule's recorded time and adds a rule whose recorded time begins then. So
//! a decision can be replayed for good: "what did the map say at 10:03 on 4 May about a transmission at that time".
//! Both intervals are half-open: the beginning belongs to them, the end does not; no end means until further notice.
//!
//! # One rule or none
//!
//! Rules for the same consumer, provider, evidence and purpose never overlap in both times; [`Registerlandkarte::new`]
//! refuses a map where they do. So a decision does not depend on the order of rules. Rules are kept sorted, so one set of
//! rules has one document and one digest.
//!
//! What goes wrong elsewhere: permissions as code or as a policy language, of which nobody can say later what they said then.
//! Here it is a relation and a lookup.

mod map;
mod snapshot;

pub use map::{Denied, MapError, Query, Registerlandkarte};
pub use snapshot::{Permission, Snapshot, SnapshotError};

use record::{Allowed, DisclosureClass, EvidenceInfo, ParticipantId, RetentionClass, Timestamp, Why};
use serde::{Deserialize, Serialize};
use tlog::Hash;

/// A half-open stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Belongs to it.
    pub from: Timestamp,
    /// Does not belong to it; none: open.
    pub until: Option<Timestamp>,
}

impl Interval {
    /// From a time on, until further notice.
    #[must_use]
    pub const fn since(from: Timestamp) -> Self {
        Self { from, until: None }
    }

    /// Whether `time` lies in it.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && self.until.is_none_or(|until| time < until)
    }

    /// Whether the two have a time in common.
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
    /// Name of the permission, e.g. `parken-koeln-zfzr`.
    pub id: String,
    /// From 1; each version stands for itself.
    pub version: u32,
    /// Who may ask.
    pub consumer: ParticipantId,
    /// Who may be asked.
    pub provider: ParticipantId,
    /// For which evidence.
    pub evidence: EvidenceInfo,
    /// For which purpose (code).
    pub purpose: String,
    /// Anlass in plain words.
    pub occasion: String,
    /// LeiKa or SDG code of the procedure.
    pub procedure: String,
    /// Reference to the norm.
    pub legal_basis: String,
    /// Whether the IDNr may be used.
    pub idnr: bool,
    /// Whether the person must see a preview (Vorschau) and decide.
    pub preview: bool,
    /// Whether the subject is a legal person: then there is no IDNr, and the subject stands in the sealed request.
    pub legal_persons: bool,
    /// How long its records are kept.
    pub retention: RetentionClass,
    /// When its records are shown.
    pub disclosure: DisclosureClass,
    /// While the law permits it.
    pub valid: Interval,
    /// While the map says so.
    pub recorded: Interval,
}

impl Rule {
    /// `id@version`, as records name the permission.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// Why, as records say it.
    #[must_use]
    pub fn why(&self) -> Why {
        Why {
            purpose: self.purpose.clone(),
            occasion: self.occasion.clone(),
            procedure: self.procedure.clone(),
            legal_basis: self.legal_basis.clone(),
        }
    }

    /// By which permission, as records say it.
    #[must_use]
    pub fn allowed_by(&self, registry: Hash) -> Allowed {
        Allowed {
            permission: self.reference(),
            registry,
        }
    }
}

#[cfg(test)]
mod tests;
