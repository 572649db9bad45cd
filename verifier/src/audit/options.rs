//! What an audit demands of a log.

use std::path::PathBuf;

use tlog::Hash;
use tlog::policy::Policy;

use super::opened::OpenedExchange;

/// What an audit checks, and the trust root that it checks against. None of it may come from the log's own server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Log keys, witnesses, quorum.
    pub policy: Policy,
    /// Leaf hash of entry 0, if it is known from elsewhere.
    pub genesis: Option<Hash>,
    /// Check every sealed record too.
    pub records: bool,
    /// Accept a checkpoint without the quorum's cosignatures.
    pub allow_unwitnessed: bool,
    /// Two clocks may differ by this many seconds.
    pub tolerance: u64,
    /// Records that the caller has opened and proved, whose decisions are judged.
    pub opened: Vec<OpenedExchange>,
    /// Continue from the state saved in this file, and save the new state there.
    pub resume: Option<PathBuf>,
}

/// Default for the difference between two honest clocks, seconds.
pub const TOLERANCE: u64 = 600;
