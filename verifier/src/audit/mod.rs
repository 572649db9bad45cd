//! The audit of a whole log. Every byte that the log publishes is either accounted for or a finding.
//!
//! 1. The checkpoint: canonical, signed by a log of the policy, cosigned by the policy's quorum. Signatures of keys
//!    that the policy does not know are ignored and noted.
//! 2. The tree: every tile against its parent, and the right edge against the signed root ([`tree`]).
//! 3. The entries: every bundle is exactly as long as its entries, and every entry is the leaf at its index in the
//!    tree.
//! 4. Their content: writers' rights, signatures and chains, periods, maps, intents and outcomes ([`state`],
//!    [`rules`]).
//! 5. The documents that the entries name: every change set of the directory and the Registerlandkarte is replayed, and
//!    its root computed again ([`sets`]). With `records`, every sealed record against the commitment of its entry.
//! 6. The decisions in records that the caller has opened, by the versions in force at their intents ([`decisions`]).
//! 7. For a directory: the checkpoints that were published before ([`history`]), and that the directory holds nothing
//!    else.
//!
//! The audit shares formats with the ledger and no implementation, so that one error cannot hide in both. A log that
//! can be read is either sound or has findings. A log that cannot be read is a [`SourceError`] and gets no verdict.

mod auditor;
mod authorities;
mod bundle;
mod decisions;
mod documents;
mod files;
mod finding;
mod genesis;
mod head;
mod history;
mod layout;
mod maps;
mod opened;
mod options;
mod remote;
mod report;
mod resume;
mod rules;
mod sets;
mod source;
mod source_error;
mod state;
mod tail;
mod tree;
mod value_root;

pub use auditor::{Progress, audit};
pub use finding::{Finding, Findings, Note};
pub use head::Cosignature;
pub use opened::OpenedExchange;
pub use options::{Options, TOLERANCE};
pub use remote::{Access, Contact, ContactError, Remote};
pub use report::{PeriodReport, Report, VersionReport, WriterReport};
pub use source::Source;
pub use source_error::SourceError;
pub(crate) use tail::{Tail, TailError};
