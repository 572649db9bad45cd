//! What is wrong with tables, and where.

use core::fmt;

use record::BodyId;
use thiserror::Error;

use crate::name::{BodyClassId, EvidenceTypeId, NormId, RegisterTypeId};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Classes of bodies.
    Class,
    /// Types of registers.
    Register,
    /// Types of evidence.
    Evidence,
    /// Norms.
    Norm,
    /// Permissions.
    Permission,
    /// Bodies.
    Body,
    /// Components that serve registers.
    Instance,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 7] = [
        Self::Class,
        Self::Register,
        Self::Evidence,
        Self::Norm,
        Self::Permission,
        Self::Body,
        Self::Instance,
    ];

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Register => "register",
            Self::Evidence => "evidence",
            Self::Norm => "norm",
            Self::Permission => "permission",
            Self::Body => "body",
            Self::Instance => "instance",
        }
    }
}

/// A value in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The table.
    pub table: Table,
    /// The position of the row, from 0.
    pub row: usize,
    /// The field.
    pub field: &'static str,
    /// The position in a field with several values, from 0, in the order in which the row has them.
    pub element: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.table.name(), self.row + 1, self.field)
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {kind}")]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: ProblemKind,
}

/// What is wrong. None of these goes away on a retry; the tables must be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProblemKind {
    /// A class, register type, evidence type or norm has the name of an earlier one.
    #[error("{0} is defined twice")]
    Duplicate(String),
    /// A permission has the id and version of an earlier one.
    #[error("there are two permissions {0}")]
    DuplicateVersion(String),
    /// Versions count from 1.
    #[error("the version is 0; versions count from 1")]
    VersionZero,
    /// There is version n, but not n - 1.
    #[error("the version before {0} is missing")]
    VersionGap(String),
    /// Two evidence types have one identifier in messages.
    #[error("{0} has this identifier too")]
    DuplicateIdentifier(EvidenceTypeId),
    /// Two register types have one VIP number.
    #[error("{0} has this VIP number too")]
    DuplicateVip(RegisterTypeId),
    /// There is no such class.
    #[error("there is no class {0}")]
    UnknownClass(BodyClassId),
    /// There is no such register type.
    #[error("there is no register {0}")]
    UnknownRegister(RegisterTypeId),
    /// There is no such evidence type.
    #[error("there is no evidence {0}")]
    UnknownEvidence(EvidenceTypeId),
    /// There is no such norm.
    #[error("there is no norm {0}")]
    UnknownNorm(NormId),
    /// There is no such body.
    #[error("there is no body {0}")]
    UnknownBody(BodyId),
    /// No component of this name serves the evidence's register.
    #[error("no component {0} serves the register {1}")]
    UnknownComponent(String, RegisterTypeId),
    /// The evidence type belongs to another register.
    #[error("the evidence {0} comes from the register {1}")]
    OtherRegister(EvidenceTypeId, RegisterTypeId),
    /// A list that needs an element has none.
    #[error("the list is empty")]
    EmptyList,
    /// A list has an element twice.
    #[error("{0} is in the list twice")]
    Repeated(String),
    /// A period of validity that ends before it begins.
    #[error("the time ends before it begins, so it is empty")]
    EmptyInterval,
    /// Legal persons have no IDNr.
    #[error("the IDNr cannot be used for legal persons, who have none")]
    IdnrOfLegalPersons,
    /// The register has no data of such persons.
    #[error("the register {0} has no data of such persons")]
    OtherSubjects(RegisterTypeId),
    /// Two permissions permit the same transmission at the same time.
    #[error("{0} permits the same at the same time")]
    Ambiguous(String),
    /// A body has two entries at the same time.
    #[error("the body {0} has another entry at the same time")]
    BodyTwice(BodyId),
    /// A component serves one register twice at the same time.
    #[error("the component {0} has another entry for the register {1} at the same time")]
    ComponentTwice(String, RegisterTypeId),
    /// Two components are competent for one area at the same time.
    #[error("the component {0} is competent for the same register and area at the same time")]
    TwoCompetent(String),
    /// Two permissions for two classes of one body permit the same at the same time.
    #[error("{0} permits the body {1} the same at the same time")]
    AmbiguousForBody(String, BodyId),
}
