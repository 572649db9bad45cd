//! A witness (c2sp.org/tlog-witness): it cosigns a checkpoint only if it is consistent with the last one that it cosigned,
//! so a log that shows two faces needs witnesses that do too.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /add-checkpoint` | 200 cosignature line · 400 malformed · 403 not signed by the log · 404 unknown log · 409 size · 422 inconsistent, or unsound · 503 audit not done |
//! | `GET /<hex SHA-256(origin)>/checkpoint` | the last cosigned checkpoint, 404 if there is none |
//!
//! The decision is `tlog::witness::decide`, in the order of the specification. What is added here is the one thing that a
//! witness must never get wrong: **persist before answer**. Per log one lock is held from reading the stored size to the
//! durable rename of the new checkpoint (WI-1), so two requests cannot roll each other back, and a crash between rename
//! and answer costs the log only a 409 with the right size. A second process on the same state is refused.
//!
//! An **auditing** witness reads the log itself and recomputes what it says before it cosigns ([`crate::audit`]): a checkpoint over
//! an entry that is not sound, such as a `map` entry with a wrong root, is answered 422, and every later one too. While it
//! reads, or cannot, it answers 503.
//!
//! State: `<state>/<hex SHA-256(origin)>.checkpoint`, the cosigned note itself: its own cosignature is verified when it is
//! read again, so a damaged file stops the start instead of turning the witness back.

mod key;
mod server;
mod store;

pub use key::{KeyFileError, load_or_create, load_signer};
pub use server::{Audit, Config, run};
pub use store::CheckpointStoreError;
