//! The file of changes: which values are put, and which keys end.
//!
//! ```toml
//! end = ["component/land:rheinfurt:parken"]
//!
//! [[put]]
//! [put.writer]
//! name = "broker"
//! key = "ed25519 public key, 64 hexadecimal digits"
//! kinds = ["intent", "outcome", "denial"]
//! ```
//!
//! A value is a table with the name of its section, in the form that `directory show` prints. Byte fields are
//! hexadecimal.

use record::{IdentityKeys, WriterGrant};
use registerlandkarte::{BodyClass, EvidenceType, Norm, RegisterType, Rule};
use serde::{Deserialize, Serialize};
use trust::{Authority, Body, Component, Delegation, Key, Operation, SupervisionKey, Threshold, Value};

use crate::failure::Failure;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    #[serde(default)]
    put: Vec<Readable>,
    #[serde(default)]
    end: Vec<Key>,
}

/// A value in a form that people read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Readable {
    /// An authority.
    Authority(Authority),
    /// A body.
    Body(Box<Body>),
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
    Permission(Box<Rule>),
    /// A type of register.
    Register(Box<RegisterType>),
    /// The key of supervision.
    Supervision(SupervisionKey),
    /// How many authorities must sign.
    Threshold(Threshold),
    /// A writer of entries.
    Writer(WriterGrant),
}

impl From<Readable> for Value {
    fn from(value: Readable) -> Self {
        match value {
            Readable::Authority(authority) => Self::Authority(authority),
            Readable::Body(body) => Self::Body(body),
            Readable::Class(class) => Self::Class(class),
            Readable::Component(component) => Self::Component(component),
            Readable::Delegation(delegation) => Self::Delegation(delegation),
            Readable::Evidence(evidence) => Self::Evidence(evidence),
            Readable::Identity(keys) => Self::Identity(keys),
            Readable::Norm(norm) => Self::Norm(norm),
            Readable::Permission(rule) => Self::Permission((*rule).into()),
            Readable::Register(register) => Self::Register(register),
            Readable::Supervision(key) => Self::Supervision(key),
            Readable::Threshold(threshold) => Self::Threshold(threshold),
            Readable::Writer(grant) => Self::Writer(grant),
        }
    }
}

impl From<&Value> for Readable {
    fn from(value: &Value) -> Self {
        match value.clone() {
            Value::Authority(authority) => Self::Authority(authority),
            Value::Body(body) => Self::Body(body),
            Value::Class(class) => Self::Class(class),
            Value::Component(component) => Self::Component(component),
            Value::Delegation(delegation) => Self::Delegation(delegation),
            Value::Evidence(evidence) => Self::Evidence(evidence),
            Value::Identity(keys) => Self::Identity(keys),
            Value::Norm(norm) => Self::Norm(norm),
            Value::Permission(rule) => Self::Permission(Box::new(rule.as_ref().clone())),
            Value::Register(register) => Self::Register(register),
            Value::Supervision(key) => Self::Supervision(key),
            Value::Threshold(threshold) => Self::Threshold(threshold),
            Value::Writer(grant) => Self::Writer(grant),
        }
    }
}

impl Changes {
    /// Reads a file; the error names line and column.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// The operations of a change set.
    pub(crate) fn operations(self) -> Result<Vec<Operation>, Failure> {
        let put = |value: Readable| Operation::put(&value.into()).map_err(|error| Failure::Usage(error.to_string()));
        let puts: Result<Vec<_>, _> = self.put.into_iter().map(put).collect();
        let ends = self.end.into_iter().map(Operation::end);
        Ok(puts?.into_iter().chain(ends).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_puts_and_ends_values() {
        let text = format!(
            "end = [\"component/a\"]\n[[put]]\n[put.writer]\nname = \"broker\"\nkey = \"{}\"\nkinds = [\"intent\"]\n",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let operations = Changes::parse(&text).unwrap().operations().unwrap();
        let keys: Vec<String> = operations.iter().map(|operation| operation.key().to_string()).collect();
        assert_eq!(keys, ["writer/broker", "component/a"]);
        assert!(operations[0].value().is_some() && operations[1].value().is_none());
    }

    #[test]
    fn an_error_names_its_line() {
        let error = Changes::parse("end = []\n[[put]]\nwriter = 3\n").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        let error = Changes::parse("end = [\"component\"]\n").unwrap_err();
        assert!(error.to_string().contains("not a key"), "{error}");
    }
}
