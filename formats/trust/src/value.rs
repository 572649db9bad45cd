//! The values, each in deterministic CBOR, and the check that a value fits its key.

use std::sync::Arc;

use record::cbor::{self, CborError};
use record::{IdentityKeys, Participant, WriterGrant};
use registerlandkarte::{Registerlandkarte, RegisterlandkarteError, Rule};
use serde::Serialize;
use serde::de::DeserializeOwned;
use text::FieldError;
use thiserror::Error;

use crate::authority::{Authority, SupervisionKey, Threshold};
use crate::body::{Body, Delegation};
use crate::key::{InvalidKey, Key, Section};
use crate::limits::MAX_VALUE;

/// A value, of the type that its key's section has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An authority.
    Authority(Authority),
    /// A body.
    Body(Box<Body>),
    /// A component.
    Component(Box<Participant>),
    /// A delegation.
    Delegation(Delegation),
    /// The keys of identity.
    Identity(IdentityKeys),
    /// A rule.
    Rule(Arc<Rule>),
    /// The key of supervision.
    Supervision(SupervisionKey),
    /// How many authorities must sign.
    Threshold(Threshold),
    /// A writer of entries.
    Writer(WriterGrant),
}

/// Why bytes are not the value of a key. None of these goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueError {
    /// The value is longer than [`MAX_VALUE`].
    #[error("the value is longer than {MAX_VALUE} bytes")]
    TooLong,
    /// The bytes are not the deterministic CBOR of the section's type.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A text is not what its field may contain.
    #[error(transparent)]
    Text(#[from] FieldError),
    /// The name in the value cannot be part of a key.
    #[error(transparent)]
    Name(#[from] InvalidKey),
    /// The value belongs to another key.
    #[error("the value belongs to the key {0}")]
    OtherKey(Key),
    /// An authority may sign nothing, or a body has no role.
    #[error("the list of roles is empty")]
    NoRole,
    /// A delegation is never in force.
    #[error("the delegation ends before it begins")]
    EmptyInterval,
    /// A delegation from a body to itself would permit nothing.
    #[error("the delegation names one body as operator and as the body that it acts for")]
    SelfDelegation,
    /// The rule contradicts itself.
    #[error(transparent)]
    Rule(#[from] RegisterlandkarteError),
}

impl Value {
    /// The key under which the value belongs.
    ///
    /// # Errors
    /// [`InvalidKey`] when the name in the value cannot be part of a key.
    pub fn key(&self) -> Result<Key, InvalidKey> {
        match self {
            Self::Authority(authority) => Ok(Key::authority(&authority.key.id())),
            Self::Body(body) => Ok(Key::body(&body.id)),
            Self::Component(component) => Ok(Key::component(&component.party.id)),
            Self::Delegation(delegation) => Ok(Key::delegation(&delegation.id)),
            Self::Identity(_) => Ok(Key::identity()),
            Self::Rule(rule) => Key::named(Section::Rule, &rule.reference()),
            Self::Supervision(_) => Ok(Key::supervision()),
            Self::Threshold(_) => Ok(Key::threshold()),
            Self::Writer(grant) => Key::named(Section::Writer, &grant.name),
        }
    }

    /// The deterministic CBOR.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Authority(authority) => cbor::to_vec(authority),
            Self::Body(body) => cbor::to_vec(body),
            Self::Component(component) => cbor::to_vec(component),
            Self::Delegation(delegation) => cbor::to_vec(delegation),
            Self::Identity(keys) => cbor::to_vec(keys),
            Self::Rule(rule) => cbor::to_vec(rule.as_ref()),
            Self::Supervision(key) => cbor::to_vec(key),
            Self::Threshold(threshold) => cbor::to_vec(threshold),
            Self::Writer(grant) => cbor::to_vec(grant),
        }
    }

    /// Reads and checks the value of a key.
    ///
    /// # Errors
    /// See [`ValueError`].
    pub fn parse(key: &Key, bytes: &[u8]) -> Result<Self, ValueError> {
        if bytes.len() > MAX_VALUE {
            return Err(ValueError::TooLong);
        }
        let value = match key.section() {
            Section::Authority => Self::Authority(read(bytes)?),
            Section::Body => Self::Body(Box::new(read(bytes)?)),
            Section::Component => Self::Component(Box::new(read(bytes)?)),
            Section::Delegation => Self::Delegation(read(bytes)?),
            Section::Identity => Self::Identity(read(bytes)?),
            Section::Rule => Self::Rule(Arc::new(read(bytes)?)),
            Section::Supervision => Self::Supervision(read(bytes)?),
            Section::Threshold => Self::Threshold(read(bytes)?),
            Section::Writer => Self::Writer(read(bytes)?),
        };
        value.check()?;
        let own = value.key()?;
        if own == *key {
            Ok(value)
        } else {
            Err(ValueError::OtherKey(own))
        }
    }

    /// Checks what the type does not.
    fn check(&self) -> Result<(), ValueError> {
        match self {
            Self::Authority(authority) if authority.signs.is_empty() => Err(ValueError::NoRole),
            Self::Body(body) if body.roles.is_empty() => Err(ValueError::NoRole),
            Self::Component(component) => Ok(component.party.check()?),
            Self::Delegation(delegation) if delegation.operator == delegation.body => Err(ValueError::SelfDelegation),
            Self::Delegation(Delegation { valid, .. }) if valid.until.is_some_and(|until| until <= valid.from) => {
                Err(ValueError::EmptyInterval)
            }
            // Checks texts and intervals. Whether the rule agrees with the others is checked with them.
            Self::Rule(rule) => {
                Registerlandkarte::new(rule.version, vec![rule.as_ref().clone()])?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CborError> {
    cbor::from_slice(bytes)
}
