//! What is found by something else than its key: public keys, references, and what only one value may have.
//!
//! The index also refuses what must be unique.

use std::sync::Arc;

use record::{Ars, WriterId};
use registerlandkarte::{Consumer, EvidenceTypeId, Provider, RegisterTypeId, Rule};
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::component::ComponentState;
use crate::key::{Key, Section};
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
pub(crate) struct RuleKey {
    consumer: Consumer,
    provider: Provider,
    evidence: EvidenceTypeId,
    purpose: String,
}

impl RuleKey {
    fn of(rule: &Rule) -> Self {
        let (consumer, provider, evidence, purpose) = rule.key();
        Self {
            consumer: consumer.clone(),
            provider: provider.clone(),
            evidence: evidence.clone(),
            purpose: purpose.to_owned(),
        }
    }
}

/// What only one value may have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Sole {
    /// The identifier of an evidence type in messages.
    Identifier(String),
    /// The competence for a type of register in an area.
    Competence(RegisterTypeId, Ars),
}

fn sole(value: &Value) -> Vec<Sole> {
    match value {
        Value::Evidence(evidence) => vec![Sole::Identifier(evidence.identifier().to_owned())],
        // A retired component serves nothing any more.
        Value::Component(component) if component.state != ComponentState::Retired => {
            let served = component.serves.iter();
            let areas =
                served.flat_map(|served| served.areas.iter().map(|area| (served.register.clone(), area.clone())));
            areas.map(|(register, area)| Sole::Competence(register, area)).collect()
        }
        _ => Vec::new(),
    }
}

/// The public keys of a value that must be unique.
pub(crate) fn public_keys(value: &Value) -> Vec<PublicKey> {
    match value {
        Value::Writer(grant) => vec![PublicKey::Writer(grant.key.id())],
        Value::Component(component) => {
            let signing = component.signing_keys().map(|key| PublicKey::Signing(key.id()));
            let previous = component.previous.as_ref().map(|previous| previous.sealing_key);
            let sealing = [component.sealing_key].into_iter().chain(previous);
            signing.chain(sealing.map(PublicKey::Sealing)).collect()
        }
        _ => Vec::new(),
    }
}

/// The keys of the values of the same kind that a value names. A rule may name a body or component that the directory
/// does not have; then it applies to nothing.
pub(crate) fn references(value: &Value) -> Vec<Key> {
    match value {
        Value::Delegation(delegation) => vec![
            Key::body(&delegation.operator),
            Key::body(&delegation.body),
            Key::component(&delegation.component),
        ],
        Value::Component(component) => {
            let bodies = [&component.body].into_iter().chain(&component.operator);
            bodies.map(Key::body).collect()
        }
        Value::Evidence(evidence) => vec![Key::of_name(Section::Register, &evidence.register)],
        Value::Register(register) => vec![Key::of_name(Section::Norm, &register.norm)],
        Value::Permission(rule) => {
            let norms = rule.norms.iter().map(|norm| Key::of_name(Section::Norm, norm));
            let class = match &rule.consumer {
                Consumer::Class(class) => Some(Key::of_name(Section::Class, class)),
                Consumer::Body(_) => None,
            };
            let register = match &rule.provider {
                Provider::Register(register) => Some(Key::of_name(Section::Register, register)),
                Provider::Component(_) => None,
            };
            let evidence = Key::of_name(Section::Evidence, &rule.evidence);
            norms.chain(class).chain(register).chain([evidence]).collect()
        }
        _ => Vec::new(),
    }
}

/// The index over the values of one version.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    public_keys: RedBlackTreeMapSync<PublicKey, Key>,
    /// Each value that is named, with each that names it. The second is there for every one: `None` begins the range of
    /// a value in the order of the set.
    named: RedBlackTreeSetSync<(Key, Option<Key>)>,
    sole: RedBlackTreeMapSync<Sole, Key>,
    rules: RedBlackTreeMapSync<RuleKey, Arc<[Arc<Rule>]>>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            public_keys: RedBlackTreeMapSync::new_sync(),
            named: RedBlackTreeSetSync::new_sync(),
            sole: RedBlackTreeMapSync::new_sync(),
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
            self.named.remove_mut(&(named, Some(key.clone())));
        }
        for sole in sole(value) {
            self.sole.remove_mut(&sole);
        }
        if let Value::Permission(rule) = value {
            let transmission = RuleKey::of(rule);
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
    /// [`OperationProblem::KeyInUse`], [`OperationProblem::IdentifierInUse`], [`OperationProblem::TwoCompetent`] when
    /// another value has what only one may have, [`OperationProblem::Ambiguous`] when two permissions overlap.
    pub(crate) fn add(&mut self, key: &Key, value: &Value) -> Result<(), OperationProblem> {
        for public_key in public_keys(value) {
            if let Some(other) = self.public_keys.get(&public_key) {
                return Err(OperationProblem::KeyInUse(other.clone()));
            }
            self.public_keys.insert_mut(public_key, key.clone());
        }
        for named in references(value) {
            self.named.insert_mut((named, Some(key.clone())));
        }
        for sole in sole(value) {
            if let Some(other) = self.sole.get(&sole) {
                return Err(match sole {
                    Sole::Identifier(_) => OperationProblem::IdentifierInUse(other.clone()),
                    Sole::Competence(register, area) => OperationProblem::TwoCompetent {
                        other: other.clone(),
                        register,
                        area,
                    },
                });
            }
            self.sole.insert_mut(sole, key.clone());
        }
        if let Value::Permission(rule) = value {
            let transmission = RuleKey::of(rule);
            let mut rules = self.rules_about(&transmission).to_vec();
            if let Some(other) = rules.iter().find(|other| other.overlaps(rule)) {
                return Err(OperationProblem::Ambiguous(other.reference()));
            }
            rules.push(rule.clone());
            self.rules.insert_mut(transmission, rules.into());
        }
        Ok(())
    }

    /// The key of the value that has a public key.
    pub(crate) fn owner(&self, public_key: &PublicKey) -> Option<&Key> {
        self.public_keys.get(public_key)
    }

    /// The keys of the values that name a value, ascending.
    pub(crate) fn named_by(&self, key: &Key) -> impl Iterator<Item = &Key> {
        let key = key.clone();
        let from = self.named.range((key.clone(), None)..);
        from.take_while(move |(named, _)| *named == key)
            .filter_map(|(_, by)| by.as_ref())
    }

    /// The rules about one transmission.
    fn rules_about(&self, transmission: &RuleKey) -> &[Arc<Rule>] {
        self.rules.get(transmission).map_or(&[], |rules| rules)
    }
}
