//! Bodies (Stellen), and the right of one body to act for another.

use std::collections::BTreeSet;

use core::fmt;
use core::str::FromStr;

use record::{ParticipantId, Timestamp};
use registerlandkarte::Interval;
use serde::{Deserialize, Serialize};
use text::Title;
use thiserror::Error;

use crate::key::{BodyId, DelegationId};

/// A body (Stelle): an authority or an organisation that answers for components or runs them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The identifier.
    pub id: BodyId,
    /// The name in plain words.
    pub name: Title,
    /// The level of administration.
    pub level: Level,
    /// The area that the body is in charge of.
    pub ars: Ars,
    /// What the body does.
    pub roles: BTreeSet<BodyRole>,
    /// Where to ask about an exchange: the address of a function, never of a person.
    pub contact: Title,
    /// The address of the data-protection officer: of the function, never of a person.
    pub data_protection: Title,
    /// The name in German sentences.
    pub forms: Forms,
}

/// The name of a body in a German sentence, with its article. Rules about articles would guess it wrong for some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forms {
    /// As the subject: "die Stadt Musterhausen".
    pub subject: Title,
    /// After the preposition "bei", which is part of it: "bei der Stadt Musterhausen", "beim Kraftfahrt-Bundesamt".
    pub at: Title,
}

/// A level of administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The Federation (Bund).
    Federal,
    /// A state (Land).
    State,
    /// A municipality or an association of municipalities (Kommune).
    Municipal,
    /// A body of the indirect administration, such as a chamber or an insurance institution.
    Indirect,
}

/// What a body does for components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyRole {
    /// It answers for the subject matter (fachverantwortliche Stelle).
    Responsible,
    /// It operates the system (betriebsverantwortliche Stelle).
    Operating,
}

/// An area by its Amtlicher Regionalschlüssel: the Federation (no digit), a state (2), a Regierungsbezirk (3), a
/// district (5), an association of municipalities (9) or a municipality (12).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ars(String);

/// The text is not an Amtlicher Regionalschlüssel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an Amtlicher Regionalschlüssel has 0, 2, 3, 5, 9 or 12 digits")]
pub struct ArsError;

impl Ars {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Ars {
    type Err = ArsError;

    fn from_str(text: &str) -> Result<Self, ArsError> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Ars {
    type Error = ArsError;

    fn try_from(text: String) -> Result<Self, ArsError> {
        if matches!(text.len(), 0 | 2 | 3 | 5 | 9 | 12) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(ArsError)
        }
    }
}

impl From<Ars> for String {
    fn from(ars: Ars) -> Self {
        ars.0
    }
}

impl fmt::Display for Ars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right of a body to act for another one with a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The identifier.
    pub id: DelegationId,
    /// The body that acts.
    pub operator: BodyId,
    /// The body that it acts for.
    pub body: BodyId,
    /// The component that it acts with.
    pub component: ParticipantId,
    /// When the right holds.
    pub valid: Interval,
}

impl Delegation {
    /// Whether the right holds at `time`.
    #[must_use]
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.valid.contains(time)
    }
}
