//! The opening: everything that proves one disclosed entry to a reader who trusts no server.
//!
//! ```text
//! file = deterministic CBOR ["einsicht/opening/v1", Opening]
//! ```
//!
//! What [`Opening::verify`] proves, in this order:
//!
//! 1. **Receipt**: the entry is at its index in a tree whose root the log has signed and, for a quorum, the policy's
//!    witnesses have cosigned.
//! 2. **Record**: the sealed record is the one to which the entry committed when it was written.
//! 3. **Content**: the part keys open exactly this record (each part commits to its key), and the content fits the
//!    entry's kind. Without keys, the record must have expired by the time that a quorum of the policy's
//!    witnesses states: then its keys are destroyed.
//! 4. **Person** (with a [`LabelProof`]): the entry's label is the one that the person with this IDNr has for this
//!    period, series and number. Not even identity could have given it to another person.
//! 5. **Writer** (with an [`Anchor`]): the directory in force at the entry's index allows this writer to write this
//!    kind, and the writer has signed the entry. The directory's change sets are logged and signed by authorities,
//!    whose keys lead back to the log's genesis entry. Without an anchor the writer is *not* checked and
//!    [`Proved::anchored`] is `None`; a program must tell its user so.
//!
//! An opening does not prove that nothing else was recorded (`crate::bundle` does), or anything that happened outside
//! the system.

mod anchor;
mod error;
mod file;
mod path;
mod plan;
mod receipt;
mod rights;
mod rules;
mod verify;

pub use anchor::{Anchor, AnchorVersion, MAX_VALUES, MAX_VERSIONS};
pub use error::{AnchorProblem, VerifyError, WriterProblem};
pub use file::{FORMAT, LabelProof, Opening};
pub use plan::{PlanError, PlannedVersion, plan};
pub use rights::{PreparedKeys, ProvedAnchor};
pub use rules::{MAX_MAP_AGE, MAX_MAP_LEAD};
pub(crate) use rules::{belongs, fits, has_expired};
pub use verify::{Proved, ProvedPerson};
