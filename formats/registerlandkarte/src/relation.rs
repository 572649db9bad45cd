//! The relation and the decision.

use std::collections::BTreeSet;

use record::cbor::{self, CborError};
use record::{ParticipantId, Timestamp};
use serde::{Deserialize, Serialize};
use text::FieldError;
use thiserror::Error;

use crate::Rule;

/// A version of the relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Plain")]
pub struct Registerlandkarte {
    version: u32,
    /// Sorted by [`key`], so that rules with one key are adjacent and a lookup is a binary search.
    rules: Vec<Rule>,
}

/// The relation before its rules have been checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    version: u32,
    rules: Vec<Rule>,
}

impl TryFrom<Plain> for Registerlandkarte {
    type Error = RegisterlandkarteError;

    fn try_from(Plain { version, rules }: Plain) -> Result<Self, RegisterlandkarteError> {
        Self::new(version, rules)
    }
}

/// Why rules are not a Registerlandkarte. None of these goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegisterlandkarteError {
    /// Two rules permit the same transmission at the same valid and recorded time.
    #[error("the rules {0} and {1} permit the same at the same time")]
    Ambiguous(String, String),
    /// Two rules have one id and version.
    #[error("there are two rules {0}")]
    Duplicate(String),
    /// A rule is never valid, or never recorded.
    #[error("the rule {0} has an empty interval")]
    Empty(String),
    /// A text of a rule is not what its field may contain.
    #[error("a rule: {0}")]
    Text(#[from] FieldError),
    /// A rule both uses the IDNr and is for legal persons, who have none.
    #[error("the rule {0} uses the IDNr of legal persons")]
    LegalPersons(String),
    /// The bytes are not the deterministic CBOR of a Registerlandkarte.
    #[error(transparent)]
    Cbor(#[from] CborError),
}

/// What a decision depends on: everything that the broker knows about a request. It names no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The participant that requests the evidence.
    pub consumer: ParticipantId,
    /// The participant that would provide it.
    pub provider: ParticipantId,
    /// The type of evidence ([`record::EvidenceInfo::id`]).
    pub evidence_type: String,
    /// The purpose code.
    pub purpose: String,
    /// Whether the request uses the IDNr.
    pub idnr: bool,
}

/// Why a transmission is not permitted. The requester only learns that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// At the given times there was no rule for this consumer, provider, evidence and purpose.
    #[error("no rule permits this")]
    NoRule,
    /// The rule does not permit using the IDNr.
    #[error("the rule does not permit using the IDNr")]
    Idnr,
}

type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

fn key(rule: &Rule) -> Key<'_> {
    (
        rule.consumer.as_str(),
        rule.provider.as_str(),
        &rule.evidence.id,
        &rule.purpose,
    )
}

impl Registerlandkarte {
    /// Sorts and checks the rules.
    ///
    /// # Errors
    /// See [`RegisterlandkarteError`].
    pub fn new(version: u32, mut rules: Vec<Rule>) -> Result<Self, RegisterlandkarteError> {
        rules.sort_by(|a, b| (key(a), &a.id, a.version).cmp(&(key(b), &b.id, b.version)));
        let mut names = BTreeSet::new();
        for rule in &rules {
            rule.check_texts()?;
            if !names.insert((&rule.id, rule.version)) {
                return Err(RegisterlandkarteError::Duplicate(rule.reference()));
            }
            if rule.valid.is_empty() || rule.recorded.is_empty() {
                return Err(RegisterlandkarteError::Empty(rule.reference()));
            }
            if rule.legal_persons && rule.idnr {
                return Err(RegisterlandkarteError::LegalPersons(rule.reference()));
            }
        }
        for same in rules.chunk_by(|a, b| key(a) == key(b)) {
            check_unambiguous(same)?;
        }
        Ok(Self { version, rules })
    }

    /// Reads a Registerlandkarte from its CBOR.
    ///
    /// # Errors
    /// [`RegisterlandkarteError::Cbor`], also when the rules are not sorted or break a rule of
    /// [`Registerlandkarte::new`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RegisterlandkarteError> {
        Ok(cbor::from_slice(bytes)?)
    }

    /// The version: 1 for the first, one more for each later one.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// All rules, including past ones.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this reference (`id@version`), the name that records use.
    #[must_use]
    pub fn rule(&self, reference: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.reference() == reference)
    }

    /// Decides under the law at `valid_at`, as recorded at `known_at`. The decision depends on nothing else.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn decide(&self, query: &Query, valid_at: Timestamp, known_at: Timestamp) -> Result<&Rule, Denied> {
        let wanted: Key<'_> = (
            query.consumer.as_str(),
            query.provider.as_str(),
            &query.evidence_type,
            &query.purpose,
        );
        let start = self.rules.partition_point(|rule| key(rule) < wanted);
        let of_key = self.rules[start..].iter().take_while(|rule| key(rule) == wanted);
        let mut then = of_key.filter(|rule| rule.valid.contains(valid_at) && rule.recorded.contains(known_at));
        let rule = then.next().ok_or(Denied::NoRule)?;
        if query.idnr && !rule.idnr {
            return Err(Denied::Idnr);
        }
        Ok(rule)
    }
}

/// Checks that no two of these rules, which have one key, overlap in both times.
fn check_unambiguous(rules: &[Rule]) -> Result<(), RegisterlandkarteError> {
    for (at, rule) in rules.iter().enumerate() {
        let clash = |other: &&Rule| rule.valid.overlaps(&other.valid) && rule.recorded.overlaps(&other.recorded);
        if let Some(other) = rules[at + 1..].iter().find(clash) {
            return Err(RegisterlandkarteError::Ambiguous(rule.reference(), other.reference()));
        }
    }
    Ok(())
}
