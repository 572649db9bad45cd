//! The Registerlandkarte: which body may fetch which evidence from which register, when, why and on which legal basis.
//!
//! SPEC: § 7 (2) IDNrG: the Vermittlungsstelle controls the abstract permission of a transmission. The relation
//! contains no person, and no decision depends on one.
//!
//! | module | concept |
//! | --- | --- |
//! | [`name`], [`interval`] | names of classes, registers and others; times |
//! | [`catalogue`] | what there is: classes, register types, evidence types |
//! | [`norm`] | the norm that permits, with the source in which it was read |
//! | [`rule`] | a permission |
//! | [`placed`] | who belongs where: bodies with their classes and area, components with register type and areas |
//! | [`tables`] | all of it |
//! | [`defect`], [`problem`], [`check`] | what is wrong with a row, with tables, and where |
//! | [`base_data`] | the decision whether a body may have base data from identity |
//! | [`relation`], [`permission`] | the decision, and which component is competent for a place |
//! | [`difference`] | what a change of the tables newly permits and forbids |
//!
//! # By class
//!
//! A rule relates a class of bodies and a type of register. One rule serves 11 000 municipalities. A rule for one named
//! body or component is possible.
//!
//! # Two times
//!
//! Rules, bodies and components are bitemporal. A row is *valid* while the law permits the transmission, or the body
//! belongs to its classes. It is *recorded* while the relation contains it. A correction never overwrites a row: it
//! ends the wrong row's recorded time and adds a row whose recorded time begins then. A decision depends on the query,
//! on the time whose law counts and on the time whose knowledge counts, and on nothing that was recorded after the
//! latter. It can therefore always be replayed: "what did the Registerlandkarte say at 10:03 on 4 May about a
//! transmission at that time". Both intervals are half-open: they contain their beginning but not their end.
//!
//! # One rule or none
//!
//! No two rules for the same consumer, provider, evidence type and purpose overlap in both times. A body may have
//! several classes, so more than one rule can still apply. They are tried in a fixed order: rules that name the body
//! before those for its classes, rules that name the component before those for its type of register, classes by name.
//! The first that permits the query decides. If none does, the first one gives the reason.
//!
//! What goes wrong: with permissions in code or in a policy language it is hard to establish later what they
//! permitted at a given time. Here they are a relation, and a decision is a lookup. Crate `trust` keeps the rows in
//! versions that are signed and logged.

pub mod base_data;
pub mod catalogue;
pub mod check;
pub mod defect;
pub mod difference;
mod index;
pub mod interval;
pub mod name;
pub mod norm;
pub mod permission;
pub mod placed;
pub mod problem;
pub mod relation;
pub mod rule;
pub mod tables;

pub use base_data::{BaseDatum, UnknownDatum};
pub use catalogue::{BodyClass, EvidenceType, RegisterType};
pub use check::check;
pub use defect::Defect;
pub use difference::{ChangeKey, Effect, Extent, Request, View, difference};
pub use interval::Interval;
pub use name::{BodyClassId, EvidenceTypeId, InvalidName, NormId, RegisterTypeId, RuleId};
pub use norm::{Commit, CommitError, Day, DayError, Norm, NormSource};
pub use permission::Permission;
pub use placed::{ListedBody, RegisterInstance};
pub use problem::{Place, Problem, ProblemKind, Table};
pub use record::Subject;
pub use record::{Ars, ArsError, BodyId};
pub use relation::{Candidate, Denied, NotCompetent, Query, Registerlandkarte};
pub use rule::{AreaRelation, Consumer, Provider, Rule, Subjects};
pub use tables::Tables;

#[cfg(test)]
mod tests;
