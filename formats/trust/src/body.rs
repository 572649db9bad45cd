//! Bodies (Stellen), and the right of one body to act for another.

use std::collections::BTreeSet;

use record::{Ars, BodyId, ParticipantId, Sorted, Timestamp};
use registerlandkarte::{BodyClassId, Interval};
use serde::{Deserialize, Serialize};
use text::Title;

use crate::key::DelegationId;

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
    /// The classes that it belongs to, for which the Registerlandkarte has permissions.
    pub classes: Sorted<BodyClassId>,
    /// What the body does.
    pub roles: BTreeSet<BodyRole>,
    /// Where to ask about an exchange: the address of a function, never of a person.
    pub contact: Title,
    /// The address of the data-protection officer: of the function, never of a person.
    pub data_protection: Title,
    /// The name in German sentences.
    pub forms: Forms,
}

/// The name of a body in a German sentence, with its article. Rules about articles would guess it wrong for some. A
/// tilde is replaced by the body's name, which is therefore written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forms {
    /// As the subject: "die ~" is "die Stadt Musterhausen".
    pub subject: Title,
    /// After the preposition "bei", which is part of it: "bei der ~", "beim ~".
    pub at: Title,
}

impl Body {
    /// The name as the subject of a German sentence.
    #[must_use]
    pub fn as_subject(&self) -> String {
        self.forms.subject.replace('~', &self.name)
    }

    /// The name after the preposition "bei", which is part of it.
    #[must_use]
    pub fn with_preposition(&self) -> String {
        self.forms.at.replace('~', &self.name)
    }
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
