//! Why a change set is not applied.

use record::{Ars, Timestamp};
use registerlandkarte::RegisterTypeId;
use thiserror::Error;
use tlog::Hash;
use tlog::checkpoint::Origin;

use crate::authority::{QuorumError, SignatureProblem};
use crate::error::SetParseError;
use crate::key::{InvalidKey, Key};
use crate::kind::{TrustKind, Version};
use crate::value::ValueError;

/// A change set that is refused. Nothing has changed. None of the reasons goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}, version {version}: {problem}")]
pub struct SetError {
    /// The kind that the set says it changes.
    pub kind: TrustKind,
    /// The version that the set says it makes.
    pub version: Version,
    /// What is wrong.
    pub problem: SetProblem,
}

impl SetError {
    /// Whether enough authorities in force have signed the set that [`crate::TrustState::apply`] refused. Then their
    /// keys were used for a set that cannot be right, and an alarm is due.
    #[must_use]
    pub const fn has_valid_signatures(&self) -> bool {
        match &self.problem {
            SetProblem::Operation { .. }
            | SetProblem::Missing(_)
            | SetProblem::Quorum(_)
            | SetProblem::Root { .. }
            | SetProblem::Backdated { .. } => true,
            SetProblem::OtherKind(_)
            | SetProblem::OtherLog(_)
            | SetProblem::OtherVersion(_)
            | SetProblem::OtherFirst(_)
            | SetProblem::NoVersion
            | SetProblem::Signatures(_)
            | SetProblem::Position
            | SetProblem::Early(_)
            | SetProblem::Draft(_) => false,
        }
    }
}

/// What is wrong with a change set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SetProblem {
    /// The set changes another kind than the entry that carries it says.
    #[error("the entry that carries the set is for the {0}")]
    OtherKind(TrustKind),
    /// The set is for another log.
    #[error("the set is for another log than {0}")]
    OtherLog(Origin),
    /// The set does not make the next version: it is old, or one is left out before it.
    #[error("the next version is {0}")]
    OtherVersion(Version),
    /// The first set is not the one that the genesis document names.
    #[error("the genesis document names {0} as the first set's signed header")]
    OtherFirst(Hash),
    /// All version numbers are used.
    #[error("there is no further version")]
    NoVersion,
    /// The signatures do not suffice.
    #[error(transparent)]
    Signatures(#[from] SignatureProblem),
    /// The set says that it takes effect before the version before it.
    #[error("the version before takes effect at {0}, which is later")]
    Backdated(Timestamp),
    /// An operation cannot be carried out.
    #[error("{key}: {problem}")]
    Operation {
        /// The operation's key.
        key: Key,
        /// What is wrong with it.
        problem: OperationProblem,
    },
    /// A directory must have this value, and the set leaves it out or ends it.
    #[error("{0} is missing, and a directory must have it")]
    Missing(Key),
    /// After the set, a kind could never change again.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// The root does not follow from the operations.
    #[error("the set names the root {named}, and its operations lead to {computed}")]
    Root {
        /// The root that the set names.
        named: Hash,
        /// The root that follows from the operations.
        computed: Hash,
    },
    /// The entry that carries the set is not after the last one that carried a set.
    #[error("the entry is not after the entry of the set before")]
    Position,
    /// The set's entry is older than the time at which the set takes effect.
    #[error("its entry is of {0}, before the set takes effect")]
    Early(Timestamp),
    /// A set that is being made has too many or contradictory operations.
    #[error(transparent)]
    Draft(SetParseError),
}

/// What is wrong with an operation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OperationProblem {
    /// The key's section belongs to the other kind.
    #[error("the key belongs to the {0}")]
    OtherKind(TrustKind),
    /// The value cannot be read, or does not fit the key.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// There is no value to end.
    #[error("there is no value to end")]
    NotThere,
    /// Another value has the same public key.
    #[error("{0} has the same public key")]
    KeyInUse(Key),
    /// The value names a body or component that the directory does not have.
    #[error("it names {0}, which the directory does not have")]
    Dangling(Key),
    /// Another value names this one, so this one cannot end.
    #[error("{0} names it, so it cannot end")]
    Named(Key),
    /// The delegation is over before the set takes effect.
    #[error("the delegation has ended before the set takes effect")]
    Expired,
    /// Another evidence type has the same identifier in messages.
    #[error("{0} has the same identifier")]
    IdentifierInUse(Key),
    /// Another component is competent for the same register and area.
    #[error("{other} serves the register {register} in the area '{area}' too")]
    TwoCompetent {
        /// The other component.
        other: Key,
        /// The type of register.
        register: RegisterTypeId,
        /// The area.
        area: Ars,
    },
    /// Another permission permits the same transmission at the same time.
    #[error("the permission {0} permits the same at the same time")]
    Ambiguous(String),
    /// The component is retired, which is final.
    #[error("the component is retired, and a retired component does not come back")]
    Retired,
}

impl From<InvalidKey> for OperationProblem {
    fn from(error: InvalidKey) -> Self {
        Self::Value(error.into())
    }
}
