//! What an audit demands of a log.

use std::path::PathBuf;

use tlog::Hash;
use tlog::policy::Policy;

/// What is demanded of the log, and where the trust comes from: never from the log's own server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Log keys, witnesses, quorum.
    pub policy: Policy,
    /// Leaf hash of entry 0, if it is known from elsewhere.
    pub genesis: Option<Hash>,
    /// Check every sealed record too.
    pub records: bool,
    /// Do not demand the quorum's cosignatures.
    pub allow_unwitnessed: bool,
    /// Two clocks may differ by this many seconds.
    pub tolerance: u64,
    /// Go on from the state saved in this file, and save it there.
    pub resume: Option<PathBuf>,
}

/// How far two honest clocks may be apart by default, seconds.
pub const TOLERANCE: u64 = 600;
