//! Who belongs where: bodies with their classes and area, components with the registers and areas that they serve.

use record::{Ars, BodyId, ParticipantId, Sorted};
use serde::{Deserialize, Serialize};
use text::Title;

use crate::interval::Interval;
use crate::name::{BodyClassId, RegisterTypeId};

/// A body during a time. A body whose classes or area change has several entries, which do not overlap in both times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedBody {
    /// The body.
    pub id: BodyId,
    /// The name in plain words.
    pub name: Title,
    /// The area that it is in charge of.
    pub area: Ars,
    /// The classes that it belongs to.
    pub classes: Sorted<BodyClassId>,
    /// When it belongs to them.
    pub valid: Interval,
    /// When that was recorded.
    pub recorded: Interval,
}

/// A component that serves the register of a type during a time. Entries for one component and type do not overlap in
/// both times, nor do entries for one type and area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterInstance {
    /// The component.
    pub component: ParticipantId,
    /// The type of register.
    pub register: RegisterTypeId,
    /// The body that keeps the register.
    pub body: BodyId,
    /// The areas that it serves; at least one.
    pub areas: Sorted<Ars>,
    /// When it serves them.
    pub valid: Interval,
    /// When that was recorded.
    pub recorded: Interval,
}
