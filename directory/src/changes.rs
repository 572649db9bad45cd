//! The file of changes: which values are put, and which keys end.
//!
//! ```toml
//! suspend = ["land:rheinfurt:parken"]
//! end     = ["delegation/rz-1"]
//!
//! [[put]]
//! [put.writer]
//! name = "broker"
//! key = "ed25519 public key, 64 hexadecimal digits"
//! kinds = ["intent", "outcome", "denial"]
//!
//! [[rotate-key]]
//! component   = "land:rheinfurt:parken"
//! signing_key = "ed25519 public key, 64 hexadecimal digits"
//! sealing_key = "x25519 public key, 64 hexadecimal digits"
//! revoke      = false
//! ```
//!
//! A value is a table with the name of its section, in the form that `directory show` prints. Byte fields are
//! hexadecimal. `suspend`, `resume` and `retire` list components, whose other fields stay as they are. With a rotation,
//! the present keys become the previous ones, unless `revoke` says that nothing made with them may be accepted any
//! more. `end-previous` lists components whose previous keys end. `landkarte` lists files and folders, relative to this
//! file: the version then contains what they say and nothing else. `certificate-authorities` names files in PEM,
//! relative to this file, too:
//!
//! ```toml
//! certificate-authorities = { issuing = "new.pem", accepted = ["old.pem"] }
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use output::Failure;
use record::{IdentityKeys, ParticipantId, Sorted, VerifyingKey, WriterGrant};
use registerlandkarte::{BodyClass, EvidenceType, Norm, RegisterType, Rule};
use serde::{Deserialize, Serialize};
use service::tls;
use trust::{
    Authority, Body, CertificateAuthorities, Component, ComponentState, Delegation, Key, Operation, SupervisionKey,
    Threshold, TrustMap, Value,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    #[serde(default)]
    put: Vec<Readable>,
    #[serde(default)]
    end: Vec<Key>,
    #[serde(default)]
    suspend: Vec<ParticipantId>,
    #[serde(default)]
    resume: Vec<ParticipantId>,
    #[serde(default)]
    retire: Vec<ParticipantId>,
    #[serde(default, rename = "rotate-key")]
    rotate_key: Vec<NewKeys>,
    #[serde(default, rename = "end-previous")]
    end_previous: Vec<ParticipantId>,
    #[serde(default)]
    landkarte: Vec<PathBuf>,
    #[serde(default, rename = "certificate-authorities")]
    certificate_authorities: Option<AuthorityFiles>,
}

/// Files with one certificate each (PEM).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorityFiles {
    issuing: PathBuf,
    #[serde(default)]
    accepted: Vec<PathBuf>,
}

impl AuthorityFiles {
    fn read(&self, folder: &Path) -> Result<CertificateAuthorities, Failure> {
        let read = |path: &PathBuf| {
            let path = folder.join(path);
            let text = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, error))?;
            let mut found = tls::certificates(&text).map_err(|error| Failure::file(&path, error))?;
            match (found.pop(), found.is_empty()) {
                (Some(certificate), true) => Ok(certificate.to_vec()),
                _ => Err(Failure::file(&path, "it must have one certificate")),
            }
        };
        let accepted: Result<Sorted<Vec<u8>>, Failure> = self.accepted.iter().map(read).collect();
        Ok(CertificateAuthorities {
            issuing: read(&self.issuing)?,
            accepted: accepted?.to_vec(),
        })
    }
}

/// The new keys of a component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKeys {
    component: ParticipantId,
    signing_key: VerifyingKey,
    #[serde(with = "record::bytes")]
    sealing_key: [u8; 32],
    /// Whether the present keys end with the rotation.
    #[serde(default)]
    revoke: bool,
}

/// A value in a form that people read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Readable {
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
            Readable::CertificateAuthorities(authorities) => Self::CertificateAuthorities(authorities),
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
            Value::CertificateAuthorities(authorities) => Self::CertificateAuthorities(authorities),
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

    /// The operations of a change set after this version. Paths are relative to `folder`.
    pub(crate) fn operations(self, version: &TrustMap, folder: &Path) -> Result<Vec<Operation>, Failure> {
        let mut operations = Vec::new();
        for value in self.put {
            operations.push(put(&value.into())?);
        }
        operations.extend(self.end.into_iter().map(Operation::end));
        let states = [
            (self.suspend, ComponentState::Suspended),
            (self.resume, ComponentState::Active),
            (self.retire, ComponentState::Retired),
        ];
        for (ids, state) in states {
            for id in ids {
                operations.push(changed(version, &id, |component| component.state = state)?);
            }
        }
        for keys in self.rotate_key {
            operations.push(changed(version, &keys.component, |component| {
                component.rotate(keys.signing_key, keys.sealing_key);
                component.previous = component.previous.take().filter(|_| !keys.revoke);
            })?);
        }
        for id in self.end_previous {
            operations.push(changed(version, &id, |component| component.previous = None)?);
        }
        if let Some(files) = self.certificate_authorities {
            operations.push(put(&Value::CertificateAuthorities(Box::new(files.read(folder)?)))?);
        }
        if !self.landkarte.is_empty() {
            operations.extend(content(version, &self.landkarte, folder)?);
        }
        Ok(operations)
    }
}

fn put(value: &Value) -> Result<Operation, Failure> {
    Operation::put(value).map_err(|error| Failure::Usage(error.to_string()))
}

/// Puts a component that differs from the one in this version.
fn changed(version: &TrustMap, id: &ParticipantId, change: impl FnOnce(&mut Component)) -> Result<Operation, Failure> {
    let component = version.component(id);
    let missing = || Failure::Usage(format!("version {} has no component {id}", version.version()));
    let mut component = component.ok_or_else(missing)?.clone();
    change(&mut component);
    put(&Value::Component(Box::new(component)))
}

/// What leads from this version to the one that files of the Registerlandkarte describe.
fn content(version: &TrustMap, paths: &[PathBuf], folder: &Path) -> Result<Vec<Operation>, Failure> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
    let files = landkarte::content::load(&paths).map_err(|error| Failure::Usage(error.to_string()))?;
    let tables = landkarte::content::read(&files).map_err(|findings| {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        Failure::Usage(lines.join("\n"))
    })?;
    let mut operations = Vec::new();
    let mut kept = BTreeSet::new();
    for value in Value::of_tables(&tables) {
        let key = value.key().map_err(|error| Failure::Usage(error.to_string()))?;
        if version.get(&key).is_none_or(|stored| *stored.value() != value) {
            operations.push(put(&value)?);
        }
        kept.insert(key);
    }
    let ended = version.iter().map(|(key, _)| key).filter(|key| !kept.contains(*key));
    operations.extend(ended.cloned().map(Operation::end));
    Ok(operations)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fixtures::{FirstValues, Founders, Founding};
    use record::{SigningKey, Timestamp};
    use tlog::note::SignerKey;
    use trust::TrustKind;

    use super::*;

    const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn operations(text: &str, version: &TrustMap) -> Result<Vec<Operation>, Failure> {
        Changes::parse(text)?.operations(version, Path::new("."))
    }

    fn names(operations: &[Operation]) -> Vec<String> {
        operations.iter().map(|operation| operation.key().to_string()).collect()
    }

    #[test]
    fn a_file_puts_and_ends_values() {
        let text = format!(
            "end = [\"component/a\"]\n[[put]]\n[put.writer]\nname = \"broker\"\nkey = \"{KEY}\"\nkinds = [\"intent\"]\n",
        );
        let operations = operations(&text, &TrustMap::empty(TrustKind::Directory)).unwrap();
        assert_eq!(names(&operations), ["writer/broker", "component/a"]);
        assert!(operations[0].value().is_some() && operations[1].value().is_none());
    }

    /// What operations put, in the order of the file.
    fn components(operations: &[Operation]) -> Vec<Component> {
        let parse = |operation: &Operation| match Value::parse(operation.key(), operation.value()?).ok()? {
            Value::Component(component) => Some(*component),
            _ => None,
        };
        operations.iter().filter_map(parse).collect()
    }

    #[test]
    fn a_component_changes_in_what_the_file_names_and_in_nothing_else() {
        let key = |seed| SigningKey::from_seed([seed; 32]);
        let before = fixtures::values::consumer("parken", key(1).public(), [2; 32]);
        let founding = founded(vec![before.clone()]);
        let directory = founding.history.state().directory();
        let after = |text: &str| components(&operations(text, directory).unwrap());
        for (verb, state) in [
            ("suspend", ComponentState::Suspended),
            ("resume", ComponentState::Active),
            ("retire", ComponentState::Retired),
        ] {
            let expected = Component {
                state,
                ..before.clone()
            };
            assert_eq!(after(&format!("{verb} = [\"parken\"]")), [expected]);
        }
        let sealing = "03".repeat(32);
        let text =
            format!("[[rotate-key]]\ncomponent = \"parken\"\nsigning_key = \"{KEY}\"\nsealing_key = \"{sealing}\"\n");
        let rotated = &after(&text)[0];
        let key: VerifyingKey = serde_json::from_str(&format!("\"{KEY}\"")).unwrap();
        let mut expected = before.clone();
        expected.rotate(key, [3; 32]);
        let previous = expected.previous.as_ref().unwrap();
        assert_eq!(
            (previous.signing_key, previous.sealing_key),
            (before.signing_key, [2; 32])
        );
        assert_eq!(*rotated, expected);
        let ended = Component {
            previous: None,
            ..expected
        };
        assert_eq!(after(&format!("{text}revoke = true\n")), [ended]);
        let unknown = operations("suspend = [\"baden\"]", directory).unwrap_err();
        assert!(unknown.to_string().contains("has no component baden"), "{unknown}");
    }

    #[test]
    fn files_of_the_registerlandkarte_replace_what_was_there() {
        let empty = TrustMap::empty(TrustKind::Registerlandkarte);
        let text = "landkarte = [\"../landkarte/content\"]";
        let all = operations(text, &empty).unwrap();
        assert!(all.iter().all(|operation| operation.value().is_some()));
        let founding = founded(Vec::new());
        let registerlandkarte = founding.history.state().registerlandkarte();
        let replaced = operations(text, registerlandkarte).unwrap();
        let ended = replaced.iter().filter(|operation| operation.value().is_none()).count();
        assert_eq!((replaced.len() - ended, ended), (all.len(), registerlandkarte.len()));
        // The second time there is nothing to change.
        let state = founding.history.state();
        let kind = TrustKind::Registerlandkarte;
        let set = state
            .propose(kind, Timestamp(9), "Inhalt".parse().unwrap(), replaced)
            .unwrap();
        let state = state.apply(kind, &set.sign(&[&authority()]).unwrap()).unwrap();
        assert!(operations(text, state.registerlandkarte()).unwrap().is_empty());
        let error = operations("landkarte = [\"nowhere.toml\"]", &empty).unwrap_err();
        assert!(error.to_string().contains("nowhere.toml"), "{error}");
    }

    fn authority() -> SigningKey {
        SigningKey::from_seed([4; 32])
    }

    fn founded(components: Vec<Component>) -> Founding {
        let key = |seed| SigningKey::from_seed([seed; 32]);
        let founders = Founders {
            origin: "log.example/test",
            log: &SignerKey::for_notes("log.example/test".parse().unwrap(), &[5; 32]),
            operator: &key(6),
            authority: &authority(),
            identity: &key(7),
        };
        let values = FirstValues {
            components,
            ..FirstValues::default()
        };
        founders.found_with(values, Timestamp(8)).unwrap()
    }

    #[test]
    fn an_error_names_its_line() {
        let error = Changes::parse("end = []\n[[put]]\nwriter = 3\n").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        let error = Changes::parse("end = [\"component\"]\n").unwrap_err();
        assert!(error.to_string().contains("not a key"), "{error}");
    }
}
