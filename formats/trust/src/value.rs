//! The values, each in deterministic CBOR, and the check that a value fits its key.

use std::collections::BTreeSet;
use std::sync::Arc;

use record::cbor::{self, CborError};
use record::{IdentityKeys, WriterGrant};
use registerlandkarte::{BodyClass, Defect, EvidenceType, Norm, ProblemKind, RegisterType, Rule, Tables};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::authority::{Authority, SupervisionKey, Threshold};
use crate::body::{Body, Delegation};
use crate::certificates::CertificateAuthorities;
use crate::component::Component;
use crate::key::{InvalidKey, Key, Section};
use crate::limits::MAX_VALUE;

/// A value, of the type that its key's section has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An authority.
    Authority(Authority),
    /// A body.
    Body(Box<Body>),
    /// The certificate authorities.
    CertificateAuthorities(Box<CertificateAuthorities>),
    /// A class of bodies.
    Class(BodyClass),
    /// A component.
    Component(Box<Component>),
    /// A delegation.
    Delegation(Delegation),
    /// A type of evidence.
    Evidence(Box<EvidenceType>),
    /// The keys of identity.
    Identity(IdentityKeys),
    /// A norm.
    Norm(Box<Norm>),
    /// A permission.
    Permission(Arc<Rule>),
    /// A type of register.
    Register(Box<RegisterType>),
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
    /// A component names one body as the one that answers for it and as its operator.
    #[error("the component's operator is its body, which is written by leaving the operator out")]
    OwnOperator,
    /// A component serves a register in no area, or says of a register twice which areas it serves.
    #[error("a component serves a register in no area, or names the register twice")]
    Serves,
    /// A certificate of an authority is too long, or the accepted ones are too many or not in order.
    #[error(
        "a certificate is empty or too long, or the accepted authorities are too many, not ascending, or name the issuing one"
    )]
    Certificates,
    /// A row of the Registerlandkarte contradicts itself.
    #[error("{field}: {kind}")]
    Defect {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        kind: ProblemKind,
    },
}

impl Value {
    /// The values of a Registerlandkarte with these tables. Bodies and components are values of the directory, so those
    /// of the tables are left out.
    #[must_use]
    pub fn of_tables(tables: &Tables) -> Vec<Self> {
        let classes = tables.classes.iter().cloned().map(Self::Class);
        let registers = tables.registers.iter().cloned().map(Box::new).map(Self::Register);
        let evidence = tables.evidence.iter().cloned().map(Box::new).map(Self::Evidence);
        let norms = tables.norms.iter().cloned().map(Box::new).map(Self::Norm);
        let permissions = tables.permissions.iter().cloned().map(Arc::new).map(Self::Permission);
        let catalogue = classes.chain(registers).chain(evidence).chain(norms);
        catalogue.chain(permissions).collect()
    }

    /// The key under which the value belongs.
    ///
    /// # Errors
    /// [`InvalidKey`] when the name in the value cannot be part of a key.
    pub fn key(&self) -> Result<Key, InvalidKey> {
        match self {
            Self::Authority(authority) => Ok(Key::authority(&authority.key.id())),
            Self::Body(body) => Ok(Key::body(&body.id)),
            Self::CertificateAuthorities(_) => Ok(Key::certificate_authorities()),
            Self::Class(class) => Ok(Key::of_name(Section::Class, &class.id)),
            Self::Component(component) => Ok(Key::component(&component.id)),
            Self::Delegation(delegation) => Ok(Key::delegation(&delegation.id)),
            Self::Evidence(evidence) => Ok(Key::of_name(Section::Evidence, &evidence.id)),
            Self::Identity(_) => Ok(Key::identity()),
            Self::Norm(norm) => Ok(Key::of_name(Section::Norm, &norm.id)),
            Self::Permission(rule) => Ok(Key::of_name(Section::Permission, rule.reference())),
            Self::Register(register) => Ok(Key::of_name(Section::Register, &register.id)),
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
            Self::CertificateAuthorities(authorities) => cbor::to_vec(authorities),
            Self::Class(class) => cbor::to_vec(class),
            Self::Component(component) => cbor::to_vec(component),
            Self::Delegation(delegation) => cbor::to_vec(delegation),
            Self::Evidence(evidence) => cbor::to_vec(evidence),
            Self::Identity(keys) => cbor::to_vec(keys),
            Self::Norm(norm) => cbor::to_vec(norm),
            Self::Permission(rule) => cbor::to_vec(rule.as_ref()),
            Self::Register(register) => cbor::to_vec(register),
            Self::Supervision(key) => cbor::to_vec(key),
            Self::Threshold(threshold) => cbor::to_vec(threshold),
            Self::Writer(grant) => cbor::to_vec(grant),
        }
    }

    /// Reads the value of a key that decides who may write and sign: an authority, the threshold or a writer. Equals
    /// [`Value::parse`] for these. A program that reads no other value does not contain the types of the others, which
    /// are most of a browser's program.
    ///
    /// # Errors
    /// See [`ValueError`]; [`ValueError::Name`] for a key of another section.
    pub fn parse_right(key: &Key, bytes: &[u8]) -> Result<Self, ValueError> {
        if bytes.len() > MAX_VALUE {
            return Err(ValueError::TooLong);
        }
        let (value, own) = match key.section() {
            Section::Authority => {
                let authority: Authority = read(bytes)?;
                if authority.signs.is_empty() {
                    return Err(ValueError::NoRole);
                }
                let own = Key::authority(&authority.key.id());
                (Self::Authority(authority), own)
            }
            Section::Threshold => (Self::Threshold(read(bytes)?), Key::threshold()),
            Section::Writer => {
                let grant: WriterGrant = read(bytes)?;
                let own = Key::named(Section::Writer, &grant.name)?;
                (Self::Writer(grant), own)
            }
            _ => return Err(InvalidKey.into()),
        };
        if own == *key {
            Ok(value)
        } else {
            Err(ValueError::OtherKey(own))
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
            Section::CertificateAuthorities => Self::CertificateAuthorities(Box::new(read(bytes)?)),
            Section::Class => Self::Class(read(bytes)?),
            Section::Component => Self::Component(Box::new(read(bytes)?)),
            Section::Delegation => Self::Delegation(read(bytes)?),
            Section::Evidence => Self::Evidence(Box::new(read(bytes)?)),
            Section::Identity => Self::Identity(read(bytes)?),
            Section::Norm => Self::Norm(Box::new(read(bytes)?)),
            Section::Permission => Self::Permission(Arc::new(read(bytes)?)),
            Section::Register => Self::Register(Box::new(read(bytes)?)),
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
            Self::CertificateAuthorities(authorities) if !authorities.is_sound() => Err(ValueError::Certificates),
            Self::Component(component) if component.operator.as_ref() == Some(&component.body) => {
                Err(ValueError::OwnOperator)
            }
            Self::Component(component) => check_served(component),
            Self::Delegation(delegation) if delegation.operator == delegation.body => Err(ValueError::SelfDelegation),
            Self::Delegation(Delegation { valid, .. }) if valid.until.is_some_and(|until| until <= valid.from) => {
                Err(ValueError::EmptyInterval)
            }
            Self::Evidence(evidence) => no_defects(evidence.defects()),
            Self::Permission(rule) => no_defects(rule.defects()),
            _ => Ok(()),
        }
    }
}

fn no_defects(defects: Vec<Defect>) -> Result<(), ValueError> {
    let first = defects.into_iter().next();
    first.map_or(Ok(()), |Defect { field, kind, .. }| {
        Err(ValueError::Defect { field, kind })
    })
}

/// Checks that each register is served somewhere, and named once.
fn check_served(component: &Component) -> Result<(), ValueError> {
    let registers: BTreeSet<_> = component.serves.iter().map(|served| &served.register).collect();
    let everywhere = component.serves.iter().all(|served| !served.areas.is_empty());
    if everywhere && registers.len() == component.serves.len() {
        Ok(())
    } else {
        Err(ValueError::Serves)
    }
}

fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CborError> {
    cbor::from_slice(bytes)
}
