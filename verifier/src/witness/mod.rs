//! A witness (c2sp.org/tlog-witness). It cosigns a checkpoint only if it is consistent with the last one that it
//! cosigned, so a log that shows two histories cannot get both cosigned by the same witness.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /add-checkpoint` | 200 cosignature line, or an error status (below) |
//! | `GET /<hex SHA-256(origin)>/checkpoint` | 200 the last cosigned checkpoint, 404 if there is none |
//!
//! `POST /add-checkpoint` answers 400 malformed, 403 not signed by the log, 404 unknown log, 409 other size, 422
//! inconsistent or unsound, 503 audit not finished.
//!
//! `tlog::witness::decide` makes the decision, in the order of the specification. This module adds the rule that the
//! new checkpoint is **persisted before the answer**. One lock per log is held from reading the stored size to the
//! durable rename of the new checkpoint (WI-1), so two requests cannot roll each other back. A crash between the rename
//! and the answer costs the log only a 409 with the correct size. A second process on the same state directory is
//! refused.
//!
//! An **auditing** witness reads the log itself and recomputes its content before it cosigns ([`crate::audit`]). It
//! answers 422 to a checkpoint over an entry that is not sound, such as a `map` entry with a wrong root, and to every
//! later checkpoint. It answers 503 while it reads the log or cannot read it.
//!
//! State: `<state>/<hex SHA-256(origin)>.checkpoint`, which is the cosigned note. The witness verifies its own
//! cosignature when it reads the file, so a damaged file prevents start-up instead of rolling the witness back.

mod key;
mod server;
mod store;

pub use key::{KeyFileError, load_or_create, load_signer};
pub use server::{Audit, Config, run};
pub use store::CheckpointStoreError;
