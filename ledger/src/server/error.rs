//! Why a ledger cannot run.

use service::http as calls;

use crate::config::ConfigError;
use crate::engine::follower::FollowError;
use crate::engine::publication::PolicyMismatch;
use crate::engine::{Contradiction, OpenError};
use crate::store::StoreError;
use crate::writing::WritingError;

/// Why the ledger cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The stored log cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log of another ledger cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The witness policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyMismatch),
    /// A witness shows a checkpoint that this log has signed and does not contain.
    #[error(transparent)]
    Behind(#[from] Contradiction),
    /// The data directory, the listener or a thread failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The writing entrance cannot be opened.
    #[error(transparent)]
    Writing(#[from] WritingError),
    /// The HTTP client for witnesses cannot be created.
    #[error(transparent)]
    Client(#[from] calls::CallError),
    /// Another ledger has taken over the log.
    #[error(
        "another ledger has taken over this log ({0}): this process ends. Start it again, and it follows that ledger"
    )]
    TakenOver(String),
    /// The sequencer of a log in a database has stopped.
    #[error("the log has stopped accepting entries: {0}. This process ends, so that another ledger can take over")]
    Stopped(String),
    /// A task of start-up or shutdown panicked.
    #[error("start-up was cancelled")]
    Start,
}
