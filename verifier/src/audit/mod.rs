//! The audit of a whole log: every byte that the log publishes is accounted for, or it is a finding.
//!
//! 1. The checkpoint: canonical, signed by a log of the policy, cosigned by its quorum; no signature line of a stranger.
//! 2. The tree: every tile against its parent, the right edge against the signed root ([`tree`]).
//! 3. The entries: every bundle exactly as long as its entries, every entry the leaf that the tree has at that place.
//! 4. What they say: writers' rights, signatures and chains, periods, maps, intents and outcomes ([`state`], [`rules`]).
//! 5. The documents that they name, and with `records` every sealed record against its entry's commitment.
//! 6. For a directory: the checkpoints that were published before ([`history`]), and that nothing else lies in it.
//!
//! Nothing here uses a line of the ledger's code: the audit shares formats with it, not implementations. A log that can
//! be read is either sound or has findings; a log that cannot be read is a [`SourceError`] and gets no verdict.

mod auditor;
mod bundle;
mod documents;
mod finding;
mod genesis;
mod head;
mod history;
mod layout;
mod maps;
mod options;
mod report;
mod resume;
mod rules;
mod source;
mod state;
mod tail;
mod tree;

pub use auditor::{Progress, audit};
pub use finding::{Finding, Findings};
pub use head::Cosignature;
pub use options::{Options, TOLERANCE};
pub use report::{PeriodReport, Report, WriterReport};
pub use source::{Source, SourceError};
pub(crate) use tail::{Tail, TailError};
