//! The keys under which values are found: a section, and in most sections a name.
//!
//! | section | kind | name | value |
//! | --- | --- | --- | --- |
//! | `authority/…` | directory | SHA-256 of the public key, in hexadecimal | [`crate::Authority`] |
//! | `body/…` | directory | [`BodyId`] | [`crate::Body`] |
//! | `certificate-authorities` | directory | | [`crate::CertificateAuthorities`] |
//! | `component/…` | directory | [`ParticipantId`] | [`crate::Component`] |
//! | `delegation/…` | directory | [`DelegationId`] | [`crate::Delegation`] |
//! | `identity` | directory | | [`record::IdentityKeys`] |
//! | `supervision` | directory | | [`crate::SupervisionKey`] |
//! | `threshold` | directory | | [`crate::Threshold`] |
//! | `writer/…` | directory | the writer's name | [`record::WriterGrant`] |
//! | `class/…` | Registerlandkarte | a class of bodies | [`registerlandkarte::BodyClass`] |
//! | `evidence/…` | Registerlandkarte | a type of evidence | [`registerlandkarte::EvidenceType`] |
//! | `norm/…` | Registerlandkarte | a norm | [`registerlandkarte::Norm`] |
//! | `permission/…@…` | Registerlandkarte | the rule's id and version | [`registerlandkarte::Rule`] |
//! | `register/…` | Registerlandkarte | a type of register | [`registerlandkarte::RegisterType`] |
//!
//! Keys are compared as bytes. A name has the characters of a [`ParticipantId`].

use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use record::{BodyId, ParticipantId, WriterId};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;

use crate::kind::TrustKind;

/// A section of keys. Its values have one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// The authorities, who sign change sets.
    Authority,
    /// The bodies (Stellen).
    Body,
    /// The certificate authorities.
    CertificateAuthorities,
    /// The classes of bodies.
    Class,
    /// The bodies' components, which take part in exchanges.
    Component,
    /// The rights of one body to act for another.
    Delegation,
    /// The types of evidence.
    Evidence,
    /// The keys of identity.
    Identity,
    /// The norms that permit.
    Norm,
    /// The permissions of the Registerlandkarte.
    Permission,
    /// The types of registers.
    Register,
    /// The key of supervision.
    Supervision,
    /// How many authorities must sign a change set.
    Threshold,
    /// The writers of the log's entries.
    Writer,
}

impl Section {
    /// All sections, in the order of their names.
    pub const ALL: [Self; 14] = [
        Self::Authority,
        Self::Body,
        Self::CertificateAuthorities,
        Self::Class,
        Self::Component,
        Self::Delegation,
        Self::Evidence,
        Self::Identity,
        Self::Norm,
        Self::Permission,
        Self::Register,
        Self::Supervision,
        Self::Threshold,
        Self::Writer,
    ];

    /// The section's name, with which its keys begin.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Body => "body",
            Self::CertificateAuthorities => "certificate-authorities",
            Self::Class => "class",
            Self::Component => "component",
            Self::Delegation => "delegation",
            Self::Evidence => "evidence",
            Self::Identity => "identity",
            Self::Norm => "norm",
            Self::Permission => "permission",
            Self::Register => "register",
            Self::Supervision => "supervision",
            Self::Threshold => "threshold",
            Self::Writer => "writer",
        }
    }

    /// The kind whose versions have this section.
    #[must_use]
    pub const fn kind(self) -> TrustKind {
        match self {
            Self::Class | Self::Evidence | Self::Norm | Self::Permission | Self::Register => {
                TrustKind::Registerlandkarte
            }
            _ => TrustKind::Directory,
        }
    }

    /// Whether the section has one value, whose key is the section's name alone.
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::CertificateAuthorities | Self::Identity | Self::Supervision | Self::Threshold
        )
    }

    /// Checks the name in a key of this section.
    fn accepts(self, name: &str) -> bool {
        match self {
            Self::Authority => name.parse::<WriterId>().is_ok(),
            Self::Permission => name.split_once('@').is_some_and(|(id, version)| {
                let number = version.parse::<u32>();
                ParticipantId::new(id).is_ok() && number.is_ok_and(|number| number.to_string() == version)
            }),
            _ => ParticipantId::new(name).is_ok(),
        }
    }
}

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "not a key: a section and, where it has several values, a name of 1 to 64 characters of a-z, 0-9, '.', ':' and '-'"
)]
pub struct InvalidKey;

/// A key, such as `component/stadt-koeln.parken` or `identity`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key {
    // The text comes first, because it alone decides the order.
    text: Arc<str>,
    section: Section,
}

impl Key {
    /// The key of the certificate authorities.
    #[must_use]
    pub fn certificate_authorities() -> Self {
        Self::single(Section::CertificateAuthorities)
    }

    /// The key of identity's keys.
    #[must_use]
    pub fn identity() -> Self {
        Self::single(Section::Identity)
    }

    /// The key of supervision's key.
    #[must_use]
    pub fn supervision() -> Self {
        Self::single(Section::Supervision)
    }

    /// The key of the number of authorities that must sign.
    #[must_use]
    pub fn threshold() -> Self {
        Self::single(Section::Threshold)
    }

    fn single(section: Section) -> Self {
        Self {
            text: section.name().into(),
            section,
        }
    }

    /// The key of a name in a section.
    ///
    /// # Errors
    /// [`InvalidKey`] when the section has one value or cannot have this name.
    pub fn named(section: Section, name: &str) -> Result<Self, InvalidKey> {
        if section.is_single() || !section.accepts(name) {
            return Err(InvalidKey);
        }
        Ok(Self::of_name(section, name))
    }

    /// The key of a name whose type has the characters that the section accepts.
    pub(crate) fn of_name(section: Section, name: impl fmt::Display) -> Self {
        Self {
            text: format!("{}/{name}", section.name()).into(),
            section,
        }
    }

    /// The key of an authority.
    #[must_use]
    pub fn authority(id: &WriterId) -> Self {
        Self::of_name(Section::Authority, id)
    }

    /// The key of a component.
    #[must_use]
    pub fn component(id: &ParticipantId) -> Self {
        Self::of_name(Section::Component, id)
    }

    /// The key of a body.
    #[must_use]
    pub fn body(id: &BodyId) -> Self {
        Self::of_name(Section::Body, id)
    }

    /// The key of a delegation.
    #[must_use]
    pub fn delegation(id: &DelegationId) -> Self {
        Self::of_name(Section::Delegation, id)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The section.
    #[must_use]
    pub const fn section(&self) -> Section {
        self.section
    }

    /// SHA-256 of the text: the key in the authenticated map.
    #[must_use]
    pub fn in_map(&self) -> tlog::map::Key {
        Hash::of(self.text.as_bytes()).0
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (section, name) = match text.split_once('/') {
            Some((section, name)) => (section, Some(name)),
            None => (text, None),
        };
        let mut sections = Section::ALL.into_iter();
        let section = sections.find(|known| known.name() == section).ok_or(InvalidKey)?;
        match name {
            None if section.is_single() => Ok(Self::single(section)),
            None => Err(InvalidKey),
            Some(name) => Self::named(section, name),
        }
    }
}

impl TryFrom<String> for Key {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.text.as_ref().to_owned()
    }
}

impl Borrow<str> for Key {
    /// Order and equality of a key are those of its text.
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The identifier of a delegation, with the characters of a [`ParticipantId`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DelegationId(ParticipantId);

impl FromStr for DelegationId {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        ParticipantId::new(text).map(Self).map_err(|_| InvalidKey)
    }
}

impl fmt::Display for DelegationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn keys_are_read_back_with_their_section() {
        let authority = format!("authority/{}", "0a".repeat(32));
        for (text, section) in [
            (authority.as_str(), Section::Authority),
            ("body/0204:05315000-12345-06", Section::Body),
            ("certificate-authorities", Section::CertificateAuthorities),
            ("component/kba.zfzr", Section::Component),
            ("delegation/d1", Section::Delegation),
            ("identity", Section::Identity),
            ("permission/parken@12", Section::Permission),
            ("supervision", Section::Supervision),
            ("threshold", Section::Threshold),
            ("writer/broker", Section::Writer),
        ] {
            let key: Key = text.parse().unwrap();
            assert_eq!((key.as_str(), key.section()), (text, section));
        }
    }

    #[test]
    fn other_texts_are_no_keys() {
        let upper = format!("authority/{}", "0A".repeat(32));
        let long = format!("body/{}", "x".repeat(65));
        for text in [
            "",
            "/",
            "identity/",
            "identity/a",
            "body",
            "body/",
            "body/A",
            "body/a/b",
            "bodies/a",
            "permission/a",
            "permission/a@",
            "permission/a@01",
            "permission/a@1@2",
            "permission/@1",
            "authority/ab",
            &upper,
            &long,
        ] {
            assert_eq!(text.parse::<Key>(), Err(InvalidKey), "{text}");
        }
        assert_eq!(Key::named(Section::Identity, "a"), Err(InvalidKey));
    }
}
