//! The relation and its one question.

use std::collections::BTreeSet;

use record::cbor::{self, CborError};
use record::{ParticipantId, SignedDocument, SigningKey, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Rule;

/// A version of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Plain")]
pub struct Registerlandkarte {
    version: u32,
    /// Sorted by [`key`], so that rules of one key stand together and a lookup is a binary search.
    rules: Vec<Rule>,
}

/// The same before it has been checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    version: u32,
    rules: Vec<Rule>,
}

impl TryFrom<Plain> for Registerlandkarte {
    type Error = MapError;

    fn try_from(Plain { version, rules }: Plain) -> Result<Self, MapError> {
        Self::new(version, rules)
    }
}

/// Why rules are no map. All of these are final.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MapError {
    /// Two rules permit the same thing at the same time, in the map's view of one time.
    #[error("the rules {0} and {1} permit the same at the same time")]
    Ambiguous(String, String),
    /// Two rules have one id and version.
    #[error("there are two rules {0}")]
    Duplicate(String),
    /// A rule is never valid, or never recorded.
    #[error("the rule {0} has an empty interval")]
    Empty(String),
    /// A rule both uses the IDNr and is for legal persons, who have none.
    #[error("the rule {0} uses the IDNr of legal persons")]
    LegalPersons(String),
    /// Not the CBOR of a map.
    #[error(transparent)]
    Cbor(#[from] CborError),
}

/// What is asked: everything the broker knows, and no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Who asks.
    pub consumer: ParticipantId,
    /// Who is asked.
    pub provider: ParticipantId,
    /// [`record::EvidenceInfo::id`]
    pub evidence_type: String,
    /// Purpose code.
    pub purpose: String,
    /// Whether the IDNr is to be used.
    pub idnr: bool,
}

/// Why a transmission is not permitted. The requester is told only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// No rule for this consumer, provider, evidence and purpose, then and in the map as it was then.
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
    /// See [`MapError`].
    pub fn new(version: u32, mut rules: Vec<Rule>) -> Result<Self, MapError> {
        rules.sort_by(|a, b| (key(a), &a.id, a.version).cmp(&(key(b), &b.id, b.version)));
        let mut names = BTreeSet::new();
        for rule in &rules {
            if !names.insert((&rule.id, rule.version)) {
                return Err(MapError::Duplicate(rule.reference()));
            }
            if rule.valid.is_empty() || rule.recorded.is_empty() {
                return Err(MapError::Empty(rule.reference()));
            }
            if rule.legal_persons && rule.idnr {
                return Err(MapError::LegalPersons(rule.reference()));
            }
        }
        for same in rules.chunk_by(|a, b| key(a) == key(b)) {
            check_unambiguous(same)?;
        }
        Ok(Self { version, rules })
    }

    /// Reads a map from its CBOR.
    ///
    /// # Errors
    /// [`MapError::Cbor`], also when the rules are not sorted or do not make a map.
    pub fn parse(bytes: &[u8]) -> Result<Self, MapError> {
        Ok(cbor::from_slice(bytes)?)
    }

    /// Signs the map.
    #[must_use]
    pub fn sign(&self, authority: &SigningKey) -> SignedDocument {
        SignedDocument::sign(cbor::to_vec(self), authority)
    }

    /// From 1, each version one more.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// All rules, also past ones.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of an id and version, as records name it: `id@version`.
    #[must_use]
    pub fn rule(&self, reference: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.reference() == reference)
    }

    /// Decides: the law at `valid_at`, as the map said at `known_at`. Depends on nothing else.
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

/// No two of these, which have one key, hold at the same time in the map of one time.
fn check_unambiguous(rules: &[Rule]) -> Result<(), MapError> {
    for (at, rule) in rules.iter().enumerate() {
        let clash = |other: &&Rule| rule.valid.overlaps(&other.valid) && rule.recorded.overlaps(&other.recorded);
        if let Some(other) = rules[at + 1..].iter().find(clash) {
            return Err(MapError::Ambiguous(rule.reference(), other.reference()));
        }
    }
    Ok(())
}
