//! The errors that end the process.

use crate::committer::StoreError;
use crate::{day_keys, periods};

/// Why identity ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting or key file is unusable. Correct it and restart.
    #[error("configuration: {0}")]
    Configuration(String),
    /// The state or the population cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The day keys cannot be opened.
    #[error(transparent)]
    DayKeys(#[from] day_keys::DayKeyError),
    /// The directory lists other keys for identity than the key files hold.
    #[error("the {0} key is not the one in the directory: use the right key file, or have the directory changed")]
    OtherKey(&'static str),
    /// The state does not belong to the log, or the log does not let identity write what it must.
    #[error(transparent)]
    Periods(#[from] periods::PeriodError),
    /// The log is broken or does not start with the expected genesis entry. An operator must investigate before a
    /// restart.
    #[error("the log: {0}")]
    Log(String),
    /// The listener failed.
    #[error("cannot serve requests: {0}")]
    Serve(#[from] std::io::Error),
}
