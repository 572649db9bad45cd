//! The opening: everything that proves one disclosed entry to somebody who trusts no server.
//!
//! ```text
//! file = deterministic CBOR ["einsicht/opening/v1", Opening]
//! ```
//!
//! What [`Opening::verify`] proves, in this order:
//!
//! 1. **Receipt**: the entry stands at its index in a tree whose root the log has signed, and (quorum) the policy's
//!    witnesses have cosigned.
//! 2. **Record**: the sealed record is the one that the entry committed to when it was written.
//! 3. **Content**: the part keys open exactly this record (each part commits to its key), and what it says is of the
//!    entry's kind. Without keys the record must have expired before the witnesses' time: then its keys are destroyed.
//! 4. **Person** (if a [`LabelProof`] is there): the entry's label is the one that the person with this IDNr has for this
//!    period, series and number; nobody, not even identity, could have given it to another person.
//! 5. **Writer** (if an [`Anchor`] is there): the directory, signed by an authority that the log's genesis entry names,
//!    allows this writer to write this kind, and the entry is signed by it. Without an anchor the writer is *not* checked
//!    and [`Proved::anchored`] is `None`: say so. The directory is one that was logged; that no newer one has taken the
//!    right away since is not proved.
//!
//! What it does not prove: that nothing else was recorded ([`crate::bundle`] does), and what happened outside.

mod anchor;
mod error;
mod file;
mod receipt;
mod rules;
mod verify;

pub use anchor::{Anchor, ProvedAnchor};
pub use error::VerifyError;
pub use file::{FORMAT, LabelProof, Opening};
pub use rules::FRESH;
pub(crate) use rules::{belongs, fits, has_expired};
pub use verify::{Proved, ProvedPerson};
