//! What is found by something else than its key: public keys, references, and the rules about one transmission.
//!
//! The index also refuses what must be unique.

use std::sync::Arc;

use record::{ParticipantId, WriterId};
use registerlandkarte::{Query, Registerlandkarte, Rule};
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::key::Key;
use crate::kind::Version;
use crate::refused::OperationProblem;
use crate::value::Value;

/// A public key that no two values of its section may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PublicKey {
    /// A writer's key.
    Writer(WriterId),
    /// The signing key of a component.
    Signing(WriterId),
    /// The sealing key of a component.
    Sealing([u8; 32]),
}

/// What rules must have in common to contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Transmission {
    consumer: ParticipantId,
    provider: ParticipantId,
    evidence: String,
    purpose: String,
}

impl Transmission {
    fn of(rule: &Rule) -> Self {
        Self {
            consumer: rule.consumer.clone(),
            provider: rule.provider.clone(),
            evidence: rule.evidence.id.clone(),
            purpose: rule.purpose.clone(),
        }
    }
}

impl From<&Query> for Transmission {
    fn from(query: &Query) -> Self {
        Self {
            consumer: query.consumer.clone(),
            provider: query.provider.clone(),
            evidence: query.evidence_type.clone(),
            purpose: query.purpose.clone(),
        }
    }
}

/// The public keys of a value that must be unique.
pub(crate) fn public_keys(value: &Value) -> Vec<PublicKey> {
    match value {
        Value::Writer(grant) => vec![PublicKey::Writer(grant.key.id())],
        Value::Component(component) => vec![
            PublicKey::Signing(component.signing_key.id()),
            PublicKey::Sealing(component.sealing_key),
        ],
        _ => Vec::new(),
    }
}

/// The keys of the values that a value names.
pub(crate) fn references(value: &Value) -> Vec<Key> {
    match value {
        Value::Delegation(delegation) => vec![
            Key::body(&delegation.operator),
            Key::body(&delegation.body),
            Key::component(&delegation.component),
        ],
        _ => Vec::new(),
    }
}

/// The index over the values of one version.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    public_keys: RedBlackTreeMapSync<PublicKey, Key>,
    /// The keys of the values that name a value.
    named_by: RedBlackTreeMapSync<Key, RedBlackTreeSetSync<Key>>,
    rules: RedBlackTreeMapSync<Transmission, Arc<[Arc<Rule>]>>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            public_keys: RedBlackTreeMapSync::new_sync(),
            named_by: RedBlackTreeMapSync::new_sync(),
            rules: RedBlackTreeMapSync::new_sync(),
        }
    }
}

impl Index {
    /// Takes a value out.
    pub(crate) fn remove(&mut self, key: &Key, value: &Value) {
        for public_key in public_keys(value) {
            self.public_keys.remove_mut(&public_key);
        }
        for named in references(value) {
            let mut by = self.named_by(&named);
            by.remove_mut(key);
            if by.is_empty() {
                self.named_by.remove_mut(&named);
            } else {
                self.named_by.insert_mut(named, by);
            }
        }
        if let Value::Rule(rule) = value {
            let transmission = Transmission::of(rule);
            let mut rules = self.rules_about(&transmission).to_vec();
            rules.retain(|other| (&other.id, other.version) != (&rule.id, rule.version));
            if rules.is_empty() {
                self.rules.remove_mut(&transmission);
            } else {
                self.rules.insert_mut(transmission, rules.into());
            }
        }
    }

    /// Takes a value in.
    ///
    /// # Errors
    /// [`OperationProblem::KeyInUse`] when another value has one of its public keys, [`OperationProblem::Rule`] when it
    /// is a rule that contradicts another one.
    pub(crate) fn add(&mut self, key: &Key, value: &Value, version: Version) -> Result<(), OperationProblem> {
        for public_key in public_keys(value) {
            if let Some(other) = self.public_keys.get(&public_key) {
                return Err(OperationProblem::KeyInUse(other.clone()));
            }
            self.public_keys.insert_mut(public_key, key.clone());
        }
        for named in references(value) {
            let by = self.named_by(&named).insert(key.clone());
            self.named_by.insert_mut(named, by);
        }
        if let Value::Rule(rule) = value {
            let transmission = Transmission::of(rule);
            let mut rules = self.rules_about(&transmission).to_vec();
            rules.push(rule.clone());
            Registerlandkarte::new(version.0, rules.iter().map(|rule| rule.as_ref().clone()).collect())?;
            self.rules.insert_mut(transmission, rules.into());
        }
        Ok(())
    }

    /// The key of the value that has a public key.
    pub(crate) fn owner(&self, public_key: &PublicKey) -> Option<&Key> {
        self.public_keys.get(public_key)
    }

    /// The keys of the values that name a value.
    pub(crate) fn named_by(&self, key: &Key) -> RedBlackTreeSetSync<Key> {
        let by = self.named_by.get(key);
        by.cloned().unwrap_or_else(RedBlackTreeSetSync::new_sync)
    }

    /// The rules about one transmission.
    pub(crate) fn rules_about(&self, transmission: &Transmission) -> &[Arc<Rule>] {
        self.rules.get(transmission).map_or(&[], |rules| rules)
    }
}
