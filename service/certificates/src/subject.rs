//! Whom a certificate names.

use core::fmt;
use core::str::FromStr;

use record::{ParticipantId, VerifyingKey, WriterId};
use serde::{Deserialize, Serialize};
use trust::{Component, TrustMap};

const COMPONENT: &str = "urn:einsicht:component:";
const WRITER: &str = "urn:einsicht:writer:";

/// A party that the directory lists with a signing key, written as a URI:
///
/// ```text
/// urn:einsicht:component:<id of the component>          the system of an authority, with its connector
/// urn:einsicht:writer:<64 hexadecimal digits>           broker, identity, ledger: the id of the key of their entries
/// ```
///
/// A component keeps its name when its key is replaced. The name of a writer contains the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// A component.
    Component(ParticipantId),
    /// A writer of the log.
    Writer(WriterId),
}

/// The text is not the name of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the name of a component or a writer: expected urn:einsicht:component:<id> or urn:einsicht:writer:<key id>"
)]
pub struct InvalidSubject;

impl Subject {
    /// The keys that the directory lists for the subject: those of an active component, or that of a writer. None if
    /// the directory does not list it.
    pub fn keys<'a>(&self, directory: &'a TrustMap) -> impl Iterator<Item = &'a VerifyingKey> + use<'a> {
        let writer = match self {
            Self::Component(_) => None,
            Self::Writer(id) => directory.writer(id).map(|grant| &grant.key),
        };
        let component = self.component(directory).into_iter();
        component.flat_map(Component::signing_keys).chain(writer)
    }

    /// The component, if the subject is an active one.
    #[must_use]
    pub fn component<'a>(&self, directory: &'a TrustMap) -> Option<&'a Component> {
        match self {
            Self::Component(id) => directory.component(id).filter(|component| component.is_active()),
            Self::Writer(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(id) => write!(f, "{COMPONENT}{id}"),
            Self::Writer(id) => write!(f, "{WRITER}{id}"),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidSubject;

    fn from_str(text: &str) -> Result<Self, InvalidSubject> {
        if let Some(id) = text.strip_prefix(COMPONENT) {
            return id.parse().map(Self::Component).map_err(|_| InvalidSubject);
        }
        let id = text.strip_prefix(WRITER).ok_or(InvalidSubject)?;
        id.parse().map(Self::Writer).map_err(|_| InvalidSubject)
    }
}

impl TryFrom<String> for Subject {
    type Error = InvalidSubject;

    fn try_from(text: String) -> Result<Self, InvalidSubject> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_subject_has_one_uri() {
        for text in [
            "urn:einsicht:component:kba",
            "urn:einsicht:component:a:b.c-1",
            &format!("urn:einsicht:writer:{}", "0a".repeat(32)),
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "kba",
            "urn:einsicht:component:",
            "urn:einsicht:component:KBA",
            "URN:einsicht:component:kba",
            "urn:einsicht:component:kba ",
            "urn:einsicht:writer:kba",
            &format!("urn:einsicht:writer:{}", "0A".repeat(32)),
        ] {
            assert_eq!(text.parse::<Subject>(), Err(InvalidSubject), "{text}");
        }
    }
}
