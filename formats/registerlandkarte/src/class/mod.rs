//! Permissions by class: a class of body may fetch an evidence type from a type of register.
//!
//! | module | concept |
//! | --- | --- |
//! | [`name`] | the names of classes, registers, evidence types, norms, bodies |
//! | [`catalogue`] | what there is: classes, register types, evidence types, norms |
//! | [`norm`] | the norm that permits, with the source in which it was read |
//! | [`rule`] | a permission |
//! | [`placed`] | who belongs where: bodies with their classes and area, components with register type and areas |
//! | [`tables`] | all of it |
//! | [`problem`], [`check`] | what is wrong with tables, and where |
//! | [`relation`] | the decision, and which component is competent for a place |
//! | [`difference`] | what a change of the tables newly permits and forbids |
//!
//! # Two times, also for bodies
//!
//! Rules, bodies and components are bitemporal as [`crate::Rule`] is, and for the same reason. A decision depends on
//! the query, on the time whose law counts and on the time whose knowledge counts, and on nothing that was recorded
//! after the latter. A correction therefore never changes a past decision.
//!
//! # One rule or none
//!
//! No two rules for the same consumer, provider, evidence type and purpose overlap in both times. A body may have
//! several classes, so more than one rule can still apply. They are tried in a fixed order: rules that name the body
//! before those for its classes, rules that name the component before those for its type of register, classes by name.
//! The first that permits the query decides. If none does, the first one gives the reason.

pub mod catalogue;
pub mod check;
pub mod difference;
mod index;
pub mod name;
pub mod norm;
pub mod placed;
pub mod problem;
pub mod relation;
pub mod rule;
pub mod tables;

pub use catalogue::{BodyClass, EvidenceType, RegisterType};
pub use check::check;
pub use difference::{ChangeKey, Effect, Extent, Request, View, difference};
pub use name::{BodyClassId, BodyId, EvidenceTypeId, InvalidName, NormId, RegisterTypeId, RuleId};
pub use norm::{Commit, CommitError, Day, DayError, Norm, NormSource};
pub use placed::{ListedBody, RegisterInstance};
pub use problem::{Place, Problem, ProblemKind, Table};
pub use relation::{Candidate, ClassDenied, ClassQuery, ClassRelation, NotCompetent, Subject};
pub use rule::{AreaRelation, ClassRule, Consumer, Provider, Subjects};
pub use tables::Tables;

#[cfg(test)]
mod tests;
